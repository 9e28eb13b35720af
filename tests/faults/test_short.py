"""Each part of the fault suite in the short form; `make faults` does it in full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.faults import parts
from tests.faults.outcome import Scale
from tests.faults.servers import FaultServers, running

#: Another tenth of the crash matrix each day; a failure prints it.
SEED = datetime.now(UTC).toordinal()

# A server that is started again outlives the handle that started it; it is ended by its identity.
pytestmark = [
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def servers() -> Iterator[FaultServers]:
    """One broker and one replica set for all parts."""
    with running() as started:
        yield started


@pytest.mark.parametrize("name", parts.NAMES)
def test_nothing_is_lost_and_nothing_happens_twice(servers: FaultServers, name: str) -> None:
    said: list[str] = []
    try:
        outcome = parts.part(name)(servers, Scale.SHORT, SEED, said.append)
    except BaseException:
        servers.mend()
        raise
    assert outcome.holds, (SEED, outcome.document())
    assert outcome.faults > 0
    assert outcome.acknowledged > 0
