//! Writes stderr on its own thread: a reader that stops reading, or a terminal that is stopped, holds up
//! neither the replay nor its end. kreplay leaves out what such a reader never takes.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The most bytes that wait to be written: some seconds of librdkafka's log with `debug` set.
const MOST_WAITING: usize = 1 << 20;
/// How much is written at once. A pipe takes this much whole (`PIPE_BUF` of pipe(7)), so a slow reader can be
/// distinguished from one that has stopped.
const CHUNK: usize = 4096;
/// How long a note waits for room while the reader takes nothing. The sending thread may be the one that
/// waits.
const NOTE_PATIENCE: Duration = Duration::from_millis(200);
/// How long the end of the program waits while the reader takes nothing.
const END_PATIENCE: Duration = Duration::from_secs(2);
/// How often a wait checks again, and how often a stderr that does not block is tried again.
const STEP: Duration = Duration::from_millis(5);
/// What a job counts for besides its text.
const JOB: usize = 64;

/// A job for the thread.
enum Queued {
    Text(Vec<u8>),
    /// A text whose writer waits until it is written.
    Awaited(Vec<u8>, SyncSender<io::Result<()>>),
    /// A job that writes to stderr by itself, and the bytes that it counts for.
    Job(usize, Box<dyn FnOnce() + Send>),
    /// A frame of the progress bar; at most one waits.
    Frame(Box<dyn FnOnce() + Send>),
}

impl Queued {
    fn weight(&self) -> usize {
        match self {
            Self::Text(text) | Self::Awaited(text, _) => text.len(),
            Self::Job(weight, _) => JOB + weight,
            Self::Frame(_) => JOB,
        }
    }
}

/// What waits to be written.
pub(crate) struct StderrQueue {
    waiting: Mutex<QueueState>,
    /// Signalled when something is added or done.
    changed: Condvar,
    /// Whether the program has to end at once.
    waits_are_short: AtomicBool,
}

struct QueueState {
    items: VecDeque<Queued>,
    bytes: usize,
    has_frame: bool,
    is_busy: bool,
    /// Notes that found no room since the last one that did.
    left_out: u64,
    /// When the reader last took something, or nothing waited.
    progress: Instant,
}

impl QueueState {
    fn is_idle(&self) -> bool {
        self.items.is_empty() && !self.is_busy
    }

    fn push(&mut self, item: Queued) {
        if self.is_idle() {
            self.progress = Instant::now();
        }
        self.bytes += item.weight();
        self.items.push_back(item);
    }
}

/// The queue of this process; the first call starts its thread.
pub(crate) fn stderr() -> &'static StderrQueue {
    static QUEUE: OnceLock<Arc<StderrQueue>> = OnceLock::new();
    QUEUE.get_or_init(|| StderrQueue::start(io::stderr()))
}

/// Reports panics through the queue, because the default report could block for ever.
pub(crate) fn report_panics() {
    panic::set_hook(Box::new(|panicked| {
        let current = thread::current();
        let name = current.name().unwrap_or("<unnamed>");
        let mut text = format!("\nthread '{name}' {panicked}\n");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text += &format!("stack backtrace:\n{backtrace}");
        }
        stderr().say(text);
        // An abort may follow. The thread itself would wait for its own end.
        if name != THREAD {
            stderr().flush_for(NOTE_PATIENCE);
        }
    }));
}

/// The name of the thread that writes.
const THREAD: &str = "stderr";

impl StderrQueue {
    fn start(mut sink: impl Write + Send + 'static) -> Arc<Self> {
        let queue = Arc::new(Self {
            waiting: Mutex::new(QueueState {
                items: VecDeque::new(),
                bytes: 0,
                has_frame: false,
                is_busy: false,
                left_out: 0,
                progress: Instant::now(),
            }),
            changed: Condvar::new(),
            waits_are_short: AtomicBool::new(false),
        });
        let writing = Arc::clone(&queue);
        let thread = thread::Builder::new().name(THREAD.into());
        // Without the thread nothing is written, and the program continues silently.
        _ = thread.spawn(move || {
            loop {
                writing.write_next(&mut sink);
            }
        });
        queue
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        // The state is consistent between any two statements that change it, also after a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, waiting: MutexGuard<'a, QueueState>) -> MutexGuard<'a, QueueState> {
        let waited = self.changed.wait_timeout(waiting, STEP);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Adds a note, a whole line. Drops it if there is no room and the reader takes nothing.
    pub(crate) fn note(&self, text: String) {
        self.add(Queued::Text(text.into_bytes()));
    }

    /// Adds a note of this many bytes that `job` writes.
    pub(crate) fn note_by(&self, bytes: usize, job: impl FnOnce() + Send + 'static) {
        self.add(Queued::Job(bytes, Box::new(job)));
    }

    fn add(&self, item: Queued) {
        let mut waiting = self.lock();
        while waiting.bytes + item.weight() > MOST_WAITING && !waiting.items.is_empty() {
            if waiting.progress.elapsed() > NOTE_PATIENCE {
                waiting.left_out += 1;
                return;
            }
            waiting = self.wait(waiting);
        }
        let left_out = std::mem::take(&mut waiting.left_out);
        if left_out > 0 {
            let text =
                format!("kreplay: left out lines here, because nobody read them: {left_out}\n");
            waiting.push(Queued::Text(text.into_bytes()));
        }
        waiting.push(item);
        self.changed.notify_all();
    }

    /// Draws a progress bar, unless another frame of it still waits.
    pub(crate) fn draw(&self, frame: impl FnOnce() + Send + 'static) {
        let mut waiting = self.lock();
        if !waiting.has_frame {
            waiting.has_frame = true;
            waiting.push(Queued::Frame(Box::new(frame)));
            self.changed.notify_all();
        }
    }

    /// Runs `job` after everything that was added before.
    pub(crate) fn perform(&self, job: impl FnOnce() + Send + 'static) {
        self.lock().push(Queued::Job(0, Box::new(job)));
        self.changed.notify_all();
    }

    /// Adds what ends a run; there is always room for it.
    pub(crate) fn say(&self, text: String) {
        self.lock().push(Queued::Text(text.into_bytes()));
        self.changed.notify_all();
    }

    /// Writes `bytes` after everything that was added before.
    ///
    /// # Errors
    /// Returns the system's error, or [`ErrorKind::TimedOut`] if the reader takes nothing for two seconds.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let (sender, receiver) = sync_channel(1);
        self.lock().push(Queued::Awaited(bytes.to_vec(), sender));
        self.changed.notify_all();
        let called = Instant::now();
        loop {
            match receiver.recv_timeout(STEP) {
                Ok(written) => return written,
                Err(RecvTimeoutError::Timeout) if !self.is_stalled(called, END_PATIENCE) => {}
                Err(_) => return Err(ErrorKind::TimedOut.into()),
            }
        }
    }

    fn is_stalled(&self, called: Instant, patience: Duration) -> bool {
        self.lock().progress.max(called).elapsed() > self.patience(patience)
    }

    fn patience(&self, patience: Duration) -> Duration {
        match self.waits_are_short.load(Ordering::SeqCst) {
            true => patience.min(NOTE_PATIENCE),
            false => patience,
        }
    }

    /// Shortens all waits from now on, because the program has to end at once.
    pub(crate) fn shorten_waits(&self) {
        self.waits_are_short.store(true, Ordering::SeqCst);
    }

    /// Waits, at the end of the program, until everything is written, as long as the reader takes something
    /// now and then.
    pub(crate) fn flush(&self) {
        self.flush_for(END_PATIENCE);
    }

    /// Waits in the same way before kreplay writes to stdout, which may be the same terminal.
    pub(crate) fn flush_before_stdout(&self) {
        self.flush_for(NOTE_PATIENCE);
    }

    fn flush_for(&self, patience: Duration) {
        let called = Instant::now();
        let mut waiting = self.lock();
        while !waiting.is_idle() {
            let stalled = waiting.progress.max(called).elapsed();
            if stalled > self.patience(patience) {
                return;
            }
            waiting = self.wait(waiting);
        }
    }

    /// Waits for the next item and processes it.
    fn write_next(&self, sink: &mut impl Write) {
        let mut waiting = self.lock();
        let item = loop {
            match waiting.items.pop_front() {
                Some(item) => break item,
                None => {
                    let changed = self.changed.wait(waiting);
                    waiting = changed.unwrap_or_else(PoisonError::into_inner);
                }
            }
        };
        waiting.is_busy = true;
        waiting.has_frame &= !matches!(item, Queued::Frame(_));
        drop(waiting);
        let weight = item.weight();
        match item {
            // There is nowhere to report that stderr fails.
            Queued::Text(text) => _ = self.write_to(sink, &text),
            // If the receiver has gone, the writer has given up.
            Queued::Awaited(text, sender) => _ = sender.try_send(self.write_to(sink, &text)),
            // The panic hook has already reported a panic in the job.
            Queued::Job(_, job) | Queued::Frame(job) => {
                _ = panic::catch_unwind(AssertUnwindSafe(job))
            }
        }
        let mut waiting = self.lock();
        waiting.bytes -= weight;
        waiting.is_busy = false;
        waiting.progress = Instant::now();
        self.changed.notify_all();
    }

    fn write_to(&self, sink: &mut impl Write, text: &[u8]) -> io::Result<()> {
        for mut chunk in text.chunks(CHUNK) {
            while !chunk.is_empty() {
                match sink.write(chunk) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(n) => chunk = &chunk[n..],
                    Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        thread::sleep(STEP);
                        continue;
                    }
                    Err(e) => return Err(e),
                }
                self.lock().progress = Instant::now();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, PipeReader, pipe};

    use super::*;

    fn queue() -> (Arc<StderrQueue>, PipeReader) {
        let (reader, writer) = pipe().expect("a pipe");
        (StderrQueue::start(writer), reader)
    }

    /// A line of 100 bytes that begins with its number.
    fn numbered(number: usize) -> String {
        format!("{number:<99}\n")
    }

    #[test]
    fn a_reader_that_is_slower_than_the_notes_gets_all_of_them_in_order() {
        let (queue, reader) = queue();
        // Three times as much as may wait.
        let expected: Vec<usize> = (0..3 * MOST_WAITING / 100).collect();
        let writing = Arc::clone(&queue);
        let numbers = expected.clone();
        let writer = thread::spawn(move || {
            numbers
                .iter()
                .for_each(|number| writing.note(numbered(*number)));
            writing.flush();
        });
        let lines = BufReader::new(reader)
            .lines()
            .map(|line| line.expect("text"));
        let seen = lines.take(expected.len());
        let seen: Vec<usize> = seen
            .map(|line| line.trim().parse().expect("its number"))
            .collect();
        assert_eq!(seen, expected);
        writer.join().expect("it panics nowhere");
    }

    #[test]
    fn notes_that_nobody_reads_are_dropped_and_counted_when_reading_resumes() {
        let (queue, reader) = queue();
        let all = 2 * MOST_WAITING / 100;
        (0..all).for_each(|number| queue.note(numbered(number)));
        queue.flush_for(Duration::ZERO);
        let mut lines = BufReader::new(reader)
            .lines()
            .map(|line| line.expect("text"));
        assert_eq!(lines.next().as_deref().map(str::trim), Some("0"));
        let mut read = 1;
        // There is room again, sooner or later.
        queue.note("after\n".into());
        let rest: Vec<String> = lines.by_ref().take_while(|line| line != "after").collect();
        let (said, numbers) = rest.split_last().expect("more than one line");
        for number in numbers {
            assert_eq!(number.trim(), read.to_string());
            read += 1;
        }
        let left_out = all - read;
        assert!(left_out > 0);
        let expected =
            format!("kreplay: left out lines here, because nobody read them: {left_out}");
        assert_eq!(*said, expected);
    }

    #[test]
    fn at_most_one_frame_waits_and_a_panicking_job_stops_nothing_else() {
        let (queue, _reader) = queue();
        let (release, blocked) = sync_channel::<()>(0);
        queue.perform(move || _ = blocked.recv());
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let add = |number: i32| {
            let drawn = Arc::clone(&drawn);
            move || drawn.lock().expect("nothing panics here").push(number)
        };
        queue.draw(add(1));
        queue.draw(add(2));
        queue.perform(|| panic::resume_unwind(Box::new("of no concern")));
        queue.note_by(0, add(3));
        release.send(()).expect("the thread waits");
        queue.write(b"\n").expect("the pipe takes it");
        queue.draw(add(4));
        queue.write(b"\n").expect("the pipe takes it");
        assert_eq!(*drawn.lock().expect("nothing panics here"), [1, 3, 4]);
    }

    #[test]
    fn a_blocked_write_and_one_to_a_closed_pipe_are_errors() {
        let (stalled, reader) = queue();
        stalled.shorten_waits();
        let error = stalled.write(&[b' '; 1 << 20]);
        assert_eq!(error.map_err(|e| e.kind()), Err(ErrorKind::TimedOut));
        drop(reader);
        let (closed, reader) = queue();
        drop(reader);
        let error = closed.write(b"x");
        assert_eq!(error.map_err(|e| e.kind()), Err(ErrorKind::BrokenPipe));
    }
}
