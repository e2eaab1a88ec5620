#!/usr/bin/env python3
"""Holds the lag of a service whose capacity is known, and prints the capacity that kreplay finds.

bench/capacity.sh calls it. The service spaces records by its own clock, so that its capacity is a setting and
does not depend on the machine, as long as the machine has time for it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

# Records a second, seconds between two commits, the protocol of the group.
SERVICES = [(200, 0.2, "classic"), (200, 0.2, "consumer"), (200, 1.0, "classic"),
            (2000, 0.2, "classic"), (2000, 0.2, "consumer"), (2000, 1.0, "classic")]


def fail(why):
    sys.exit(f"capacity: {why}")


def write_capture(path, records=20_000, partitions=4):
    with open(path, "w") as out:
        for i in range(records):
            line = {"topic": "capacity", "partition": i % partitions, "offset": i // partitions,
                    "key": str(i), "value": f"{i} ".ljust(200, "x")}
            out.write(json.dumps(line) + "\n")


def measure(args, capture, number, capacity, interval, protocol):
    topic = f"capacity-{number}"
    service = subprocess.Popen(
        [args.service, "--brokers", args.brokers, "--group", topic, "--from", topic, "--protocol", protocol,
         "--capacity", str(capacity), "--commit-ms", str(int(interval * 1000))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        if service.stdout.readline() != "ready\n":
            fail("the service did not start")
        lag = int(2 * capacity * max(interval, 0.5))
        load = os.getloadavg()[0]
        done = subprocess.run(
            [args.kreplay, "replay", capture, "-b", args.brokers, "-t", topic, "--partition", "keep", "--loop",
             "--for", f"{args.seconds}s", "--wait-group", topic, "--max-lag", str(lag), "--report", "json", "-q"],
            capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
        found = json.loads(done.stdout)["capacity"]
    finally:
        service.stdin.close()
        service.wait()
    return lag, found, load


def main():
    parser = argparse.ArgumentParser()
    for flag in ("--kreplay", "--service", "--brokers"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    args = parser.parse_args()
    print("| capacity | commits every | protocol | lag held | found | p10 to p90 | deviation | bounded by | confirmed | load before |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "capture.jsonl")
        write_capture(capture)
        for number, (capacity, interval, protocol) in enumerate(SERVICES):
            lag, found, load = measure(args, capture, number, capacity, interval, protocol)
            if found["rate"] is None:
                fail(f"no steady lag: {found}")
            deviation = 100 * (found["rate"] / capacity - 1)
            confirmation = found["confirmation"] or {"confirmed": "not tried"}
            print(f"| {capacity}/s | {interval} s | {protocol} | {lag} | {found['rate']:.0f}/s "
                  f"| {found['rate_p10']:.0f} to {found['rate_p90']:.0f} | {deviation:+.1f} % "
                  f"| {found['bounded_by']} | {confirmation['confirmed']} | {load:.1f} |", flush=True)


if __name__ == "__main__":
    main()
