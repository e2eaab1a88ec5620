//! A plan for programs: one JSON object whose members docs/plan.md documents.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    ASSUMED_SETTINGS, PeakSpan, PlanReach, PlanReport, PlannedSchedule, PlannedTopic, TopicStanding,
};
use crate::report::rendering::json::{SCHEMA, by_topic_json, problem_json, round_ms, source_json};

/// The members in the order in which a person would read them.
#[derive(Serialize)]
struct PlanJson {
    kreplay: &'static str,
    schema: u32,
    exit_code: u8,
    interrupted: bool,
    elapsed_s: f64,
    verdict: String,
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
    schedule: Option<Value>,
    passes: u64,
    reach: &'static str,
    unresolved_topic_ids: Value,
    problems: Vec<Value>,
    errors: Vec<String>,
}

impl PlanReport {
    /// The plan as one line of JSON, without a line end.
    #[must_use]
    pub(crate) fn to_json(&self) -> String {
        let forecast = &self.forecast;
        let placement = forecast.placement;
        let problems = forecast.problems.iter();
        let json = PlanJson {
            kreplay: env!("CARGO_PKG_VERSION"),
            schema: SCHEMA,
            exit_code: self.exit().code(),
            interrupted: self.signal.is_some(),
            elapsed_s: round_ms(self.elapsed.as_secs_f64()),
            verdict: self.verdict(),
            source: source_json(&self.source, &self.tally),
            destination: self.destination_json(),
            ledger: self.ledger().to_json(),
            unselected: self.tally.unselected.to_json(),
            topics: forecast.topics.iter().map(topic_json).collect(),
            placement: json!({
                "kept": placement.kept, "by_key": placement.by_key, "spread": placement.spread,
            }),
            redacted: by_topic_json(&self.tally.redacted),
            date_placeholders: by_topic_json(&self.tally.date_placeholders),
            schedule: forecast.schedule.as_ref().map(schedule_json),
            passes: forecast.passes,
            reach: match forecast.reach {
                PlanReach::Whole => "whole",
                PlanReach::UntilTimeIsOver => "until_time_is_over",
                PlanReach::OnePass => "one_pass",
                PlanReach::TimeUnknown => "time_unknown",
            },
            unresolved_topic_ids: self.tally.unresolved.to_json(),
            problems: problems
                .map(|problem| problem_json(&self.source.names, problem))
                .collect(),
            errors: self.failures.iter().map(ToString::to_string).collect(),
        };
        serde_json::to_string(&json).expect("no map of it has keys that are not strings")
    }

    fn destination_json(&self) -> Value {
        let assumed = ASSUMED_SETTINGS.into_iter();
        let assumed = assumed.map(|(name, value)| (name.to_owned(), Value::from(value)));
        let assumed: Option<Map<String, Value>> =
            self.forecast.brokers.is_none().then(|| assumed.collect());
        json!({ "brokers": self.forecast.brokers, "assumed": assumed })
    }
}

fn topic_json(topic: &PlannedTopic) -> Value {
    let refused = topic.refused.reasons().into_iter();
    let refused: Map<String, Value> = refused
        .map(|(name, n, _)| (name.to_owned(), n.into()))
        .collect();
    let per_partition = topic.per_partition.iter();
    let per_partition = per_partition
        .map(|partition| json!({ "partition": partition.partition, "records": partition.records }));
    json!({
        "topic": topic.name,
        "state": match topic.standing {
            TopicStanding::Present => "present",
            TopicStanding::Created => "created",
            TopicStanding::Missing => "missing",
            TopicStanding::Refused => "refused",
            TopicStanding::Assumed => "assumed",
        },
        "partitions": topic.partitions,
        "max_message_bytes": topic.limit,
        "records": topic.records,
        "bytes": topic.bytes,
        "hottest_partition": topic.hottest_partition().map(|hottest| json!({
            "partition": hottest.partition,
            "records": hottest.records,
            "share": rounded(topic.share(hottest.records)),
        })),
        "hottest_key": topic.hottest_key.as_ref().map(|hottest| json!({
            "key": hottest.key,
            "records": hottest.at_least,
            "at_most": hottest.at_most,
            "share": rounded(topic.share(hottest.at_least)),
        })),
        "refused": refused,
        "displaced": topic.displaced,
        "missing_partitions": topic.missing_partitions,
        "per_partition": per_partition.collect::<Vec<_>>(),
    })
}

fn schedule_json(schedule: &PlannedSchedule) -> Value {
    json!({
        "duration_s": schedule.duration.as_secs_f64(),
        "peak_second": peak_json(schedule.busiest_second),
        "peak_10ms": peak_json(schedule.busiest_ten_ms),
        "timing": schedule.pacing.to_json(),
    })
}

fn peak_json(peak: PeakSpan) -> Value {
    json!({ "records": peak.records, "bytes": peak.bytes, "at_s": peak.at.as_secs_f64() })
}

/// A share with six digits.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}
