//! Reads what the service under test writes, from the offsets noted before the run until nothing more comes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::expectation::{OutputEnd, SharedExpectation};
use crate::cluster::fetched::push;
use crate::cluster::native::Fetched;
use crate::cluster::reader::{Isolation, LogReader};
use crate::config::Destination;
use crate::error::Error;
use crate::host::console::Console;
use crate::host::control::Control;
use crate::record::channel::SourceBatch;

/// How long one wait for records may take: an interruption is noticed after it.
const STEP: Duration = Duration::from_millis(20);
/// What is taken before anything else is looked at.
const MOST_AT_ONCE: usize = 4096;
/// Bytes of a portion at which it is compared.
const MOST_BYTES: usize = 1 << 20;
/// How long an open transaction is waited for once nothing else comes: the last stable offset trails the end
/// of the log until the markers are written.
const OPEN_LIMIT: Duration = Duration::from_secs(10);

/// What was seen of the output.
#[derive(Default)]
pub(in crate::run::replay) struct ObservedOutput {
    pub(super) end: ObservationEnd,
    /// Names of the partitions; places of records point into them.
    pub(super) names: Vec<String>,
    pub(super) records: u64,
    /// What of transactions was read; none when nothing was.
    pub(super) isolation: Option<Isolation>,
}

/// How the reading of the output has ended.
#[derive(Debug, Default)]
pub(in crate::run::replay) enum ObservationEnd {
    /// Everything was read, and nothing more came.
    Quiet,
    /// The run is over before that.
    #[default]
    Stopped,
    /// Something came again and again.
    NeverQuiet,
    /// An open transaction hides the rest of a partition.
    Hidden(String),
    Failed(Error),
}

/// How the output is read.
pub(super) struct OutputReading {
    pub(super) reader: LogReader,
    pub(super) isolation: Isolation,
    /// For another reader, when the capture turns out to show transactions.
    pub(super) destination: Destination,
    pub(super) console: Console,
}

pub(super) struct OutputObserver {
    reading: OutputReading,
    shared: Arc<SharedExpectation>,
    control: Control,
    /// By topic and number.
    partitions: HashMap<String, Vec<OutputPartition>>,
    names: Vec<String>,
    source_batch: SourceBatch,
    records: u64,
    failure: Option<Error>,
    /// When something came for the last time.
    last_news: Instant,
}

/// A partition that is read.
struct OutputPartition {
    /// Its place among the names.
    input: u32,
    /// Where it ended before the run.
    began: OutputEnd,
    /// Where everything that there is was read; none before that.
    at_end: Option<i64>,
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
            partitions: HashMap::new(),
            names: Vec::new(),
            source_batch: SourceBatch::default(),
            records: 0,
            failure: None,
            last_news: Instant::now(),
        }
    }

    /// Reads until nothing more comes, or the run is over.
    pub(super) fn observe(mut self) -> ObservedOutput {
        let mut over = None;
        let end = loop {
            if self.control.is_stopping() || self.shared.is_given_up.load(Ordering::SeqCst) {
                break ObservationEnd::Stopped;
            }
            if over.is_none() && self.shared.is_sending_over.load(Ordering::SeqCst) {
                over = Some(Instant::now());
            }
            if let Err(error) = self.begin_topics() {
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
        self.hand_over();
        ObservedOutput {
            end,
            names: self.names,
            records: self.records,
            isolation: Some(self.reading.isolation),
        }
    }

    /// Begins to read the topics in which something is expected now.
    ///
    /// # Errors
    /// Why they cannot be read.
    fn begin_topics(&mut self) -> Result<(), Error> {
        self.choose_isolation()?;
        for (topic, ends) in self.shared.take_unread() {
            let mut read = Vec::new();
            for (partition, began) in (0..).zip(ends) {
                let OutputReading {
                    reader, isolation, ..
                } = &mut self.reading;
                reader.start(&topic, partition, began.of(*isolation))?;
                let input = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(format!("{topic} [{partition}]"));
                read.push(OutputPartition {
                    input,
                    began,
                    at_end: None,
                });
            }
            self.partitions.insert(topic, read);
        }
        Ok(())
    }

    /// Reads in another way when the capture turns out to show transactions, as long as nothing was read.
    fn choose_isolation(&mut self) -> Result<(), Error> {
        let isolation = self.shared.isolation();
        let reading = &mut self.reading;
        if isolation == reading.isolation || self.records > 0 {
            return Ok(());
        }
        let told = (&reading.console, &self.control);
        reading.reader = LogReader::open(&reading.destination, isolation, told)?;
        reading.isolation = isolation;
        for (topic, partitions) in &mut self.partitions {
            for (number, partition) in (0..).zip(partitions) {
                let began = partition.began.of(isolation);
                reading.reader.start(topic, number, began)?;
                partition.at_end = None;
            }
        }
        Ok(())
    }

    /// Takes what there is by now.
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
                    if let Some(partition) = find(partitions, record.topic, record.partition) {
                        partition.at_end = None;
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
                    if let Some(partition) = find(partitions, topic, partition) {
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

    /// How the reading ends now that sending is over; none when it goes on.
    fn end(&self, over: Instant) -> Option<ObservationEnd> {
        let quiet = self.last_news.max(over).elapsed();
        let is_read = |partition: &OutputPartition| partition.at_end.is_some();
        if quiet >= self.shared.quiet() && self.partitions.values().flatten().all(is_read) {
            match self.hidden() {
                None => return Some(ObservationEnd::Quiet),
                Some(place) if quiet >= self.shared.quiet() + OPEN_LIMIT => {
                    return Some(ObservationEnd::Hidden(place));
                }
                Some(_) => {}
            }
        }
        (over.elapsed() >= self.shared.limit()).then_some(ObservationEnd::NeverQuiet)
    }

    /// Where an open transaction hides what comes next.
    fn hidden(&self) -> Option<String> {
        self.partitions.iter().find_map(|(topic, partitions)| {
            (0..).zip(partitions).find_map(|(number, partition)| {
                let at = partition.at_end?;
                let is_hidden = self.reading.reader.high_watermark(topic, number) > at;
                is_hidden.then(|| format!("{topic} [{number}] @ {at}"))
            })
        })
    }
}

fn find<'a>(
    partitions: &'a mut HashMap<String, Vec<OutputPartition>>,
    topic: &str,
    number: i32,
) -> Option<&'a mut OutputPartition> {
    let number = usize::try_from(number).ok()?;
    partitions.get_mut(topic)?.get_mut(number)
}
