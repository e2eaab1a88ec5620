//! Endless numbered records, which kreplay gets little by little or all at once.
//!
//! Every fault needs records in flight at its moment, whatever the fault is.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::harness::capture::seed::SeededRandom;
use crate::harness::capture::{GeneratedRecord, fetch};
use crate::harness::run::Running;

/// How many records are written at a time.
const PORTION: u64 = 100;

/// How often a feeder checks whether more is allowed.
const TICK: Duration = Duration::from_millis(2);

/// What fills the values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Filling {
    /// Letters that do not compress.
    Noise,
    /// Words that do.
    Words,
}

impl Filling {
    /// A text in which all parts as long as a record differ, or none do.
    fn text(self) -> &'static str {
        static NOISE: OnceLock<String> = OnceLock::new();
        static WORDS: OnceLock<String> = OnceLock::new();
        // Longer than what lz4 looks back at, which is 64 KiB.
        const LENGTH: usize = 1 << 20;
        match self {
            Self::Noise => NOISE.get_or_init(|| {
                let mut random = SeededRandom::new(1);
                (0..LENGTH).map(|_| random.letter()).collect()
            }),
            Self::Words => WORDS.get_or_init(|| {
                let words = "every record delivered, or named; ";
                words.repeat(LENGTH / words.len())
            }),
        }
    }
}

/// Records numbered from 0 on, whose values begin with `{"id":N`; record N is in partition N modulo their
/// number, so that ids rise within each.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) topic: String,
    pub(crate) partitions: u64,
    /// The size of a value; a little more when the id leaves no room.
    pub(crate) bytes: usize,
    pub(crate) filling: Filling,
}

impl Numbered {
    /// Records of 200 bytes that do not compress.
    pub(crate) fn of_noise(topic: impl Into<String>, partitions: u16) -> Self {
        Self {
            topic: topic.into(),
            partitions: partitions.into(),
            bytes: 200,
            filling: Filling::Noise,
        }
    }

    /// The value of one record.
    fn value(&self, id: u64) -> String {
        let mut value = format!(r#"{{"id":{id},"text":""#);
        let text = self.filling.text();
        let room = self.bytes.saturating_sub(value.len() + 2);
        let places = (text.len() - room) as u64;
        // A prime, so that neighbours begin far from each other.
        let at = usize::try_from(id * 7919 % places).expect("a place in the text");
        value.push_str(&text[at..at + room]);
        value.push_str("\"}");
        value
    }

    /// Record lines.
    pub(crate) fn lines(&self, ids: Range<u64>) -> String {
        let mut lines = String::new();
        for id in ids {
            let (partition, offset) = (id % self.partitions, id / self.partitions);
            let value = self.value(id).replace('"', "\\\"");
            let topic = &self.topic;
            writeln!(
                lines,
                r#"{{"topic":"{topic}","partition":{partition},"offset":{offset},"value":"{value}"}}"#
            )
            .expect("a string takes all");
        }
        lines
    }

    /// RRPairs, each of one Fetch with this many records of each partition.
    ///
    /// # Errors
    /// Returns an error if `to` cannot be written.
    pub(crate) fn fetches(
        &self,
        of_each: u64,
        fetches: u64,
        to: &mut impl Write,
    ) -> io::Result<()> {
        for n in 0..fetches {
            let batches: Vec<_> = (0..self.partitions)
                .map(|partition| {
                    let offsets = n * of_each..(n + 1) * of_each;
                    let records = offsets.map(|offset| GeneratedRecord {
                        key: None,
                        value: self.value(offset * self.partitions + partition),
                    });
                    let index = i32::try_from(partition).expect("few partitions");
                    (index, n * of_each, records.collect())
                })
                .collect();
            to.write_all(fetch(&self.topic, &batches).as_bytes())?;
        }
        Ok(())
    }
}

/// Feeds record lines to a run, up to an id that the test raises; dropping it ends the run's stdin.
pub(crate) struct Feeder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    allowed: AtomicU64,
    given_up: AtomicBool,
}

impl Feeder {
    /// Begins to feed the records 0 to `total`; none of them is allowed yet.
    pub(crate) fn new(run: &mut Running, records: &Numbered, total: u64) -> Self {
        Self::paced(run, records, total, None)
    }

    /// Begins to feed at most this many records a second.
    pub(crate) fn paced(
        run: &mut Running,
        records: &Numbered,
        total: u64,
        rate: Option<u64>,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let thread = thread::spawn({
            let (shared, records) = (Arc::clone(&shared), records.clone());
            let stdin = run.take_stdin();
            // kreplay may end before it has read everything, which is not an error.
            move || shared.feed(stdin, &records, total, rate).unwrap_or(())
        });
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Allows the records before this id.
    pub(crate) fn allow(&self, id: u64) {
        self.shared.allowed.store(id, Ordering::SeqCst);
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        self.shared.given_up.store(true, Ordering::SeqCst);
        // The thread may be writing to a kreplay that no longer reads, and ends with it.
        drop(self.thread.take());
    }
}

impl Shared {
    fn feed(
        &self,
        mut stdin: ChildStdin,
        records: &Numbered,
        total: u64,
        rate: Option<u64>,
    ) -> io::Result<()> {
        let mut next = 0;
        while next < total && !self.given_up.load(Ordering::SeqCst) {
            let end = self.allowed.load(Ordering::SeqCst).min(total);
            let end = end.min(next + PORTION);
            if next >= end {
                thread::sleep(TICK);
                continue;
            }
            stdin.write_all(records.lines(next..end).as_bytes())?;
            if let Some(rate) = rate {
                thread::sleep(Duration::from_micros((end - next) * 1_000_000 / rate));
            }
            next = end;
        }
        Ok(())
    }
}
