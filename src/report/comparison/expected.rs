//! The result of `--expect`: a part of the report of a replay.

use std::time::Duration;

use serde_json::{Value, json};

use super::counts::{Compared, Excused, ShownDifference, UnmatchedPath, counts_json};
use super::noise::LearnedPath;
use crate::report::Latency;
use crate::report::pacing::json::round_ms;

/// What the service under test wrote, compared with what it was expected to write.
#[derive(Debug, Clone, Default)]
pub struct ExpectedReport {
    /// Records that were expected.
    pub expected: u64,
    /// Records that were read from the output topics.
    pub observed: u64,
    /// The isolation level of the reader, in Kafka's words; `None` if nothing was read.
    pub isolation: Option<&'static str>,
    /// Expected records that could not be read.
    pub unreadable: u64,
    /// Expected records with texts that data-loss prevention has replaced.
    pub redacted: u64,
    /// Expected records with dates that are still to be resolved.
    pub dated: u64,
    /// The counts of each output topic, by its name at the destination.
    pub topics: Vec<(String, Compared)>,
    /// Topics that are not compared because the run itself sends to them.
    pub own: Vec<String>,
    /// Which differences are accepted.
    pub excused: Excused,
    /// The first differences.
    pub shown: Vec<ShownDifference>,
    /// Paths that are left out.
    pub ignored: Vec<String>,
    /// Those of them that match nothing.
    pub unmatched: Vec<UnmatchedPath>,
    /// What was learned to differ from run to run, if the user asked for that.
    pub learned: Option<LearnedNoise>,
    /// What was accepted because it differs from run to run.
    pub noise: Option<ExcusedNoise>,
    /// How long after its input the output appeared, if the user asked for that.
    pub correlation: Option<CorrelationReport>,
    /// How long kreplay waited for the output after the last delivery.
    pub waited: Duration,
    /// Why not everything could be compared.
    pub incomplete: Option<String>,
}

/// What `--learn` has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedNoise {
    /// The file.
    pub file: String,
    /// What differed.
    pub paths: Vec<LearnedPath>,
    /// Changed records that differ in more than parts of JSON values and values of headers.
    pub unlearned: u64,
}

/// The file of `--noise`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExcusedNoise {
    /// Its name.
    pub file: String,
    /// How many paths it accepts.
    pub paths: usize,
}

/// How long after its input the output appeared.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelationReport {
    /// What both carry, as the user gave it.
    pub by: String,
    /// From sending to appearance; `None` if nothing was answered.
    pub latency: Option<Latency>,
    /// Records sent whose answer was seen.
    pub answered: u64,
    /// Records sent whose answer was not seen.
    pub unanswered: u64,
    /// Records sent without such a value.
    pub without: u64,
    /// One of this many values was measured.
    pub sample: u64,
}

impl CorrelationReport {
    fn to_json(&self) -> Value {
        let ms = |pick: fn(&Latency) -> f64| self.latency.as_ref().map(|l| round_ms(pick(l)));
        json!({
            "by": self.by,
            "p50_ms": ms(|l| l.p50),
            "p95_ms": ms(|l| l.p95),
            "p99_ms": ms(|l| l.p99),
            "max_ms": ms(|l| l.max),
            "answered": self.answered,
            "unanswered": self.unanswered,
            "without": self.without,
            "sample": self.sample,
        })
    }
}

impl ExpectedReport {
    /// How many records make the output differ from the expectation; what is being learned does not
    /// count.
    fn differing(&self) -> u64 {
        let mut total = self.total();
        if let Some(learned) = &self.learned {
            total.changed = learned.unlearned;
        }
        total.differing(self.excused)
    }

    /// The counts of all topics.
    #[must_use]
    pub fn total(&self) -> Compared {
        let mut total = Compared::default();
        self.topics.iter().for_each(|(_, counts)| total.add(counts));
        total
    }

    /// Whether the service wrote what was expected of it.
    #[must_use]
    pub fn is_met(&self) -> bool {
        matches!(self.verdict(), "same" | "learned")
            && self.unmatched.is_empty()
            && self.unreadable == 0
    }

    pub(super) fn verdict(&self) -> &'static str {
        match self.differing() {
            _ if self.incomplete.is_some() => "incomplete",
            0 if self.topics.is_empty() => "incomplete",
            0 if self.learned.is_some() => "learned",
            0 => "same",
            _ => "differs",
        }
    }

    pub(in crate::report) fn to_json(&self) -> Value {
        let topics = self.topics.iter().map(|(name, counts)| {
            let mut topic = json!({ "name": name });
            if let Some(members) = topic.as_object_mut() {
                members.extend(counts_json(counts));
            }
            topic
        });
        let mut json = json!({ "verdict": self.verdict() });
        if let Some(members) = json.as_object_mut() {
            members.extend(counts_json(&self.total()));
        }
        json["expected_records"] = self.expected.into();
        json["observed_records"] = self.observed.into();
        json["isolation"] = json!(self.isolation);
        json["unreadable"] = self.unreadable.into();
        for (name, records) in [
            ("redacted", self.redacted),
            ("date_placeholders", self.dated),
        ] {
            if records > 0 {
                json[name] = records.into();
            }
        }
        json["topics"] = topics.collect();
        json["not_compared"] = json!(self.own);
        json["differences"] = self.shown.iter().map(ShownDifference::to_json).collect();
        json["ignored"] = json!(self.ignored);
        json["ignored_unmatched"] = self.unmatched.iter().map(UnmatchedPath::to_json).collect();
        if let Some(learned) = &self.learned {
            let paths: Vec<Value> = learned.paths.iter().map(LearnedPath::to_json).collect();
            json["learned"] = json!({
                "file": learned.file, "paths": paths, "unlearned": learned.unlearned,
            });
        }
        if let Some(noise) = &self.noise {
            json["noise"] = json!({ "file": noise.file, "paths": noise.paths });
        }
        if let Some(correlation) = &self.correlation {
            json["correlation"] = correlation.to_json();
        }
        json["waited_s"] = round_ms(self.waited.as_secs_f64()).into();
        json["incomplete"] = json!(self.incomplete);
        json
    }
}
