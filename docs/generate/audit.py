"""What `lianfang audit` looks at."""

from __future__ import annotations

from docs.generate.markdown import code, codes, document, table
from lianfang.audit.catalogue import INVARIANTS
from lianfang.audit.models import MODELS

INTRO = """Each invariant of a district at rest. `lianfang audit` counts what it looked at and names
what breaks it: [how to read it](../how-to/audit.md). One that needs a `ledger` is left out where
none is given."""

MODELS_INTRO = """A service keeps what it needs of others in models of its own. Each is computed a
second time from its source, or held against its cause; a collection that is named nowhere fails a
test."""


def page() -> str:
    """`docs/reference/audit.md`."""
    rules = [
        (code(rule.name), f"{rule.en}<br>{rule.zh}", codes(rule.needs) or "every service")
        for rule in INVARIANTS
    ]
    models = [(code(model), code(name)) for model, name in sorted(MODELS.items())]
    return document(
        "Invariants",
        INTRO,
        table(("Name", "What holds", "Reads"), rules),
        "## Models\n\n" + MODELS_INTRO + "\n\n" + table(("Collection", "Invariant"), models),
    )
