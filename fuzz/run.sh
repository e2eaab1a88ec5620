#!/usr/bin/env bash
# Fuzzes kreplay's readers of foreign data, each for a number of seconds.
#
#   fuzz/run.sh [SECONDS [READER...]]      default: 20 seconds, all readers
#
# Begins with the fixtures and with what earlier runs have kept in fuzz/corpus. An input that ends in a
# panic, takes longer than 20 s or more than 2 GiB is kept in fuzz/artifacts/READER, and named:
#
#   FUZZ_READER=csv fuzz/run.sh 0 csv      builds, and reads the corpus once
#
# Each run first has to find a planted defect: a fuzzer that finds nothing proves nothing.
# Needs the compiler of rust-toolchain.toml and a C++ compiler, but no nightly and no cargo-fuzz: rustc.sh adds
# libFuzzer's counters only to the crates of the workspace, so neither OpenSSL nor librdkafka is built again.

set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-20}
shift || true
all=(rrpairs csv markdown framing records filter profile journal)
readers=("${@:-${all[@]}}")

RUSTC_WORKSPACE_WRAPPER=$PWD/rustc.sh cargo build --locked --release -p kreplay-fuzz
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
program=$target/release/fuzz

# libFuzzer's own limits; what one input may take is far below them.
limits=(-timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=0)

# The line that says how much was tried, and the input of a failure.
run() {
  local reader=$1 status=0
  shift
  mkdir -p "corpus/$reader" "artifacts/$reader"
  FUZZ_READER=$reader "$program" "${limits[@]}" -artifact_prefix="artifacts/$reader/" "$@" \
    "corpus/$reader" >"artifacts/$reader/log" 2>&1 || status=$?
  return "$status"
}

seed() {
  local reader=$1 file
  mkdir -p "corpus/$reader"
  shift
  for file in "$@"; do
    [[ -s $file ]] && cp -n "$file" "corpus/$reader/$(basename "$file")"
  done
}

lines_of() {
  local reader=$1 file
  mkdir -p "corpus/$reader"
  shift
  for file in "$@"; do
    split --lines=1 --suffix-length=4 "$file" "corpus/$reader/$(basename "$file")-"
  done
}

fixtures=../fixtures
seed rrpairs "$fixtures"/*.jsonl
lines_of rrpairs "$fixtures"/shop.jsonl
seed csv "$fixtures"/*.csv
seed markdown "$fixtures"/*.md
seed framing "$fixtures"/*.jsonl "$fixtures"/*.json "$fixtures"/*.md
seed records "$fixtures"/shop.expected.jsonl "$fixtures"/kcat.jsonl
lines_of records "$fixtures"/kcat.jsonl
seed profile "$fixtures"/*.toml ../src/extract/profile/profiles/*.toml
seed filter seeds/filter/*
seed journal seeds/journal/*

rm -rf corpus/planted artifacts/planted
if run planted -max_total_time=120; then
  echo 'fuzz/run.sh: the planted defect was not found' >&2
  exit 1
fi
found=(artifacts/planted/crash-*)
if [[ ! -s ${found[0]} ]] || ! grep -q 'the planted defect' artifacts/planted/log; then
  cat artifacts/planted/log >&2
  echo 'fuzz/run.sh: the planted defect was found, and its input was not kept' >&2
  exit 1
fi
echo "planted    found: fuzz/${found[0]}"

failed=0
for reader in "${readers[@]}"; do
  mkdir -p "artifacts/$reader"
  if run "$reader" -dict=words.dict -max_total_time="$seconds"; then
    tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "artifacts/$reader/log")
    printf '%-10s %s inputs, no defect\n' "$reader" "$tried"
    continue
  fi
  failed=1
  tail -n 40 "artifacts/$reader/log" >&2
  printf 'fuzz/run.sh: %s failed; the inputs kept of this run and earlier ones:\n' "$reader" >&2
  find "artifacts/$reader" -type f ! -name log -printf '  fuzz/%p\n' >&2
done
exit "$failed"
