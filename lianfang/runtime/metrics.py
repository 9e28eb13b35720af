"""Prometheus metrics of a process; served at `/metrics` beside the health pages."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter(
    "lianfang_messages_total", "Incoming messages by how they ended", ["subscription", "outcome"]
)
BATCH_SECONDS = Histogram(
    "lianfang_batch_seconds", "Seconds from batch to commit and publish", ["subscription"]
)
CALLS = Counter("lianfang_calls_total", "Answered calls", ["method", "code"])
CALL_SECONDS = Histogram("lianfang_call_seconds", "Seconds to answer a call", ["method"])
PUBLISHED = Counter("lianfang_published_total", "Messages published", ["result"])
OUTBOX_ROWS = Gauge("lianfang_outbox_rows", "Rows waiting to be published")
OUTBOX_STUCK = Gauge("lianfang_outbox_stuck", "Rows that alone close the channel")
RERUNS = Counter("lianfang_unit_reruns_total", "Units of work run again", ["reason"])
UNSETTLED = Counter("lianfang_settle_failed_total", "Acknowledgements that met a closed channel")
REDELIVERED = Counter(
    "lianfang_redelivered_total", "Messages and requests that came again", ["queue"]
)
REPEATED = Counter("lianfang_commands_repeated_total", "Commands answered once more", ["method"])
