//! Shows the progress of the replay on stderr: a bar on a terminal, a line now and then elsewhere.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::terminal_size_of;

use super::status::{Done, Note, Status};
use crate::config::{Output, Verbosity, When};
use crate::host::console::{Console, stderr};
use crate::produce::{Counters, Shutdown};

/// How often to print a plain line if there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The terminal's width if the terminal does not report it.
const WIDTH: usize = 80;
/// Over how many ticks the rate is measured: ten seconds.
const RATE_TICKS: usize = 100;

/// A line that only the thread of stderr touches: drawing it holds its lock, and stderr may stall.
struct DrawnLine(ProgressBar);

impl DrawnLine {
    fn draw(&self, status: Status) {
        let line = self.0.clone();
        stderr().draw(move || {
            let width = terminal_size_of(io::stderr());
            let width = width.map_or(WIDTH, |(width, _)| width.0.into());
            line.set_message(status.line(width));
            line.tick();
        });
    }
}

impl Drop for DrawnLine {
    /// Removes the line from the terminal.
    fn drop(&mut self) {
        let line = self.0.clone();
        stderr().perform(move || line.finish_and_clear());
    }
}

/// What is shown.
pub(in crate::run) struct Progress {
    shown: Shown,
    /// What becomes of the records.
    work: Done,
    started: Instant,
    /// The number of records delivered at the last ticks.
    ticks: VecDeque<(Instant, u64)>,
}

enum Shown {
    Nothing,
    Bar(DrawnLine),
    Lines { console: Console, last: Instant },
}

impl Progress {
    /// The progress that `output` asks for on this stderr.
    pub(in crate::run) fn new(output: &Output, work: Done, console: &Console) -> Self {
        let started = Instant::now();
        let shown = match (output.progress, output.verbosity) {
            (When::Never, _) | (When::Auto, Verbosity::Quiet) => Shown::Nothing,
            _ if !io::stderr().is_terminal() => Shown::Lines {
                console: console.clone(),
                last: started,
            },
            _ => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(style());
                let printer = bar.clone();
                console.print_through(Some(Box::new(move |line| {
                    let (bar, line) = (printer.clone(), format!("{line}\n"));
                    let line_bytes = line.len();
                    let write = move || _ = io::stderr().write_all(line.as_bytes());
                    stderr().note_by(line_bytes, move || bar.suspend(write));
                })));
                Shown::Bar(DrawnLine(bar))
            }
        };
        Self {
            shown,
            work,
            started,
            ticks: VecDeque::new(),
        }
    }

    /// Shows the state of `counters`; `total_bytes` is the size of the input, if known.
    pub(super) fn show(
        &mut self,
        counters: &Counters,
        total_bytes: Option<u64>,
        shutdown: Shutdown,
    ) {
        if matches!(self.shown, Shown::Nothing) {
            return;
        }
        let status = self.status(counters, total_bytes, shutdown);
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => bar.draw(status),
            Shown::Lines { console, last } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                console.note(&status.plain());
            }
            Shown::Lines { .. } => {}
        }
    }

    fn status(
        &mut self,
        counters: &Counters,
        total_bytes: Option<u64>,
        shutdown: Shutdown,
    ) -> Status {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let records = match self.work {
            Done::Delivered => load(&counters.delivered),
            Done::Planned => load(&counters.planned),
        };
        let failed = load(&counters.failed);
        // Bytes of input count instead of records as long as their number is unknown.
        let (done, total) = match counters.complete.load(Ordering::Relaxed) {
            true => (records + failed, load(&counters.found)),
            false => (load(&counters.bytes), total_bytes.unwrap_or(0)),
        };
        let share = (total > 0).then(|| (done as f64 / total as f64).min(1.0));
        let elapsed = self.started.elapsed();
        let silence = counters.silence();
        let note = match shutdown {
            // A plan ends at once.
            _ if self.work == Done::Planned => None,
            Shutdown::NotRequested => silence
                .map(|(since, reason)| Note::Waiting(since.elapsed(), reason))
                .or_else(|| counters.starts_in().map(Note::Starting)),
            Shutdown::Drain | Shutdown::Immediate => Some(Note::Draining),
        };
        let scheduled = counters.schedule_eta(share);
        let of_schedule =
            |eta: Duration| elapsed.as_secs_f64() / (elapsed + eta).as_secs_f64().max(f64::EPSILON);
        let by_share = || {
            share
                .filter(|share| *share > 0.0)
                .map(|share| elapsed.div_f64(share))
        };
        Status {
            work: self.work,
            done: records,
            failed,
            per_second: self.per_second(records),
            // Records that wait for their time were read long before.
            share: scheduled.map(of_schedule).or(share),
            elapsed,
            eta: scheduled.or_else(|| by_share().map(|whole| whole.saturating_sub(elapsed))),
            lateness: Duration::from_millis(load(&counters.late_ms)),
            groups: counters.groups(),
            note,
        }
    }

    /// Records a second over the last ticks.
    fn per_second(&mut self, delivered: u64) -> f64 {
        let now = Instant::now();
        let (since, before) = *self.ticks.front().unwrap_or(&(self.started, 0));
        self.ticks.push_back((now, delivered));
        if self.ticks.len() > RATE_TICKS {
            self.ticks.pop_front();
        }
        let took = (now - since).as_secs_f64();
        delivered.saturating_sub(before) as f64 / took.max(f64::EPSILON)
    }

    /// Removes the bar from the terminal.
    pub(in crate::run) fn finish(&mut self, console: &Console) {
        if let Shown::Bar(bar) = std::mem::replace(&mut self.shown, Shown::Nothing) {
            console.print_through(None);
            drop(bar);
        }
    }
}

/// All of the line is kreplay's own, so that it decides what to leave out of a narrow one.
fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").expect("the template is sound, as the tests show")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ReportForm;

    #[test]
    fn the_template_is_sound() {
        _ = style();
    }

    #[test]
    fn the_rate_is_that_of_the_last_ticks() {
        let console = Console::new(Verbosity::Quiet);
        let output = Output {
            report: ReportForm::None,
            report_file: None,
            progress: When::Never,
            verbosity: Verbosity::Quiet,
        };
        let mut progress = Progress::new(&output, Done::Delivered, &console);
        let now = Instant::now();
        progress.ticks = VecDeque::from([(now - Duration::from_secs(10), 500)]);
        let rate = progress.per_second(1500);
        assert!(rate > 90.0 && rate <= 100.0, "{rate}");
    }
}
