//! Writes lines during a run on their own thread: a reader that stalls or a disk that hangs stops neither
//! deliveries nor the end of the run.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::open::is_regular;

/// The most bytes that wait to be written; one line always may. A disk takes them within milliseconds.
const MOST_WAITING: usize = 1 << 20;
/// How often a wait checks its patience, and how often a full pipe is tried again.
const STEP: Duration = Duration::from_millis(5);

/// How long a wait may see nothing written before it gives up; `None` for as long as it takes. It is called
/// again and again, because a run that has to end loses patience.
pub(crate) trait Patience: Fn() -> Option<Duration> {}

impl<F: Fn() -> Option<Duration>> Patience for F {}

/// A file that takes lines.
#[derive(Debug)]
pub(crate) struct LineFile(Arc<SharedLineFile>);

#[derive(Debug)]
struct SharedLineFile {
    state: Mutex<LineFileState>,
    /// Signalled when there is something to write, something is written, or the end has come.
    changed: Condvar,
}

#[derive(Debug)]
struct LineFileState {
    waiting: Vec<u8>,
    /// The number of whole lines in the file.
    written: u64,
    /// When something was last written, or nothing waited.
    progress: Instant,
    is_busy: bool,
    is_closed: bool,
    failure: Option<String>,
}

impl SharedLineFile {
    fn lock(&self) -> MutexGuard<'_, LineFileState> {
        // The state is consistent between any two statements that change it, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        state: MutexGuard<'a, LineFileState>,
        limit: Duration,
    ) -> MutexGuard<'a, LineFileState> {
        let waited = self.changed.wait_timeout(state, limit);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl LineFile {
    /// Writes to the end of `file` from now on.
    pub(crate) fn to(file: File) -> Self {
        let shared = Arc::new(SharedLineFile {
            state: Mutex::new(LineFileState {
                waiting: Vec::new(),
                written: 0,
                progress: Instant::now(),
                is_busy: false,
                is_closed: false,
                failure: None,
            }),
            changed: Condvar::new(),
        });
        let writing = shared.clone();
        thread::spawn(move || write_all(&file, &writing));
        Self(shared)
    }

    /// Queues a whole line; waits while too much is waiting, as long as `patience` lasts.
    pub(crate) fn add(&self, line: &[u8], patience: impl Patience) {
        let mut state = self.0.lock();
        while state.waiting.len() + line.len() > MOST_WAITING
            && !state.waiting.is_empty()
            && state.failure.is_none()
        {
            state = self.wait_or_fail(state, &patience);
        }
        if state.failure.is_some() {
            return;
        }
        if state.waiting.is_empty() && !state.is_busy {
            state.progress = Instant::now();
        }
        state.waiting.extend_from_slice(line);
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, as long as `patience` lasts, and accepts nothing more.
    pub(crate) fn finish(&self, patience: impl Patience) {
        let mut state = self.0.lock();
        state.is_closed = true;
        self.0.changed.notify_all();
        while (state.is_busy || !state.waiting.is_empty()) && state.failure.is_none() {
            state = self.wait_or_fail(state, &patience);
        }
    }

    fn wait_or_fail<'a>(
        &'a self,
        state: MutexGuard<'a, LineFileState>,
        patience: &impl Patience,
    ) -> MutexGuard<'a, LineFileState> {
        let mut state = self.0.wait(state, STEP);
        let stalled = state.progress.elapsed();
        if patience().is_some_and(|patience| stalled > patience) && state.failure.is_none() {
            state.failure = Some("it took no more data when the run had to end".into());
            self.0.changed.notify_all();
        }
        state
    }

    /// The number of lines in the file.
    pub(crate) fn written(&self) -> u64 {
        self.0.lock().written
    }

    /// Why not all lines are in the file.
    pub(crate) fn failure(&self) -> Option<String> {
        self.0.lock().failure.clone()
    }
}

impl Drop for LineFile {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_all();
    }
}

fn write_all(file: &File, shared: &SharedLineFile) {
    let regular = is_regular(file);
    loop {
        let mut state = shared.lock();
        while state.waiting.is_empty() && !state.is_closed && state.failure.is_none() {
            let changed = shared.changed.wait(state);
            state = changed.unwrap_or_else(PoisonError::into_inner);
        }
        if state.waiting.is_empty() || state.failure.is_some() {
            return;
        }
        let lines = std::mem::take(&mut state.waiting);
        state.is_busy = true;
        drop(state);
        let before = file.metadata().map(|metadata| metadata.len());
        let (whole, bytes, end) = write(file, &lines, shared);
        if end.is_err() && regular && bytes < lines.len() {
            // A part of a line would spoil the file for its readers.
            _ = before.and_then(|before| file.set_len(before + whole_bytes(&lines[..bytes])));
        }
        let mut state = shared.lock();
        state.is_busy = false;
        state.written += whole;
        state.progress = Instant::now();
        if let Err(e) = end {
            state.failure.get_or_insert(crate::error::reason(&e));
        }
        shared.changed.notify_all();
    }
}

/// Writes `lines`; returns how many whole lines and how many bytes reached the file.
fn write(mut file: &File, lines: &[u8], shared: &SharedLineFile) -> (u64, usize, io::Result<()>) {
    let mut done = 0;
    let end = loop {
        if done == lines.len() {
            break Ok(());
        }
        match file.write(&lines[done..]) {
            Ok(0) => break Err(ErrorKind::WriteZero.into()),
            Ok(n) => {
                done += n;
                shared.lock().progress = Instant::now();
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                if shared.lock().failure.is_some() {
                    break Err(e);
                }
                thread::sleep(STEP);
            }
            Err(e) => break Err(e),
        }
    };
    let whole = lines[..done].iter().filter(|byte| **byte == b'\n').count();
    (whole as u64, done, end)
}

/// Bytes up to the end of the last whole line.
fn whole_bytes(bytes: &[u8]) -> u64 {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.map_or(0, |end| end as u64 + 1)
}
