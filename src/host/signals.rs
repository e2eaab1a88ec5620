//! The signals that end a run: the first one drains, the second one shuts down at once, the third one takes
//! the system's default action. They have their own thread, so that they work whatever the rest of the
//! program waits for: a pipe that nobody reads, a disk that hangs.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::iterator::Signals as Incoming;
use signal_hook::low_level::emulate_default_handler;
use tokio::sync::mpsc;

use crate::host::console::stderr;
use crate::report::Signal;

/// How long an immediate shutdown may take, with its report, before the default action ends it. It needs a
/// fraction of a second; the rest is for a very busy machine.
const IMMEDIATE_LIMIT: Duration = Duration::from_secs(3);
/// How long the output of a finished run may take once a signal has come.
const PRINTING_LIMIT: Duration = Duration::from_secs(1);

/// The signals of this process.
#[derive(Debug)]
pub(crate) struct Signals {
    /// The first and the second one.
    pub received: mpsc::Receiver<Signal>,
    over: Arc<AtomicBool>,
}

impl Signals {
    /// Listens for SIGINT, SIGTERM, SIGQUIT and, unless it is ignored as `nohup` does, SIGHUP.
    ///
    /// # Errors
    /// Returns the system's error if it registers no signal handlers.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut numbers = vec![SIGINT, SIGTERM, SIGQUIT];
        if !is_ignored(SIGHUP) {
            numbers.push(SIGHUP);
        }
        let (armed, over) = (Arc::new(AtomicBool::new(false)), Arc::default());
        // Registered before the listener's own handlers, which would otherwise see the signal first.
        for number in &numbers {
            register_conditional_default(*number, Arc::clone(&armed))?;
        }
        let incoming = Incoming::new(&numbers)?;
        let (sender, received) = mpsc::channel(4);
        let listener = Listener {
            sender,
            armed,
            over: Arc::clone(&over),
        };
        thread::spawn(move || listener.run(incoming));
        Ok(Self { received, over })
    }

    /// The handle that says that the run has ended, so that the next signal need not drain it.
    #[must_use]
    pub(crate) fn end(&self) -> RunEnd {
        RunEnd(Arc::clone(&self.over))
    }
}

/// Says that the run has ended and only its output is left.
#[derive(Debug)]
pub(crate) struct RunEnd(Arc<AtomicBool>);

impl RunEnd {
    /// Marks the end of the run: from now on the first signal ends the process within a second.
    pub(crate) fn has_come(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Listener {
    sender: mpsc::Sender<Signal>,
    /// Whether the next signal takes the default action.
    armed: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Listener {
    fn run(&self, mut incoming: Incoming) {
        let mut first = None;
        for number in incoming.forever() {
            let is_second = first.is_some();
            let first = *first.get_or_insert(number);
            // A run that has ended listens no more.
            _ = self.sender.try_send(kind(number));
            let over = self.over.load(Ordering::SeqCst);
            if is_second || over {
                self.armed.store(true, Ordering::SeqCst);
                stderr().shorten_waits();
                let limit = if over {
                    PRINTING_LIMIT
                } else {
                    IMMEDIATE_LIMIT
                };
                thread::spawn(move || {
                    thread::sleep(limit);
                    // Only a signal without a default action fails here, and all of these have one.
                    _ = emulate_default_handler(ending(first));
                });
            }
        }
    }
}

/// What the report and the exit code call a signal.
fn kind(number: i32) -> Signal {
    match number {
        SIGINT => Signal::Interrupt,
        _ => Signal::Terminate,
    }
}

/// The signal whose default action gives the shell the code that the report would have: 130 or 143.
fn ending(first: i32) -> i32 {
    match first {
        SIGINT => SIGINT,
        _ => SIGTERM,
    }
}

/// Whether a signal is ignored (proc(5), `SigIgn`).
fn is_ignored(number: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}
