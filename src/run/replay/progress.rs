//! How far the replay is, on stderr: a bar on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::config::{Verbosity, When};
use crate::host::console::{Console, stderr};
use crate::produce::Counters;

/// How often a plain line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often a bar is drawn.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// A bar that only the thread of stderr touches: whoever draws it holds its lock, and stderr may stall.
pub(super) struct DrawnBar(ProgressBar);

impl DrawnBar {
    fn draw(&self, delivered: u64, known: Option<(u64, u64)>) {
        let bar = self.0.clone();
        stderr().draw(move || {
            bar.set_message(HumanCount(delivered).to_string());
            if let Some((done, total)) = known {
                if bar.length().is_none() {
                    bar.set_style(bar_style());
                }
                bar.set_length(total);
                bar.set_position(done);
            }
            bar.tick();
        });
    }
}

impl Drop for DrawnBar {
    /// Takes the bar off the terminal.
    fn drop(&mut self) {
        let bar = self.0.clone();
        stderr().perform(move || bar.finish_and_clear());
    }
}

/// What is shown.
pub(super) enum Progress {
    Nothing,
    Bar(DrawnBar),
    Lines {
        console: Console,
        last: Instant,
        started: Instant,
    },
}

impl Progress {
    /// What `when` and `verbosity` ask for on this stderr.
    pub(super) fn new(when: When, verbosity: Verbosity, console: &Console) -> Self {
        let lines = || {
            let now = Instant::now();
            Self::Lines {
                console: console.clone(),
                last: now,
                started: now,
            }
        };
        match (when, verbosity) {
            (When::Never, _) | (When::Auto, Verbosity::Quiet) => Self::Nothing,
            (When::Auto, _) if !io::stderr().is_terminal() => lines(),
            (When::Always, _) if !io::stderr().is_terminal() => lines(),
            _ => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(spinner_style());
                let printer = bar.clone();
                console.print_through(Some(Box::new(move |line| {
                    let (bar, line) = (printer.clone(), format!("{line}\n"));
                    let line_bytes = line.len();
                    let write = move || _ = io::stderr().write_all(line.as_bytes());
                    stderr().note_by(line_bytes, move || bar.suspend(write));
                })));
                Self::Bar(DrawnBar(bar))
            }
        }
    }

    /// Shows the state of `counters`; `total_bytes` is the size of the input, where it is known.
    pub(super) fn show(&mut self, counters: &Counters, total_bytes: Option<u64>) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (delivered, found, bytes) = (
            load(&counters.delivered),
            load(&counters.found),
            load(&counters.bytes),
        );
        // Bytes of input stand for the records as long as their number is not known.
        let known = match counters.complete.load(Ordering::Relaxed) {
            true => Some((delivered, found)),
            false => total_bytes
                .filter(|total| *total > 0)
                .map(|total| (bytes.min(total), total)),
        };
        match self {
            Self::Nothing => {}
            Self::Bar(bar) => bar.draw(delivered, known),
            Self::Lines {
                console,
                last,
                started,
            } if last.elapsed() >= LINE_EVERY => {
                *last = Instant::now();
                console.note(&line(delivered, known, started.elapsed()));
            }
            Self::Lines { .. } => {}
        }
    }

    /// Takes the bar off the terminal.
    pub(super) fn finish(self, console: &Console) {
        if let Self::Bar(bar) = self {
            console.print_through(None);
            drop(bar);
        }
    }
}

fn line(delivered: u64, known: Option<(u64, u64)>, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(f64::EPSILON);
    let rate = delivered as f64 / seconds;
    let mut line = format!(
        "{} records delivered, {rate:.0} records/s",
        HumanCount(delivered)
    );
    if let Some((done, total)) = known.filter(|(_, total)| *total > 0) {
        let part = done as f64 / total as f64;
        line += &format!(", {:.0} %", part * 100.0);
        if part > 0.0 {
            let rest = Duration::from_secs_f64((seconds / part - seconds).max(0.0));
            line += &format!(", ETA {}", HumanDuration(rest));
        }
    }
    line
}

fn bar_style() -> ProgressStyle {
    let template = "{bar:30} {percent:>3} %  {msg} records delivered  {elapsed} elapsed, ETA {eta}";
    ProgressStyle::with_template(template).expect("the template is sound, as the tests show")
}

fn spinner_style() -> ProgressStyle {
    let template = "{spinner} {msg} records delivered  {elapsed} elapsed";
    ProgressStyle::with_template(template).expect("the template is sound, as the tests show")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        _ = bar_style();
        _ = spinner_style();
    }

    #[test]
    fn a_line_tells_rate_and_rest() {
        let text = line(1200, Some((25, 100)), Duration::from_secs(10));
        assert_eq!(
            text,
            "1,200 records delivered, 120 records/s, 25 %, ETA 30 seconds"
        );
        assert_eq!(
            line(0, None, Duration::from_secs(10)),
            "0 records delivered, 0 records/s"
        );
    }
}
