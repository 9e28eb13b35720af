"""The five services as processes on this machine: ``up``, ``down``, ``status`` and ``run``.

``up`` prepares broker and database, starts a supervisor that keeps the services running, and
returns when every one says it is ready. ``run -- COMMAND`` runs a command with the services up
and stops them afterwards, unless they were up before. The stack has to be up: see ``stack.py``.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import processes
import session
import state
from state import LOCAL, StackError, say
from supervisor import COMMAND, GRACE_SECONDS, RECORD, is_ready

SERVICES = ("declaration", "screening", "isolation", "dispatch", "journal")
SUPERVISOR = Path(__file__).with_name("supervisor.py")
SUPERVISOR_LOG = state.LOGS / "supervisor.log"
STACK = LOCAL / "stack.env"
DISTRICT = {
    "LIANFANG_PROFILE": "demo",
    "LIANFANG_CITY": "4403",
    "LIANFANG_DISTRICT": "nanshan",
    "LIANFANG_SECRETS_DIR": ".local/district",
}
PREPARATIONS = (("topology", "apply"), ("migrate",))
READY_SECONDS = 120.0
MOST_RESTARTS = 3


def environment() -> dict[str, str]:
    """What the services and their preparation read; a variable that is set already wins."""
    if not STACK.exists():
        raise StackError("the stack is down: make up, or deploy/local/stack.py up")
    return DISTRICT | os.environ | state.read_env(STACK)


def operator_environment() -> dict[str, str]:
    """The environment of a command run with the services: an operator's, not a service's."""
    env = environment()
    credentials = state.ROOT / env["LIANFANG_SECRETS_DIR"] / "operator.env"
    return env | (state.read_env(credentials) if credentials.exists() else {})


def prepare(env: dict[str, str]) -> None:
    """Give broker and database everything the services need, with the administrator's rights."""
    secrets = state.ROOT / env["LIANFANG_SECRETS_DIR"]
    secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    for words in PREPARATIONS:
        done = subprocess.run(
            [COMMAND, *words], env=env, cwd=state.ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            said = (done.stdout + done.stderr).strip()[-2000:]
            raise StackError(f"lianfang {' '.join(words)} failed:\n{said}")
    missing = [name for name in SERVICES if not (secrets / f"{name}.env").exists()]
    if missing:
        raise StackError(f"lianfang topology apply left no {secrets}/*.env for {missing}")


def recorded() -> dict[str, Any]:
    """The record of the supervisor, with both parts always there."""
    return {"supervisor": None, "services": {}} | state.read_json(RECORD)


def all_ready() -> bool:
    """Whether every service runs and is ready; raises when one ends again and again."""
    services = recorded()["services"]
    for name, service in services.items():
        if service["restarts"] > MOST_RESTARTS:
            log = processes.tail(Path(service["log"]))
            raise StackError(f"{name} does not stay up, see {service['log']}:\n{log}")
    return len(services) == len(SERVICES) and all(
        processes.is_alive(service["process"]) and is_ready(service["port"])
        for service in services.values()
    )


def up() -> bool:
    """Bring up what is not up; True when it was not. Nothing keeps running when that fails."""
    with state.exclusively("services"):
        if processes.is_alive(recorded()["supervisor"]) and all_ready():
            return False
        stop_recorded()
        env = environment()
        prepare(env)
        ports = state.choose_ports(*(f"health_{name}" for name in SERVICES))
        arguments = [f"{name}={ports[f'health_{name}']}" for name in SERVICES]
        command = [str(state.PYTHON), str(SUPERVISOR), *arguments]
        supervisor = processes.start(command, env, state.ROOT, SUPERVISOR_LOG)
        try:
            wait_for_services(supervisor)
        except BaseException:
            supervisor.terminate()
            supervisor.wait()
            stop_recorded()
            raise
    return True


def wait_for_services(supervisor: subprocess.Popen[bytes]) -> None:
    """Return when every service is ready; raise when that cannot happen or takes too long."""
    if not processes.wait_until(
        lambda: supervisor.poll() is not None or all_ready(), READY_SECONDS
    ):
        services = recorded()["services"].items()
        late = {name: s["log"] for name, s in services if not is_ready(s["port"])}
        raise StackError(f"not ready after {READY_SECONDS:.0f} s, see {late}")
    if supervisor.poll() is not None:
        raise StackError(f"the supervisor ended:\n{processes.tail(SUPERVISOR_LOG)}")


def stop_recorded() -> None:
    """Stop the recorded supervisor and services, also services whose supervisor was killed."""
    record = recorded()
    processes.stop(record["supervisor"], GRACE_SECONDS + 5)
    for service in recorded()["services"].values():
        processes.stop(service["process"], GRACE_SECONDS)
    RECORD.unlink(missing_ok=True)


def down() -> None:
    """Stop exactly the recorded processes."""
    with state.exclusively("services"):
        stop_recorded()


def status() -> int:
    """Say which service runs where; 0 when every one is ready."""
    services = recorded()["services"]
    words = {}
    for name in SERVICES:
        service = services.get(name, {})
        alive = processes.is_alive(service.get("process"))
        words[name] = "down" if not alive else "ready" if is_ready(service["port"]) else "waiting"
        where = f"health:{service['port']} restarts:{service['restarts']}" if service else ""
        say(f"{name:<12} {words[name]:<8} {where}")
    return 0 if set(words.values()) == {"ready"} else 1


if __name__ == "__main__":
    session.main(__doc__, up, down, status, operator_environment)
