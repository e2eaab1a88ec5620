//! The expected records, as far as they are known: filled while the capture is read, or from another source
//! before that, and compared by the observer at the same time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::correlation::Correlation;
use super::noise::{CaptureMark, NoiseFile};
use super::outputs::{OutputEnd, OutputTopics};
use crate::cluster::reader::Isolation;
use crate::config::{Config, ExpectationSource, OutputExpectation, TopicNames};
use crate::error::Error;
use crate::extract::{ExpectedBatch, Expecting};
use crate::host::control::Control;
use crate::produce::SendingWatch;
use crate::produce::routing::placement::Renamings;
use crate::record::CapturedTopic;
use crate::record::channel::SourceBatch;
use crate::report::{ExcusedNoise, LearnedPath, Outcome};
use crate::run::compare::add;
use crate::verify::compare::{Ignore, RecordComparison, Rules, Side};

/// The expectation that the threads of a run share.
pub(in crate::run::replay) struct SharedExpectation {
    pub(super) settings: OutputExpectation,
    topics: TopicNames,
    brokers: String,
    correlation: Option<Correlation>,
    state: Mutex<ExpectationState>,
    /// Whether everything that has to be sent was sent.
    pub(super) is_sending_over: AtomicBool,
    /// Whether nobody needs to know any more what the service writes.
    pub(super) is_given_up: AtomicBool,
}

/// What is known so far.
#[derive(Default)]
pub(super) struct ExpectationState {
    comparison: Option<RecordComparison>,
    noise: Option<NoiseFile>,
    /// The mark of what is expected.
    pub(super) mark: CaptureMark,
    /// The captured names of topics of the destination.
    captured: BTreeMap<String, String>,
    /// The topics of the destination before the first record was sent; `None` before kreplay has looked at them.
    pub(super) outputs: Option<OutputTopics>,
    /// Topics with expected records.
    pub(super) wanted: BTreeSet<String>,
    /// Those of them that are not read yet.
    unread: Vec<String>,
    /// How many records are expected, and how many could not be read.
    pub(super) expected: u64,
    pub(super) unreadable: u64,
    /// Expected records with texts that data-loss prevention has replaced, and expected records with dates to be resolved.
    pub(super) redacted: u64,
    pub(super) dated: u64,
    /// Whether the source would show which records were in transactions, and for how many it does.
    pub(super) shows_transactions: bool,
    transactional: u64,
    /// Names of the inputs of another source.
    pub(super) names: Vec<String>,
}

impl SharedExpectation {
    /// # Errors
    /// Returns [`Error::Config`] for a file that is not a noise file, and for a path to correlate by that does
    /// not parse.
    pub(super) fn new(
        config: &Config,
        settings: &OutputExpectation,
        ignore: Vec<Box<dyn Ignore>>,
        control: &Control,
    ) -> Result<Self, Error> {
        let topics = config.destination.topics.clone();
        let noise = settings.noise.as_deref().map(NoiseFile::read).transpose()?;
        let excused = noise
            .as_ref()
            .map(|noise| noise.rules(|name| output(&topics, name), control));
        let rules = Rules {
            ignore,
            noise: excused.transpose()?.unwrap_or_default(),
            members: settings.rules.members,
            headers: settings.rules.headers,
            depth: settings.rules.depth,
        };
        let correlation = settings.correlate.as_ref();
        let correlation = correlation.map(|by| Correlation::new(by, control));
        Ok(Self {
            settings: settings.clone(),
            correlation: correlation.transpose()?,
            topics,
            brokers: config.destination.cluster.bootstrap_servers().to_owned(),
            state: Mutex::new(ExpectationState {
                comparison: Some(RecordComparison::new(rules)),
                noise,
                shows_transactions: matches!(settings.source, ExpectationSource::Capture),
                ..ExpectationState::default()
            }),
            is_sending_over: AtomicBool::default(),
            is_given_up: AtomicBool::default(),
        })
    }

    /// How to match records sent with records seen, if the user asks for that.
    pub(in crate::run::replay) fn correlation(&self) -> Option<&Correlation> {
        self.correlation.as_ref()
    }

    /// What production reports about each record that it sends.
    pub(in crate::run::replay) fn sending(self: &Arc<Self>) -> Option<Arc<SendingWatch>> {
        self.correlation.as_ref()?;
        let shared = self.clone();
        Some(Arc::new(move |batch, record| {
            if let Some(correlation) = &shared.correlation {
                correlation.sent(batch, record);
            }
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, ExpectationState> {
        // A panic leaves records out, and ends the run as a defect.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the reading of the capture fills; `None` if the expected records come from another source.
    pub(in crate::run::replay) fn expecting(
        self: &Arc<Self>,
        options: &crate::config::Extraction,
    ) -> Option<Expecting> {
        match self.settings.source {
            ExpectationSource::Capture => {
                let shared = self.clone();
                Some(Expecting::new(options, move |source_batch| {
                    shared.expect(source_batch)
                }))
            }
            ExpectationSource::Other(_) => None,
        }
    }

    /// The output topics that are known before the capture is read, under their captured names: renamings
    /// apply to them as well.
    pub(in crate::run::replay) fn outputs(&self) -> SourceBatch {
        let mut source_batch = SourceBatch::default();
        let state = self.state();
        let named = state.captured.values().cloned().map(CapturedTopic::Name);
        source_batch.batch.left_out = named.map(|topic| (topic, None)).collect();
        source_batch
    }

    fn expect(&self, source_batch: ExpectedBatch) -> Result<(), Error> {
        match source_batch {
            ExpectedBatch::Records(source_batch) => self.expect_records(&source_batch),
            ExpectedBatch::End => self.check_something(),
        }
    }

    pub(super) fn check_something(&self) -> Result<(), Error> {
        let state = self.state();
        if state.expected > 0 {
            return match &state.noise {
                Some(noise) => noise.check(state.mark),
                None => Ok(()),
            };
        }
        drop(state);
        Err(match self.settings.source {
            ExpectationSource::Capture => Error::Config {
                message: "`--expect`: the capture has no records that the application wrote".into(),
                hint: Some(
                    "kreplay takes them from Produce requests; `--expect-from SOURCE` takes them from elsewhere"
                        .into(),
                ),
            },
            ExpectationSource::Other(_) => {
                Error::config("`--expect-from`: the source has no record to compare with")
            }
        })
    }

    /// Adds records to what is expected.
    pub(super) fn expect_records(&self, source_batch: &SourceBatch) -> Result<(), Error> {
        let mut state = self.state();
        let captured: Vec<String> = source_batch
            .batch
            .topics
            .iter()
            .map(ToString::to_string)
            .collect();
        let names: Vec<String> = captured.iter().map(|t| output(&self.topics, t)).collect();
        let state = &mut *state;
        for record in &source_batch.batch.records {
            let topic = record.topic.map(|index| captured[index as usize].as_str());
            state
                .mark
                .add(topic.unwrap_or_default(), &source_batch.batch, record);
        }
        state.expected += source_batch.batch.records.len() as u64;
        state.unreadable += source_batch.tally.outcomes[Outcome::Unreadable];
        state.redacted += source_batch.tally.redacted.total();
        state.dated += source_batch.tally.date_placeholders.total();
        state.transactional += source_batch.tally.transactional;
        let used: BTreeSet<u32> = source_batch
            .batch
            .records
            .iter()
            .filter_map(|r| r.topic)
            .collect();
        let mut new = Vec::new();
        for index in used {
            let name = &names[index as usize];
            if !state.wanted.insert(name.clone()) {
                continue;
            }
            state.unread.push(name.clone());
            state
                .captured
                .insert(name.clone(), captured[index as usize].clone());
            new.push(name.clone());
        }
        if let Some(comparison) = &mut state.comparison {
            add(comparison, Side::Expected, &source_batch.batch, &names)?;
        }
        // Topics are known once the destination was looked at.
        match &state.outputs {
            Some(outputs) => outputs.check(new.iter()),
            None => Ok(()),
        }
    }

    /// The bootstrap servers.
    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Which records of transactions to read, as far as is known by now. A producer that used transactions
    /// wrote for readers of committed records; other readers get everything, by the default of Kafka's own
    /// client.
    pub(super) fn isolation(&self) -> Isolation {
        let state = self.state();
        match state.shows_transactions && state.transactional == 0 {
            true => Isolation::Uncommitted,
            false => Isolation::Committed,
        }
    }

    /// Topics to read from now on, with the offsets at which they ended.
    pub(super) fn take_unread(&self) -> Vec<(String, Vec<OutputEnd>)> {
        let mut state = self.state();
        let unread = std::mem::take(&mut state.unread);
        let with_ends = unread.into_iter().filter_map(|topic| {
            let ends = state.outputs.as_ref()?.ends(&topic)?.to_vec();
            Some((topic, ends))
        });
        with_ends.collect()
    }

    /// Adds records that the service wrote.
    ///
    /// # Errors
    /// Fails as [`RecordComparison::add`] does.
    pub(super) fn observe(&self, source_batch: &SourceBatch) -> Result<(), Error> {
        let names: Vec<String> = source_batch
            .batch
            .topics
            .iter()
            .map(ToString::to_string)
            .collect();
        if let Some(correlation) = &self.correlation {
            let records = source_batch.batch.records.iter();
            records.for_each(|record| correlation.appeared(&source_batch.batch, record));
        }
        match &mut self.state().comparison {
            Some(comparison) => add(comparison, Side::Observed, &source_batch.batch, &names),
            None => Ok(()),
        }
    }

    pub(super) fn quiet(&self) -> std::time::Duration {
        self.settings.quiet
    }

    pub(super) fn limit(&self) -> std::time::Duration {
        self.settings.limit
    }

    /// Takes the comparison, and what else is known; `None` after the first call.
    pub(super) fn take(&self) -> Option<(RecordComparison, ExpectationState)> {
        let mut state = std::mem::take(&mut *self.state());
        Some((state.comparison.take()?, state))
    }
}

impl ExpectationState {
    /// The noise file, and the noise that it accepts.
    pub(super) fn noise_of_file(&self) -> Option<ExcusedNoise> {
        let noise = self.noise.as_ref()?;
        Some(ExcusedNoise {
            file: noise.file.display().to_string(),
            paths: noise.paths.len(),
        })
    }

    /// The same paths, with the captured names of their topics: a noise file applies whatever the topics are
    /// renamed to.
    pub(super) fn as_captured(&self, mut paths: Vec<LearnedPath>) -> Vec<LearnedPath> {
        for path in &mut paths {
            if let Some(captured) = self.captured.get(&path.topic) {
                path.topic.clone_from(captured);
            }
        }
        paths
    }
}

/// The name that a captured output topic has at the destination: renamings apply to inputs and outputs, the
/// topic of `-t` to inputs only.
fn output(topics: &TopicNames, captured: &str) -> String {
    match topics {
        TopicNames::One(_) => captured.to_owned(),
        TopicNames::Mapped(_) => {
            let topic = CapturedTopic::Name(captured.to_owned());
            let renamed = Renamings::new(topics).destination(Some(&topic));
            renamed.unwrap_or_else(|| captured.to_owned())
        }
    }
}
