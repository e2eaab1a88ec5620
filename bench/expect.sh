#!/usr/bin/env bash
# Measures what `--expect` costs: replays one capture with the demo service behind the topic, without the
# comparison and with it.
#
#   bench/expect.sh [--records N] [--rounds N]
#
#   --records N  records read, and as many expected; default 200000
#   --rounds N   runs of each kind, one after the other in turn; default 5
#
# Environment: KREPLAY, the kreplay that is measured (default target/release/kreplay); BENCH_SERVICE, the service
# (default target/release/service); BENCH_BROKER, as of bench/run.sh (default target/release/broker).
#
# Needs: cargo build --release; Python 3.11.

set -euo pipefail
cd "$(dirname "$0")/.."

records=200000 rounds=5
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    --records) records=${2:?--records needs a number}; shift 2 ;;
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    *) echo "expect.sh: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
  esac
done
kreplay=${KREPLAY:-target/release/kreplay}
service=${BENCH_SERVICE:-target/release/service}
broker=${BENCH_BROKER:-target/release/broker}
# The user's own settings must not take part.
export KCAT_CONFIG=/dev/null
unset "${!KREPLAY_@}" KREPLAY

for needed in "$kreplay" "$service" "${broker%% *}"; do
  command -v "$needed" >/dev/null || { echo "expect.sh: missing $needed" >&2; exit 2; }
done

# The broker ends when its stdin ends, even if this script is killed.
coproc BROKER { exec $broker --topic orders:4 --topic invoices:4; }
broker_pid=$BROKER_PID
trap 'kill "$broker_pid" 2>/dev/null || true; wait "$broker_pid" 2>/dev/null || true' EXIT
read -r -t 120 brokers <&"${BROKER[0]}" || { echo "expect.sh: \`$broker\` printed no HOST:PORT" >&2; exit 3; }

echo "$(nproc) cores; $(uname -sr); $("$kreplay" --version)"
python3 bench/expect.py --kreplay "$kreplay" --service "$service" --brokers "$brokers" \
  --records "$records" --rounds "$rounds"
