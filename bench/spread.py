#!/usr/bin/env python3
"""Writes record lines that are spread over many partitions. The same bytes every time.

    python3 bench/spread.py [DIR]        default: target/bench

  spread-1x8.jsonl       500,000 records over the 8 partitions of one topic
  spread-1x5000.jsonl    the same over 5,000 partitions
  spread-1x10000.jsonl   over 10,000
  spread-5000x1.jsonl    over 5,000 topics of one partition

The partitions take turns, one record each. Nothing is written when DIR holds the files already.
"""

import os
import sys

RECORDS = 500_000
SPREADS = ((1, 8), (1, 5_000), (1, 10_000), (5_000, 1))
VALUE = "x" * 100
TIME_MS = 1_764_787_375_659


def write(out, topics, partitions):
    for number in range(RECORDS):
        offset, place = divmod(number, topics * partitions)
        topic, partition = divmod(place, partitions)
        out.write(
            f'{{"topic":"spread-{topics}x{partitions}-{topic}","partition":{partition},"offset":{offset},'
            f'"timestamp":{TIME_MS + number},"key":"key-{number}","value":"{VALUE}"}}\n'
        )


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "target/bench"
    os.makedirs(folder, exist_ok=True)
    for topics, partitions in SPREADS:
        path = os.path.join(folder, f"spread-{topics}x{partitions}.jsonl")
        if os.path.exists(path):
            continue
        with open(path + ".part", "w", encoding="ascii") as out:
            write(out, topics, partitions)
        os.replace(path + ".part", path)


if __name__ == "__main__":
    main()
