#!/usr/bin/env bash
# Fuzzes the reading of a line (fuzz_targets/line.rs), from the lines of the fixtures on.
#
#   cargo install cargo-fuzz
#   fuzz/run.sh [SECONDS]        default 300
#
# The first run builds OpenSSL and librdkafka for itself: a quarter of an hour of CPU time. Later ones
# begin in about a minute, and read thousands of lines a second.
#
# cargo-fuzz asks for a nightly compiler; RUSTC_BOOTSTRAP lets the one of rust-toolchain.toml pass for
# one. Without a sanitizer: the crate has no unsafe code, and librdkafka is not what is fuzzed.

set -euo pipefail
cd "$(dirname "$0")"

mkdir -p corpus/line
for fixture in ../fixtures/*.jsonl; do
  split --lines=1 --suffix-length=4 "$fixture" "corpus/line/$(basename "$fixture")-"
done

RUSTC_BOOTSTRAP=1 exec cargo fuzz run --sanitizer none line -- -max_total_time="${1:-300}" -dict=line.dict
