//! What every command does with its source: it starts a reading, waits for the thread that takes the records,
//! passes signals on, and ends what still reads. All commands share this driver, so that a signal means the
//! same for each of them.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, sleep_until, timeout};

use crate::config::{Config, Extraction, Source, TopicNames};
use crate::error::Error;
use crate::extract::{self, Aside, Description, ExtractionThread, Purpose};
use crate::host::console::Console;
use crate::host::control::{Control, Shutdown};
use crate::record::Origin;
use crate::record::channel::{self, Closer, Gate, Limits, Receiver, SourceBatch};
use crate::report::Signal;

/// How much may wait between the halves. Extraction is the faster half on most machines, so this memory is
/// really used.
pub(super) const CHANNEL: Limits = Limits {
    records: 32 << 10,
    bytes: 12 << 20,
};
/// How long speedctl may take to end when the run is over. kreplay does not wait for other sources: a read of
/// stdin may never return.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How often a command may show its progress.
const TICK: Duration = Duration::from_millis(100);

/// A reading of the source that is running.
pub(super) struct SourceReading {
    closer: Closer,
    extraction: ExtractionThread,
    runs_speedctl: bool,
}

/// What a command needs from a reading.
pub(super) struct ReadingOptions {
    pub(super) source: Source,
    pub(super) extraction: Extraction,
    pub(super) topics: TopicNames,
    pub(super) purpose: Purpose,
    /// When the first record is passed on.
    pub(super) gate: Gate,
    /// What is passed on before anything is read.
    pub(super) first: Option<SourceBatch>,
    /// What is read besides the records.
    pub(super) aside: Aside,
}

impl ReadingOptions {
    /// A reading of `source` with the settings of `config`: only the records, from the gate that the source
    /// needs.
    pub(super) fn of(source: Source, config: &Config, purpose: Purpose) -> Self {
        Self {
            gate: extract::gate(&source),
            source,
            extraction: config.extraction.clone(),
            topics: config.destination.topics.clone(),
            purpose,
            first: None,
            aside: Aside::default(),
        }
    }

    /// A reading of a source whose records are only examined.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for flags that the source cannot use: see [`extract::check`].
    pub(super) fn to_look(config: &Config) -> Result<Self, Error> {
        extract::check(&config.source, &config.extraction)?;
        let mut options = Self::of(config.source.clone(), config, Purpose::Look);
        if options.gate == Gate::WhenKnown {
            // There is nothing to look at before the first record.
            options.gate = Gate::AtOnce;
        }
        Ok(options)
    }
}

impl SourceReading {
    /// Starts to read; the records come from the receiver. Must be called on a tokio runtime.
    pub(super) fn start(wanted: ReadingOptions, console: &Console) -> (Self, Receiver) {
        let ReadingOptions {
            source,
            extraction,
            topics,
            purpose,
            gate,
            first,
            aside,
        } = wanted;
        let (sender, receiver) = channel::bounded(CHANNEL, gate);
        if let Some(first) = first {
            // A receiver that has gone has already ended.
            _ = sender.send(first);
        }
        let runs_speedctl = matches!(source, Source::Snapshot(_));
        let (topics, console) = ((topics, purpose), console.clone());
        let extraction = extract::start(source, extraction, topics, console, sender, aside);
        let reading = Self {
            closer: receiver.closer(),
            extraction,
            runs_speedctl,
        };
        (reading, receiver)
    }

    /// Ends the reading early: the receiver gets no more records.
    pub(super) fn stop(&self) {
        self.closer.close();
        self.extraction.stop();
    }

    /// What is known about the source so far.
    pub(super) fn description(&self) -> Description {
        self.extraction.description()
    }

    /// Returns a function that names places by what is known about the source when it is called.
    pub(super) fn input_names(&self) -> impl Fn(Origin) -> String + Send + 'static {
        self.extraction.input_names()
    }

    /// Ends what still reads once nobody takes records any more; returns what is known about the source in
    /// the end.
    pub(super) async fn end(mut self) -> Description {
        self.extraction.stop();
        if self.runs_speedctl {
            _ = timeout(STOP_LIMIT, self.extraction.ended()).await;
        }
        self.extraction.description()
    }
}

/// Runs the receiver of the records on its own thread; if that panics, the waiting side gets an error.
pub(super) fn on_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> oneshot::Receiver<T> {
    let (sender, ended) = oneshot::channel();
    // The receiver is gone only if the run ended at once.
    thread::spawn(move || _ = sender.send(work()));
    ended
}

/// What may happen while a command works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DriverEvent {
    /// A signal asks for a shutdown; the second one for an immediate shutdown.
    Shutdown(Shutdown),
    /// The command may show its progress.
    Tick,
}

/// How long to wait for a command that has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterSignal {
    /// Until it ends, which is soon.
    Wait,
    /// For [`STOP_LIMIT`], or until the next signal: the reader of its output may have stopped for good.
    Leave,
}

/// What a command had not done when it ended.
#[derive(Debug, Clone, Copy)]
pub(super) enum UnfinishedWork<'a> {
    /// A comparison: half of one says nothing.
    Comparison,
    /// The reading of a source, and what was to be done with its records.
    Records {
        /// How the source ended; `None` if it was not read to its end.
        source_end: Option<&'a Result<(), Error>>,
        /// Records that were read, and not sent or printed for certain.
        records: u64,
        /// Consumer groups that have not read everything.
        groups: usize,
    },
}

impl<'a> UnfinishedWork<'a> {
    /// Of a command that only reads.
    pub(super) fn reading(source_end: Option<&'a Result<(), Error>>) -> Self {
        Self::Records {
            source_end,
            records: 0,
            groups: 0,
        }
    }

    /// Whether there was anything to do yet, so that a signal changed the result.
    fn has_any(self) -> bool {
        match self {
            Self::Comparison => true,
            Self::Records {
                source_end,
                records,
                groups,
            } => source_end.is_none() || records > 0 || groups > 0,
        }
    }
}

/// One run of a command.
pub(super) struct Driver {
    pub(super) console: Console,
    signals: mpsc::Receiver<Signal>,
    /// The first signal; what it means for the exit code is the matter of [`Driver::counting_signal`].
    signal: Option<Signal>,
    /// How far signals have asked the command to shut down.
    pub(super) control: Control,
    started: Instant,
}

impl Driver {
    pub(super) fn new(console: Console, signals: mpsc::Receiver<Signal>) -> Self {
        Self {
            console,
            signals,
            signal: None,
            control: Control::default(),
            started: Instant::now(),
        }
    }

    /// Since the start of the run.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The first signal, if it counts for the exit code: it kept the command from something. A signal that
    /// comes when everything is done changes nothing.
    pub(super) fn counting_signal(&self, unfinished: UnfinishedWork<'_>) -> Option<Signal> {
        self.signal.filter(|_| unfinished.has_any())
    }

    /// Waits for the receiver of `reading`, which the first signal stops. `None` if it is left behind.
    pub(super) async fn take<T>(
        &mut self,
        reading: &SourceReading,
        work: impl Future<Output = T>,
        after_signal: AfterSignal,
    ) -> Option<T> {
        let stop = |event| match event {
            DriverEvent::Shutdown(_) => reading.stop(),
            DriverEvent::Tick => {}
        };
        self.wait(work, after_signal, stop).await
    }

    /// Waits for `work` and calls `react` for what happens meanwhile. `None` if the work is left behind.
    pub(super) async fn wait<T>(
        &mut self,
        work: impl Future<Output = T>,
        after_signal: AfterSignal,
        mut react: impl FnMut(DriverEvent),
    ) -> Option<T> {
        tokio::pin!(work);
        let mut tick = interval(TICK);
        let mut left_at = None;
        loop {
            let leave = async {
                match left_at {
                    Some(left_at) => sleep_until(left_at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                done = &mut work => return Some(done),
                Some(signal) = self.signals.recv() => {
                    let shutdown = match self.signal {
                        None => Shutdown::Drain,
                        Some(_) => Shutdown::Immediate,
                    };
                    self.signal.get_or_insert(signal);
                    self.control.escalate(shutdown);
                    react(DriverEvent::Shutdown(shutdown));
                    match (after_signal, shutdown) {
                        (AfterSignal::Wait, _) => {}
                        (AfterSignal::Leave, Shutdown::Immediate) => return None,
                        (AfterSignal::Leave, _) => {
                            left_at = Some(tokio::time::Instant::now() + STOP_LIMIT);
                        }
                    }
                }
                () = leave => return None,
                _ = tick.tick() => react(DriverEvent::Tick),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;
    use crate::config::Verbosity;

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(test)
    }

    #[test]
    fn the_first_signal_drains_and_the_next_one_ends_at_once() {
        run(async {
            let (sender, signals) = mpsc::channel(2);
            let mut driver = Driver::new(Console::new(Verbosity::Quiet), signals);
            for signal in [Signal::Terminate, Signal::Interrupt] {
                sender.send(signal).await.expect("it listens");
            }
            let mut events = Vec::new();
            let work = pending::<()>();
            let done = driver
                .wait(work, AfterSignal::Leave, |event| events.push(event))
                .await;
            assert_eq!((done, driver.signal), (None, Some(Signal::Terminate)));
            events.retain(|event| *event != DriverEvent::Tick);
            let asked = [Shutdown::Drain, Shutdown::Immediate].map(DriverEvent::Shutdown);
            assert_eq!(events, asked);
        });
    }

    #[test]
    fn a_signal_counts_only_if_it_left_something_undone() {
        let (_sender, signals) = mpsc::channel(1);
        let mut driver = Driver::new(Console::new(Verbosity::Quiet), signals);
        let failed = Err(Error::config("the source failed"));
        let records = |source_end, records, groups| UnfinishedWork::Records {
            source_end,
            records,
            groups,
        };
        let cases = [
            (records(Some(&Ok(())), 0, 0), false),
            (records(Some(&failed), 0, 0), false),
            (UnfinishedWork::reading(Some(&Ok(()))), false),
            (UnfinishedWork::reading(None), true),
            (records(Some(&Ok(())), 1, 0), true),
            (records(Some(&Ok(())), 0, 1), true),
            (records(None, 1, 1), true),
            (UnfinishedWork::Comparison, true),
        ];
        for (unfinished, _) in cases {
            assert_eq!(driver.counting_signal(unfinished), None, "{unfinished:?}");
        }
        driver.signal = Some(Signal::Terminate);
        for (unfinished, counts) in cases {
            let expected = counts.then_some(Signal::Terminate);
            let counting = driver.counting_signal(unfinished);
            assert_eq!(counting, expected, "{unfinished:?}");
        }
    }

    #[test]
    fn work_that_must_finish_is_waited_for_despite_signals() {
        run(async {
            let (sender, signals) = mpsc::channel(2);
            let mut driver = Driver::new(Console::new(Verbosity::Quiet), signals);
            for _ in 0..2 {
                sender.send(Signal::Interrupt).await.expect("it listens");
            }
            let (end, ended) = oneshot::channel();
            let mut end = Some(end);
            let work = async { ended.await.is_ok() };
            let done = driver.wait(work, AfterSignal::Wait, |event| {
                // The work ends only once both signals have come.
                if event == DriverEvent::Shutdown(Shutdown::Immediate)
                    && let Some(end) = end.take()
                {
                    end.send(()).expect("it is waited for");
                }
            });
            assert_eq!(done.await, Some(true));
            assert_eq!(driver.signal, Some(Signal::Interrupt));
        });
    }
}
