"""The commands of `lianfang`; each is a thin door to the room that does the work."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from lianfang.errors import LianfangError

app = typer.Typer(
    name="lianfang",
    help="联防 · five-level epidemic prevention: run services, prepare a district, see it work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
topology_app = typer.Typer(
    help="What the broker needs, derived from the code.", no_args_is_help=True
)
app.add_typer(topology_app, name="topology")
_err = Console(stderr=True)


@app.command()
def run(
    service: Annotated[str, typer.Argument(help="declaration, screening, …")],
) -> None:
    """Run one service until it is told to stop; it drains before it ends."""
    from lianfang.runtime.runner import run as run_service  # patches the process

    run_service(service)


@topology_app.command("apply")
def apply_topology() -> None:
    """Create virtual host, users, queues and policies; write each service's private environment."""
    from lianfang.cli.district import prepare_broker

    _guarded(prepare_broker)


@app.command()
def migrate() -> None:
    """Create the collections and indexes of every service; run before the services start."""
    from lianfang.cli.district import prepare_databases

    _guarded(prepare_databases)


@app.command()
def demo(
    lang: Annotated[str, typer.Option(help="zh or en")] = "zh",
    seed: Annotated[int, typer.Option(help="the same seed invents the same district")] = 20200203,
) -> None:
    """Show the main job on a running district; exits 0 only when every invariant holds."""
    from lianfang.demo import main

    raise typer.Exit(main(lang=lang, seed=seed))


def _guarded(action: object) -> None:
    try:
        for line in action():  # type: ignore[operator]
            _err.print(line)
    except LianfangError as error:
        _err.print(f"[red]{error.code}[/red]: {error.message}")
        raise typer.Exit(1) from error
