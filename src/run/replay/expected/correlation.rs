//! `--correlate`: measures the time from sending a record until the output with the same value appears.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

use crate::config::CorrelateBy;
use crate::error::Error;
use crate::extract::{Path, PathStep};
use crate::host::control::Control;
use crate::produce::delivery::distribution::Distribution;
use crate::record::{Batch, Record};
use crate::report::CorrelationReport;
use crate::verify::compare::LONGEST_JSON;

/// How many values may wait for an answer. Beyond that, half of all values are left out, by their hash, and
/// so on: the figures are then those of a sample.
const MOST_WAITING: usize = 1 << 20;

/// What was sent and what came of it.
pub(in crate::run::replay) struct Correlation {
    by: CorrelateBy,
    /// The path of `value:PATH`.
    path: Option<Path>,
    control: Control,
    state: Mutex<CorrelationState>,
}

#[derive(Default)]
struct CorrelationState {
    /// When records with a value were sent, the oldest first.
    waiting: HashMap<u64, VecDeque<Instant>>,
    waiting_count: usize,
    /// Values whose hash has one of these bits are left out.
    mask: u64,
    times: Distribution,
    answered: u64,
    /// The number of records sent without such a value.
    without: u64,
}

impl Correlation {
    /// # Errors
    /// Returns [`Error::Config`] for a path that does not parse.
    pub(super) fn new(by: &CorrelateBy, control: &Control) -> Result<Self, Error> {
        let path = match by {
            CorrelateBy::Value(path) => {
                let parsed = Path::parse(path)
                    .map_err(|e| Error::config(format!("`--correlate value:{path}`: {e}")))?;
                Some(parsed)
            }
            CorrelateBy::Key | CorrelateBy::Header(_) => None,
        };
        Ok(Self {
            by: by.clone(),
            path,
            control: control.clone(),
            state: Mutex::default(),
        })
    }

    /// Notes that a record is sent now.
    pub(in crate::run::replay) fn sent(&self, batch: &Batch, record: &Record) {
        let value = self.values(batch, record).into_iter().next();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(value) = value else {
            state.without += 1;
            return;
        };
        if value & state.mask != 0 {
            return;
        }
        state
            .waiting
            .entry(value)
            .or_default()
            .push_back(Instant::now());
        state.waiting_count += 1;
        if state.waiting_count > MOST_WAITING {
            state.leave_half_out();
        }
    }

    /// Notes that a record has appeared now.
    pub(super) fn appeared(&self, batch: &Batch, record: &Record) {
        let now = Instant::now();
        let values = self.values(batch, record);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for value in values {
            let sent = state.waiting.get_mut(&value).and_then(VecDeque::pop_front);
            let Some(sent) = sent else {
                continue;
            };
            if state.waiting.get(&value).is_some_and(VecDeque::is_empty) {
                state.waiting.remove(&value);
            }
            state.waiting_count -= 1;
            state.answered += 1;
            state.times.record(now.saturating_duration_since(sent));
            return;
        }
    }

    pub(super) fn report(&self) -> CorrelationReport {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        CorrelationReport {
            by: self.by.to_string(),
            latency: state.times.summary(),
            answered: state.answered,
            unanswered: state.waiting_count as u64,
            without: state.without,
            // Each bit of the mask halves the sample.
            sample: 1 << state.mask.count_ones(),
        }
    }

    /// Hashes of what identifies a record.
    fn values(&self, batch: &Batch, record: &Record) -> Vec<u64> {
        let hash = |bytes: &[u8]| {
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            hasher.finish()
        };
        match &self.by {
            CorrelateBy::Key => record
                .key
                .map(|key| hash(batch.slice(key)))
                .into_iter()
                .collect(),
            CorrelateBy::Header(name) => {
                let headers = batch.headers(record).iter();
                let named = headers.filter(|header| batch.slice(header.name) == name.as_bytes());
                let values = named.filter_map(|header| header.value);
                values.map(|value| hash(batch.slice(value))).collect()
            }
            CorrelateBy::Value(_) => {
                let value = record.value.map(|value| batch.slice(value));
                let value = value.filter(|value| value.len() <= LONGEST_JSON);
                let json = value.and_then(|value| serde_json::from_slice::<Value>(value).ok());
                let (Some(path), Some(json)) = (&self.path, json) else {
                    return Vec::new();
                };
                let is_over = || self.control.is_stopping();
                let nodes = path.nodes_unless(&json, &is_over).unwrap_or_default();
                let found = nodes.iter().filter_map(|steps| scalar_at(&json, steps));
                found.map(|text| hash(text.as_bytes())).collect()
            }
        }
    }
}

impl CorrelationState {
    fn leave_half_out(&mut self) {
        self.mask = self.mask << 1 | 1;
        let mask = self.mask;
        self.waiting.retain(|value, _| value & mask == 0);
        self.waiting_count = self.waiting.values().map(VecDeque::len).sum();
    }
}

/// The text of the node at `steps`; `None` for lists, objects and null.
fn scalar_at(json: &Value, steps: &[PathStep]) -> Option<String> {
    let mut at = json;
    for step in steps {
        at = match step {
            PathStep::Name(name) => at.get(name.as_str())?,
            PathStep::Index(index) => at.get(*index)?,
            PathStep::Each => return None,
        };
    }
    match at {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(at.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
