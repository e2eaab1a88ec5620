//! Prints records to stdout as record lines: the receiver if nothing is sent. This file is separate from
//! `produce` because it needs nothing of Kafka.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error;
use crate::error::Error;
use crate::record::channel::{Receiver, SourceBatch};
use crate::record::lines;
use crate::report::{StdoutReader, Tally};
use crate::run::driver::on_thread;

/// How many bytes of lines to write at once; the last lines of a batch never wait for the next batch.
const CHUNK: usize = 256 << 10;

/// The result so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printed {
    pub(crate) tally: Tally,
    pub(crate) printed: u64,
    /// Records that were received and not written, or not yet.
    pub(crate) unprinted: u64,
    pub(crate) reader: StdoutReader,
    /// How the source ended; `None` if it was not read to its end.
    pub(crate) source_end: Option<Result<(), Error>>,
    /// What ended the printing early.
    pub(crate) failure: Option<Error>,
}

/// A printing that runs on its own thread.
pub(crate) struct Printing {
    printed: Arc<Mutex<Printed>>,
    ended: oneshot::Receiver<()>,
}

/// Starts to print what `receiver` yields.
pub(crate) fn start(receiver: Receiver) -> Printing {
    let printed = Arc::new(Mutex::default());
    let shared = printed.clone();
    let ended = on_thread(move || print_all(receiver, io::stdout(), &shared));
    Printing { printed, ended }
}

impl Printing {
    /// Waits until everything is printed, or nothing more can be.
    pub(crate) async fn ended(&mut self) {
        if (&mut self.ended).await.is_err() {
            let what = "the printing thread ended in a panic".into();
            lock(&self.printed).failure = Some(Error::Defect { what });
        }
    }

    /// What is known so far; it balances at any time.
    pub(crate) fn so_far(&self) -> Printed {
        lock(&self.printed).clone()
    }
}

fn lock(printed: &Mutex<Printed>) -> MutexGuard<'_, Printed> {
    // The counts are consistent between any two statements that change them, also after a panic.
    printed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn print_all(receiver: Receiver, out: impl Write, printed: &Mutex<Printed>) {
    let mut printer = RecordPrinter {
        out,
        lines: Vec::new(),
        printed,
    };
    let mut end = Ok(());
    while end.is_ok()
        && let Some(source_batch) = receiver.recv()
    {
        end = printer.print(source_batch);
    }
    let (source_end, rest) = receiver.close();
    let mut printed = lock(printed);
    for source_batch in rest {
        printed.unprinted += source_batch.batch.records.len() as u64;
        printed.tally.merge(source_batch.tally);
    }
    printed.source_end = source_end;
    match end {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::BrokenPipe => printed.reader = StdoutReader::Gone,
        Err(e) => {
            let reason = error::reason(&e);
            printed.failure = Some(Error::CannotWrite {
                what: "to stdout",
                reason,
            });
        }
    }
}

struct RecordPrinter<'a, W> {
    out: W,
    lines: Vec<u8>,
    printed: &'a Mutex<Printed>,
}

impl<W: Write> RecordPrinter<'_, W> {
    fn print(&mut self, source_batch: SourceBatch) -> io::Result<()> {
        let SourceBatch { batch, tally, .. } = source_batch;
        let mut printed = lock(self.printed);
        printed.tally.merge(tally);
        printed.unprinted += batch.records.len() as u64;
        drop(printed);
        let mut waiting = 0;
        for record in &batch.records {
            lines::write(&batch, record, &mut self.lines);
            waiting += 1;
            if self.lines.len() >= CHUNK {
                self.flush(std::mem::take(&mut waiting))?;
            }
        }
        self.flush(waiting)
    }

    /// Writes the waiting lines, `count` of them.
    fn flush(&mut self, count: u64) -> io::Result<()> {
        self.out.write_all(&self.lines)?;
        self.out.flush()?;
        self.lines.clear();
        let mut printed = lock(self.printed);
        printed.unprinted -= count;
        printed.printed += count;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record::channel;
    use crate::record::channel::{Gate, Limits};

    /// Takes this many bytes and then fails.
    struct Upto(usize, ErrorKind);

    impl Write for Upto {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(self.0);
            self.0 -= n;
            match n {
                0 if !bytes.is_empty() => Err(self.1.into()),
                n => Ok(n),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Prints three batches of one record each.
    fn print(out: impl Write) -> Printed {
        const ROOM: Limits = Limits {
            records: 100,
            bytes: 10_000,
        };
        let (sender, receiver) = channel::bounded(ROOM, Gate::AtOnce);
        for line in 1..=3 {
            let mut source_batch = SourceBatch::default();
            let origin = Origin { input: 0, line };
            lines::read(br#"{"value":"v"}"#, origin, &mut source_batch.batch)
                .expect("it is a record line");
            source_batch.tally.found = 1;
            sender.send(source_batch).expect("there is room");
        }
        sender.finish(Ok(()));
        let printed = Mutex::default();
        print_all(receiver, out, &printed);
        lock(&printed).clone()
    }

    const LINE: &str = "{\"key\":null,\"value\":\"v\",\"headers\":[]}\n";

    #[test]
    fn every_record_is_a_line() {
        let mut out = Vec::new();
        let printed = print(&mut out);
        assert_eq!(String::from_utf8(out), Ok(LINE.repeat(3)));
        assert_eq!((printed.printed, printed.unprinted), (3, 0));
        assert_eq!(printed.source_end, Some(Ok(())));
    }

    #[test]
    fn a_reader_that_closes_the_pipe_ends_the_printing_without_a_failure() {
        let printed = print(Upto(LINE.len() + 3, ErrorKind::BrokenPipe));
        assert_eq!(
            (printed.tally.found, printed.printed, printed.unprinted),
            (3, 1, 2)
        );
        assert_eq!(
            (printed.reader, printed.failure),
            (StdoutReader::Gone, None)
        );
    }

    #[test]
    fn a_full_disk_is_a_failure() {
        let printed = print(Upto(LINE.len(), ErrorKind::StorageFull));
        assert_eq!((printed.printed, printed.unprinted), (1, 2));
        let failure = printed.failure.map(|failure| failure.to_string());
        assert_eq!(
            failure.as_deref(),
            Some("cannot write to stdout: no storage space")
        );
    }
}
