#!/usr/bin/env bash
# Measures kreplay beside kcat, a Go producer and `jq | kcat` on one real Kafka.
#
#   bench/run.sh [--rounds N] [--only NAME,...] [--dir DIR]
#
#   --rounds N    timed rounds after one warm-up round; default 5
#   --only NAMES  only these rows, comma-separated:
#                 kcat, go, csv, raw, jq, two-kcat, two, memory
#   --dir DIR     where the captures are made once and kept; default target/bench (1.4 GB)
#
# Environment: KREPLAY, the kreplay that is measured (default target/release/kreplay);
# BENCH_BROKER, a command that starts a Kafka, prints HOST:PORT when it is ready and ends it
# when its stdin ends (default target/release/broker).
#
# Needs: cargo build --release; the Debian packages kcat and jq;
# Go 1.26; Python 3.11. bench/README.md says what each row is.

set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
only=kcat,go,csv,raw,jq,two-kcat,two,memory
dir=target/bench
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --only) only=${2:?--only needs names}; shift 2 ;;
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    *) echo "run.sh: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
  esac
done
kreplay=${KREPLAY:-target/release/kreplay}
broker=${BENCH_BROKER:-target/release/broker}
# The user's own settings must not take part.
export KCAT_CONFIG=/dev/null
unset "${!KREPLAY_@}" KREPLAY

wanted() { [[ ,$only, == *,$1,* ]]; }

for name in ${only//,/ }; do
  [[ " kcat go csv raw jq two-kcat two memory " == *" $name "* ]] || { echo "run.sh: no row \`$name\`; see --help" >&2; exit 2; }
done

missing=()
need() { command -v "$1" >/dev/null || missing+=("$1: $2"); }
need python3 "Python 3.11"
need go "Go 1.26"
need "${broker%% *}" "cargo build --release"
need kcat "apt-get install kcat"
if wanted jq; then need jq "apt-get install jq"; fi
if wanted csv || wanted raw || wanted two || wanted memory; then need "$kreplay" "cargo build --release"; fi
if ((${#missing[@]})); then
  printf 'run.sh: missing %s\n' "${missing[@]}" >&2
  exit 2
fi

python3 bench/generate.py "$dir"
mkdir -p "$dir/bin"
bin=$(cd "$dir/bin" && pwd)
go -C bench/peers/go build -buildvcs=false -o "$bin/" ./...

# The broker ends when its stdin ends, even if this script is killed.
coproc BROKER { exec $broker; }
broker_pid=$BROKER_PID
stop() {
  if [[ -n ${brokers:-} ]]; then "$bin/topic" -b "$brokers" -delete bench || true; fi
  kill "$broker_pid" 2>/dev/null || true
  wait "$broker_pid" 2>/dev/null || true
}
trap stop EXIT
read -r -t 120 brokers <&"${BROKER[0]}" || { echo "run.sh: \`$broker\` printed no HOST:PORT" >&2; exit 3; }

kcat="kcat -P -b $brokers -t bench -K '\\x1f' -H source=checkout -X enable.idempotence=true"
jq="jq -r '.kafka.response.FetchResponse.topics[]?.partitions[]?.records.records[]? | .keyString + \"\\u001f\" + .valueString'"
replay="-b $brokers --report json -q"

rows=()
row() { if wanted "$1"; then rows+=(--row "$@"); fi; }
row kcat "kcat ready lines" 500000 "$kcat -l $dir/bench.kcat"
row go "Go producer, column one of the CSV" 500000 "$bin/produce -b $brokers -t bench $dir/bench.csv"
row csv "kreplay replay, a CSV" 500000 "$kreplay replay $replay $dir/bench.csv"
row raw "kreplay replay, RRPairs" 500000 "$kreplay replay $replay $dir/bench.jsonl"
row jq "jq | kcat" 500000 "$jq $dir/bench.jsonl | $kcat"
row two-kcat "kcat, two ready lines" 2 "$kcat -l $dir/two.kcat"
row two "kreplay replay two.jsonl" 2 "$kreplay replay $replay $dir/two.jsonl"

measure() { python3 bench/measure.py --fresh "$bin/topic -b $brokers -fresh bench:4" --count "$bin/topic -b $brokers -count bench" "$@"; }

facts() {
  local memory_kib librdkafka
  memory_kib=$(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)
  librdkafka=$(kcat -V | sed -n 's/^Version \([0-9.]*\).*librdkafka \([0-9.]*\).*/kcat \1 (librdkafka \2)/p')
  echo "$(nproc) cores, $((memory_kib / 1048576)) GiB; $(uname -sr); load $(cut -d' ' -f1 /proc/loadavg) at the start"
  echo "$librdkafka; $(go version | cut -d' ' -f3), franz-go $(go -C bench/peers/go list -m -f '{{.Version}}' github.com/twmb/franz-go)$(wanted jq && echo "; $(jq --version)")"
  if [[ -x $kreplay ]]; then "$kreplay" --version; fi
}

echo
facts
if ((${#rows[@]})); then
  echo "500,000 records; median of $rounds interleaved rounds after a warm-up"
  echo
  measure --rounds "$rounds" --reference kcat --reference two-kcat --save "$dir/results.json" "${rows[@]}"
fi
if wanted memory; then
  four="$dir/bench.jsonl $dir/bench-2.jsonl $dir/bench-3.jsonl $dir/bench-4.jsonl"
  echo
  echo "peak memory by size of the input; two rounds"
  echo
  measure --rounds 2 --warmup 0 --save "$dir/memory.json" \
    --row memory-1 "kreplay replay, one file" 500000 "$kreplay replay $replay $dir/bench.jsonl" \
    --row memory-4 "kreplay replay, four files" 2000000 "$kreplay replay $replay $four"
fi
