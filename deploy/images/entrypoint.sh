#!/bin/sh
# Gives `lianfang run <service>` that service's own credentials, and other `lianfang` commands of an
# operator an operator's; `init` wrote them to $LIANFANG_SECRETS_DIR. Then starts the command.
set -eu

# Lines are taken as they are: an address may hold any character.
take() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      "" | "#"*) ;;
      *) export "${line?}" ;;
    esac
  done <"$LIANFANG_SECRETS_DIR/$1.env"
}

case "${1:-} ${2:-}" in
  "lianfang run") take "$3"; take "$3.mongo" ;;
  "lianfang demo" | "lianfang import") take operator ;;
esac
exec "$@"
