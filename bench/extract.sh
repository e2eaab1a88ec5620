#!/usr/bin/env bash
# Measures extraction alone, nothing sent and nothing printed: kreplay's pass over RRPair lines
# beside serde_json into typed structs (bench/peers/typed), each on one thread of its own process.
#
#   bench/extract.sh [--rounds N] [--dir DIR]
#
#   --rounds N    timed rounds after one warm-up round; default 5
#   --dir DIR     where bench/generate.py keeps the captures; default target/bench (1.4 GB)
#
# Times are user CPU time, so that other work on the machine counts less; ratios are medians of each
# round's own. kreplay has no public extraction: its side is the ignored test `extraction_alone`
# (src/extract/rrpair/engine_tests/alone.rs). Both sides allocate with mimalloc, as kreplay does. Each finds
# lines as it would in earnest: kreplay by its own framing, the structs by BufRead::read_until.

set -euo pipefail
cd "$(dirname "$0")/.."

rounds=5
dir=target/bench
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --dir) dir=${2:?--dir needs a folder}; shift 2 ;;
    *) echo "extract.sh: unknown argument \`$1\`; see --help" >&2; exit 2 ;;
  esac
done
unset "${!EXTRACT_@}"

python3 bench/generate.py "$dir"
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
cargo build --quiet --release --manifest-path bench/peers/typed/Cargo.toml --target-dir "$target/typed"
test=$(cargo test --quiet --release --lib --no-run --message-format json |
  python3 -c 'import json, sys; print([e for line in sys.stdin if (e := json.loads(line).get("executable"))][-1])')

exec python3 bench/extract.py --rounds "$rounds" --test "$test" --typed "$target/typed/release/typed" --dir "$dir"
