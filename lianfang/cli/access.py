"""How an operator's command reaches broker, services and database: from the settings, or a file."""

from __future__ import annotations

from lianfang.client import District
from lianfang.errors import Misconfigured
from lianfang.settings import Settings


def operator_uri(settings: Settings) -> str:
    """`AMQP_URI`, else what `lianfang topology apply` wrote for the operator.

    Raises:
        Misconfigured: there is neither.
    """
    if settings.amqp_uri:
        return settings.amqp_uri
    from lianfang.cli.district import OPERATOR

    path = settings.secrets_dir / f"{OPERATOR}.env"
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise Misconfigured(f"AMQP_URI is not set, and {path} cannot be read") from error
    return next(line.partition("=")[2] for line in lines if line.startswith("AMQP_URI="))


def operator_district(actor: str | None = None) -> District:
    """The district, called with an operator's rights on behalf of `actor`."""
    return District(operator_uri(Settings.read(needs_database=False)), actor=actor)
