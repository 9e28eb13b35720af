from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import state
import yaml

from lianfang.runtime.discovery import SERVICES

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
DOCKERFILE = (ROOT / "deploy" / "images" / "Dockerfile").read_text("utf-8")
ASKED = set(re.findall(r"\$\{(\w+):\?", TEXT))


def test_every_service_runs_from_the_one_image() -> None:
    ours = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
    assert {*SERVICES, "init", "demo"} == ours.keys()
    assert len({service["image"] for service in ours.values()}) == 1
    assert {name: ours[name]["command"] for name in SERVICES} == {
        name: ["lianfang", "run", name] for name in SERVICES
    }


def test_services_start_after_the_district_was_prepared() -> None:
    for name in SERVICES:
        awaited = COMPOSE["services"][name]["depends_on"]
        assert awaited["init"]["condition"] == "service_completed_successfully"
        assert awaited["rabbitmq"]["condition"] == "service_healthy"
        assert awaited["mongo"]["condition"] == "service_healthy"


def test_whatever_keeps_running_has_a_health_check() -> None:
    assert "\nHEALTHCHECK " in DOCKERFILE
    for name in ("rabbitmq", "mongo"):
        assert COMPOSE["services"][name]["healthcheck"]["test"]


def test_the_image_runs_as_nobody_special_and_can_change_nothing() -> None:
    assert re.search(r"^USER lianfang$", DOCKERFILE, re.MULTILINE)
    for name in (*SERVICES, "init", "demo"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def test_no_password_has_a_default() -> None:
    secret = re.compile(r"\$\{(\w*(?:PASSWORD|KEY)\w*)([^}]*)\}")
    found = secret.findall(TEXT)
    assert len(found) >= 3
    assert not [name for name, rest in found if not rest.startswith(":?")]


@pytest.mark.parametrize("name", [".env.example", "deploy/compose.demo.env"])
def test_an_environment_file_names_whatever_compose_refuses_to_start_without(name: str) -> None:
    assert state.read_env(ROOT / name).keys() >= ASKED


def test_the_example_leaves_every_secret_to_the_reader() -> None:
    given = state.read_env(ROOT / ".env.example")
    assert not [name for name, value in given.items() if value and name != "LIANFANG_CITY"]


def test_no_port_is_published_unasked() -> None:
    assert not [name for name, service in COMPOSE["services"].items() if "ports" in service]


def test_what_the_image_copies_is_let_through_and_exists() -> None:
    let_through = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert not [path for path in let_through if not (ROOT / path).exists()]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    for path in (word for words in copied for word in words.split()):
        assert any(path == each or each.startswith(f"{path}/") for each in let_through), path


def test_the_local_stack_runs_the_same_services() -> None:
    text = (ROOT / "deploy" / "local" / "services.py").read_text("utf-8")
    said = re.search(r"^SERVICES = \((.*)\)$", text, re.MULTILINE)
    assert said is not None
    assert set(re.findall(r"\w+", said[1])) == set(SERVICES)
