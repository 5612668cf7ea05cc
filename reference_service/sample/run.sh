#!/usr/bin/env bash
# Runs a siem program with sample data until it is interrupted: sample/run.sh ./siem
# SIEM_DATA is its directory (a new one is filled, one that is there is used as it is), SIEM_ADDR where it listens.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${1:?usage: sample/run.sh PROGRAM}
: "${SIEM_DATA:?name a directory for the data}"
export SIEM_DATA SIEM_LOG=${SIEM_LOG:-warn}
unset SIEM_ADMIN_PASSWORD # the generated one, which is what is printed
command -v curl >/dev/null || { echo "sample/run.sh: curl is needed" >&2; exit 2; }
is_new=$([ -e "$SIEM_DATA/siem.db" ] || echo yes)
exec 3< <(exec "$program" serve)
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" || true' EXIT
trap 'exit 0' INT TERM
read -r -u 3 _ _ url || { echo "sample/run.sh: the service did not start; SIEM_ADDR names another address to listen on" >&2; exit 1; }
api=$url/api/v1
login="curl -s $api/auth/login -d '{\"username\":\"admin\",\"password\":\"'\$(cat $SIEM_DATA/admin.password)'\"}'"
token() { eval "$login" | sed 's/.*"access_token":"\([^"]*\)".*/\1/'; }
if [ -n "$is_new" ]; then
  bearer="Authorization: Bearer $(token)"
  send() { curl -sS --fail -o /dev/null -H "$bearer" "$api/$1" -d "$2"; }
  send rules/import "@$here/rules.json"
  send correlations "@$here/correlation.json"
  while read -r event; do send events "$event"; done <"$here/events.ndjson" # one after the other, as they would happen
  until curl -s "$api/health" | grep -q '"events_pending":0'; do sleep 0.1; done
fi
cat <<END
The service listens on $url, with its data in $SIEM_DATA. Ctrl-C ends it.

Log in, in another terminal (the user is admin):

  token=\$($login | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  auth="Authorization: Bearer \$token"

and try:

  curl -s -H "\$auth" $api/alerts
  curl -s -H "\$auth" '$api/events?host=web1&limit=3'
  curl -s -H "\$auth" $api/events/sequences -d '{"steps":["login_failed","login","process"],"within":"1h"}'
  curl -s -H "\$auth" '$api/events/paths?from=ci1&depth=4'
  curl -s -H "\$auth" $api/cases
END
wait "$server"
