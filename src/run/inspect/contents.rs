//! Describes the records of a capture, topic by topic, in memory that does not grow with them.

use std::collections::HashMap;

use super::distinct::Distinct;
use super::sizes::ValueSizes;
use crate::record::offsets::Offsets;
use crate::record::select::known_timestamp_ms;
use crate::record::{Batch, CapturedTopic, Origin, Record};
use crate::report::rendering::figures::count;
use crate::report::{PartitionContents, ProblemKind, Problems, TopicContents};

/// How many topics are kept apart. A capture has more only if a path leads to something that is not a topic.
const MOST_TOPICS: usize = 1000;
/// How many partitions of a topic are kept apart; the records of others count for the topic only.
const MOST_PARTITIONS: usize = 10_000;
/// How many ranges of offsets without a gap are kept for all topics together: 72 MB.
const MOST_RANGES: usize = 2_000_000;

/// The records seen so far.
#[derive(Debug, Default)]
pub(super) struct CapturedContents {
    topics: HashMap<Option<CapturedTopic>, CountedTopic>,
    pub(super) records: u64,
    pub(super) other_records: u64,
    /// Ranges of offsets in all of them.
    ranges: usize,
    /// Records whose offsets are in no range, because the ranges are too many.
    uncounted: Option<(u64, Origin)>,
}

#[derive(Debug, Default)]
struct CountedTopic {
    partitions: HashMap<Option<i32>, CountedPartition>,
    records: u64,
    bytes: u64,
    times_ms: Option<(i64, i64)>,
    null_keys: u64,
    keys: Distinct,
    sizes: ValueSizes,
    tombstones: u64,
}

#[derive(Debug, Default)]
struct CountedPartition {
    records: u64,
    offsets: Offsets,
}

impl CapturedContents {
    /// Notes all records of `batch`.
    pub(super) fn add(&mut self, batch: &Batch) {
        // Consecutive records of one topic need only one look-up.
        let mut records = batch.records.iter().peekable();
        while let Some(first) = records.peek().copied() {
            let topic = batch.topic(first);
            let run = std::iter::from_fn(|| records.next_if(|record| record.topic == first.topic));
            let key = topic.cloned();
            if self.topics.len() >= MOST_TOPICS && !self.topics.contains_key(&key) {
                let beyond = run.count() as u64;
                self.records += beyond;
                self.other_records += beyond;
                continue;
            }
            let kept = self.topics.entry(key).or_default();
            for record in run {
                self.records += 1;
                if !kept.add(batch, record, &mut self.ranges) {
                    self.uncounted.get_or_insert((0, record.origin)).0 += 1;
                }
            }
        }
    }

    /// Names the records whose offsets are not counted.
    pub(super) fn name_uncounted(&self, problems: &mut Problems) {
        if let Some((records, first)) = self.uncounted {
            let gaps = count(MOST_RANGES as u64, "gap");
            let why = || format!("the first {gaps} are counted: those after them are not");
            problems.add_many(ProblemKind::GapsUncounted, records, first, why);
        }
    }

    /// The topics as a report lists them, the one with the most records first.
    pub(super) fn topics(&self) -> Vec<TopicContents> {
        let topics = self.topics.iter();
        let mut topics: Vec<TopicContents> = topics
            .map(|(name, topic)| topic.contents(name.as_ref()))
            .collect();
        topics.sort_by(|a, b| b.records.cmp(&a.records).then_with(|| a.name.cmp(&b.name)));
        topics
    }
}

impl CountedTopic {
    /// Counts a record; `false` if its offset is not noted, because there are too many `ranges`.
    fn add(&mut self, batch: &Batch, record: &Record, ranges: &mut usize) -> bool {
        self.records += 1;
        match record.key {
            Some(key) => {
                let key = batch.slice(key);
                self.keys.add(key);
                self.bytes += key.len() as u64;
            }
            None => self.null_keys += 1,
        }
        match record.value {
            Some(value) => {
                let size = batch.slice(value).len() as u64;
                self.bytes += size;
                self.sizes.add(size);
            }
            None => self.tombstones += 1,
        }
        if let Some(time) = known_timestamp_ms(record) {
            let (first, last) = self.times_ms.unwrap_or((time, time));
            self.times_ms = Some((first.min(time), last.max(time)));
        }
        if self.partitions.len() < MOST_PARTITIONS
            || self.partitions.contains_key(&record.partition)
        {
            let partition = self.partitions.entry(record.partition).or_default();
            partition.records += 1;
            if let Some(offset) = record.offset {
                if *ranges >= MOST_RANGES {
                    return false;
                }
                let before = partition.offsets.runs();
                partition.offsets.insert(offset);
                *ranges = *ranges + partition.offsets.runs() - before;
            }
        }
        true
    }

    fn contents(&self, name: Option<&CapturedTopic>) -> TopicContents {
        let partitions = self.partitions.iter();
        let mut partitions: Vec<PartitionContents> = partitions
            .map(|(number, partition)| partition.contents(*number))
            .collect();
        partitions.sort_by_key(|partition| partition.partition);
        TopicContents {
            name: name.map(ToString::to_string),
            is_id: matches!(name, Some(CapturedTopic::Id(_))),
            partitions,
            records: self.records,
            bytes: self.bytes,
            times_ms: self.times_ms,
            null_keys: self.null_keys,
            distinct_keys: self.keys.estimate(),
            sizes: self.sizes.summary(),
            tombstones: self.tombstones,
        }
    }
}

impl CountedPartition {
    fn contents(&self, partition: Option<i32>) -> PartitionContents {
        let offsets = self.offsets.ends();
        let span = offsets.map_or(0, |(first, last)| last.abs_diff(first).saturating_add(1));
        PartitionContents {
            partition,
            records: self.records,
            offsets,
            missing: span - self.offsets.len().min(span),
            gaps: (self.offsets.runs() as u64).saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record::lines;
    use crate::report::SizeSummary;

    fn contents(lines: &[&str]) -> CapturedContents {
        let (mut contents, mut batch) = (CapturedContents::default(), Batch::default());
        for line in lines {
            let origin = Origin { input: 0, line: 1 };
            lines::read(line.as_bytes(), origin, &mut batch).expect(line);
        }
        contents.add(&batch);
        contents
    }

    #[test]
    fn records_are_summed_up_by_topic_and_partition() {
        let contents = contents(&[
            r#"{"topic":"a","partition":1,"offset":9,"timestamp":70,"key":"k","value":"four"}"#,
            r#"{"topic":"b","partition":0,"offset":0,"value":null}"#,
            r#"{"topic":"a","partition":1,"offset":4,"timestamp":50,"key":"k","value":"sixsix"}"#,
            r#"{"topic":"a","partition":0,"offset":2,"value":""}"#,
            r#"{"topic":"a","partition":1,"offset":6,"timestamp":60,"key":"l","value":null}"#,
        ]);
        let topics = contents.topics();
        let expected = TopicContents {
            name: Some("a".into()),
            is_id: false,
            partitions: vec![
                PartitionContents {
                    partition: Some(0),
                    records: 1,
                    offsets: Some((2, 2)),
                    missing: 0,
                    gaps: 0,
                },
                PartitionContents {
                    partition: Some(1),
                    records: 3,
                    offsets: Some((4, 9)),
                    missing: 3,
                    gaps: 2,
                },
            ],
            records: 4,
            bytes: 13,
            times_ms: Some((50, 70)),
            null_keys: 1,
            distinct_keys: 2,
            sizes: Some(SizeSummary {
                p50: 4,
                p99: 6,
                max: 6,
            }),
            tombstones: 1,
        };
        assert_eq!(topics[0], expected);
        assert_eq!(topics[1].sizes, None);
        assert_eq!((topics.len(), contents.records), (2, 5));
    }

    #[test]
    fn topics_beyond_the_limit_are_counted_together() {
        let lines: Vec<String> = (0..MOST_TOPICS + 3)
            .map(|i| format!("{{\"topic\":\"t{i}\",\"value\":\"v\"}}"))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let contents = contents(&lines);
        assert_eq!(contents.topics().len(), MOST_TOPICS);
        assert_eq!((contents.records, contents.other_records), (1003, 3));
    }
}
