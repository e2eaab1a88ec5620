//! Reads what the service under test writes, from the offsets noted before the run until nothing more comes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::end::ObservationEnd;
use super::expectation::SharedExpectation;
use super::outputs::TopicPresence;
use super::partitions::{OutputPartition, OutputPartitions};
use crate::cluster::fetched::push;
use crate::cluster::native::Fetched;
use crate::cluster::reader::{Isolation, LogReader};
use crate::config::Destination;
use crate::error::Error;
use crate::host::console::Console;
use crate::host::control::{Control, Shutdown};
use crate::record::channel::SourceBatch;

/// The longest wait for records; an interruption is noticed after it.
const STEP: Duration = Duration::from_millis(20);
/// How many records are taken before anything else is checked.
const MOST_AT_ONCE: usize = 4096;
/// Bytes of a batch at which it is compared.
const MOST_BYTES: usize = 1 << 20;
/// After this time without a record, a topic may have been deleted.
const DOUBT: Duration = Duration::from_secs(1);
/// How long to wait for an open transaction once nothing else comes: the last stable offset trails the end
/// of the log until the markers are written.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// After this long without anything, kreplay asks the cluster for the end of a partition that was not read to its
/// end. A broker that restarts is back by then.
const UNREAD_LIMIT: Duration = Duration::from_secs(30);

/// What was seen of the output.
#[derive(Default)]
pub(in crate::run::replay) struct ObservedOutput {
    pub(super) end: ObservationEnd,
    /// Names of the partitions; the places of records refer to them by index.
    pub(super) names: Vec<String>,
    pub(super) records: u64,
    /// Which records of transactions were read; `None` if nothing was.
    pub(super) isolation: Option<Isolation>,
}

/// How to read the output.
pub(super) struct OutputReading {
    pub(super) reader: LogReader,
    pub(super) isolation: Isolation,
    /// Opens another reader, when the capture turns out to show transactions.
    pub(super) destination: Destination,
    pub(super) console: Console,
}

pub(super) struct OutputObserver {
    reading: OutputReading,
    shared: Arc<SharedExpectation>,
    control: Control,
    partitions: OutputPartitions,
    presence: TopicPresence,
    names: Vec<String>,
    source_batch: SourceBatch,
    records: u64,
    failure: Option<Error>,
    /// When the last record came.
    last_news: Instant,
    /// When kreplay asked the cluster for the ends of partitions, and why it got no answer.
    asked: Option<Instant>,
    refused: Option<Error>,
}

impl OutputObserver {
    pub(super) fn new(
        reading: OutputReading,
        shared: Arc<SharedExpectation>,
        control: Control,
    ) -> Self {
        Self {
            reading,
            shared,
            control,
            partitions: OutputPartitions::default(),
            presence: TopicPresence::new(),
            names: Vec::new(),
            source_batch: SourceBatch::default(),
            records: 0,
            failure: None,
            last_news: Instant::now(),
            asked: None,
            refused: None,
        }
    }

    /// Reads until nothing more comes, or the run is over. If something cannot be read, the run ends: the records
    /// still to be sent would produce output that nobody compares.
    pub(super) fn observe(mut self) -> ObservedOutput {
        let mut over = None;
        let end = loop {
            if self.control.is_stopping() || self.shared.is_given_up.load(Ordering::SeqCst) {
                break ObservationEnd::Stopped;
            }
            if over.is_none() && self.shared.is_sending_over.load(Ordering::SeqCst) {
                over = Some(Instant::now());
            }
            if let Err(error) = self.begin_topics().and_then(|()| self.check_presence()) {
                break ObservationEnd::Failed(error);
            }
            self.read();
            if let Some(error) = self.failure.take() {
                break ObservationEnd::Failed(error);
            }
            if let Some(end) = over.and_then(|over| self.end(over)) {
                break end;
            }
        };
        if matches!(end, ObservationEnd::Failed(_)) {
            self.control.escalate(Shutdown::Drain);
        }
        self.hand_over();
        ObservedOutput {
            end,
            names: self.names,
            records: self.records,
            isolation: Some(self.reading.isolation),
        }
    }

    /// Begins to read the topics that have expected records by now.
    ///
    /// # Errors
    /// Returns why they cannot be read.
    fn begin_topics(&mut self) -> Result<(), Error> {
        self.choose_isolation()?;
        for (topic, ends) in self.shared.take_unread() {
            let mut read = Vec::new();
            for (partition, began) in (0..).zip(ends) {
                let OutputReading {
                    reader, isolation, ..
                } = &mut self.reading;
                let next = began.of(*isolation);
                reader.start(&topic, partition, next)?;
                let input = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(format!("{topic} [{partition}]"));
                read.push(OutputPartition {
                    input,
                    began,
                    next,
                    at_end: None,
                });
            }
            self.partitions.insert(topic, read);
        }
        Ok(())
    }

    /// Checks that the topics still exist, while nothing comes from them.
    ///
    /// # Errors
    /// Returns an error if one was deleted.
    fn check_presence(&mut self) -> Result<(), Error> {
        if self.last_news.elapsed() < DOUBT {
            return Ok(());
        }
        let topics = self.partitions.topics();
        self.presence.check(&self.reading.reader, topics)
    }

    /// Changes the isolation when the capture turns out to show transactions, as long as nothing was read.
    fn choose_isolation(&mut self) -> Result<(), Error> {
        let isolation = self.shared.isolation();
        let reading = &mut self.reading;
        if isolation == reading.isolation || self.records > 0 {
            return Ok(());
        }
        let watch = (&reading.console, &self.control);
        reading.reader = LogReader::open(&reading.destination, isolation, watch)?;
        reading.isolation = isolation;
        let reader = &mut reading.reader;
        self.partitions.each(|topic, number, partition| {
            partition.next = partition.began.of(isolation);
            partition.at_end = None;
            reader.start(topic, number, partition.next)
        })
    }

    /// Takes what is there by now.
    fn read(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            let Self {
                reading: OutputReading { reader, .. },
                partitions,
                source_batch,
                records,
                failure,
                last_news,
                ..
            } = self;
            let mut failed = None;
            let came = reader.poll(STEP, |fetched| match fetched {
                Fetched::Record(record) => {
                    if let Some(partition) = partitions.find(record.topic, record.partition) {
                        partition.at_end = None;
                        partition.next = record.offset + 1;
                        push(
                            &mut source_batch.batch,
                            record.topic,
                            partition.input,
                            &record,
                        );
                        *records += 1;
                        *last_news = Instant::now();
                    }
                }
                Fetched::AtEnd {
                    topic,
                    partition,
                    offset,
                } => {
                    if let Some(partition) = partitions.find(topic, partition) {
                        partition.at_end = Some(offset);
                    }
                }
                Fetched::Failed { topic, why } => failed = Some((topic.to_owned(), why)),
            });
            *failure = failed.map(|(topic, why)| reader.unread(&topic, &why));
            let is_full = source_batch.batch.weight() >= MOST_BYTES;
            if !came || is_full || self.failure.is_some() {
                break;
            }
        }
        self.hand_over();
    }

    fn hand_over(&mut self) {
        if !self.source_batch.batch.records.is_empty() {
            let observed = self.shared.observe(&std::mem::take(&mut self.source_batch));
            self.failure = self.failure.take().or(observed.err());
        }
    }

    /// How the reading ends after the sending; `None` if it continues.
    fn end(&mut self, over: Instant) -> Option<ObservationEnd> {
        let is_late = over.elapsed() >= self.shared.limit();
        let quiet = self.last_news.max(over).elapsed();
        let Some(silence) = quiet.checked_sub(self.shared.quiet()) else {
            return is_late.then_some(ObservationEnd::NeverQuiet);
        };
        let Some(unread) = self.partitions.unread() else {
            return match self.partitions.hidden(&self.reading.reader) {
                None => Some(ObservationEnd::Quiet),
                Some(place) if silence >= OPEN_LIMIT || is_late => {
                    Some(ObservationEnd::Hidden(place))
                }
                Some(_) => None,
            };
        };
        let is_due = self.asked.is_none_or(|at| at.elapsed() >= UNREAD_LIMIT);
        if silence >= UNREAD_LIMIT && is_due {
            let OutputReading {
                reader, isolation, ..
            } = &mut self.reading;
            self.refused = self.partitions.find_ends(reader, *isolation).err();
            self.asked = Some(Instant::now());
            if self.refused.is_none() {
                return self.partitions.unread().map(ObservationEnd::Unread);
            }
        }
        is_late.then(|| match self.refused.take() {
            Some(error) => ObservationEnd::Failed(error),
            None => ObservationEnd::Unread(unread),
        })
    }
}
