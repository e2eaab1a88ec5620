#!/usr/bin/env bash
# Measures how the time of a replay grows with the number of partitions: the same 500,000 records over
# 8, 5,000 and 10,000 partitions of one topic, and over 5,000 topics; beside it librdkafka alone, which
# bench/peers/c/spread.c gives the records in the best order.
#
#   bench/scale.sh [--rounds N] [--only NAME,...] [--dir DIR] [--broker]
#
#   --rounds N    timed rounds after one warm-up round; default 3
#   --only NAMES  only these rows, comma-separated: 1x8, 1x5000, 1x10000, 5000x1, and of librdkafka
#                 alone lib1x8, lib1x5000, lib1x10000; the ratios need 1x8
#   --dir DIR     where bench/spread.py keeps its files (400 MB); default target/bench
#   --broker      into one real Kafka, only 1x8, 1x5000 and those of librdkafka; else into a rehearsal
#
# Environment: KREPLAY, the kreplay that is measured (default target/release/kreplay);
# BENCH_BROKER, as of bench/run.sh (default target/release/broker), which has to take
# `--topic NAME:PARTITIONS`.

set -euo pipefail
cd "$(dirname "$0")/.."

rounds=3
only=1x8,1x5000,1x10000,5000x1,lib1x8,lib1x5000,lib1x10000
dir=target/bench
real=
brokers=
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --only) only=${2:?--only needs names}; shift 2 ;;
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    --broker) real=yes; shift ;;
    *) echo "scale.sh: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
  esac
done
kreplay=${KREPLAY:-target/release/kreplay}
broker=${BENCH_BROKER:-target/release/broker}
# The user's own settings must not take part.
export KCAT_CONFIG=/dev/null
unset "${!KREPLAY_@}" KREPLAY

command -v "$kreplay" >/dev/null || { echo "scale.sh: missing $kreplay: cargo build --release" >&2; exit 2; }
python3 bench/spread.py "$dir"

to=--rehearse
if [[ $real ]]; then
  only=1x8,1x5000,lib1x8,lib1x5000
  # The broker ends when its stdin ends, even if this script is killed.
  coproc BROKER { exec $broker --topic spread-1x8-0:8 --topic spread-1x5000-0:5000; }
  broker_pid=$BROKER_PID
  trap 'kill "$broker_pid" 2>/dev/null || true; wait "$broker_pid" 2>/dev/null || true' EXIT
  read -r -t 300 brokers <&"${BROKER[0]}" || { echo "scale.sh: \`$broker\` printed no HOST:PORT" >&2; exit 3; }
  to="-b $brokers"
fi

# With the libraries that kreplay is linked with, as cargo has built them.
if [[ $only == *lib* ]]; then
  command -v gcc >/dev/null || { echo "scale.sh: missing gcc; or leave the rows of librdkafka out by --only" >&2; exit 2; }
  built() { find target/release/build -path "*/out/*" -name "$1" -printf '%T@ %p\n' | sort -n | tail -1 | cut -d' ' -f2-; }
  libraries=()
  for library in librdkafka.a libzstd.a libz.a libssl.a libcrypto.a; do libraries+=("$(built "$library")"); done
  gcc -O2 -I "$(dirname "${libraries[0]}")" -o "$dir/spread" bench/peers/c/spread.c "${libraries[@]}" -lpthread -lm -ldl
fi

rows=()
row() { if [[ ,$only, == *,$1,* ]]; then rows+=(--row "$1" "$2" 500000 "$kreplay replay $to --report json -q $dir/spread-$1.jsonl"); fi; }
row 1x8 "8 partitions"
row 1x5000 "5,000 partitions"
row 1x10000 "10,000 partitions"
row 5000x1 "5,000 topics"
alone() { if [[ ,$only, == *,lib1x$1,* ]]; then rows+=(--row "lib1x$1" "$2" 500000 "$dir/spread 1 $1 ${brokers:-}"); fi; }
alone 8 "librdkafka alone, 8 partitions"
alone 5000 "librdkafka alone, 5,000 partitions"
alone 10000 "librdkafka alone, 10,000 partitions"

echo "$(nproc) cores; load $(cut -d' ' -f1 /proc/loadavg) at the start; $("$kreplay" --version)"
python3 bench/measure.py --rounds "$rounds" --reference 1x8 --save "$dir/scale.json" "${rows[@]}"
