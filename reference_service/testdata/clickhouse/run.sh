#!/usr/bin/env bash
# Runs a command beside a ClickHouse server of its own: ./run.sh go test ./storage
# The server listens on loopback only, keeps its data in a folder that is removed, and ends with the command.
# server.sh says where the server comes from.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { echo "usage: run.sh COMMAND [ARGUMENT...]" >&2; exit 2; }
server=$("$here/server.sh")
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for port in $(shuf -i 19000-28999 -n 20); do is_free "$port" && break; done
dir=$(mktemp -d)
mkdir "$dir/data" "$dir/tmp" "$dir/files" "$dir/schemas"
sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" "$here/config.xml" >"$dir/config.xml"
cp "$here/users.xml" "$dir/users.xml"
as=()
if [ "$(id -u)" = 0 ]; then
  # Not as root, unless the server lies where only root can read it.
  nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  if "${nobody[@]}" test -x "$server" 2>/dev/null; then as=("${nobody[@]}"); chown -R nobody "$dir"; fi
fi
(cd "$dir" && exec "${as[@]}" "$server" --config-file="$dir/config.xml") >"$dir/server.log" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do
  if ! is_free "$port"; then
    SIEM_TEST_CLICKHOUSE="127.0.0.1:$port" "$@"
    exit
  fi
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
echo "run.sh: the server did not start:" >&2
tail -5 "$dir/server.log" >&2
exit 1
