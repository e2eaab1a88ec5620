//! A consumer group in the report for programs.

use serde_json::{Value, json};

use super::{GroupReport, GroupVerdict, PartitionDrain};
use crate::report::pacing::json::round_ms;

/// How many partitions are listed for a group that is not drained.
const MOST_LISTED: usize = 100;

impl GroupReport {
    pub(in crate::report) fn to_json(&self) -> Value {
        let partition = |partition: &PartitionDrain| {
            json!({
                "topic": partition.topic,
                "partition": partition.partition,
                "state": partition.state.name(),
                "target": partition.target,
                "committed": partition.committed,
            })
        };
        let listed = self.undrained().take(MOST_LISTED).map(partition);
        json!({
            "group": self.group,
            "verdict": self.verdict.name(),
            "why": match &self.verdict { GroupVerdict::Unseen(why) => Some(why), _ => None },
            "drain_s": self.drain.map(|drain| round_ms(drain.as_secs_f64())),
            "peak_lag": self.peak_lag,
            "peak_lag_s": round_ms(self.peak_lag_time.as_secs_f64()),
            "rate": self.rates.map(|rates| round_ms(rates.median)),
            "rate_p10": self.rates.map(|rates| round_ms(rates.p10)),
            "rate_p90": self.rates.map(|rates| round_ms(rates.p90)),
            "rate_window_s": self.rates.map(|rates| round_ms(rates.window.as_secs_f64())),
            "members": self.members,
            "commit_interval_s": self.commit_interval.map(|time| round_ms(time.as_secs_f64())),
            "resolution_s": round_ms(self.resolution().as_secs_f64()),
            "slowest": self.slowest().map(partition),
            "undrained": self.undrained().count(),
            "partitions": listed.collect::<Vec<_>>(),
        })
    }
}
