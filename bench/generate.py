#!/usr/bin/env python3
"""Writes the captures that bench/run.sh replays. The same bytes every time.

    python3 bench/generate.py [DIR]        default: target/bench

  bench.jsonl      500,000 records as RRPairs: Fetch responses of about 20 records each,
                   about as many empty polls, and Heartbeats
  bench-2.jsonl    the same records at later offsets, so that four files are four times
  bench-3.jsonl    the input and none of it is a duplicate
  bench-4.jsonl
  bench.csv        the same records as `speedctl extract data` prints them: one row per Fetch
  bench.kcat       the same records as ready lines, KEY<0x1F>VALUE
  two.jsonl        two records in one Fetch
  two.kcat         the same two as ready lines

Nothing is written when DIR already holds the output of this version of the script.
"""

import base64
import os
import random
import sys
from datetime import datetime, timedelta

VERSION = "1"
RECORDS = 500_000
PARTITIONS = 4
CUSTOMERS = 40_000
DELIMITER = "\x1f"
BASE_TIME_MS = 1_764_787_375_659
BASE_TIME = datetime(2025, 12, 3, 18, 42, 55, 659_000)
STATES = ("created", "paid", "packed", "shipped", "delivered", "returned")
NOTES = ("leave at the door", "ring twice,\\nthen wait", "Grüße, Jörg", "gate code \\\"4711\\\"", "")


def seeded(seed):
    """One generator per purpose, so that the files do not depend on each other's order."""
    return random.Random(seed)


def rfc3339(ms):
    return (BASE_TIME + timedelta(milliseconds=ms)).isoformat(timespec="microseconds") + "417Z"


def value(rand, number, customer):
    """A JSON text of about 200 bytes; as a JSON string its quotes need escaping."""
    r = rand.getrandbits(30)
    return (
        f'{{"v":2,"orderId":"{number:08d}-{r & 0xFFFFFF:06x}","customer":{customer},"state":"{STATES[r % 6]}",'
        f'"total":{r % 90_000 / 100:.2f},"currency":"EUR","items":[{{"sku":"A-{r % 7919:04d}","quantity":{r % 9 + 1}}},'
        f'{{"sku":"B-{r % 6007:04d}","quantity":{r % 4 + 1}}}],"note":"{NOTES[r % 31 % 5]}"}}'
    )


def fetches():
    """Yields Fetches: lists of (partition, [(key, value, timestamp delta)]) that add up to RECORDS."""
    rand = seeded("records")
    number = 0
    while number < RECORDS:
        first = rand.randrange(PARTITIONS)
        batches = []
        for step in range(rand.choice((1, 1, 2, 2, 2, 3))):
            partition = (first + step) % PARTITIONS
            batch = []
            delta = 0
            for _ in range(min(rand.randrange(3, 20), RECORDS - number)):
                # A key belongs to one partition, as it does in a real topic.
                customer = rand.randrange(CUSTOMERS // PARTITIONS) * PARTITIONS + partition
                batch.append((f"customer-{customer:06d}", value(rand, number, customer), delta))
                delta += rand.randrange(4)
                number += 1
            if batch:
                batches.append((partition, batch))
        yield batches


class Capture:
    """Writes RRPairs, one per line, and keeps the counters that run through a capture."""

    def __init__(self, out, name, first_offset):
        self.out = out
        self.rand = seeded(name)
        self.offsets = [first_offset] * PARTITIONS
        self.sequence = 0
        self.now_ms = first_offset // 25  # later offsets, later capture

    def rrpair(self, command, api, version, request, response, duration, size):
        self.sequence += 1
        n = self.sequence
        self.now_ms += duration + 1
        ts = rfc3339(self.now_ms)
        uuid = base64.b64encode(self.rand.getrandbits(128).to_bytes(16, "big")).decode()
        self.out.write(
            f'{{"msgType":"rrpair","resource":"order-worker","ts":"{ts}","l7protocol":"kafka","duration":{duration},'
            '"tags":{"captureMode":"proxy","dissectorVersion":"2","k8sAppLabel":"order-worker","k8sAppPodName":"order-worker-5d9c7b6f4-x2x7k",'
            '"k8sAppPodNamespace":"shop","proxyLocation":"out","proxyProtocol":"tcp:kafka","proxyType":"transparent","proxyVersion":"v2.5.846",'
            f'"sequence":"{n}","source":"goproxy"}},"uuid":"{uuid}","direction":"OUT","cluster":"staging","namespace":"shop",'
            f'"service":"order-worker","tech":"Kafka","network_address":"kafka-1.shop.svc:9092","command":"{command}","location":"kafka-1.shop.svc:9092",'
            f'"status":"OK","kafka":{{"request":{{{request}"apiKey":"KAFKA_API_KEY_{api}","apiVersion":{version},"clientId":"order-worker","correlationId":{n}}},'
            f'"response":{{{response}"apiKey":"KAFKA_API_KEY_{api}","apiVersion":{version},"correlationId":{n}}}}},'
            '"signature":{"kafka:apikey":"RkVUQ0g=","kafka:client":"b3JkZXItd29ya2Vy","kafka:host":"a2Fma2EtMS5zaG9wLnN2Yw=="},'
            f'"netinfo":{{"id":"{n % 4 + 1}","startTime":"{ts}","downstream":{{"established":"{rfc3339(0)}","ipAddress":"10.4.1.27","port":53936,"bytesSent":"{size}"}},'
            f'"upstream":{{"established":"{rfc3339(0)}","ipAddress":"10.4.0.9","port":9092,"hostname":"kafka-1.shop.svc","bytesSent":"188"}}}}}}\n'
        )

    def opening(self):
        self.rrpair("ApiVersions", "API_VERSIONS", 3, '"ApiVersionsRequest":{"clientSoftwareName":"apache-kafka-java","clientSoftwareVersion":"3.9.0"},', '"ApiVersionsResponse":{},', 2, 420)
        partitions = ",".join(
            "{" + (f'"partitionIndex":{p},' if p else "") + '"leaderId":1,"leaderEpoch":3,"replicaNodes":[1],"isrNodes":[1]}'
            for p in range(PARTITIONS)
        )
        self.rrpair(
            "Metadata", "METADATA", 12, '"MetadataRequest":{"topics":[{"name":"bench"}]},',
            '"MetadataResponse":{"brokers":[{"nodeId":1,"host":"kafka-1.shop.svc","port":9092}],"clusterId":"c3RhZ2luZy1rYWZrYS0wMQ",'
            f'"controllerId":1,"topics":[{{"name":"bench","topicId":"Yc3vVq2qTf2vFJx0Vn1nGg==","partitions":[{partitions}]}}]}},', 3, 310,
        )

    def heartbeat(self):
        self.rrpair(
            "Heartbeat", "HEARTBEAT", 4,
            '"HeartbeatRequest":{"groupId":"order-worker","generationId":7,"memberId":"order-worker-1-6c1f7a52-5b0e-4a0e-9f5c-0c9f8d1f2b11"},',
            '"HeartbeatResponse":{},', 1, 92,
        )

    def fetch(self, batches, duration):
        wanted = ",".join(
            "{" + (f'"partition":{p},' if p else "") + f'"currentLeaderEpoch":3,"fetchOffset":"{self.offsets[p]}","partitionMaxBytes":1048576}}'
            for p, _ in batches
        )
        topics = f'"topics":[{{"name":"bench","partitions":[{wanted}]}}]' if batches else '"topics":[]'
        request = f'"FetchRequest":{{"replicaId":-1,"maxWaitMs":500,"minBytes":1,"maxBytes":52428800,"sessionId":918273645,"sessionEpoch":{self.sequence},{topics}}},'
        partitions = ",".join(self.partition(p, batch) for p, batch in batches)
        topics = f',"topics":[{{"name":"bench","partitions":[{partitions}]}}]' if batches else ""
        self.rrpair("Fetch", "FETCH", 11, request, f'"FetchResponse":{{"sessionId":918273645{topics}}},', duration, len(partitions))

    def partition(self, partition, batch):
        base_offset = self.offsets[partition]
        self.offsets[partition] += len(batch)
        end = self.offsets[partition]
        base_ms = BASE_TIME_MS + self.now_ms
        records = ",".join(
            "{" + (f'"timestampDelta":"{delta}",' if delta else "") + (f'"offsetDelta":{i},' if i else "")
            + f'"keyString":"{key}","valueString":"{escape(text)}","headers":[{{"key":"source","valueString":"checkout"}}]}}'
            for i, (key, text, delta) in enumerate(batch)
        )
        # Members with the default value are absent: partition 0, offset 0.
        index = f'"partitionIndex":{partition},' if partition else ""
        offset = f'"baseOffset":"{base_offset}",' if base_offset else ""
        last = f'"lastOffsetDelta":{len(batch) - 1},' if len(batch) > 1 else ""
        return (
            f'{{{index}"highWatermark":"{end}","lastStableOffset":"{end}","preferredReadReplica":-1,"records":{{"attributes":["ATTRIBUTE_NO_COMPRESSION"],'
            f'{offset}"baseSequence":-1,"baseTimestamp":"{base_ms}","batchLength":{61 + 240 * len(batch)},"crc32":{self.rand.getrandbits(32)},{last}"magic":2,'
            f'"maxTimestamp":"{base_ms + batch[-1][2]}","partitionLeaderEpoch":3,"producerEpoch":-1,"producerId":"-1","records":[{records}]}}}}'
        )


def escape(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def write(path, body):
    """Writes under another name first, so that a file that exists is whole."""
    with open(path + ".part", "w", encoding="utf-8", newline="", buffering=1 << 20) as out:
        body(out)
    os.replace(path + ".part", path)


def capture(name, first_offset):
    def body(out):
        capture = Capture(out, name, first_offset)
        rand = seeded("polls")
        capture.opening()
        for batches in fetches():
            capture.fetch(batches, rand.randrange(1, 40))
            if rand.random() < 0.9:
                capture.fetch([], 500 + rand.randrange(4))
            if rand.random() < 0.2:
                capture.heartbeat()

    return body


def csv(out):
    """Go's encoding/csv quotes what holds a comma, a quote or a line end, and ends rows with LF."""
    fetch = "kafka.response.FetchResponse.topics.0"
    record = f"{fetch}.partitions.0.records.records.0"
    out.write(f"{record}.valueString,{record}.keyString,{fetch}.name,{fetch}.partitions.0.partitionIndex,RRPair UUID\n")
    rand = seeded("csv")
    for batches in fetches():
        for partition, batch in batches:
            for key, text, _ in batch:
                h = f"{rand.getrandbits(128):032x}"
                cell = text.replace('"', '""')
                # The RRPair has no member for partition 0, so its cell is empty.
                out.write(f'"{cell}",{key},bench,{partition or ""},{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}\n')


def ready_lines(out):
    for batches in fetches():
        for _, batch in batches:
            for key, text, _ in batch:
                out.write(f"{key}{DELIMITER}{text}\n")


def two_records():
    rand = seeded("two")
    return [("customer-000004", value(rand, 0, 4), 0), ("customer-000008", value(rand, 1, 8), 3)]


def two(out):
    capture = Capture(out, "two.jsonl", 0)
    capture.opening()
    capture.fetch([(0, two_records())], 12)


def two_lines(out):
    for key, text, _ in two_records():
        out.write(f"{key}{DELIMITER}{text}\n")


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "target/bench"
    os.makedirs(folder, exist_ok=True)
    files = {
        "bench.jsonl": capture("bench.jsonl", 0),
        "bench-2.jsonl": capture("bench-2.jsonl", 1_000_000),
        "bench-3.jsonl": capture("bench-3.jsonl", 2_000_000),
        "bench-4.jsonl": capture("bench-4.jsonl", 3_000_000),
        "bench.csv": csv,
        "bench.kcat": ready_lines,
        "two.jsonl": two,
        "two.kcat": two_lines,
    }
    stamp = os.path.join(folder, "generated")
    fresh = os.path.exists(stamp) and open(stamp, encoding="utf-8").read() == VERSION
    for name, body in files.items():
        path = os.path.join(folder, name)
        if not fresh or not os.path.exists(path):
            print(f"writing {path}", file=sys.stderr)
            write(path, body)
    with open(stamp, "w", encoding="utf-8") as out:
        out.write(VERSION)


if __name__ == "__main__":
    main()
