#!/usr/bin/env python3
"""Runs commands in interleaved rounds and prints their wall time, CPU time and peak memory.

bench/run.sh calls it. One round runs every row once, in order; the warm-up round is not counted.
Before each command --fresh runs (an empty topic); after it --count must print the row's number of
records. A command whose line asks for `--report json` must also report that number as delivered.
CPU and memory are the kernel's account of the finished process (wait4): of a pipeline, CPU is the
sum and memory that of its largest process.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

Row = namedtuple("Row", "name label records command")
Run = namedtuple("Run", "wall_s cpu_s peak_kib")


def fail(row, why, errors=""):
    sys.exit(f"measure: {row.label}: {why}\n  {row.command}\n{errors}".rstrip())


def spawn(command, stdout, stderr):
    """Runs one command line; a shell only where it is a pipeline."""
    argv = ["bash", "-o", "pipefail", "-c", command] if "|" in command else shlex.split(command)
    begin = time.perf_counter()
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
    _, status, usage = os.wait4(child.pid, 0)
    wall_s = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)


def measure(row, fresh, count):
    if fresh:
        subprocess.run(shlex.split(fresh), check=True)
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        code, run = spawn(row.command, stdout, stderr)
        stdout.seek(0)
        stderr.seek(0)
        output, errors = stdout.read().decode(errors="replace"), stderr.read().decode(errors="replace")
    if code != 0:
        fail(row, f"exit code {code}", output + errors)
    if "--report json" in row.command:
        check_report(row, output, errors)
    if count:
        found = subprocess.run(shlex.split(count), check=True, capture_output=True, text=True).stdout
        if int(found) != row.records:
            fail(row, f"the topic holds {int(found)} records, not {row.records}", errors)
    return run


def check_report(row, output, errors):
    try:
        report = json.loads(output)
        code, delivered = report["exit_code"], report["ledger"]["delivered"]
    except (ValueError, KeyError) as why:
        fail(row, f"no JSON report on stdout: {why!r}", output[:2000] + errors)
    if code != 0 or delivered != row.records:
        fail(row, f"its report says exit code {code}, {delivered} delivered, not {row.records}", output + errors)


def table(rows, runs, references, floor_kib):
    """The lines of the result: medians over the rounds, and the median of the ratios of each round."""
    by_records = {row.records: row.name for row in rows if row.name in references}
    lines = [("command", "wall", "min..max", "cpu", "peak memory", f"wall / {references[0] if references else '-'}")]
    for row in rows:
        walls = [run.wall_s for run in runs[row.name]]
        peak_kib = max(run.peak_kib for run in runs[row.name])
        reference = by_records.get(row.records)
        ratio = "-"
        if reference:
            pairs = zip(runs[row.name], runs[reference])
            ratio = f"{statistics.median(ours.wall_s / theirs.wall_s for ours, theirs in pairs):.2f}"
        lines.append((
            row.label,
            f"{statistics.median(walls):.3f} s",
            f"{min(walls):.3f}..{max(walls):.3f}",
            f"{statistics.median(run.cpu_s for run in runs[row.name]):.3f} s",
            # A new process is charged with the memory of the one that started it.
            f"{'< ' if peak_kib <= floor_kib else ''}{peak_kib / 1024:.0f} MiB",
            ratio,
        ))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        cells = [cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))]
        yield "  ".join(cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--fresh", help="command that runs, untimed, before each row")
    parser.add_argument("--count", help="command that prints how many records arrived")
    parser.add_argument("--reference", action="append", default=[], metavar="NAME", help="row that rows with as many records are divided by")
    parser.add_argument("--save", metavar="FILE", help="write every single measurement as JSON")
    parser.add_argument("--row", nargs=4, action="append", required=True, metavar=("NAME", "LABEL", "RECORDS", "COMMAND"))
    options = parser.parse_args()
    rows = [Row(name, label, int(records), command) for name, label, records, command in options.row]

    _, floor = spawn("true", subprocess.DEVNULL, subprocess.DEVNULL)
    runs = {row.name: [] for row in rows}
    for number in range(options.warmup + options.rounds):
        counted = number >= options.warmup
        for row in rows:
            run = measure(row, options.fresh, options.count)
            phase = f"round {number - options.warmup + 1}/{options.rounds}" if counted else "warm-up"
            print(f"{phase}: {row.name} {run.wall_s:.3f} s", file=sys.stderr)
            if counted:
                runs[row.name].append(run)
    for line in table(rows, runs, options.reference, floor.peak_kib * 1.1):
        print(line)
    if options.save:
        with open(options.save, "w", encoding="utf-8") as out:
            json.dump({name: [run._asdict() for run in list_] for name, list_ in runs.items()}, out, indent=1)


if __name__ == "__main__":
    main()
