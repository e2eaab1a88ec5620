//! `kreplay compare`: reads two sources or topics, one after the other, and says where their records differ.
//! `verify/compare/` decides what counts as the same; this folder feeds it records and shows the differences.

pub(in crate::run) mod differences;
pub(in crate::run) mod ignored;
mod topic;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use self::differences::Differences;
use self::ignored::IgnoredPath;
use self::topic::TopicToRead;
use super::driver::{
    AfterSignal, CHANNEL, Driver, DriverEvent, ReadingOptions, SourceReading, UnfinishedWork,
    on_thread,
};
use crate::config::{ComparedSource, ComparedWith, Config, Destination, Source};
use crate::error::Error;
use crate::extract::Purpose;
use crate::host::control::Control;
use crate::record::Batch;
use crate::record::channel;
use crate::record::channel::{Gate, Receiver};
use crate::report::{ComparedSide, ComparisonReport, Tally};
use crate::verify::compare::{RecordComparison, RecordPlace, Rules, Side, Subject};
use crate::{extract, report};

/// The result of one reading.
#[derive(Debug, Default)]
struct SideReading {
    tally: Tally,
    records: u64,
    /// How the source ended; `None` if it was not read to its end.
    source_end: Option<Result<(), Error>>,
}

/// Compares the source of `config` with `observed`; the first signal ends it.
///
/// # Errors
/// Returns [`Error::Config`] for paths and filters that do not parse, and for a file of differences that
/// cannot be written.
pub(super) async fn run(
    config: Config,
    ComparedWith { sides, rules }: ComparedWith,
    mut driver: Driver,
) -> Result<ComparisonReport, Error> {
    for side in &sides {
        if let ComparedSource::Source(source) = side {
            extract::check(source, &config.extraction)?;
        }
    }
    let ignored = IgnoredPath::parse_all(&rules.ignore, &driver.control)?;
    let differences = Differences::open(rules.differences.as_deref())?;
    let comparison = RecordComparison::new(Rules {
        ignore: ignored.iter().map(IgnoredPath::rule).collect(),
        noise: Vec::new(),
        members: rules.members,
        headers: rules.headers,
        depth: rules.depth,
    });
    let comparison = Arc::new(Mutex::new(comparison));
    let mut report = ComparisonReport {
        excused: rules.excused,
        ..ComparisonReport::default()
    };
    read_sides(sides, &config, &comparison, &mut driver, &mut report).await;
    let is_whole = report.signal.is_none() && report.failures.is_empty();
    let differences = match is_whole {
        true => finish(comparison, differences, &mut driver, &mut report).await?,
        false => Some(differences),
    };
    if is_whole && report.signal.is_none() {
        report.unmatched = ignored.iter().filter_map(IgnoredPath::unmatched).collect();
    }
    let (shown, failure) = differences.map(Differences::finish).unwrap_or_default();
    report.shown = shown;
    report.failures.extend(failure);
    report.elapsed = driver.elapsed();
    Ok(report)
}

/// Compares what was read, into `report`; a comparison that a signal interrupts is useless. Returns the
/// differences, unless they are left behind.
///
/// # Errors
/// Returns [`Error::Defect`] if a side is still being read.
async fn finish(
    comparison: Arc<Mutex<RecordComparison>>,
    mut differences: Differences,
    driver: &mut Driver,
    report: &mut ComparisonReport,
) -> Result<Option<Differences>, Error> {
    let comparison = Arc::into_inner(comparison).map(Mutex::into_inner);
    let comparison = comparison.map(|known| known.unwrap_or_else(PoisonError::into_inner));
    let comparison = comparison.ok_or_else(|| Error::Defect {
        what: "a reading continued after its end".into(),
    })?;
    let sources = [&report.expected, &report.observed].map(|side| side.source.clone());
    // A query of the user's own may take long, and a signal must be noticed meanwhile.
    let comparing = on_thread(move || {
        let names = sources.each_ref().map(report::SourceReport::places);
        let topics = comparison.finish(|difference| differences.add(difference, names));
        (topics, differences)
    });
    let compared = driver.wait(comparing, AfterSignal::Leave, |_| {}).await;
    report.signal = driver.counting_signal(UnfinishedWork::Comparison);
    Ok(match compared {
        Some(Ok((topics, differences))) if report.signal.is_none() => {
            report.topics = topics;
            Some(differences)
        }
        Some(Err(_)) => {
            panicked(report);
            None
        }
        _ => None,
    })
}

/// Reads both sides, one after the other, into `report` and `comparison`.
async fn read_sides(
    sides: [ComparedSource; 2],
    config: &Config,
    comparison: &Arc<Mutex<RecordComparison>>,
    driver: &mut Driver,
    report: &mut ComparisonReport,
) {
    // Two topics are compared with each other, whatever their names are.
    let only_topic = match &sides {
        [ComparedSource::Topic(name), ComparedSource::Topic(_)] => Some(name.clone()),
        _ => None,
    };
    for (side, source) in [Side::Expected, Side::Observed].into_iter().zip(sides) {
        if report.signal.is_some() || !report.failures.is_empty() {
            break;
        }
        let read = match source {
            ComparedSource::Source(source) => {
                read(side, source, config, comparison, driver, report).await
            }
            ComparedSource::Topic(name) => {
                let topic = TopicToRead {
                    compared_as: only_topic.clone().unwrap_or_else(|| name.clone()),
                    name,
                    console: driver.console.clone(),
                };
                let topic = (topic, &config.destination);
                read_topic(side, topic, comparison, driver, report).await
            }
        };
        match side {
            Side::Expected => report.expected = read,
            Side::Observed => report.observed = read,
        }
    }
}

/// Reads one side.
async fn read(
    side: Side,
    source: Source,
    config: &Config,
    comparison: &Arc<Mutex<RecordComparison>>,
    driver: &mut Driver,
    report: &mut ComparisonReport,
) -> ComparedSide {
    let kind = source.kind();
    let options = ReadingOptions::of(source, config, Purpose::Look);
    let (source_reading, receiver) = SourceReading::start(options, &driver.console);
    let ended = start(side, receiver, comparison.clone());
    let reading = driver.take(&source_reading, ended, AfterSignal::Wait).await;
    report.signal = driver.counting_signal(UnfinishedWork::Comparison);
    let description = source_reading.end().await;
    let reading = reading.and_then(Result::ok);
    let reading = reading.unwrap_or_else(|| panicked(report));
    let source = description.source(kind, reading.source_end.as_ref());
    let failure = reading.source_end.clone().and_then(Result::err);
    let nothing = match report.signal {
        None => report::nothing_found(&source, &reading.tally, config.empty),
        Some(_) => None,
    };
    report.failures.extend(failure.or(nothing));
    ComparedSide {
        source,
        tally: reading.tally,
        records: reading.records,
    }
}

/// Reads a topic as one side.
async fn read_topic(
    side: Side,
    (topic, destination): (TopicToRead, &Destination),
    comparison: &Arc<Mutex<RecordComparison>>,
    driver: &mut Driver,
    report: &mut ComparisonReport,
) -> ComparedSide {
    let control = Control::default();
    let (sender, receiver) = channel::bounded(CHANNEL, Gate::AtOnce);
    let ended = start(side, receiver, comparison.clone());
    let (destination, stopping) = (destination.clone(), control.clone());
    let source = topic.source();
    let reading = spawn_blocking(move || topic.read(&destination, &stopping, sender));
    let stop = |event| match event {
        DriverEvent::Shutdown(shutdown) => control.escalate(shutdown),
        DriverEvent::Tick => {}
    };
    let names = driver.wait(reading, AfterSignal::Wait, stop).await;
    report.signal = driver.counting_signal(UnfinishedWork::Comparison);
    let names = names.and_then(Result::ok).unwrap_or_default();
    let side_reading = ended.await;
    let reading = side_reading.unwrap_or_else(|_| panicked(report));
    let failure = reading.source_end.clone().and_then(Result::err);
    if report.signal.is_none() {
        report.failures.extend(failure);
    }
    ComparedSide {
        source: report::SourceReport {
            names: names.into(),
            complete: reading.source_end == Some(Ok(())),
            ..source
        },
        tally: reading.tally,
        records: reading.records,
    }
}

fn panicked(report: &mut ComparisonReport) -> SideReading {
    let what = "the comparing thread ended in a panic".into();
    report.failures.push(Error::Defect { what });
    SideReading::default()
}

/// Adds what `receiver` yields to one side, on its own thread.
fn start(
    side: Side,
    receiver: Receiver,
    comparison: Arc<Mutex<RecordComparison>>,
) -> oneshot::Receiver<SideReading> {
    on_thread(move || {
        let mut reading = SideReading::default();
        let mut too_many = None;
        {
            let mut comparison = comparison.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(source_batch) = receiver.recv() {
                reading.records += source_batch.batch.records.len() as u64;
                let names = source_batch.batch.topics.iter().map(ToString::to_string);
                let names: Vec<String> = names.collect();
                let added = add(&mut comparison, side, &source_batch.batch, &names);
                reading.tally.merge(source_batch.tally);
                too_many = added.err();
                if too_many.is_some() {
                    break;
                }
            }
            let (source_end, rest) = receiver.close();
            reading.source_end = too_many.map(Err).or(source_end);
            for source_batch in rest {
                reading.tally.merge(source_batch.tally);
            }
        }
        drop(comparison);
        reading
    })
}

/// Adds the records of `batch`, whose topics are called `topics`.
///
/// # Errors
/// Fails as [`RecordComparison::add`] does.
pub(in crate::run) fn add(
    comparison: &mut RecordComparison,
    side: Side,
    batch: &Batch,
    topics: &[String],
) -> Result<(), Error> {
    for record in &batch.records {
        let headers = batch.headers(record).iter();
        let headers = headers.map(|header| {
            let value = header.value.map(|value| batch.slice(value));
            (batch.slice(header.name), value)
        });
        let topic = record.topic.map(|topic| topics[topic as usize].as_str());
        comparison.add(
            side,
            &Subject {
                topic: topic.unwrap_or_default(),
                key: record.key.map(|key| batch.slice(key)),
                value: record.value.map(|value| batch.slice(value)),
                headers: &headers.collect::<Vec<_>>(),
                place: RecordPlace {
                    input: record.origin.input,
                    number: record.origin.line,
                },
            },
        )?;
    }
    Ok(())
}
