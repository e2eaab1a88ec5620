//! A plan for people: one screen, and one sentence at its head.

use std::fmt::{self, Write};
use std::time::Duration;

use super::{ASSUMED_SETTINGS, PeakSpan, PlanReach, PlanReport, PlannedTopic, TopicStanding};
use crate::error::{Error, ExitCode};
use crate::host::visible::{shortened, visible};
use crate::report::rendering::figures::{HumanBytes, HumanCount, records, seconds};
use crate::report::rendering::headline::{RunEnding, ends_a_run};
use crate::report::rendering::text::{write_problem, write_source, write_substitutes};
use crate::report::{Outcome, ProblemKind, Reordered};

/// How many topics are shown one by one; with everything that may surround them this fits on one screen.
const MOST_TOPICS: usize = 12;
/// How many columns a key gets.
const LONGEST_KEY: usize = 24;

const COLUMNS: [&str; 6] = [
    "topic",
    "parts",
    "records",
    "bytes",
    "hottest partition",
    "hottest key",
];

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", visible(&self.verdict()))?;
        write_source(f, &self.source, &self.tally)?;
        self.write_found(f)?;
        write_substitutes(f, &self.tally)?;
        self.write_destination(f)?;
        self.write_schedule(f)?;
        self.write_placement(f)?;
        self.write_topics(f)?;
        write!(f, "{}", self.tally.unresolved)?;
        let mut problems = self.forecast.problems.iter();
        problems.try_for_each(|problem| write_problem(f, &self.source.names, problem))?;
        match self.refused().expired {
            0 => Ok(()),
            _ => writeln!(
                f,
                "           hint: `--timestamps shift` keeps their distances and begins now"
            ),
        }
    }
}

impl PlanReport {
    /// What the replay would do, in one sentence.
    #[must_use]
    pub(crate) fn verdict(&self) -> String {
        let against = |failure: &&Error| !is_of_source(failure) && ends_a_run(failure);
        let mut against = self.failures.iter().filter(against);
        if let Some(first) = against.next() {
            let more = match against.count() {
                0 => String::new(),
                more => format!(" (and {more} more: see below)"),
            };
            let refused = match first {
                // Records read before such a record may have been sent.
                Error::Redacted { .. } => "a replay would not send all",
                _ => "a replay would not begin",
            };
            return format!("{refused}: {first}{more}");
        }
        let place = match &self.forecast.brokers {
            Some(brokers) => format!(" to {brokers}"),
            None => String::new(),
        };
        let interrupted = match RunEnding::of(self.signal, &self.failures) {
            RunEnding::Signal(_) => "interrupted; as far as it was read, ",
            RunEnding::Failure => "the source failed; as far as it was read, ",
            RunEnding::Complete => "",
        };
        let time = match &self.forecast.schedule {
            Some(schedule) => format!(" in {}", time(schedule.duration)),
            None => String::new(),
        };
        let (sent, lost) = (self.forecast.to_send, self.ledger().missing());
        let all = match lost {
            0 => format!("all {}", records(sent)),
            lost => format!("{} of {}", HumanCount(sent), records(sent + lost)),
        };
        let but = self.shortcomings();
        let but = match but.is_empty() {
            true => String::new(),
            false => format!(": {}", but.join(", ")),
        };
        match sent + lost {
            0 => format!("{interrupted}a replay would send nothing"),
            _ => format!("{interrupted}a replay would deliver {all}{place}{time}{but}"),
        }
    }

    /// What is lost or misplaced, in words.
    fn shortcomings(&self) -> Vec<String> {
        let reasons = self.refused().reasons().into_iter();
        let mut all: Vec<(u64, &str)> = reasons.map(|(_, n, words)| (n, words)).collect();
        let of = |what: ProblemKind| {
            let problems = self.forecast.problems.iter();
            let counts = problems.filter(|problem| problem.what == what);
            counts.map(|problem| problem.count).sum()
        };
        all.push((
            self.ledger()[Outcome::Unreadable],
            "unreadable or without a known topic",
        ));
        if self.reordered == Reordered::Fails {
            all.push((of(ProblemKind::OutOfOrder), "out of order"));
        }
        let displaced = of(ProblemKind::Displaced);
        all.push((displaced, "in another partition than the captured one"));
        let all = all.into_iter().filter(|(n, _)| *n > 0);
        all.map(|(n, words)| format!("{} {words}", HumanCount(n)))
            .collect()
    }

    fn write_found(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ledger())?;
        write!(f, "{}", self.tally.unselected)?;
        if self.forecast.passes > 1 {
            let passes = HumanCount(self.forecast.passes);
            writeln!(f, "passes     {passes} to the end of the source")?;
        }
        let reach = match self.forecast.reach {
            PlanReach::Whole => return Ok(()),
            PlanReach::UntilTimeIsOver => "to the end of `--for`",
            PlanReach::OnePass => "one pass; the replay goes on until it is stopped",
            PlanReach::TimeUnknown => {
                "assuming time for all records: how fast the cluster takes them is unknown"
            }
        };
        writeln!(f, "forecast   {reach}")
    }

    fn write_destination(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(brokers) = &self.forecast.brokers {
            return writeln!(f, "looked at  {}; nothing was written", visible(brokers));
        }
        let settings = ASSUMED_SETTINGS.map(|(name, value)| format!("{name}={value}"));
        writeln!(
            f,
            "assumed    topics with the captured partitions and Kafka's defaults, among them\n           \
             {}\n           \
             hint: `-b` looks at a cluster instead",
            settings[1..].join(" ")
        )
    }

    fn write_schedule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(schedule) = &self.forecast.schedule else {
            return writeln!(
                f,
                "duration   unknown: without `--speed` or `--rate` the cluster sets the pace"
            );
        };
        writeln!(f, "duration   {}", time(schedule.duration))?;
        for (head, span, peak) in [
            ("peak", "one second", schedule.busiest_second),
            ("", "10 ms", schedule.busiest_ten_ms),
        ] {
            let PeakSpan {
                records: n,
                bytes,
                at,
            } = peak;
            let (n, bytes) = (records(n), HumanBytes(bytes));
            writeln!(
                f,
                "{head:<10} {n} and {bytes} in {span}, from {} on",
                time(at)
            )?;
        }
        write!(f, "{}", schedule.pacing)
    }

    fn write_placement(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placement = self.forecast.placement;
        let parts = [
            (placement.kept, "in their captured partition"),
            (placement.by_key, "by key"),
            (placement.spread, "without a key or by the client's choice"),
        ];
        let parts = parts.iter().filter(|(n, _)| *n > 0);
        let parts: Vec<String> = parts
            .map(|(n, what)| format!("{} {what}", HumanCount(*n)))
            .collect();
        match placement.by_key + placement.spread {
            0 => Ok(()),
            _ => writeln!(f, "placed     {}", parts.join(", ")),
        }
    }

    fn write_topics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let topics = &self.forecast.topics;
        if topics.is_empty() {
            return Ok(());
        }
        let shown = &topics[..topics.len().min(MOST_TOPICS)];
        let mut rows = vec![COLUMNS.map(String::from)];
        rows.extend(shown.iter().map(row));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..COLUMNS.len()).filter_map(width).collect();
        f.write_char('\n')?;
        for row in &rows {
            let mut line = format!("{:<w$}", row[0], w = widths[0]);
            for (cell, w) in row.iter().zip(&widths).skip(1) {
                write!(line, "  {cell:>w$}")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        match topics.len() - shown.len() {
            0 => Ok(()),
            more => writeln!(f, "and {more} more topics"),
        }
    }
}

fn is_of_source(failure: &Error) -> bool {
    failure.exit() == ExitCode::Source
}

fn row(topic: &PlannedTopic) -> [String; 6] {
    let name = visible(&topic.name);
    let name = match topic.standing {
        TopicStanding::Present | TopicStanding::Assumed => name.into_owned(),
        TopicStanding::Created => format!("{name} (new)"),
        TopicStanding::Missing => format!("{name} (missing)"),
        TopicStanding::Refused => format!("{name} (refused)"),
    };
    let percent = |n| format!("{:.1} %", 100.0 * topic.share(n));
    let hottest = topic.hottest_partition();
    let key = topic.hottest_key.as_ref().map(|hottest| {
        let key = shortened(&hottest.key, LONGEST_KEY);
        let about = if hottest.at_most > hottest.at_least {
            "at least "
        } else {
            ""
        };
        format!("\"{}\" {about}{}", visible(&key), percent(hottest.at_least))
    });
    [
        name,
        HumanCount(topic.partitions.into()).to_string(),
        HumanCount(topic.records).to_string(),
        HumanBytes(topic.bytes).to_string(),
        hottest.map_or_else(
            || "-".into(),
            |hottest| format!("{} {}", hottest.partition, percent(hottest.records)),
        ),
        key.unwrap_or_else(|| "-".into()),
    ]
}

/// A time in seconds, and from a minute on also in words.
fn time(time: Duration) -> String {
    match time.as_secs() {
        0..60 => seconds(time),
        s => humantime::format_duration(Duration::from_secs(s)).to_string(),
    }
}
