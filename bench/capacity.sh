#!/usr/bin/env bash
# Measures how well `--max-lag` finds the capacity of a service: the demo service is limited to a known number
# of records a second, and kreplay has to find it.
#
#   bench/capacity.sh [--seconds N]
#
#   --seconds N  how long each run sends; default 60; the last third confirms what was found
#
# Environment: KREPLAY, the kreplay that is measured (default target/release/kreplay); BENCH_SERVICE, the service
# (default target/release/service); BENCH_BROKER, as of bench/run.sh (default target/release/broker).
#
# Needs: cargo build --release; Python 3.11.

set -euo pipefail
cd "$(dirname "$0")/.."

seconds=60
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
    *) echo "capacity.sh: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
  esac
done
kreplay=${KREPLAY:-target/release/kreplay}
service=${BENCH_SERVICE:-target/release/service}
broker=${BENCH_BROKER:-target/release/broker}
# The user's own settings must not take part.
export KCAT_CONFIG=/dev/null
unset "${!KREPLAY_@}" KREPLAY

for needed in "$kreplay" "$service" "${broker%% *}"; do
  command -v "$needed" >/dev/null || { echo "capacity.sh: missing $needed" >&2; exit 2; }
done

topics=()
for number in 0 1 2 3 4 5; do topics+=(--topic "capacity-$number:4"); done
# The broker ends when its stdin ends, even if this script is killed.
coproc BROKER { exec $broker "${topics[@]}"; }
broker_pid=$BROKER_PID
trap 'kill "$broker_pid" 2>/dev/null || true; wait "$broker_pid" 2>/dev/null || true' EXIT
read -r -t 120 brokers <&"${BROKER[0]}" || { echo "capacity.sh: \`$broker\` printed no HOST:PORT" >&2; exit 3; }

echo "$(nproc) cores; $(uname -sr); $("$kreplay" --version)"
python3 bench/capacity.py --kreplay "$kreplay" --service "$service" --brokers "$brokers" --seconds "$seconds"
