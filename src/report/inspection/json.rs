//! An inspection for programs: one JSON object whose members docs/report.md documents.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::text::time;
use super::{Inspection, PartitionContents, TopicContents};
use crate::report::inspection::census::NameCounts;
use crate::report::rendering::json::{SCHEMA, by_topic_json, problem_json, round_ms, source_json};

/// The members in the order in which a person would read them.
#[derive(Serialize)]
struct InspectionJson {
    kreplay: &'static str,
    schema: u32,
    exit_code: u8,
    interrupted: bool,
    elapsed_s: f64,
    source: Value,
    ledger: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unselected: Option<Value>,
    first_time: Option<String>,
    last_time: Option<String>,
    several: Value,
    topics: Vec<Value>,
    other_records: u64,
    commands: Value,
    brokers: Value,
    clients: Value,
    groups: Value,
    isolation: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_placeholders: Option<Value>,
    unresolved_topic_ids: Value,
    problems: Vec<Value>,
    errors: Vec<String>,
}

impl Inspection {
    /// The inspection as one line of JSON, without a line end.
    #[must_use]
    pub(crate) fn to_json(&self) -> String {
        let census = &self.census;
        let times = self.times_ms();
        let problems = self.tally.problems.iter();
        let shape = InspectionJson {
            kreplay: env!("CARGO_PKG_VERSION"),
            schema: SCHEMA,
            exit_code: self.exit().code(),
            interrupted: self.signal.is_some(),
            elapsed_s: round_ms(self.elapsed.as_secs_f64()),
            source: source_json(&self.source, &self.tally),
            ledger: self.ledger().to_json(),
            unselected: self.tally.unselected.to_json(),
            first_time: times.map(|(first, _)| time(first)),
            last_time: times.map(|(_, last)| time(last)),
            several: json!({
                "fetches": census.several.fetches,
                "records": census.several.records,
            }),
            topics: self.topics.iter().map(topic_json).collect(),
            other_records: self.other_records,
            commands: names_json(&census.commands),
            brokers: names_json(&census.brokers),
            clients: names_json(&census.clients),
            groups: names_json(&census.groups),
            isolation: names_json(&census.isolation),
            redacted: by_topic_json(&self.tally.redacted),
            date_placeholders: by_topic_json(&self.tally.date_placeholders),
            unresolved_topic_ids: self.tally.unresolved.to_json(),
            problems: problems
                .map(|problem| problem_json(&self.source.names, problem))
                .collect(),
            errors: self.failures.iter().map(ToString::to_string).collect(),
        };
        serde_json::to_string(&shape).expect("no map of it has keys that are not strings")
    }
}

fn topic_json(topic: &TopicContents) -> Value {
    let (missing, gaps) = topic.gaps();
    let partitions = topic.partitions.iter();
    json!({
        "topic": topic.name,
        "partitions": topic.partitions.len(),
        "records": topic.records,
        "bytes": topic.bytes,
        "first_time": topic.times_ms.map(|(first, _)| time(first)),
        "last_time": topic.times_ms.map(|(_, last)| time(last)),
        "keys": { "null": topic.null_keys, "distinct": topic.distinct_keys },
        "value_bytes": topic.sizes.map(|sizes| json!({
            "p50": sizes.p50, "p99": sizes.p99, "max": sizes.max,
        })),
        "tombstones": topic.tombstones,
        "missing_offsets": missing,
        "gaps": gaps,
        "by_partition": partitions.map(partition_json).collect::<Vec<_>>(),
    })
}

fn partition_json(partition: &PartitionContents) -> Value {
    json!({
        "partition": partition.partition,
        "records": partition.records,
        "first_offset": partition.offsets.map(|(first, _)| first),
        "last_offset": partition.offsets.map(|(_, last)| last),
        "missing_offsets": partition.missing,
        "gaps": partition.gaps,
    })
}

fn names_json(names: &NameCounts) -> Value {
    let kept = names.by_count().into_iter();
    let mut all: Vec<Value> = kept
        .map(|(name, count)| json!({ "name": name, "count": count }))
        .collect();
    if names.others() > 0 {
        all.push(json!({ "name": null, "count": names.others() }));
    }
    all.into()
}
