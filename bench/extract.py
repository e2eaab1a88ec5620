"""Runs the rows of bench/extract.sh in interleaved rounds and prints their table."""

import argparse
import os
import re
import statistics
import subprocess
import tempfile

RECORDS = 500_000


def run(command, settings, files):
    """User seconds and peak KiB of one process, which must count every record. The process reports
    the peak itself: the figure of wait4 includes this process."""
    with tempfile.TemporaryFile("w+") as stdout:
        child = subprocess.Popen(command, stdout=stdout, env={**os.environ, **settings})
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        stdout.seek(0)
        output = stdout.read()
    found = re.search(r"^(\d+) records.*VmHWM:\s+(\d+) kB", output, re.MULTILINE)
    if child.returncode or not found or int(found[1]) != RECORDS * files:
        raise SystemExit(f"extract.py: {command[0]}: exit code {child.returncode}\n{output}")
    return usage.ru_utime, int(found[2])


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, required=True)
    for name in ("--test", "--typed", "--dir"):
        options.add_argument(name, required=True)
    options = options.parse_args()
    one = [f"{options.dir}/bench.jsonl"]
    four = one + [f"{options.dir}/bench-{n}.jsonl" for n in (2, 3, 4)]

    def typed(files):
        return run([options.typed, *files], {}, len(files))

    def kreplay(profile):
        command = [options.test, "--ignored", "--exact", "extract::rrpair::engine::tests::alone::extraction_alone", "--nocapture"]
        return lambda files: run(command, {"EXTRACT_PROFILE": profile, "EXTRACT_FILES": " ".join(files)}, len(files))

    rows = {
        "serde_json into typed structs": typed,
        "kreplay, profile fetch": kreplay("fetch"),
        "kreplay, bench/extract.toml": kreplay("bench/extract.toml"),
    }
    rounds = [{label: row(one)[0] for label, row in rows.items()} for _ in range(options.rounds + 1)][1:]
    reference = next(iter(rows))
    size_mb = os.path.getsize(one[0]) / 1e6
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.rounds} interleaved rounds after a warm-up\n")
    print("| row | user CPU s (min-max) | MB/s | of typed | peak MiB, 1 file | 4 files |")
    print("|---|---|---|---|---|---|")
    for label, row in rows.items():
        times = [one_round[label] for one_round in rounds]
        ratio = statistics.median(one_round[label] / one_round[reference] for one_round in rounds)
        peaks = " | ".join(f"{row(files)[1] / 1024:.1f}" for files in (one, four))
        median = statistics.median(times)
        spread = f"{median:.3f} ({min(times):.3f}-{max(times):.3f})"
        print(f"| {label} | {spread} | {size_mb / median:.0f} | {ratio:.2f} | {peaks} |")


if __name__ == "__main__":
    main()
