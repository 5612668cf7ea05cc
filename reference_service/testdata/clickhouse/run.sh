#!/usr/bin/env bash
# Runs a command beside a ClickHouse server of its own: ./run.sh go test ./storage
# The server listens on loopback only, keeps its data in a folder that is removed, and ends with the command.
# Debian: apt-get install clickhouse-server (it need not be started, nor run as root).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
server=$(command -v clickhouse-server) || { echo "run.sh: clickhouse-server is not installed" >&2; exit 2; }
[ $# -gt 0 ] || { echo "usage: run.sh COMMAND [ARGUMENT...]" >&2; exit 2; }
port=${SIEM_TEST_CLICKHOUSE_PORT:-19011}
dir=$(mktemp -d)
mkdir "$dir/data" "$dir/tmp" "$dir/files" "$dir/schemas"
sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|$port|g" "$here/config.xml" >"$dir/config.xml"
cp "$here/users.xml" "$dir/users.xml"
if [ "$(id -u)" = 0 ]; then chown -R nobody "$dir"; as=(setpriv --reuid=nobody --regid=nogroup --clear-groups); else as=(); fi
(cd "$dir" && exec "${as[@]}" "$server" --config-file="$dir/config.xml") >"$dir/server.log" 2>&1 &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -rf "$dir"' EXIT
for _ in $(seq 100); do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    SIEM_TEST_CLICKHOUSE="127.0.0.1:$port" "$@"
    exit
  fi
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.1
done
echo "run.sh: the server did not start:" >&2
tail -5 "$dir/server.log" >&2
exit 1
