"""The commands of `lianfang`; each is a thin door to the room that does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated

import typer
from rich.console import Console

from lianfang.cli.audit import audit
from lianfang.cli.check import check
from lianfang.cli.imports import import_app
from lianfang.cli.parked import parked_app
from lianfang.cli.queues import queues
from lianfang.cli.trace import trace
from lianfang.errors import LianfangError

_FIRST_STEPS = """
**On this machine:** `make demo` plays the whole story, `make up` keeps it running.

**A new district:** `lianfang topology apply`, `lianfang migrate`, then `lianfang run` once
per service. Or `docker compose up --wait`, which does all three.

**Something is wrong:** `lianfang check` says what, and which page of docs/how-to/ helps.

Settings come from the environment: docs/reference/settings.md. Errors name what to mend and end
with 1; a service that is told something wrong ends with 78.
"""

app = typer.Typer(
    name="lianfang",
    help="联防 · five-level epidemic prevention: run services, prepare a district, see it work.",
    epilog=_FIRST_STEPS,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
topology_app = typer.Typer(
    help="What the broker needs, derived from who subscribes to what.", no_args_is_help=True
)
app.add_typer(topology_app, name="topology")
app.add_typer(import_app, name="import")
app.add_typer(parked_app, name="parked")
app.command()(audit)
app.command()(check)
app.command()(queues)
app.command()(trace)
_err = Console(stderr=True)
_out = Console()


@app.command()
def run(
    service: Annotated[
        str, typer.Argument(help="journal, declaration, screening, isolation or dispatch")
    ],
) -> None:
    """Run one service until it is told to stop; it drains before it ends.

    Run it several times, on several machines, for more capacity: replicas share the service's
    queues. It waits for a broker or database that is down. Health and metrics answer on
    LIANFANG_HEALTH_PORT.
    """
    from lianfang.runtime.runner import run as run_service

    run_service(service)


@topology_app.command("apply")
def apply_topology() -> None:
    """Give the broker the district's virtual host, users, queues and policies.

    Also writes each service's credentials into LIANFANG_SECRETS_DIR. Needs AMQP_MANAGEMENT_URI, an
    administrator's; safe to repeat, and repeated after every upgrade. Next: `lianfang migrate`.
    """
    from lianfang.cli.district import prepare_broker

    _guarded(prepare_broker, _err)


@topology_app.command("show")
def show_topology() -> None:
    """List every queue and what reaches it; asks no broker."""
    from lianfang.cli.district import describe_topology

    _guarded(describe_topology, _out)


@app.command()
def migrate() -> None:
    """Create the collections and indexes of every service; before they start, after every upgrade.

    Needs MONGO_URI. Safe to repeat. Next: `lianfang run <service>`.
    """
    from lianfang.cli.district import prepare_databases

    _guarded(prepare_databases, _err)


@app.command()
def demo(
    lang: Annotated[str, typer.Option(help="zh or en")] = "zh",
    seed: Annotated[int, typer.Option(help="the same seed invents the same district")] = 20200203,
) -> None:
    """Show the main job on a running district; exits 0 only when every invariant holds.

    Needs the profile `demo` and running services: `make demo` brings both.
    """
    from lianfang.demo import main

    raise typer.Exit(main(lang=lang, seed=seed))


def _guarded(action: Callable[[], Iterable[str]], console: Console) -> None:
    """Print what the action says; an error of ours is one line and exit code 1."""
    try:
        for line in action():
            console.print(line, highlight=False, soft_wrap=True)
    except LianfangError as error:
        _err.print(f"[red]{error.code}[/red]: {error.message}", soft_wrap=True)
        raise typer.Exit(1) from error
