#!/usr/bin/env python3
"""Runs two builds of kreplay by turns on the same records and prints user CPU and elapsed time of each pair.

    bench/pairs.py BEFORE AFTER [--pairs N] [--dir DIR] [--source FILE] [-- FLAGS...]

  BEFORE, AFTER  two kreplays, built alike, each with its command: "target/release/kreplay replay"
  --pairs N      pairs after one that is thrown away; default 5
  --dir DIR      where bench/spread.py keeps its files; default target/bench
  --source FILE  500,000 records in another form; default: the record lines of spread.py
  FLAGS          of the replay; default: flat out into a rehearsal

A pair meets the same minute of a busy machine on both sides, so the ratios say more than the times.
"""

import argparse
import os
import resource
import shlex
import statistics
import subprocess
import sys
import time

RECORDS = 500_000


def run(kreplay, source, flags):
    """User CPU seconds and elapsed seconds of a run that delivers all."""
    command = [*shlex.split(kreplay), source, "--rehearse", "-q", "--report", "text", *flags]
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    elapsed = time.monotonic() - began
    user = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    delivered = f"delivered {RECORDS:,} of {RECORDS:,} records"
    if done.returncode != 0 or not done.stdout.startswith(delivered):
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return user, elapsed


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--dir", default="target/bench")
    parser.add_argument("--source")
    parser.add_argument("flags", nargs="*")
    args = parser.parse_args()
    here = os.path.dirname(os.path.abspath(__file__))
    source = args.source
    if source is None:
        subprocess.run([sys.executable, os.path.join(here, "spread.py"), args.dir], check=True)
        source = os.path.join(args.dir, "spread-1x8.jsonl")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores; load {load:.1f} at the start")
    print("| pair | before: user s | elapsed s | after: user s | elapsed s |\n|---|---|---|---|---|")
    ratios = []
    for pair in range(args.pairs + 1):
        # Who is first changes from pair to pair.
        sides = [args.before, args.after]
        order = (0, 1) if pair % 2 else (1, 0)
        times = [None, None]
        for side in order:
            times[side] = run(sides[side], source, args.flags)
        if pair == 0:
            continue
        (user, elapsed), (user_after, elapsed_after) = times
        ratios.append((user_after / user, elapsed_after / elapsed))
        print(f"| {pair} | {user:.2f} | {elapsed:.2f} | {user_after:.2f} | {elapsed_after:.2f} |")
    user, elapsed = (statistics.median(each) for each in zip(*ratios, strict=True))
    print(f"after / before, median of the pairs: user {user:.2f}, elapsed {elapsed:.2f}")


if __name__ == "__main__":
    main()
