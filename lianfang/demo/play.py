"""Plays the whole story on a running district, chapter by chapter."""

from __future__ import annotations

import time
from contextlib import suppress

from lianfang.demo.cascade import cascade, first_day, laboratory
from lianfang.demo.checks import Checks
from lianfang.demo.declarations import Declarant, cast
from lianfang.demo.declarations import declare as declare_all
from lianfang.demo.desk import Desk
from lianfang.demo.district import InventedDistrict, invent
from lianfang.demo.divisions import Division, read_divisions
from lianfang.demo.ending import invariants, report
from lianfang.demo.fieldwork import Teams
from lianfang.demo.findings import parked
from lianfang.demo.invariants import Witness, witness_of
from lianfang.demo.ledger import ledger
from lianfang.demo.opening import declare, load_district
from lianfang.demo.release import release
from lianfang.demo.screen import Screen
from lianfang.demo.sequel import discarded_case, second_case
from lianfang.demo.stage import Stage
from lianfang.demo.townscape import enclosures
from lianfang.errors import Conflict, LianfangError, Misconfigured
from lianfang.settings import Settings

#: How often the story can be told in one district: each time one building is sealed on the same
#: morning, and more than ten in an hour wait for a named authority.
MOST_EDITIONS = 9


def main(lang: str, seed: int) -> int:
    """Play the story; 0 only when every invariant holds and everything equals the ledger."""
    screen, began = Screen(lang), time.monotonic()
    try:
        settings = Settings.read()
        if not settings.amqp_uri:
            raise Misconfigured("AMQP_URI is not set: play the demo with `make demo`")
        path = f"{settings.city}.{settings.district}"
        folder = settings.policy_dir.parent / "places"
        divisions = read_divisions(folder, settings.city, settings.district)
        with Desk(settings.amqp_uri) as desk:
            desk.greet()
            district = invent(seed, path, _edition(desk, path))
            declarants, witness = declare_all(district, seed), witness_of(settings)
            stage = prepare(desk, screen, district, declarants, witness, seed)
            tell(stage, divisions)
            return 0 if report(stage, time.monotonic() - began) else 1
    except LianfangError as error:
        screen.bad(f"{error.code}：{error.message}", f"{error.code}: {error.message}")
        return 1


def prepare(
    desk: Desk,
    screen: Screen,
    district: InventedDistrict,
    declarants: list[Declarant],
    witness: Witness,
    seed: int,
) -> Stage:
    """The stage of one telling: nothing is loaded yet, and the ledger is already written."""
    return Stage(
        desk=desk,
        screen=screen,
        teams=Teams(desk, district.path, seed),
        district=district,
        cast=cast(district),
        declarants=declarants,
        ledger=ledger(district, declarants),
        witness=witness,
        checks=Checks(),
        report={"seed": seed, "edition": district.edition},
    )


def tell(stage: Stage, divisions: list[Division]) -> None:
    """All chapters; one that cannot go on is a check that does not hold, and ends the story."""
    parked_before = parked(stage.desk)
    try:
        load_district(stage, divisions)
        declare(stage)
        laboratory(stage)
        cascade(stage)
        first_day(stage)
        second_case(stage)
        discarded_case(stage)
        release(stage)
        invariants(stage, parked_before)
    except LianfangError as error:
        stage.checks.equal("the story was played to its end", "end", f"{error.code}: {error}")
        with suppress(LianfangError):
            stage.checks.equal("parked", 0, parked(stage.desk) - parked_before)


def _edition(desk: Desk, path: str) -> int:
    """The first edition of the district that was not played here yet.

    Raises:
        Conflict: too many were; the brake would hold the next seal of the same hour back.
    """
    edition = 0
    while desk.ask("declaration.find_places", under=enclosures(path, edition)[0].path, limit=1)[
        "places"
    ]:
        edition += 1
        if edition == MOST_EDITIONS:
            raise Conflict(f"the demo was played here {edition} times: begin anew (make clean)")
    return edition
