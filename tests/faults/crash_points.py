"""Crash points: every point of the runtime × every subscription, command and timer, one by one."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from lianfang.runtime.crashpoints import Point
from lianfang.runtime.discovery import SERVICES
from lianfang.runtime.vault import make_key_file
from lianfang.settings import Settings
from lianfang.testing.servers import LOCAL, ROOT, Servers
from tests.faults.cells import Found, Ordeal
from tests.faults.forge import Forge
from tests.faults.matrix import Cell, cells_of, gaps, share_of, unreachable
from tests.faults.outcome import Outcome, Scale
from tests.faults.parts import Say
from tests.faults.scenes import COMMAND, SUBSCRIPTION, TIMER, Actor, Recorder, Scene, actors
from tests.faults.story import play
from tests.faults.workbench import Workbench


@contextmanager
def recorded(servers: Servers) -> Iterator[Recorder]:
    """A stage on which the story was played, with its scenes; afterwards nothing of it is left."""
    name = f"crash{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as secrets:
        make_key_file(Path(secrets))
        settings = replace(
            Settings.read(),
            profile="test",
            database_prefix=name,
            amqp_uri=servers.amqp_uri(name),
            mongo_uri=servers.mongo_uri,
            secrets_dir=Path(secrets),
            policy_dir=ROOT / "deploy" / "policy",
        )
        user = urlsplit(servers.management_uri).username or ""
        stage = Recorder(settings, servers.administration, name, user)
        try:
            play(stage)
            yield stage
        finally:
            stage.close()


def run(servers: Servers, scale: Scale, seed: int, say: Say) -> Outcome:
    """Play the story once, then die in each cell: all of them, or the tenth that `seed` names."""
    started = time.monotonic()
    declared = actors()
    say("playing the story")
    with recorded(servers) as stage:
        cells = cells_of(declared, stage.scenes)
        mine = cells if scale is Scale.LONG else share_of(cells, seed)
        found = _run_all(stage, [cell for cell in mine if cell.actor in stage.scenes], say)
    broken = gaps(declared, stage.scenes)
    figures = _figures(declared, cells, found, stage.scenes)
    return Outcome(
        part="crash-points",
        faults=sum(each.kills for each in found),
        acknowledged=len(found),
        lost=sum(each.lost for each in found),
        duplicates_delivered=sum(each.redelivered + each.repeated for each in found),
        duplicate_effects=sum(each.doubled for each in found),
        recovery_s=round(max((each.recovery_s for each in found), default=0.0), 2),
        broken=tuple(broken + [sentence for each in found for sentence in each.broken]),
        figures={**figures, "seconds": round(time.monotonic() - started, 1)},
    )


def _run_all(stage: Recorder, cells: Sequence[Cell], say: Say) -> list[Found]:
    settings = stage.settings
    log = LOCAL / "logs" / f"{settings.database_prefix}.log"
    databases = {name: stage.documents(name).database for name in SERVICES}
    bench = Workbench(servers_uri(settings), databases)
    found: list[Found] = []
    try:
        with Forge(_environment(settings), log) as forge:
            for n, cell in enumerate(cells, 1):
                say(f"{n}/{len(cells)} {cell}")
                found.append(Ordeal(bench, forge, cell, stage.scenes[cell.actor]).run())
    finally:
        bench.close()
    return found


def servers_uri(settings: Settings) -> str:
    """The address without the options of the pump's own connection."""
    return settings.amqp_uri.partition("?")[0]


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "AMQP_URI": servers_uri(settings),
        "MONGO_URI": settings.mongo_uri,
        "LIANFANG_PROFILE": settings.profile,
        "LIANFANG_CITY": settings.city,
        "LIANFANG_DISTRICT": settings.district,
        "LIANFANG_DATABASE_PREFIX": settings.database_prefix,
        "LIANFANG_SECRETS_DIR": str(settings.secrets_dir),
        "LIANFANG_POLICY_DIR": str(settings.policy_dir),
    }


def _figures(
    declared: Sequence[Actor],
    cells: Sequence[Cell],
    found: Sequence[Found],
    scenes: Mapping[Actor, Scene],
) -> dict[str, Any]:
    run = [each.cell for each in found]
    slowest = max(found, key=lambda each: each.seconds)
    kinds = {kind: sum(a.kind == kind for a in declared) for kind in (SUBSCRIPTION, COMMAND, TIMER)}
    return {
        "points": len(Point),
        **{f"{kind}s": n for kind, n in kinds.items()},
        "cells": len(cells),
        "cells_run": len(run),
        "cells_never_reached": sum(unreachable(c, scenes[c.actor]) is not None for c in run),
        "redelivered": sum(each.redelivered for each in found),
        "said_again": sum(each.repeated for each in found),
        "median_cell_s": round(statistics.median(each.seconds for each in found), 2),
        "slowest_cell_s": round(slowest.seconds, 2),
        "slowest_cell": str(slowest.cell),
    }
