#!/bin/sh
# The compiler of the workspace's own crates, with the counters that libFuzzer steers by. They are LLVM's
# and need no nightly compiler; a sanitizer would. Dependencies are left as the release build has them.
exec "$@" --cfg fuzzing \
  -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares
