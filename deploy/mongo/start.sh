#!/usr/bin/env bash
# Starts the member of a replica set with authentication, inside the mongo image.
# The key that members show each other comes from $MONGO_KEY and stays in memory.
set -euo pipefail

key=/tmp/replica-set.key
install -m 400 /dev/null "$key"
printf '%s' "$MONGO_KEY" >"$key"
if id mongodb >/dev/null 2>&1; then chown mongodb "$key"; fi
unset MONGO_KEY

# The open transaction of a killed service keeps others waiting for ten seconds, not for sixty.
# The official image's entrypoint drops root; an image without one runs mongod directly.
# shellcheck disable=SC2046
exec $(command -v docker-entrypoint.sh || true) mongod \
  --replSet lf --keyFile "$key" --bind_ip_all --wiredTigerCacheSizeGB "${MONGO_CACHE_GB:-1}" \
  --setParameter transactionLifetimeLimitSeconds=10
