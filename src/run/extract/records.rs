//! The records of a source one by one, for a program that links kreplay.

use std::ffi::OsString;

use tokio::runtime::Runtime;

use crate::error::Error;
use crate::host::console::Console;
use crate::record::channel::Receiver;
use crate::record::{Batch, CapturedTopic, Record};
use crate::report::{Outcome, Tally, place};
use crate::run::driver::{ReadingOptions, SourceReading};
use crate::run::program;

/// A record of a capture, with everything that the capture contains of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CapturedRecord {
    /// The name of its topic; `None` if the capture has only an id, or nothing.
    pub topic: Option<String>,
    /// The id of its topic in Kafka's notation, if the name is unknown.
    pub topic_id: Option<String>,
    /// The partition that it was captured in.
    pub partition: Option<i32>,
    /// Its offset in that partition.
    pub offset: Option<i64>,
    /// Its timestamp in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// Its key; `None` is a null key.
    pub key: Option<Vec<u8>>,
    /// Its value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Names and values of its headers, in order.
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// Where it was read: `input:line`.
    pub place: String,
}

/// The records of a source, as [`records`] returns them. Dropping it ends the reading.
pub struct Records {
    reading: SourceReading,
    /// `None` once everything was read.
    receiver: Option<Receiver>,
    batch: Batch,
    /// The next record of `batch`.
    next: usize,
    tally: Tally,
    /// The runtime of speedctl. `None` once it is shut down.
    runtime: Option<Runtime>,
}

/// Extracts the records of a source: those that `kreplay extract ARGUMENTS` prints, for the same files,
/// folders and flags. Blocks while it reads; call it from a thread that may wait. It writes nothing to
/// stderr.
///
/// The iterator ends after its first error. Unreadable records come last, as one error that names the first
/// of them, so that nothing is lost silently.
///
/// # Errors
/// Returns [`Error::Config`] for arguments that make no sense.
///
/// # Examples
/// ```
/// let orders = kreplay::records(["fixtures/demo.jsonl", "--topics", "orders"])?;
/// for record in orders {
///     let record = record?;
///     println!("{:?} {:?}", record.partition, record.offset);
/// }
/// # Ok::<(), kreplay::Error>(())
/// ```
pub fn records<I>(arguments: I) -> Result<Records, Error>
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    let config = program::quiet_config("extract", arguments)?;
    let options = ReadingOptions::to_look(&config)?;
    let runtime = program::runtime()?;
    let console = Console::new(config.output.verbosity);
    let (reading, receiver) = {
        let _runtime = runtime.enter();
        SourceReading::start(options, &console)
    };
    Ok(Records {
        reading,
        receiver: Some(receiver),
        batch: Batch::default(),
        next: 0,
        tally: Tally::default(),
        runtime: Some(runtime),
    })
}

impl Records {
    /// What extraction has seen so far: records found, records left out and why, and problems.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    fn owned(&self, record: &Record) -> CapturedRecord {
        let bytes = |bytes: &[u8]| bytes.to_vec();
        let (topic, topic_id) = match self.batch.topic(record) {
            Some(CapturedTopic::Name(name)) => (Some(name.clone()), None),
            Some(CapturedTopic::Id(id)) => (None, Some(id.to_string())),
            None => (None, None),
        };
        let headers = self.batch.headers(record).iter().map(|header| {
            let value = header.value.map(|value| bytes(self.batch.slice(value)));
            (bytes(self.batch.slice(header.name)), value)
        });
        CapturedRecord {
            topic,
            topic_id,
            partition: record.partition,
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(|key| bytes(self.batch.slice(key))),
            value: record.value.map(|value| bytes(self.batch.slice(value))),
            headers: headers.collect(),
            place: place(&self.reading.description().names, record.origin),
        }
    }

    /// What is wrong with the source, or with its records, after it was read to its end.
    fn end(&mut self, receiver: &Receiver) -> Option<Error> {
        let (source_end, rest) = receiver.close();
        for source_batch in rest {
            self.tally.merge(source_batch.tally);
        }
        if let Some(Err(error)) = source_end {
            return Some(error);
        }
        let count = self.tally.outcomes[Outcome::Unreadable];
        let problem = self.tally.problems.first_lossy()?;
        let names = self.reading.description().names;
        Some(Error::RecordsUnreadable {
            count,
            place: place(&names, problem.first),
            why: problem.why.clone(),
        })
    }
}

impl Iterator for Records {
    type Item = Result<CapturedRecord, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.batch.records.get(self.next) {
                self.next += 1;
                return Some(Ok(self.owned(record)));
            }
            match self.receiver.as_ref()?.recv() {
                Some(source_batch) => {
                    self.tally.merge(source_batch.tally);
                    (self.batch, self.next) = (source_batch.batch, 0);
                }
                None => {
                    let receiver = self.receiver.take()?;
                    return self.end(&receiver).map(Err);
                }
            }
        }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.reading.stop();
        if let Some(runtime) = self.runtime.take() {
            // A thread may still wait for stdin.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn records_come_with_the_bytes_that_were_captured() {
        let expected = fs::read_to_string("fixtures/shop.expected.jsonl").expect("a fixture");
        let expected = expected.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let bytes = |member: &str| match line[format!("{member}_base64")].as_str() {
                Some(text) => Some(STANDARD.decode(text).expect("base64")),
                None => line[member].as_str().map(|text| text.as_bytes().to_vec()),
            };
            let topic = line["topic"].as_str().map(str::to_owned);
            (topic, line["offset"].as_i64(), bytes("key"), bytes("value"))
        });
        let records = records(["fixtures/shop.jsonl"]).expect("sound arguments");
        let records = records.map(|record| record.expect("a sound record"));
        let read: Vec<_> = records
            .map(|r| (r.topic, r.offset, r.key, r.value))
            .collect();
        let mut expected: Vec<_> = expected.collect();
        let mut sorted = read.clone();
        expected.sort();
        sorted.sort();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn an_unreadable_source_ends_the_iterator_with_an_error() {
        let mut records = records(["fixtures/bad-middle.jsonl"]).expect("sound arguments");
        let mut read = records.by_ref().collect::<Vec<_>>();
        let last = read.pop().and_then(Result::err).expect("an error");
        assert!(read.iter().all(Result::is_ok), "{read:?}");
        let found = records.tally().found;
        assert_eq!(read.len() as u64 + 1, found);
        assert!(
            last.to_string()
                .starts_with("1 record cannot be read, the first at "),
            "{last}"
        );
        assert!(records.next().is_none());
    }

    #[test]
    fn arguments_that_make_no_sense_are_an_error() {
        for (arguments, said) in [
            (&["--no-such-flag"][..], "--no-such-flag"),
            (&[][..], "SOURCE"),
            (&["fixtures/demo.jsonl", "--limit", "many"], "many"),
        ] {
            let error = records(arguments).err().expect("they are refused");
            assert!(matches!(error, Error::Config { .. }), "{error:?}");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
