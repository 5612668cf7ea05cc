#!/usr/bin/env bash
# Prints the path of a ClickHouse server: the one that is installed or, where there is none, Debian's, which it fetches
# with all it needs into the user's cache. That needs apt-get, but neither root nor what root last fetched.
set -euo pipefail
command -v clickhouse-server && exit
kept=${XDG_CACHE_HOME:-$HOME/.cache}/siem/clickhouse-18.16
if [ ! -x "$kept/clickhouse-server" ]; then
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || { echo "server.sh: clickhouse-server is not installed, and there is no $tool to fetch it with" >&2; exit 2; }
  done
  mkdir -p "$(dirname "$kept")"
  work=$(mktemp -d "$kept.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
  apt=(apt-get -qq -o Dir::State::lists="$work/lists" -o Dir::State::extended_states="$work/states" -o Dir::Cache="$work"
    -o Dir::Cache::archives="$work/archives" -o Dir::Log="$work" -o Debug::NoLocking=1 -o APT::Sandbox::User= -o Acquire::Retries=2)
  if ! { "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends --download-only clickhouse-server; } >"$work/log" 2>&1; then
    echo "server.sh: clickhouse-server is not installed, and apt-get does not give it: $(grep -m1 '^E:' "$work/log" || tail -1 "$work/log")" >&2
    exit 2
  fi
  for package in "$work"/archives/*.deb; do dpkg-deb --extract "$package" "$work/root"; done
  libraries=$(find "$work/root" -name '*.so*' -printf '%h\n' | sort -u | sed "s|^$work/|$kept/|" | paste -sd:)
  printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s/root/usr/sbin/clickhouse-server" "$@"\n' "$libraries" "$kept" >"$work/clickhouse-server"
  chmod +x "$work/clickhouse-server"
  rm -rf "$work/lists" "$work/archives"
  chmod 755 "$work"
  mv -T "$work" "$kept" 2>/dev/null || [ -x "$kept/clickhouse-server" ] # somebody else may have been quicker
fi
echo "$kept/clickhouse-server"
