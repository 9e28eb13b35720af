"""The parts of the runtime that need neither broker nor database."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import structlog

from lianfang.errors import Misconfigured
from lianfang.policy import parse_section
from lianfang.runtime import logs
from lianfang.runtime.bugs import bug_of
from lianfang.runtime.discovery import service_class
from lianfang.runtime.documents import Collection, Index
from lianfang.runtime.door import Incoming
from lianfang.runtime.resources import PolicyInForce, read_section
from lianfang.settings import Settings


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    state_id: str
    at: datetime
    colour: Colour
    parts: tuple[Inner, ...]
    note: str | None = None


STATES = Collection("states", State, "state_id")


def test_a_state_survives_its_document() -> None:
    state = State(
        state_id="s",
        at=datetime(2020, 2, 3, tzinfo=UTC),
        colour=Colour.RED,
        parts=(Inner(on=date(2020, 2, 3)),),
    )
    document = STATES.dump(state)
    assert document["_id"] == "s"
    assert document["parts"] == [{"on": "2020-02-03"}]
    again = STATES.read(document)
    assert again == state
    assert isinstance(again.colour, Colour)


def test_a_field_that_an_older_document_lacks_gets_its_default() -> None:
    document = {"_id": "s", "at": datetime.now(UTC), "colour": "red", "parts": [], "gone": 1}
    assert STATES.read(document).note is None


def test_indexes_are_named_after_what_they_do() -> None:
    named = [
        Index("a", "-b.c", unique=True),
        Index("at", expire_after=timedelta(days=90)),
        Index("a", where={"open": True}),
    ]
    documents = [index.model().document for index in named]
    assert [d["name"] for d in documents] == ["ux_a_b_c", "ix_at_expires", "ix_a_where_open"]
    assert documents[0]["unique"]
    assert documents[1]["expireAfterSeconds"] == 90 * 86_400


@pytest.mark.parametrize(
    ("header", "attempt"), [(2, 2), (-1, 0), (99, 0), ("2", 0), (True, 0), (None, 0), (1.0, 0)]
)
def test_an_attempt_is_counted_only_when_it_is_a_count(header: Any, attempt: int) -> None:
    assert Incoming(body=b"", properties={}, headers={"x-attempt": header}).attempt == attempt


def fail(value: str) -> Exception:
    try:
        {}[value]
    except KeyError as error:
        return error
    raise AssertionError


def test_a_bug_names_its_place_and_no_value_and_equal_stacks_are_equal() -> None:
    (one, first), (other, second) = bug_of(fail("张三")), bug_of(fail("李四"))
    assert "张三" not in one.message
    assert one.message.startswith("KeyError at test_runtime.py:")
    assert (one.message, first) == (other.message, second)
    assert bug_of(ValueError("never raised"))[0].message == "ValueError"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is logged, as it would be in a process of its own."""
    out = io.StringIO()
    before = structlog.get_config()
    monkeypatch.setattr(sys, "stderr", out)
    logs.configure("journal")
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.configure(**before)


def test_keys_that_may_hold_personal_data_never_reach_a_line(lines: Any) -> None:
    log = structlog.get_logger("fresh")
    log.info("said", name="张三", phone="138", body=b"x", event_id="e", service="other")
    (line,) = lines()
    assert line["name"] == line["phone"] == line["body"] == "[removed]"
    assert (line["event_id"], line["event"], line["level"]) == ("e", "said", "info")


def test_an_exception_is_told_by_kind_and_place_only(lines: Any) -> None:
    log = structlog.get_logger("fresh")
    log.error("bug", exc_info=fail("张三"))
    log.error("gone", exc_info=ConnectionRefusedError(111, "Connection refused"))
    bug, gone = lines()
    assert bug["error"] == "KeyError"
    assert bug["frames"][-1].endswith(" fail")
    assert "张三" not in json.dumps(bug, ensure_ascii=False)
    assert gone["reason"] == "Connection refused"


def test_context_is_bound_for_a_while_only(lines: Any) -> None:
    log = structlog.get_logger("fresh")
    with logs.bound(correlation_id="c"):
        log.info("inside")
    log.info("outside")
    inside, outside = lines()
    assert inside["correlation_id"] == "c"
    assert "correlation_id" not in outside


def test_all_wrong_settings_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIANFANG_PROFILE", "holiday")
    monkeypatch.setenv("LIANFANG_RPC_WORKERS", "0")
    monkeypatch.delenv("MONGO_URI", raising=False)
    with pytest.raises(Misconfigured) as caught:
        Settings.read()
    for name in ("PROFILE", "RPC_WORKERS", "MONGO_URI"):
        assert name in caught.value.message


def test_there_is_no_service_of_another_name() -> None:
    with pytest.raises(Misconfigured, match="no service 'gateway'"):
        service_class("gateway")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    version: str
    days: int


def in_force(rules: dict[str, Any]) -> PolicyInForce:
    versions = [{"effective_from": date(2020, 1, 1), "rules": rules}]
    return PolicyInForce(
        parse_section({"profile": "p", "section": "s", "versions": versions}), Rules
    )


def test_rules_are_typed_and_carry_their_version() -> None:
    rules = in_force({"days": 14}).on(date(2020, 2, 3))
    assert rules.days == 14
    assert rules.version.startswith("p/s/2020-01-01/")


@pytest.mark.parametrize("rules", [{}, {"days": 14, "dys": 7}, {"days": "many"}, {"days": []}])
def test_rules_that_do_not_fit_refuse_to_start(rules: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="policy p/s/2020-01-01"):
        in_force(rules).check()


def test_a_missing_policy_file_refuses_to_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"isolation\.yml"):
        read_section(tmp_path / "isolation.yml")
    (tmp_path / "broken.yml").write_text("a: [")
    with pytest.raises(Misconfigured, match=r"broken\.yml"):
        read_section(tmp_path / "broken.yml")
