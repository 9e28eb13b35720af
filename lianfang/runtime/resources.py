"""What a service class declares it needs: policy, vault, settings. Injected by nameko or a test."""

from __future__ import annotations

import threading
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import cattrs
import yaml
from nameko.extensions import DependencyProvider

from lianfang.errors import Misconfigured
from lianfang.policy import PolicySection, parse_section
from lianfang.runtime.engine import Engine
from lianfang.runtime.process import Process
from lianfang.runtime.vault import open_vault

_RULES = cattrs.Converter(forbid_extra_keys=True)
_RULES.register_structure_hook(date, lambda day, _: day)


class Resource(DependencyProvider):
    """Something built once per process from the engine."""

    process = Process()

    def build(self, engine: Engine) -> Any:
        """The object that service methods see."""
        raise NotImplementedError

    def setup(self) -> None:
        """Nothing is built yet."""
        self._ready = threading.Event()

    def start(self) -> None:
        """Build at once, so that a wrong set-up refuses to start."""
        self._built = self.build(self.process.engine)
        self._ready.set()

    def get_dependency(self, worker_ctx: Any) -> Any:
        """The built object; a message that comes before it waits (nameko starts all at once)."""
        self._ready.wait()
        return self._built


class Setting(Resource):
    """One value of the settings."""

    def __init__(self, name: str) -> None:
        self.name = name

    def build(self, engine: Engine) -> Any:
        """The value."""
        return getattr(engine.settings, self.name)


class Present(Resource):
    """The clock, for queries that depend on the day; decisions take `work.now` and `work.today`."""

    def build(self, engine: Engine) -> Any:
        """The engine's clock: `now()` and `today()`."""
        return engine.clock


class Vault(Resource):
    """The home of personal data: seals, opens, fingerprints."""

    def build(self, engine: Engine) -> Any:
        """The district's vault."""
        return open_vault(engine.client, engine.settings)


class PolicyInForce:
    """The typed rules of one section by day."""

    def __init__(self, section: PolicySection, rules: type) -> None:
        self._section, self._rules = section, rules
        self.on = cache(self._on)

    def _on(self, day: date) -> Any:
        in_force = self._section.on(day)
        try:
            return _RULES.structure({**in_force.rules, "version": in_force.version}, self._rules)
        except (cattrs.BaseValidationError, ValueError, TypeError) as error:
            reasons = cattrs.transform_error(error)
            raise Misconfigured(f"policy {in_force.version}: {'; '.join(reasons)}") from error

    def check(self) -> None:
        """Structure every version once.

        Raises:
            Misconfigured: naming the version and what is wrong with it.
        """
        for version in self._section.versions:
            self.on(version.effective_from)


class Policy(Resource):
    """The rules of one section as the service's own frozen dataclass, by day."""

    def __init__(self, section: str, rules: type) -> None:
        self.section, self.rules = section, rules

    def build(self, engine: Engine) -> PolicyInForce:
        """Read and check every version of the section."""
        settings = engine.settings
        path = settings.policy_dir / settings.policy_profile / f"{self.section}.yml"
        policy = PolicyInForce(read_section(path), self.rules)
        policy.check()
        return policy


@cache
def read_section(path: Path) -> PolicySection:
    """The policy section in a file.

    Raises:
        Misconfigured: the file is missing or wrong.
    """
    try:
        return parse_section(yaml.safe_load(path.read_text("utf-8")))
    except OSError as error:
        raise Misconfigured(f"policy file {path.name}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise Misconfigured(f"policy file {path.name} is no YAML: {error}") from error
