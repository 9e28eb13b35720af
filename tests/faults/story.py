"""A story in which every command of every service is called, and every subscription has work to do.

Whoever adds a command, a subscription or a timer adds a sentence here: the crash matrix names what
has no scene.
"""

from __future__ import annotations

from typing import Any

import orjson

from lianfang.vocabulary import Role
from tests.component.declaration.town import form, row
from tests.faults.scenes import Recorder
from tests.system.town import COMMUNITY, SERVICES, Town

DOCTOR, OFFICER, WORKER = "Dr Invented", "Officer Invented", "Worker Invented"
_HEAD_COUNT, _TEMPERATURE = "head_count", "temperature"


def play(stage: Recorder) -> None:
    """From the first place to the last row of the outboxes."""
    _Story(stage).play()


class _Story:
    def __init__(self, stage: Recorder) -> None:
        self.stage = stage
        self.town = Town(stage)
        self.do, self.ask = self.town.do, self.town.ask

    def play(self) -> None:
        self.people_move_in()
        self.people_declare()
        self.somebody_is_ill()
        self.the_building_is_closed()
        self.teams_go_out()
        self.cases_turn_out_otherwise()
        self.seals_are_decided()
        self.the_brake_is_pulled()
        self.two_weeks_pass()
        self.a_message_is_wrong()
        self.what_is_stuck_is_let_go()

    # -- declaration ----------------------------------------------------------------------------

    def people_move_in(self) -> None:
        """Places and residents, one by one and by file."""
        town = self.town
        enclosure = town.enclosure("e01", gates=2)
        self.home = town.building(f"{enclosure}.b01", exits=[f"{enclosure}.g1"])
        self.next_door = town.building(f"{enclosure}.b02", exits=[f"{enclosure}.g2"])
        other = f"{COMMUNITY}.e02"
        places = [
            {"path": other, "name": "城中村", "community_type": "urban_village"},
            {"path": f"{other}.g1", "name": "牌坊"},
            *(
                {"path": f"{other}.b0{n}", "name": f"{n}号", "exits": f"{other}.g1"}
                for n in (1, 2, 3)
            ),
            {"path": f"{other}.b09", "name": "厂", "use": "workplace", "exits": f"{other}.g1"},
        ]
        self.do("declaration.import_places", import_id="places", first_row=1, rows=places)
        self.village = [f"{other}.b0{n}" for n in (1, 2, 3)]
        self.factory = f"{other}.b09"
        self.family = town.household(self.home, "r0201", size=3)
        self.upstairs = town.household(self.home, "r0301", needs=["elderly"])
        self.neighbours = town.household(self.next_door, "r0101", size=3)
        self.villagers = [town.household(path, "r0101", size=2) for path in self.village]
        file = [
            row(n, building=self.home, room=f"r04{n % 2:02d}", household=f"h{n % 2}")
            for n in range(4)
        ]
        self.do("declaration.import_residents", import_id="roll", first_row=1, rows=file)
        self.do(
            "declaration.record_presence",
            building=self.home,
            source="phone",
            sightings=[
                {"person_id": person, "presence": presence, "seen_at": town.at()}
                for person, presence in zip(self.upstairs, ("away_in_city", "present"), strict=True)
            ],
        )

    def people_declare(self) -> None:
        """A sick one, a traveller from a key area, and one who has to say it again."""
        sick = form(801, health={"temperature": 38.2, "symptoms": ["fever", "dry_cough"]})
        sick["residence"] |= {"building": self.home, "room": "r0501"}
        taken = self.do("declaration.submit_declaration", form=sick)
        self.do(
            "declaration.request_correction",
            declaration_id=taken["declaration_id"],
            reason="the flight number is not complete",
        )
        travellers = [form(n, health={"stayed_in_key_area": True}) for n in (802, 803)]
        for traveller in travellers:
            traveller["residence"] |= {"building": self.next_door, "room": "r0601"}
        answer = self.do("declaration.submit_declarations", forms=travellers)
        self.travellers = [taken["person_id"] for taken in answer["declarations"]]

    # -- screening ------------------------------------------------------------------------------

    def somebody_is_ill(self) -> None:
        """Swabs, results, a suspicion, two exposures, contacts."""
        first, person = self.family[0], self.family[1]
        self.do(
            "screening.record_samples",
            samples=[
                {
                    "sample_id": f"s{n}",
                    "person_ids": [who],
                    "tube": "single",
                    "collected_at": self.town.at(hours=-2),
                }
                for n, who in enumerate((first, person))
            ],
        )
        results = [
            {"sample_id": "s0", "result": "positive_preliminary", "resulted_at": self.town.at()},
            {"sample_id": "s1", "result": "negative", "resulted_at": self.town.at()},
        ]
        self.do("screening.import_results", batch_id="b1", laboratory_id="lab", results=results)
        report = {"basis": "fever after travel", "reported_by": DOCTOR, "onset_on": "2020-02-02"}
        case = self.do("screening.report_case", person_id=self.neighbours[0], **report)
        self.suspected: str = case["case_id"]

    def the_building_is_closed(self) -> None:
        """A case who also worked: a seal, a focus, contacts, orders, tasks, rounds."""
        stays = [
            {"place": self.home, "last_present_at": self.town.at(), "use": "residence"},
            {"place": self.factory, "last_present_at": self.town.at(days=-1), "use": "workplace"},
        ]
        self.case_id = self.town.confirm(self.family[0], stays=stays)
        span = {"from_at": self.town.at(days=-2), "until_at": self.town.at(days=-1)}
        self.do(
            "screening.record_exposures",
            case_id=self.case_id,
            exposures=[
                {
                    "setting": "transport",
                    **span,
                    "carrier": {"mode": "plane", "number": "CZ3456", "on": "2020-01-30"},
                },
                {"setting": "workplace", **span, "place": self.factory},
            ],
        )
        contact = {"category": "close", "kind": "workplace", "basis": "shared desk"}
        days = {"first_exposure_on": "2020-02-01", "last_exposure_on": "2020-02-02"}
        contacts = [{"person_id": person, **contact, **days} for person in self.neighbours[1:]]
        self.do("screening.record_contacts", case_id=self.case_id, contacts=contacts)
        self.town.household(self.home, "r0701")  # somebody is found in the closed building
        self.town.building(self.home, exits=[self.home.replace("b01", f"g{n}") for n in (1, 2)])
        fever = {"temperature": 38.4, "symptoms": ["fever"], "reported_at": self.town.at()}
        self.do("screening.record_health", person_id=self.upstairs[1], **fever)

    # -- dispatch -------------------------------------------------------------------------------

    def teams_go_out(self) -> None:
        """Heads are counted, notices served, tasks done, refused, failed and given to others."""
        seal_id = self.town.seal(self.home)["seal_id"]
        homes: dict[str, list[str]] = {}
        for person in (*self.family, *self.upstairs):
            order = self.town.order_of(person)
            if order is not None:
                homes.setdefault(order["household_id"], []).append(person)
        findings = iter(("present", "absent", "present", "lives_elsewhere", "present"))
        stops = [
            {
                "household_id": household,
                "outcome": "done",
                "persons": [{"person_id": p, "finding": next(findings)} for p in persons],
            }
            for household, persons in homes.items()
        ]
        self.town.record(_HEAD_COUNT, seal_id, stops)
        self._take_temperatures(seal_id, homes)
        self._tasks()
        orders = [order["order_id"] for order in self.town.open_orders(building=self.home)]
        self.do("isolation.serve_order", order_ids=orders, served_by=WORKER, notice="n1")

    def _take_temperatures(self, seal_id: str, homes: dict[str, list[str]]) -> None:
        rounds = self.town.rounds(seal_id=seal_id, kind=_TEMPERATURE)
        found = next(r for r in rounds if r["state"] == "open")
        stops = [
            {
                "household_id": household,
                "outcome": "done",
                "recorded_at": self.town.at(),
                "persons": [
                    {"person_id": p, "temperature": 38.1, "symptoms": ["fever"]} for p in persons
                ],
            }
            for household, persons in homes.items()
        ]
        self.do(
            "dispatch.record_stops", round_id=found["round_id"], recorded_by=WORKER, stops=stops
        )

    def _tasks(self) -> None:
        self._team("team-second")
        tasks = {
            t["kind"]: t for t in self.town.tasks(state="assigned", correlation_id=self.case_id)
        }
        for kind in ("case_transfer", "terminal_disinfection"):
            self._move(tasks[kind]["task_id"], "accept", "start", "complete")
        self._move(tasks["network_report"]["task_id"], "refuse", reason="no vehicle")
        moved = tasks["case_investigation"]
        others = {"team-second", "team-community"} - {moved["team_id"]}
        self._move(moved["task_id"], "reassign", reason="nearer", team_id=others.pop())
        self._move(moved["task_id"], "accept", "start")
        self._move(moved["task_id"], "fail", reason="the lift is broken")

    def _move(self, task_id: str, *moves: str, **facts: Any) -> None:
        for move in moves:
            self.do(f"dispatch.{move}_task", task_id=task_id, by=WORKER, **facts)

    def _team(self, team_id: str) -> None:
        roles = list(Role)
        self.do(
            "dispatch.register_team",
            team_id=team_id,
            org_id="org-community",
            name="second",
            kind="aid",
            roles=roles,
        )
        shift = {"from_at": self.town.at(days=-1), "until_at": self.town.at(days=40)}
        self.do("dispatch.set_roster", team_id=team_id, shifts=[shift])

    # -- what turns out otherwise ---------------------------------------------------------------

    def cases_turn_out_otherwise(self) -> None:
        """The suspicion becomes a case, another person's, and then none; one recovers."""
        self.do(
            "screening.confirm_case",
            case_id=self.suspected,
            classification="confirmed",
            basis="positive by RT-PCR, twice",
            decided_by=DOCTOR,
            decided_at=self.town.at(),
        )
        self.do(
            "screening.amend_case",
            case_id=self.suspected,
            person_id=self.neighbours[1],
            reason="the tubes were swapped",
            amended_by=DOCTOR,
        )
        self.town.discard(self.suspected)
        self.do(
            "screening.close_case", case_id=self.case_id, outcome="recovered", decided_by=DOCTOR
        )

    # -- isolation ------------------------------------------------------------------------------

    def seals_are_decided(self) -> None:
        """One seal is ordered, approved, cleared of its conditions and released; one is refused."""
        seal_id = self.town.seal(self.home)["seal_id"]
        decision = {"seal_id": seal_id, "decided_by": OFFICER}
        self.do("isolation.order_seal", **decision)
        self.do("isolation.approve_seal", **decision)
        for condition in self.town.seal(self.home)["conditions"]:
            if not condition["met"]:
                name = condition["name"]
                self.do("isolation.waive_condition", **decision, name=name, reason="looked at")
        self.do("isolation.release_seal", **decision)
        self.town.confirm(self.villagers[0][0])
        refused = self.town.seal(self.village[0])["seal_id"]
        decision = {"seal_id": refused, "decided_by": OFFICER}
        self.do("isolation.refuse_seal", **decision, reason="another address")

    def the_brake_is_pulled(self) -> None:
        """Automation is paused: the next seal is only proposed, until an officer imposes it."""
        village = self.village[1].rpartition(".")[0]
        pause = {"place": village, "decided_by": OFFICER}
        until = self.town.at(days=1)
        self.do("isolation.pause_automation", reason="swapped racks", until=until, **pause)
        self.town.confirm(self.villagers[1][0])
        proposed = self.town.seal(self.village[1])["seal_id"]
        self.do("isolation.impose_seal", seal_id=proposed, reason="looked at", decided_by=OFFICER)
        self.do("isolation.resume_automation", **pause)

    def two_weeks_pass(self) -> None:
        """Clocks: what nobody does climbs, days open and end, orders fall due and are released."""
        self.town.confirm(self.villagers[2][0])
        seal_id = self.town.seal(self.village[2])["seal_id"]
        self.do("isolation.order_seal", seal_id=seal_id, decided_by=OFFICER)
        self.town.confirm(self.neighbours[2])  # a seal that nobody orders
        self.town.wait(hours=3)
        self.town.wait(hours=22)
        self.town.wait(days=16)
        over = [
            order["order_id"]
            for order in self.town.open_orders()
            if order["state"] == "release_due" and order["seal_id"] is None
        ]
        self.do("isolation.release_order", order_ids=over, decided_by=DOCTOR)

    # -- journal --------------------------------------------------------------------------------

    def a_message_is_wrong(self) -> None:
        """Poison is parked at four doors; one copy is replayed, another given up."""
        poison = orjson.dumps({"name": "张三", "type": "stops.recorded"})
        self.stage.send(poison, f"stops.recorded.{self.home}", message_id="poison")
        self.stage.settle()
        parked = {p["origin"]: p["parked_id"] for p in self.ask("journal.find_parked")["parked"]}
        self.do("journal.replay_parked", parked_id=parked["q.declaration.stops"])
        gone = parked["q.screening.stops"]
        self.do("journal.discard_parked", parked_id=gone, reason="nobody knows the sender")
        self.somebody_else_parks(poison)

    def somebody_else_parks(self, body: bytes) -> None:
        """A victim of the delivery limit, and a message whose subscription is retired."""
        death = [{"queue": "q.declaration.stops", "reason": "delivery_limit", "count": 51}]
        self.stage.park(body, "victim", {"x-death": death})
        self.stage.park(body, "orphan", {"x-origin": "q.retired.stops", "x-reason": "bug"})
        self.stage.tick()
        parked = {p["origin"]: p["parked_id"] for p in self.ask("journal.find_parked")["parked"]}
        self.do("journal.replay_parked", parked_id=parked["q.retired.stops"])
        self.stage.tick()

    def what_is_stuck_is_let_go(self) -> None:
        """Each service has a row that was stuck until somebody mended the cause."""
        for service in SERVICES:
            self.stage.make_stuck(service)
            self.do(f"{service}.release_outbox")
