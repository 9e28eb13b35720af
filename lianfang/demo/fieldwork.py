"""What the teams do between the chapters: rounds from door to door, and tasks to their end."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any

from lianfang.demo.desk import Desk
from lianfang.demo.findings import open_orders

#: The parts of a day, and the slots whose rounds are held in them.
MORNING, NOON, EVENING = ("am", "breakfast"), ("lunch", "day"), ("pm", "dinner")
WORKER = "demo.worker"
_STOPS = 500


class Teams:
    """Teams in the field: they go where the services send them and report what they find."""

    def __init__(self, desk: Desk, place: str, seed: int) -> None:
        self._desk, self._place = desk, place
        self._chance = random.Random(seed)
        #: Who reports a fever when next asked: person to temperature.
        self.fevers: dict[str, float] = {}
        #: Whom a head count will not simply find: person to finding.
        self.findings: dict[str, str] = {}
        self._at_home: dict[str, list[str]] = {}
        #: Samples taken and not yet in a laboratory.
        self.samples: list[dict[str, Any]] = []
        self.rounds_held = self.stops_recorded = self.tasks_done = 0

    def hold_rounds(self, on: date, slots: Iterable[str], **where: Any) -> int:
        """Hold every open round of these slots; how many."""
        wanted, held = set(slots), 0
        rounds = self._desk.all(
            "dispatch.find_rounds",
            "rounds",
            on=on.isoformat(),
            state="open",
            **(where or {"place": self._place}),
        )
        for found in list(rounds):
            if found["slot"] in wanted or found["kind"] in wanted:
                held += self._hold(found)
        self.rounds_held += held
        return held

    def _hold(self, found: dict[str, Any]) -> int:
        whole = self._desk.ask("dispatch.get_round", round_id=found["round_id"])
        due = [stop for stop in whole["stops"] if stop["state"] == "due"]
        stops = [
            self._stop(found, stop["household_id"], self._at_home.get(stop["household_id"], []))
            for stop in due
        ]
        for start in range(0, len(stops), _STOPS):
            self._desk.do(
                "dispatch.record_stops",
                round_id=found["round_id"],
                recorded_by=WORKER,
                stops=stops[start : start + _STOPS],
            )
        self.stops_recorded += len(stops)
        return 1 if stops else 0

    def _stop(self, found: dict[str, Any], household: str, persons: list[str]) -> dict[str, Any]:
        assert self._desk.now is not None  # noqa: S101 - the story set the clock first
        return {
            "household_id": household,
            "outcome": "done",
            "recorded_at": self._desk.now.isoformat(),
            "persons": [self._person(found, person) for person in persons],
        }

    def _person(self, found: dict[str, Any], person: str) -> dict[str, Any]:
        seen: dict[str, Any] = {"person_id": person, "finding": "present"}
        if found["kind"] == "head_count":
            seen["finding"] = self.findings.pop(person, "present")
        if found["kind"] == "temperature":
            fever = self.fevers.pop(person, None)
            seen["temperature"] = fever or round(36.2 + self._chance.random() * 0.8, 1)
            seen["symptoms"] = ["fever"] if fever else []
        if found["kind"] == "sampling":
            seen["sample_id"] = self.sample(person, f"{found['on']}")
        return seen

    def sample(self, person: str, mark: str) -> str:
        """Take a swab of somebody; the tube waits for its laboratory."""
        assert self._desk.now is not None  # noqa: S101 - the story set the clock first
        sample_id = f"s.{mark}.{person[:18]}"
        self.samples.append(
            {
                "sample_id": sample_id,
                "person_ids": [person],
                "tube": "single",
                "collected_at": self._desk.now.isoformat(),
            }
        )
        return sample_id

    def deliver_samples(self, batch_id: str, laboratory_id: str) -> int:
        """The laboratory reports all waiting tubes as negative; how many."""
        assert self._desk.now is not None  # noqa: S101 - the story set the clock first
        now, taken = self._desk.now.isoformat(), 0
        for start in range(0, len(self.samples), _STOPS):
            results = [
                {**sample, "resulted_at": now, "result": "negative"}
                for sample in self.samples[start : start + _STOPS]
            ]
            answer = self._desk.do(
                "screening.import_results",
                batch_id=f"{batch_id}.{start}",
                laboratory_id=laboratory_id,
                results=results,
            )
            taken += answer["taken"]
        self.samples.clear()
        return taken

    def learn(self) -> None:
        """Read again who is at home under an order, by household."""
        persons: dict[str, list[str]] = defaultdict(list)
        for order in open_orders(self._desk):
            if order["at_home"]:
                persons[order["household_id"]].append(order["person_id"])
        self._at_home = persons

    def finish_tasks(self, kinds: Iterable[str] | None = None, **where: Any) -> int:
        """Accept, start and complete every task of these kinds that has a team; how many."""
        wanted = set(kinds) if kinds is not None else None
        tasks = list(self._desk.all("dispatch.find_tasks", "tasks", state="assigned", **where))
        done = 0
        for task in tasks:
            if wanted is not None and task["kind"] not in wanted:
                continue
            self.finish(task)
            done += 1
        return done

    def finish(self, task: dict[str, Any]) -> None:
        """Accept, start and complete one task."""
        for step in ("accept", "start", "complete"):
            self._desk.do(f"dispatch.{step}_task", task_id=task["task_id"], by=WORKER)
        self.tasks_done += 1

    def start_tasks(self, kinds: Iterable[str], **where: Any) -> int:
        """Accept and start tasks that last as long as their reason (a gate post); how many."""
        tasks = list(self._desk.all("dispatch.find_tasks", "tasks", state="assigned", **where))
        wanted, started = set(kinds), 0
        for task in tasks:
            if task["kind"] in wanted:
                for step in ("accept", "start"):
                    self._desk.do(f"dispatch.{step}_task", task_id=task["task_id"], by=WORKER)
                started += 1
        return started
