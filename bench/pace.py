#!/usr/bin/env python3
"""Replays in time against a real Kafka, and prints how well the time was kept.

bench/pace.sh calls it. The broker's own clock is the judge: topics have `LogAppendTime`, so that a record's
timestamp is when the broker appended it. Drift is the slope of (append time - due time) over the due time,
by least squares, with its standard error; the append time is known to the millisecond. Lateness is what each
program says of itself.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

START_MS = 1_764_787_375_000


def fail(why):
    sys.exit(f"pace: {why}")


def write_capture(path, records, per_second, partitions=4):
    """Record lines at a steady rate; the value begins with the record's number."""
    with open(path, "w") as out:
        for i in range(records):
            ms = START_MS + i * 1000 // per_second
            value = f"{i} ".ljust(200, "x")
            line = {"topic": "pace", "partition": i % partitions, "offset": i // partitions,
                    "timestamp": ms, "value": value}
            out.write(json.dumps(line) + "\n")


def appended(args, topic):
    """The append time of each record in milliseconds, by the record's number."""
    command = ["kcat", "-C", "-b", args.brokers, "-t", topic, "-e", "-q", "-f", "%T %s\n"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    times = {}
    for line in out.splitlines():
        ms, number, *_ = line.split(" ")
        times[int(number)] = int(ms)
    return times


def replay(args, topic, capture, flags):
    command = [args.kreplay, "replay", capture, "-b", args.brokers, "-t", topic, "--partition", "keep",
               "--yes", "--report", "json", *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def slope(xs, ys):
    """The slope of ys over xs, and its standard error."""
    n, mx, my = len(xs), statistics.fmean(xs), statistics.fmean(ys)
    sxx = sum((x - mx) ** 2 for x in xs)
    b = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sxx
    rest = sum((y - my - b * (x - mx)) ** 2 for x, y in zip(xs, ys))
    return b, (rest / (n - 2) / sxx) ** 0.5


def load():
    return f"{os.getloadavg()[0]:.1f}"


def rhythm_row(who, records, per_second, times, late, reached, before):
    """A row of the table, from the append time of each record."""
    if len(times) != records:
        fail(f"{who}: {len(times)} of {records} records are in the log")
    due = [i * 1000 // per_second for i in range(records)]
    off = [times[i] - times[0] - due[i] for i in range(records)]
    b, error = slope(due, off)
    print(f"| {who}: {per_second:,} records/s for {records // per_second} s at 1x | {b * 100:+.4f} % ± {error * 100:.4f} % | "
          f"{late['p50']} | {late['p99']} | {late['max']} | {reached} | {before} |")


HIGHSTORM_CONFIG = """version = 1
current_context = "pace"
[contexts.pace]
source = "records"
destination = "log"
speed = 1.0
unpaced = false
[clusters.here]
bootstrap_servers = "{brokers}"
security_protocol = "PLAINTEXT"
[sources.records]
kind = "kafka"
cluster = "here"
topic = "pace-source"
timestamp = "kafka"
isolation = "read_uncommitted"
[destinations.log]
cluster = "here"
topic = "{topic}"
partitioning = "preserve"
kafka_timestamp = "historical"
"""


def highstorm(args, folder, topic):
    """Its own account of a replay from `pace-source` at 1x: milliseconds of lateness, and the speed."""
    config = os.path.join(folder, "highstorm.toml")
    with open(config, "w") as out:
        out.write(HIGHSTORM_CONFIG.format(brokers=args.brokers, topic=topic))
    done = subprocess.run([args.highstorm, "replay", "--config", config, "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        fail(f"highstorm: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    report = json.loads(done.stdout)
    late = report["scheduling_lateness"]
    ms = {name: round(late[name]["secs"] * 1e3 + late[name]["nanos"] / 1e6, 3) for name in ("p50", "p99", "max")}
    return ms, report["achieved_speed"]


def original_rhythm(args, folder):
    per_second, seconds = 2000, args.seconds
    records = per_second * seconds
    capture = os.path.join(folder, "rhythm.jsonl")
    write_capture(capture, records, per_second)
    if args.highstorm:
        replay(args, "pace-source", capture, ["--timestamps", "original"])
    for run in range(1, args.runs + 1):
        topic = f"pace-rhythm-{run}"
        before = load()
        timing = replay(args, topic, capture, ["--speed", "1x", "--clock", "record"])["timing"]
        times = appended(args, topic)
        rhythm_row("kreplay", records, per_second, times, timing["lateness_ms"], timing["reached"], before)
        if args.highstorm:
            topic = f"pace-peer-{run}"
            before = load()
            late, reached = highstorm(args, folder, topic)
            rhythm_row("Highstorm", records, per_second, appended(args, topic), late, f"{reached:.4g}", before)


def furthest(times, per_second):
    """By how many milliseconds a window is ahead of its share at most, and behind it, by append times."""
    ahead = behind = 0.0
    most, least = float("-inf"), float("inf")
    for i in range(len(times)):
        off = times[i] - i * 1000 / per_second
        most, least = max(most, off), min(least, off)
        ahead, behind = max(ahead, most - off), max(behind, off - least)
    return ahead, behind


def rate(args, folder, name, per_second, seconds):
    records = per_second * seconds + 1
    capture = os.path.join(folder, f"rate-{name}.jsonl")
    write_capture(capture, records, per_second)
    for run in range(1, args.runs + 1):
        topic = f"pace-{name}-{run}"
        before = load()
        report = replay(args, topic, capture, ["--rate", f"{name}/s"])
        times = appended(args, topic)
        if len(times) != records:
            fail(f"{len(times)} of {records} records are in the log")
        span_s = (max(times.values()) - min(times.values())) / 1000
        measured = (records - 1) / span_s
        ahead, behind = furthest(times, per_second)
        shown = f"{measured:,.0f}" if per_second >= 100 else f"{measured:.4f}"
        late = report["timing"]["lateness_ms"]
        print(f"| kreplay: `--rate {name}/s` for {seconds} s | {shown} records/s ({measured / per_second - 1:+.2%}), a window "
              f"{ahead:.0f} ms ahead, {behind:.0f} ms behind | {late['p50']} | {late['p99']} | {late['max']} | "
              f"{report['timing']['rate']['reached']:,.0f} | {before} |")
    os.remove(capture)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kreplay", required=True)
    parser.add_argument("--brokers", required=True)
    parser.add_argument("--highstorm", default="")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rate-seconds", type=int, default=10)
    args = parser.parse_args()
    print("| what | drift, or rate by the broker's clock | lateness p50 ms | p99 ms | max ms | reached | load before |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        original_rhythm(args, folder)
        rate(args, folder, "1", 1, args.rate_seconds)
        rate(args, folder, "50k", 50_000, args.rate_seconds)
        # A million records are enough to be read back.
        rate(args, folder, "200k", 200_000, min(args.rate_seconds, 5))


if __name__ == "__main__":
    main()
