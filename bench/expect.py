#!/usr/bin/env python3
"""Replays a capture with and without `--expect`, in turn, and prints what kreplay needs for it.

bench/expect.sh calls it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

# What runs, and its flags; each waits for the group, so that both end when the service has done its work.
KINDS = {
    "without": [],
    "`--expect`": ["--expect", "--expect-quiet", "1s"],
}
BATCH = 50


def order(i):
    return {"order": i, "customer": f"c-{i % 1000}", "note": "x" * 100}


def topics(name, records):
    return [{"name": name, "partitions": [{"partitionIndex": records[0][0] % 4, "records": {
        "baseOffset": str(records[0][0] // 4), "records": [
            {"offsetDelta": delta, "keyString": f"c-{i % 1000}", "valueString": json.dumps(value)}
            for delta, (i, value) in enumerate(records)]}}]}]


def write_capture(path, records):
    """Fetches and Produces in turn; the records of each are of one partition."""
    with open(path, "w") as out:
        for first in range(0, records, 4 * BATCH):
            for partition in range(4):
                numbers = range(first + partition, min(first + 4 * BATCH, records), 4)
                fetched = topics("orders", [(i, order(i)) for i in numbers])
                produced = topics("invoices", [(i, {"order": order(i), "billed": True}) for i in numbers])
                for command, half, name, found in [("Fetch", "response", "FetchResponse", fetched),
                                                   ("Produce", "request", "ProduceRequest", produced)]:
                    line = {"ts": "2026-02-02T10:00:00Z", "command": command, "kafka": {half: {name: {"topics": found}}}}
                    out.write(json.dumps(line) + "\n")


def measure(args, capture, flags):
    run = subprocess.Popen(
        [args.kreplay, "replay", capture, "-b", args.brokers, "--wait-group", "billing", "--report", "json", "-q", *flags],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = run.stdout.read(), run.stderr.read()
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode != 0:
        sys.exit(f"expect: exit code {run.returncode}\n{out[:2000]}{err}")
    report = json.loads(out)
    return report["elapsed_s"], usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    for flag in ("--kreplay", "--service", "--brokers"):
        parser.add_argument(flag, required=True)
    for flag in ("--records", "--rounds"):
        parser.add_argument(flag, type=int, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "capture.jsonl")
        write_capture(capture, args.records)
        service = subprocess.Popen(
            [args.service, "--brokers", args.brokers, "--group", "billing", "--from", "orders", "--to", "invoices"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            if service.stdout.readline() != "ready\n":
                sys.exit("expect: the service did not start")
            seen = {kind: [] for kind in KINDS}
            for _ in range(args.rounds):
                for kind, flags in KINDS.items():
                    seen[kind].append(measure(args, capture, flags))
        finally:
            service.stdin.close()
            service.wait()
        size = os.path.getsize(capture) / (1 << 20)
    print(f"{args.records} records sent and as many expected, {size:.0f} MiB; medians of {args.rounds} rounds")
    print("| run | until delivered | CPU of kreplay | most memory |")
    print("|---|---|---|---|")
    for kind, rounds in seen.items():
        elapsed, cpu, memory = (statistics.median(values) for values in zip(*rounds))
        print(f"| {kind} | {elapsed:.2f} s | {cpu:.2f} s | {memory:.0f} MiB |")


if __name__ == "__main__":
    main()
