"""Reasons for an order, as hypothesis draws them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from lianfang.vocabulary import CauseKind, Measure
from services.isolation.domain.orders import Reason

NOW = datetime(2020, 2, 3, 1, tzinfo=UTC)
DUE = date(2020, 2, 16)
MEASURES = {
    CauseKind.SEAL: Measure.SEALED,
    CauseKind.CONTACT: Measure.FACILITY,
    CauseKind.ASSESSMENT: Measure.HOME,
    CauseKind.CASE: Measure.ISOLATION,
}
reasons = st.builds(
    lambda kind, n: Reason(
        kind=kind, id=f"{kind}{n}", due_on=DUE + timedelta(days=n), measure=MEASURES[kind]
    ),
    st.sampled_from(list(MEASURES)),
    st.integers(1, 2),
)
