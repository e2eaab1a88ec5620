//! The text of the progress, in one line that fits the terminal. It is pure, so that tests need no terminal.

use std::time::Duration;

use crate::host::visible::visible;
use crate::report::rendering::figures::HumanCount;
use crate::verify::group::observer::GroupProgress;

/// The shortest and the longest bar, without its brackets.
const SHORTEST_BAR: usize = 8;
const LONGEST_BAR: usize = 30;
/// Records count as late beyond this.
const LATE: Duration = Duration::from_secs(1);
/// The columns of a reason that still say something.
const SHORTEST_REASON: usize = 12;

/// What has become of the records that are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::run) enum Done {
    #[default]
    Delivered,
    Planned,
}

impl Done {
    fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Planned => "planned",
        }
    }
}

/// How far a replay is.
#[derive(Debug, Clone, Default)]
pub(super) struct Status {
    pub(super) work: Done,
    /// The number of records that were delivered or planned.
    pub(super) done: u64,
    /// Records that are certainly not written, or perhaps not.
    pub(super) failed: u64,
    pub(super) per_second: f64,
    /// How much of the whole is done, from 0 to 1, if the whole is known.
    pub(super) share: Option<f64>,
    pub(super) elapsed: Duration,
    pub(super) eta: Option<Duration>,
    /// How long after its due time the last record was sent.
    pub(super) lateness: Duration,
    /// How far the awaited consumer groups are.
    pub(super) groups: Option<GroupProgress>,
    pub(super) note: Option<Note>,
}

/// What is more important than the rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Note {
    /// The first signal has come.
    Draining,
    /// Nothing was acknowledged for this long, for this reason.
    Waiting(Duration, String),
    /// Sending begins in this time.
    Starting(Duration),
}

impl Note {
    /// The fullest wording that fits into this many columns, or the shortest.
    fn words(&self, columns: usize) -> String {
        let fits = |text: &String| text.chars().count() <= columns;
        let mut wordings = self.wordings(columns);
        let shortest = wordings.pop().unwrap_or_default();
        wordings.into_iter().find(fits).unwrap_or(shortest)
    }

    /// From the fullest to the shortest.
    fn wordings(&self, columns: usize) -> Vec<String> {
        match self {
            Self::Draining => vec![
                "draining, Ctrl-C again to stop at once".into(),
                "draining".into(),
            ],
            Self::Waiting(quiet, reason) => {
                let quiet = span(*quiet);
                let because =
                    |reason: &str| format!("waiting for the cluster for {quiet}: {reason}");
                // Others may have chosen the names in it.
                let reason = visible(reason);
                // `broker:9092 (advertised by the cluster): connection refused`
                let cause = reason.rsplit_once(": ").map(|(_, cause)| because(cause));
                let room = columns.saturating_sub(because("…").chars().count());
                let cut: String = reason.chars().take(room).collect();
                let cut = (room >= SHORTEST_REASON).then(|| because(&format!("{cut}…")));
                let without = [
                    format!("waiting for the cluster for {quiet}"),
                    format!("no answer for {quiet}"),
                ];
                let full = [because(&reason)].into_iter();
                full.chain(cause).chain(cut).chain(without).collect()
            }
            Self::Starting(left) => vec![format!("begins in {}", span(*left))],
        }
    }
}

impl Status {
    /// The line for a terminal of `width` columns, with a bar if there is room. A narrow line leaves out what
    /// is less important.
    pub(super) fn line(&self, width: usize) -> String {
        // The last column stays free: some terminals wrap the line there.
        let width = width.saturating_sub(1);
        let parts = self.parts(width);
        let mut kept = vec![false; parts.len()];
        let mut used = 0;
        let mut ranked: Vec<usize> = (0..parts.len()).collect();
        ranked.sort_by_key(|i| parts[*i].0);
        for i in &ranked {
            let i = *i;
            let wanted = parts[i].1.chars().count() + if used > 0 { 2 } else { 0 };
            if used + wanted <= width {
                (kept[i], used) = (true, used + wanted);
            }
        }
        let shown = parts.iter().zip(&kept).filter(|(_, kept)| **kept);
        let mut line = shown
            .map(|((_, text), _)| text.as_str())
            .collect::<Vec<_>>()
            .join("  ");
        if let Some(first) = ranked.first().filter(|first| !kept[**first]) {
            // Even the most important part is too long.
            line = parts[*first].1.chars().take(width).collect();
        }
        let room = width.saturating_sub(line.chars().count() + 4);
        if let Some(share) = self
            .share
            .filter(|_| self.note.is_none() && room >= SHORTEST_BAR)
        {
            line = format!("{}  {line}", bar(share, room.min(LONGEST_BAR)));
        }
        line
    }

    /// The text for a run without a terminal: everything, in words.
    pub(super) fn plain(&self) -> String {
        let mut parts = self.parts(usize::MAX);
        parts.retain(|(_, text)| !text.ends_with("elapsed"));
        let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
        parts.join(", ")
    }

    /// The parts in their order, each with its rank: the lower, the more important. The most important fits into
    /// `columns` if it can.
    fn parts(&self, columns: usize) -> Vec<(u8, String)> {
        let mut parts = Vec::new();
        if let Some(share) = self.share {
            parts.push((3, format!("{:.0} %", (share * 100.0).floor())));
        }
        let (done, word) = (HumanCount(self.done), self.work.word());
        parts.push((1, format!("{done} {word}")));
        if self.failed > 0 {
            parts.push((2, format!("{} failed", HumanCount(self.failed))));
        }
        parts.push((6, format!("{:.0}/s", self.per_second)));
        if self.lateness > LATE {
            parts.push((4, format!("{} late", span(self.lateness))));
        }
        if let Some(GroupProgress { lag, rate, .. }) = self.groups {
            parts.push((2, format!("lag {}", HumanCount(lag))));
            parts.extend(rate.map(|rate| (5, format!("read {rate:.0}/s"))));
        }
        match &self.note {
            Some(note) => parts.push((0, note.words(columns))),
            None => {
                parts.push((7, format!("{} elapsed", span(self.elapsed))));
                parts.extend(self.eta.map(|eta| (5, format!("ETA {}", span(eta)))));
            }
        }
        parts
    }
}

/// A bar of this many columns between brackets.
fn bar(share: f64, columns: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of some columns"
    )]
    let done = (share.clamp(0.0, 1.0) * columns as f64) as usize;
    format!("[{}{}]", "█".repeat(done), "░".repeat(columns - done))
}

/// A time in its two largest units.
fn span(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0..60 => format!("{s}s"),
        60..3600 => format!("{}m {:02}s", s / 60, s % 60),
        3600..86_400 => format!("{}h {:02}m", s / 3600, s / 60 % 60),
        _ => format!("{}d {:02}h", s / 86_400, s / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn some() -> Status {
        Status {
            done: 1_234_567,
            per_second: 23_456.4,
            share: Some(0.456),
            elapsed: Duration::from_secs(52),
            eta: Some(Duration::from_secs(63)),
            ..Status::default()
        }
    }

    #[test]
    fn a_narrow_terminal_shows_only_the_most_important_figures() {
        let status = some();
        assert_eq!(
            status.line(80),
            "[███████░░░░░░░░░]  45 %  1,234,567 delivered  23456/s  52s elapsed  ETA 1m 03s"
        );
        assert_eq!(status.line(40), "45 %  1,234,567 delivered  ETA 1m 03s");
        assert_eq!(status.line(10), "1,234,567");
    }

    #[test]
    fn failures_and_lateness_come_before_the_rate() {
        let status = Status {
            failed: 12,
            lateness: Duration::from_millis(2300),
            ..some()
        };
        let expected = "45 %  1,234,567 delivered  12 failed  23456/s  2s late  ETA 1m 03s";
        assert_eq!(status.line(74), expected);
        assert_eq!(status.line(40), "45 %  1,234,567 delivered  12 failed");
        // A lateness of less than a second is not worth the space.
        let lateness = Duration::from_millis(999);
        assert!(!Status { lateness, ..some() }.line(200).contains("late"));
    }

    fn progress(lag: u64, rate: f64) -> GroupProgress {
        GroupProgress {
            lag,
            rate: Some(rate),
            done: 0,
            commit_interval: None,
            look: 1,
        }
    }

    #[test]
    fn the_lag_of_a_group_comes_before_its_rate() {
        let status = Status {
            groups: Some(progress(8120, 9119.6)),
            ..some()
        };
        let expected = "45 %  1,234,567 delivered  23456/s  lag 8,120  read 9120/s";
        assert!(status.line(120).contains(expected), "{}", status.line(120));
        assert_eq!(status.line(40), "45 %  1,234,567 delivered  lag 8,120");
    }

    #[test]
    fn a_note_takes_the_place_of_the_forecast() {
        let draining = Status {
            note: Some(Note::Draining),
            ..some()
        };
        let note = "draining, Ctrl-C again to stop at once";
        assert_eq!(draining.line(40), note);
        let wide = format!("45 %  1,234,567 delivered  23456/s  {note}");
        assert_eq!(draining.line(80), wide);
        let waiting = Status {
            note: Some(Note::Waiting(
                Duration::from_secs(12),
                "connection refused".into(),
            )),
            ..some()
        };
        let note = "waiting for the cluster for 12s: connection refused";
        assert_eq!(
            waiting.line(80),
            format!("45 %  1,234,567 delivered  {note}")
        );
        assert_eq!(waiting.line(40), "45 %  waiting for the cluster for 12s");
        assert_eq!(waiting.line(30), "45 %  no answer for 12s");
        assert_eq!(waiting.line(10), "no answer");
        assert_eq!(draining.line(30), "1,234,567 delivered  draining");
        let starting = Status {
            note: Some(Note::Starting(Duration::from_secs(11_520))),
            ..Status::default()
        };
        assert_eq!(starting.line(40), "0 delivered  0/s  begins in 3h 12m");
    }

    #[test]
    fn of_a_long_reason_the_cause_is_kept() {
        let waiting = |reason: &str| Status {
            note: Some(Note::Waiting(Duration::from_secs(75), reason.into())),
            ..Status::default()
        };
        let reason = "kafka-0.kafka.internal:9092 (advertised by the cluster): connection refused";
        let expected = "0 delivered  0/s  waiting for the cluster for 1m 15s: connection refused";
        assert_eq!(waiting(reason).line(80), expected);
        let line = waiting(&"unheard-of ".repeat(9)).line(80);
        let (begin, end) = ("waiting for the cluster for 1m 15s: unheard-of ", "…");
        assert!(line.starts_with(begin) && line.ends_with(end), "{line}");
        assert_eq!(line.chars().count(), 79, "{line}");
        let line = waiting("a\u{1b}[31mb").line(80);
        assert!(!line.chars().any(char::is_control), "{line}");
    }

    #[test]
    fn a_plan_delivers_nothing() {
        let status = Status {
            work: Done::Planned,
            ..some()
        };
        assert!(
            status.plain().contains("1,234,567 planned"),
            "{}",
            status.plain()
        );
    }

    #[test]
    fn progress_lines_have_every_figure() {
        assert_eq!(
            some().plain(),
            "45 %, 1,234,567 delivered, 23456/s, ETA 1m 03s"
        );
        assert_eq!(Status::default().plain(), "0 delivered, 0/s");
    }

    #[test]
    fn times_have_two_units() {
        for (s, text) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 00s"),
            (3661, "1h 01m"),
            (200_000, "2d 07h"),
        ] {
            assert_eq!(span(Duration::from_secs(s)), text);
        }
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            work in prop_oneof![Just(Done::Delivered), Just(Done::Planned)],
            done in any::<u64>(),
            failed in any::<u64>(),
            per_second in 0.0..1e12_f64,
            share in prop::option::of(0.0..=1.0_f64),
            (elapsed, late) in (0u64..10_000_000_000, 0u64..10_000_000_000),
            eta in prop::option::of(0u64..10_000_000_000),
            reason in prop::option::of(".{0,60}"),
            width in 0usize..200,
        ) {
            let status = Status {
                work, done, failed, per_second, share,
                elapsed: Duration::from_secs(elapsed),
                eta: eta.map(Duration::from_secs),
                lateness: Duration::from_secs(late),
                groups: Some(progress(failed, per_second)),
                note: reason.map(|reason| Note::Waiting(Duration::from_secs(late), reason)),
            };
            prop_assert!(status.line(width).chars().count() < width.max(1));
        }
    }
}
