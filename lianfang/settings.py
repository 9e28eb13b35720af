"""The only reader of the environment: one frozen record, all errors reported together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from environs import Env, EnvValidationError, validate

from lianfang.errors import Misconfigured

PROFILES = ("production", "demo", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process is told about its district, broker, database and secrets."""

    #: `production`, `demo` or `test`; only the last two let anybody set the clock.
    profile: str
    #: The city's four-digit code.
    city: str
    #: The management district whose services these are.
    district: str
    #: Broker address with the user and virtual host of this service.
    amqp_uri: str
    #: Replica-set address of the database.
    mongo_uri: str
    #: Name prefix of this district's databases.
    database_prefix: str
    #: Folder with the district's key file and the services' broker credentials.
    secrets_dir: Path
    #: Folder of policy profiles, and the profile in force.
    policy_dir: Path
    policy_profile: str
    #: Where `/health` and `/metrics` answer; 0 takes any free port.
    health_host: str
    health_port: int
    #: How many requests one process answers at a time.
    rpc_workers: int
    #: Broker management address (administrator); only `topology apply`, `queues`, `check` and demo
    #: tools need it.
    amqp_management_uri: str | None
    #: `host:port` where services reach the broker, written into their private environments.
    amqp_host: str | None

    @classmethod
    def read(cls, *, needs_database: bool = True) -> Self:
        """Read the process environment once; `mongo_uri` may be empty for who needs none.

        Raises:
            Misconfigured: listing every wrong or missing variable.
        """
        env = Env(eager=False)
        with env.prefixed("LIANFANG_"):
            district = env.str("DISTRICT", "nanshan")
            values: dict[str, Any] = {
                "profile": env.str("PROFILE", "production", validate=validate.OneOf(PROFILES)),
                "city": env.str("CITY", "4403"),
                "district": district,
                "database_prefix": env.str("DATABASE_PREFIX", f"lianfang_{district}"),
                "secrets_dir": env.path("SECRETS_DIR", Path(".local/district")),
                "policy_dir": env.path("POLICY_DIR", Path("deploy/policy")),
                "policy_profile": env.str("POLICY_PROFILE", "shenzhen-2020-02"),
                "health_host": env.str("HEALTH_HOST", "127.0.0.1"),
                "health_port": env.int("HEALTH_PORT", 0),
                "rpc_workers": env.int("RPC_WORKERS", 8, validate=validate.Range(1, 200)),
            }
        values["amqp_uri"] = env.str("AMQP_URI", "")
        spared: dict[str, Any] = {} if needs_database else {"default": ""}
        values["mongo_uri"] = env.str("MONGO_URI", **spared)
        values["amqp_management_uri"] = env.str("AMQP_MANAGEMENT_URI", None)
        values["amqp_host"] = env.str("AMQP_HOST", None)
        try:
            env.seal()
        except EnvValidationError as error:
            wrong = {"settings": error.error_messages}
            raise Misconfigured(f"wrong settings: {error.error_messages}", wrong) from error
        return cls(**values)
