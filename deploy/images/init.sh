#!/bin/sh
# Prepares a district's broker and database; safe to run again, and run at every start.
# Runs in the network of the mongo container, because a first user is made over its loopback only.
set -eu

python deploy/mongo/initiate.py "$MONGO_HOST" --via 127.0.0.1:27017 \
  --database-prefix "${LIANFANG_DATABASE_PREFIX:-lianfang_$LIANFANG_DISTRICT}" \
  --secrets "$LIANFANG_SECRETS_DIR" \
  --users declaration screening isolation dispatch journal
lianfang topology apply
lianfang migrate
