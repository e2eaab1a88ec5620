//! An inspection for people: one screen.

use std::fmt::{self, Write};

use super::{Inspection, TopicContents};
use crate::host::visible::visible;
use crate::report::inspection::census::NameCounts;
use crate::report::rendering::figures::{HumanBytes, HumanCount, plural, records};
use crate::report::rendering::headline::RunEnding;
use crate::report::rendering::text::{write_problem, write_source, write_substitutes};

/// How many topics are shown one by one; with everything that may surround them this fits on one screen.
const MOST_TOPICS: usize = 15;
/// How many names of commands, brokers and the like fit on a line.
const MOST_NAMES: usize = 5;

const COLUMNS: [&str; 10] = [
    "topic",
    "parts",
    "records",
    "bytes",
    "no key",
    "keys",
    "value p50",
    "p99",
    "max",
    "tombstones",
];

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = RunEnding::of(self.signal, &self.failures);
        let bytes: u64 = self.topics.iter().map(|topic| topic.bytes).sum();
        let topics = plural(self.topics.len() as u64, "topic", "topics");
        let (records, bytes) = (records(self.records), HumanBytes(bytes));
        writeln!(
            f,
            "{ending}{records} in {topics}, {bytes} of keys and values\n"
        )?;
        write_source(f, &self.source, &self.tally)?;
        self.ledger().fmt(f)?;
        if let Some((first, last)) = self.times_ms() {
            writeln!(f, "time       {} to {}", time(first), time(last))?;
        }
        let census = &self.census;
        if census.several.fetches > 0 {
            let fetches = plural(census.several.fetches, "Fetch holds", "Fetches hold");
            let all = HumanCount(census.several.records);
            let lost = HumanCount(census.several.records - census.several.fetches);
            writeln!(
                f,
                "several    {fetches} more than one record: {all} in all, of which a CSV loses {lost}"
            )?;
        }
        self.write_gaps(f)?;
        for (head, names) in [
            ("commands", &census.commands),
            ("brokers", &census.brokers),
            ("clients", &census.clients),
            ("groups", &census.groups),
            ("isolation", &census.isolation),
        ] {
            write_names(f, head, names)?;
        }
        write_substitutes(f, &self.tally)?;
        self.write_topics(f)?;
        write!(f, "{}", self.tally.unresolved)?;
        let mut problems = self.tally.problems.iter();
        problems.try_for_each(|problem| write_problem(f, &self.source.names, problem))
    }
}

impl Inspection {
    fn write_gaps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gaps = self.topics.iter().map(TopicContents::gaps);
        let (missing, gaps) = gaps.fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        if missing == 0 {
            return Ok(());
        }
        let offsets = plural(missing, "offset is", "offsets are");
        let gaps = plural(gaps, "gap", "gaps");
        writeln!(
            f,
            "gaps       {offsets} missing, in {gaps}; compaction and transactions leave gaps"
        )
    }

    fn write_topics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.topics.is_empty() {
            return Ok(());
        }
        let shown = &self.topics[..self.topics.len().min(MOST_TOPICS)];
        let mut rows = vec![COLUMNS.map(String::from)];
        rows.extend(shown.iter().map(row));
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..COLUMNS.len()).filter_map(width).collect();
        f.write_char('\n')?;
        for row in &rows {
            write!(f, "{:<w$}", row[0], w = widths[0])?;
            for (cell, w) in row.iter().zip(&widths).skip(1) {
                write!(f, "  {cell:>w$}")?;
            }
            f.write_char('\n')?;
        }
        let rest = &self.topics[shown.len()..];
        if !rest.is_empty() || self.other_records > 0 {
            let count = rest.iter().map(|topic| topic.records).sum::<u64>() + self.other_records;
            let more = HumanCount(rest.len() as u64);
            let beyond = if self.other_records > 0 {
                " or more"
            } else {
                ""
            };
            writeln!(f, "and {more}{beyond} more topics with {}", records(count))?;
        }
        Ok(())
    }
}

fn row(topic: &TopicContents) -> [String; 10] {
    let size = |size: Option<u64>| size.map_or_else(|| "-".into(), |n| HumanBytes(n).to_string());
    let count = |n: u64| HumanCount(n).to_string();
    let partitions = count(topic.partitions.len() as u64);
    let share = 100.0 * topic.null_keys as f64 / topic.records.max(1) as f64;
    [
        topic
            .name
            .as_deref()
            .map_or_else(|| "(unknown)".into(), |name| visible(name).into_owned()),
        partitions,
        count(topic.records),
        HumanBytes(topic.bytes).to_string(),
        format!("{share:.0} %"),
        count(topic.distinct_keys),
        size(topic.sizes.map(|sizes| sizes.p50)),
        size(topic.sizes.map(|sizes| sizes.p99)),
        size(topic.sizes.map(|sizes| sizes.max)),
        count(topic.tombstones),
    ]
}

fn write_names(f: &mut fmt::Formatter<'_>, head: &str, names: &NameCounts) -> fmt::Result {
    let all = names.by_count();
    if all.is_empty() {
        return Ok(());
    }
    let shown = &all[..all.len().min(MOST_NAMES)];
    let shown: Vec<String> = shown
        .iter()
        .map(|(name, n)| format!("{} {}", visible(name), HumanCount(*n)))
        .collect();
    write!(f, "{head:<10} {}", shown.join(", "))?;
    let more = all.len() - shown.len();
    match (more, names.others()) {
        (0, 0) => {}
        (more, 0) => write!(f, " and {more} more")?,
        (more, _) => write!(f, " and more than {more} more")?,
    }
    f.write_char('\n')
}

/// RFC 3339, or the number if it is outside the calendar.
pub(super) fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| format!("{ms} ms"), |time| format!("{time:.3}"))
}
