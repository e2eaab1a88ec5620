//! A comparison for people: the lines of a report. This file is separate from the counts, because these
//! lines share their words with those of all reports.

use std::fmt;

use super::counts::{Compared, MOST_SHOWN};
use super::expected::{CorrelationReport, ExpectedReport};
use super::noise::LearnedPath;
use crate::error::quoted;
use crate::host::visible::visible;
use crate::report::rendering::figures::HumanCount;
use crate::report::rendering::figures::count;

/// Says in words how many records are equal, and what the others are.
pub(super) fn summary(counts: &Compared) -> String {
    let named = counts.named().into_iter();
    let shown = named.filter(|(name, n)| *n > 0 || *name == "equal");
    let shown = shown.map(|(name, n)| format!("{} {name}", HumanCount(n)));
    shown.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for CorrelationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answers    by {}: ", visible(&self.by))?;
        if let Some(latency) = &self.latency {
            let (p50, p95, p99, max) = (latency.p50, latency.p95, latency.p99, latency.max);
            write!(
                f,
                "p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, max {max:.1} ms, "
            )?;
        }
        write!(f, "{} unanswered", HumanCount(self.unanswered))?;
        if self.without > 0 {
            write!(f, ", {} without such a value", HumanCount(self.without))?;
        }
        if self.sample > 1 {
            write!(f, " (of one in {} values)", self.sample)?;
        }
        writeln!(f)
    }
}

impl ExpectedReport {
    fn write_differences(&self, f: &mut fmt::Formatter<'_>, counts: &Compared) -> fmt::Result {
        // What is being learned is shown as learned.
        if self.verdict() == "learned" {
            return Ok(());
        }
        for difference in self.shown.iter().take(MOST_SHOWN) {
            write!(f, "{difference}")?;
        }
        let all = counts.different();
        let more = all.saturating_sub(self.shown.len().min(MOST_SHOWN) as u64);
        if more > 0 && !self.shown.is_empty() {
            let more = HumanCount(more);
            writeln!(
                f,
                "and {more} more: `--expect-diff FILE` writes all of them"
            )?;
        }
        Ok(())
    }

    fn write_substitutes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (records, what) in [
            (
                self.redacted,
                "a text that data-loss prevention has replaced (`REDACTED-...`)",
            ),
            (
                self.dated,
                "a date that is not resolved (`{speedscale_date(...)}`)",
            ),
        ] {
            if records > 0 {
                let (hold, records) = match records {
                    1 => ("holds", count(1, "expected record")),
                    _ => ("hold", count(records, "expected record")),
                };
                writeln!(
                    f,
                    "  {records} {hold} {what}, which the service may not write"
                )?;
            }
        }
        Ok(())
    }

    fn write_noise(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(noise) = &self.noise {
            let paths = count(noise.paths as u64, "path");
            writeln!(f, "  {paths} of {} excused", visible(&noise.file))?;
        }
        let Some(learned) = &self.learned else {
            return Ok(());
        };
        for LearnedPath {
            topic,
            path,
            kind,
            is_consistent,
            records,
        } in &learned.paths
        {
            let (topic, path, kind) = (visible(topic), visible(path), kind.name());
            let same = if *is_consistent { ", consistent" } else { "" };
            let times = count(*records, "time");
            writeln!(f, "  learned: `{topic}` {path}: {kind}{same}, {times}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ExpectedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict() {
            "same" => "as expected",
            "differs" => "not as expected",
            "learned" => "as expected, except for what was learned",
            verdict => verdict,
        };
        let counts = self.total();
        let equal_and_others = summary(&counts);
        let names: Vec<String> = self.topics.iter().map(|(name, _)| name.clone()).collect();
        let of = match names.len() {
            0 => String::new(),
            1..=3 => format!(" in {}", quoted(&names)),
            more => format!(" in {more} topics"),
        };
        writeln!(f, "output     {verdict}: {equal_and_others}{of}")?;
        if let Some(why) = &self.incomplete {
            writeln!(f, "  incomplete: {}", visible(why))?;
        }
        if self.topics.is_empty() && self.incomplete.is_none() {
            writeln!(
                f,
                "  the capture expects output only in topics that this run sends to"
            )?;
        }
        if self.unreadable > 0 {
            let unreadable = count(self.unreadable, "expected record");
            writeln!(f, "  {unreadable} could not be read")?;
        }
        self.write_substitutes(f)?;
        self.write_differences(f, &counts)?;
        self.write_noise(f)?;
        for path in &self.unmatched {
            writeln!(f, "{path}")?;
        }
        if let Some(correlation) = &self.correlation {
            write!(f, "{correlation}")?;
        }
        for topic in &self.own {
            let topic = visible(topic);
            writeln!(f, "  `{topic}` is not compared: this run sends to it")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_records_that_others_have_changed_are_named() {
        let report = |redacted, dated| {
            let counts = Compared {
                equal: 12,
                ..Compared::default()
            };
            let report = ExpectedReport {
                redacted,
                dated,
                topics: vec![("invoices".into(), counts)],
                ..ExpectedReport::default()
            };
            report.to_string()
        };
        let headline = "output     as expected: 12 equal in `invoices`\n";
        assert_eq!(report(0, 0), headline);
        let redacted = "  1 expected record holds a text that data-loss prevention has replaced (`REDACTED-...`), which the service may not write\n";
        assert_eq!(report(1, 0), format!("{headline}{redacted}"));
        let dated = "  3 expected records hold a date that is not resolved (`{speedscale_date(...)}`), which the service may not write\n";
        assert_eq!(report(0, 3), format!("{headline}{dated}"));
    }
}
