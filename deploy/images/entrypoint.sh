#!/bin/sh
# Gives `lianfang run <service>` that service's own credentials, and `lianfang demo` an operator's,
# both written to $LIANFANG_SECRETS_DIR by `lianfang topology apply`; then starts the command.
set -eu

case "${1:-} ${2:-}" in
  "lianfang run") credentials=$LIANFANG_SECRETS_DIR/$3.env ;;
  "lianfang demo") credentials=$LIANFANG_SECRETS_DIR/operator.env ;;
  *) credentials=/dev/null ;;
esac
# Lines are taken as they are: an address may hold any character.
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    "" | "#"*) ;;
    *) export "${line?}" ;;
  esac
done <"$credentials"
exec "$@"
