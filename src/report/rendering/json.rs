//! The report for programs: one JSON object whose members docs/report.md documents.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::report::inspection::census::NameCounts;
use crate::report::pacing::json::latency_json;
pub(in crate::report) use crate::report::pacing::json::round_ms;
use crate::report::{
    Drain, ExpectedReport, GroupReport, LagControl, Outcome, Pacing, PartitionDelivery, Problem,
    RejectsReport, Report, Resume, SourceReport, Tally, TopicReport,
};

/// The version of all JSON reports, whose members `docs/report.schema.json` describes. Removing a member or
/// changing its meaning raises it.
pub(in crate::report) const SCHEMA: u32 = 1;

impl Report {
    /// The report as one line of JSON, without a line end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let report = ReportJson {
            kreplay: env!("CARGO_PKG_VERSION"),
            schema: SCHEMA,
            exit_code: self.exit().code(),
            interrupted: self.signal.is_some(),
            elapsed_s: round_ms(self.elapsed.as_secs_f64()),
            source: source_json(&self.source, &self.tally),
            destination: json!({
                "brokers": self.destination.brokers,
                "rehearsal": self.destination.rehearsal,
                "idempotence": self.destination.idempotence,
                "tls_unchecked": self.destination.unchecked,
            }),
            ledger: self.ledger.to_json(),
            unselected: self.tally.unselected.to_json(),
            topics: self.topics.iter().map(topic_json).collect(),
            placement: json!({ "kept": self.placement.kept, "by_key": self.placement.by_key, "spread": self.placement.spread }),
            redacted: by_topic_json(&self.tally.redacted),
            date_placeholders: by_topic_json(&self.tally.date_placeholders),
            rejects: self.rejects.as_ref().map(rejects_json),
            resume: self.resume.as_ref().map(resume_json),
            passes: self.passes,
            drain: self.drain.map(drain_json),
            unresolved_topic_ids: self.tally.unresolved.to_json(),
            problems: self
                .problems
                .iter()
                .map(|problem| problem_json(&self.source.names, problem))
                .collect(),
            latency_ms: self.latency.map(latency_json),
            timing: self.pacing.as_ref().map(Pacing::to_json),
            expected: self.expected.as_ref().map(ExpectedReport::to_json),
            rates: self.rates_json(),
            groups: self.groups.iter().map(GroupReport::to_json).collect(),
            capacity: self.lag_control.as_ref().map(LagControl::to_json),
            series: self.lag_control.as_ref().map(LagControl::series_json),
            errors: self.failures.iter().map(ToString::to_string).collect(),
        };
        serde_json::to_string(&report).expect("no map of the report has keys that are not strings")
    }
}

impl Report {
    /// Deliveries divided by the time of the whole run, as in `elapsed_s`.
    fn rates_json(&self) -> Value {
        let elapsed_s = self.elapsed.as_secs_f64();
        let per_second = |n: u64| (elapsed_s > 0.0).then(|| round_ms(n as f64 / elapsed_s));
        let bytes = self.topics.iter().map(|topic| topic.bytes).sum();
        json!({
            "records_per_s": per_second(self.ledger[Outcome::Delivered]),
            "bytes_per_s": per_second(bytes),
        })
    }
}

pub(in crate::report) fn source_json(source: &SourceReport, tally: &Tally) -> Value {
    let mut json = json!({
        "kind": source.kind,
        "inputs": source.inputs,
        "bytes": tally.bytes,
        "rrpairs": tally.rrpairs,
        "fetches": tally.fetches,
        "empty_fetches": tally.empty_fetches,
        "skipped_files": tally.skipped_files,
        "complete": source.complete,
    });
    if source.kind == Some(SourceReport::RECORDS) {
        json["lines"] = tally.lines.into();
        json["skipped_lines"] = tally.skipped_lines.into();
    }
    if let Some(via) = source.via {
        json["via"] = via.into();
    }
    json
}

/// Records by captured topic, the one with the most first; `None` if there are no records.
pub(in crate::report) fn by_topic_json(topics: &NameCounts) -> Option<Value> {
    let known = topics.by_count().into_iter();
    let mut all: Vec<Value> = known
        .map(|(topic, records)| {
            let topic = (!topic.is_empty()).then_some(topic);
            json!({ "topic": topic, "records": records })
        })
        .collect();
    if topics.others() > 0 {
        all.push(json!({ "others": true, "records": topics.others() }));
    }
    (!all.is_empty()).then(|| all.into())
}

pub(in crate::report) fn problem_json(names: &[String], problem: &Problem) -> Value {
    let input = names.get(problem.first.input as usize);
    json!({
        "what": problem.what.name(),
        "count": problem.count,
        "first": { "input": input, "line": problem.first.line, "why": problem.why },
    })
}

/// The members in the order in which a person would read them.
#[derive(Serialize)]
struct ReportJson {
    kreplay: &'static str,
    schema: u32,
    exit_code: u8,
    interrupted: bool,
    elapsed_s: f64,
    source: Value,
    destination: Value,
    ledger: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unselected: Option<Value>,
    topics: Vec<Value>,
    placement: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_placeholders: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejects: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drain: Option<Value>,
    unresolved_topic_ids: Value,
    problems: Vec<Value>,
    latency_ms: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Value>,
    rates: Value,
    groups: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Value>,
    errors: Vec<String>,
}

fn topic_json(topic: &TopicReport) -> Value {
    let mut json = json!({
        "topic": topic.name,
        "partitions": topic.partitions,
        "delivered": topic.delivered,
        "bytes": topic.bytes,
        "per_partition": topic.per_partition.iter().map(partition_json).collect::<Vec<_>>(),
    });
    if let Some(partitions) = topic.partitions_at_end {
        json["partitions_at_end"] = partitions.into();
    }
    if let Some((before, at_end)) = topic.lowered_limit {
        json["max_message_bytes"] = before.into();
        json["max_message_bytes_at_end"] = at_end.into();
    }
    json
}

fn partition_json(partition: &PartitionDelivery) -> Value {
    json!({
        "partition": partition.partition,
        "first_offset": partition.first_offset,
        "last_offset": partition.last_offset,
        "delivered": partition.delivered,
    })
}

fn rejects_json(rejects: &RejectsReport) -> Value {
    json!({ "file": rejects.file, "records": rejects.records })
}

fn resume_json(resume: &Resume) -> Value {
    json!({
        "journal": resume.journal,
        "skipped": resume.skipped,
        "may_repeat": resume.may_repeat,
        "uncertain": resume.uncertain,
    })
}

fn drain_json(drain: Drain) -> Value {
    json!({
        "answered": drain.answered,
        "given_up": drain.given_up,
        "purged_from_queue": drain.purged_from_queue,
        "purged_in_flight": drain.purged_in_flight,
        "unanswered": drain.unanswered,
    })
}
