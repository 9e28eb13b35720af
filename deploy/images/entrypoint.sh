#!/bin/sh
# Gives `lianfang run <service>` that service's own credentials, which `lianfang topology apply`
# has written to $LIANFANG_SECRETS_DIR, and starts the command. Lines are taken as they are.
set -eu

if [ "${1:-} ${2:-}" = "lianfang run" ] && [ -f "$LIANFANG_SECRETS_DIR/$3.env" ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      "" | "#"*) ;;
      *) export "${line?}" ;;
    esac
  done <"$LIANFANG_SECRETS_DIR/$3.env"
fi
exec "$@"
