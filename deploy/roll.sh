#!/usr/bin/env bash
# Replaces the running processes one after the other, behind nginx with deploy/nginx/hpc-billing.conf, without a dropped
# request. For several processes on an external PostgreSQL.
#
#   roll.sh              restarts them, for instance after a change of /etc/hpc-billing/env
#   roll.sh VERSION      switches to an installed version first; an older one rolls back
#
# Settings, from the environment:
#   PORTS       the processes, by their ports                             8001 8002
#   STOP, START commands that are given a port; STOP sends SIGTERM and returns when the process has ended,
#                                                                         systemctl stop|start hpc-billing@PORT
#   STATUS_URL  nginx's server for this script                            http://127.0.0.1:8090/readyz
#   RELEASES    the folder with the installed versions                    /opt/hpc-billing
#   PATIENCE    seconds for a process to become ready                     180
set -euo pipefail

PORTS=${PORTS:-8001 8002}
STATUS_URL=${STATUS_URL:-http://127.0.0.1:8090/readyz}
RELEASES=${RELEASES:-/opt/hpc-billing}
PATIENCE=${PATIENCE:-180}

stop() { if [[ -n ${STOP:-} ]]; then "$STOP" "$1"; else systemctl stop "hpc-billing@$1"; fi; }
start() { if [[ -n ${START:-} ]]; then "$START" "$1"; else systemctl start "hpc-billing@$1"; fi; }

say() { printf '%s roll: %s\n' "$(date +%T)" "$*"; }
fail() { say "$*" >&2; exit 1; }

is_ready() { curl -sf --max-time 3 -o /dev/null "http://127.0.0.1:$1/readyz"; }

# Asks nginx to ask a process. When that one says 503, nginx gives it no requests for a while: that is how it hears.
probe() { curl -s --max-time 5 -o /dev/null -D - "$STATUS_URL" | tr -d '\r' | sed -n 's/^x-upstream: //Ip'; }

is_in_rotation() { [[ $(probe) == "127.0.0.1:$1 200" ]]; }

wait_for() { # WHAT COMMAND...
  local what=$1 deadline=$((SECONDS + PATIENCE))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || fail "waited $PATIENCE s in vain: $what"
    sleep 0.2
  done
}

read -ra ports <<<"$PORTS"
((${#ports[@]} > 1)) || fail "it takes two processes or more to replace one without a gap; PORTS names ${#ports[@]}"

# Before anything changes: all of them serve, and nginx knows.
for port in "${ports[@]}"; do
  is_ready "$port" || fail "the process on port $port is not ready; nothing was changed"
  wait_for "nginx sends requests to port $port; nothing was changed" is_in_rotation "$port"
done

if [[ -n ${1:-} ]]; then
  [[ -d $RELEASES/releases/$1 ]] || fail "there is no $RELEASES/releases/$1; install it first"
  # A page of one version may ask a process of the other for its style. Names hold a hash of the content, so each
  # version can have the files of both.
  before=$(readlink -e "$RELEASES/current")/dist/public after=$RELEASES/releases/$1/dist/public
  cp -n --preserve=mode,timestamps "$before"/* "$after"/
  cp -n --preserve=mode,timestamps "$after"/* "$before"/
  ln -sfn "releases/$1" "$RELEASES/current.new"
  # Renamed, since `ln -f` removes before it makes.
  mv -T "$RELEASES/current.new" "$RELEASES/current"
  say "current is $1"
fi

for port in "${ports[@]}"; do
  say "port $port leaves"
  stop "$port" &
  stopping=$!
  while kill -0 "$stopping" 2>/dev/null; do
    probe >/dev/null
    sleep 0.05
  done
  # It was asked to end, and ended; with which code is of no interest when the next one starts.
  wait "$stopping" || say "port $port: stopping ended with $?"
  start "$port"
  wait_for "the process on port $port is ready; the others still serve" is_ready "$port"
  # Else the next one would leave while nginx still avoids this one.
  wait_for "nginx sends requests to port $port again; the others still serve" is_in_rotation "$port"
  say "port $port is back"
done
say "done"
