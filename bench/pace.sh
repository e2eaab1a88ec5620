#!/usr/bin/env bash
# Measures how well a timed replay keeps its time, by the clock of one real Kafka: 2,000 records/s for
# 30 s in their original rhythm, and by `--rate` 1 and 50,000 records/s for 10 s and 200,000 for 5 s.
#
#   bench/pace.sh [--runs N] [--seconds N] [--rate-seconds N]
#
#   --runs N          runs of each; default 3
#   --seconds N       how long the original rhythm lasts; default 30
#   --rate-seconds N  how long each rate lasts; default 10, and 5 at most of 200,000/s
#
# Highstorm 0.1.0 replays the same records at the same speed in the same run, where it is installed: it reads
# them from a topic of the same broker, as it reads no files of record lines. It has no rates.
#
# Environment: KREPLAY, the kreplay that is measured (default target/release/kreplay);
# HIGHSTORM (default `highstorm` on the PATH); BENCH_BROKER, as of bench/run.sh (default
# target/release/broker), which has to take `--topic NAME:PARTITIONS:SETTING=VALUE` and `--property NAME=VALUE`.
#
# Needs: cargo build --release; the Debian package kcat; Python 3.11. For the peer: pip install highstorm==0.1.0
# (without a wheel for the platform also the Debian packages cmake, pkg-config, libssl-dev, libsasl2-dev,
# libcurl4-openssl-dev and zlib1g-dev).

set -euo pipefail
cd "$(dirname "$0")/.."

runs=3
more=()
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    --runs) runs=${2:?--runs needs a number}; shift 2 ;;
    --seconds | --rate-seconds) more+=("$1" "${2:?$1 needs a number}"); shift 2 ;;
    *) echo "pace.sh: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
  esac
done
kreplay=${KREPLAY:-target/release/kreplay}
broker=${BENCH_BROKER:-target/release/broker}
highstorm=${HIGHSTORM:-$(command -v highstorm || true)}
# The user's own settings must not take part.
export KCAT_CONFIG=/dev/null
unset "${!KREPLAY_@}" KREPLAY

for needed in "$kreplay" "${broker%% *}" kcat; do
  command -v "$needed" >/dev/null || { echo "pace.sh: missing $needed" >&2; exit 2; }
done

topics=(--topic "pace-source:4:message.timestamp.type=CreateTime")
for ((run = 1; run <= runs; run++)); do
  for what in rhythm peer 1 50k 200k; do topics+=(--topic "pace-$what-$run:4"); done
done
# The broker ends when its stdin ends, even if this script is killed.
coproc BROKER { exec $broker --property log.message.timestamp.type=LogAppendTime \
  --property log.retention.ms=-1 "${topics[@]}"; }
broker_pid=$BROKER_PID
trap 'kill "$broker_pid" 2>/dev/null || true; wait "$broker_pid" 2>/dev/null || true' EXIT
read -r -t 120 brokers <&"${BROKER[0]}" || { echo "pace.sh: \`$broker\` printed no HOST:PORT" >&2; exit 3; }

echo "$(nproc) cores; $(uname -sr); $("$kreplay" --version | head -n 1)${highstorm:+; $("$highstorm" --version | head -n 1)}"
[[ $highstorm ]] || echo 'Highstorm is not installed: no peer is measured'
python3 bench/pace.py --kreplay "$kreplay" --brokers "$brokers" --runs "$runs" --highstorm "$highstorm" "${more[@]}"
