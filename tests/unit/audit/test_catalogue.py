from __future__ import annotations

import re

import pytest

from lianfang.audit.catalogue import INVARIANTS
from lianfang.audit.models import MODELS, OWN
from lianfang.runtime.discovery import SERVICES, collections_of

_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_no_collection_of_any_service_escapes_the_audit() -> None:
    declared = {f"{name}.{c.name}" for name in SERVICES for c in collections_of(name)}
    assert declared - MODELS.keys() - OWN == set(), "name it in lianfang/audit/models.py"
    assert (MODELS.keys() | OWN) - declared == set(), "no service has it any more"
    assert MODELS.keys() & OWN == set()


def test_every_model_is_computed_anew_by_an_invariant_that_exists() -> None:
    names = {rule.name for rule in INVARIANTS}
    assert set(MODELS.values()) <= names


def test_invariants_have_names_of_their_own() -> None:
    names = [rule.name for rule in INVARIANTS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*|copy:[a-z]+\.[a-z_]+", name) for name in names)


@pytest.mark.parametrize("rule", INVARIANTS, ids=lambda rule: rule.name)
def test_every_invariant_is_a_sentence_in_both_languages(rule) -> None:
    assert _CHINESE.search(rule.zh)
    assert not _CHINESE.search(rule.en)
    assert set(rule.needs) <= {*SERVICES, "ledger"}
