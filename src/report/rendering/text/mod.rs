//! The report for people: one screen that says what was read, what was found, what was sent where, what was
//! not sent and why, and what to do next.

mod delivery;
mod problems;
mod source;
mod stop;

use std::fmt;

pub(crate) use self::problems::problems_text;
pub(in crate::report) use self::problems::write_problem;
use self::problems::write_what;
use self::source::MOST_FILES;
pub(in crate::report) use self::source::{write_source, write_substitutes};
use crate::host::visible::visible;
use crate::report::rendering::figures::HumanCount;
use crate::report::{ProblemKind, Report};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_headline(f)?;
        write_source(f, &self.source, &self.tally)?;
        self.write_ledger(f)?;
        write_substitutes(f, &self.tally)?;
        self.write_topics(f)?;
        if let Some(latency) = self.latency {
            let (p50, p95, p99, max) = (latency.p50, latency.p95, latency.p99, latency.max);
            writeln!(
                f,
                "latency    p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, max {max:.1} ms"
            )?;
        }
        if let Some(pacing) = &self.pacing {
            write!(f, "{pacing}")?;
        }
        self.write_groups(f)?;
        if let Some(expected) = &self.expected {
            write!(f, "{expected}")?;
        }
        self.write_stop(f)?;
        self.write_problems(f)?;
        self.write_rejects(f)
    }
}

impl Report {
    fn write_groups(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.groups
            .iter()
            .try_for_each(|group| write!(f, "{group}"))?;
        match &self.lag_control {
            Some(control) => write!(f, "{control}"),
            None => Ok(()),
        }
    }

    fn write_problems(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tally.unresolved)?;
        for problem in self.problems.iter() {
            match (problem.what, self.order_hint()) {
                (ProblemKind::OutOfOrder, Some(hint)) => {
                    write_what(f, &self.source.names, problem)?;
                    writeln!(f, "           hint: {hint}")?;
                }
                _ => write_problem(f, &self.source.names, problem)?,
            }
        }
        Ok(())
    }

    /// The right order of the files, if another order was the cause.
    fn order_hint(&self) -> Option<String> {
        let name = |input: &u32| self.source.names.get(*input as usize);
        let names = self.better_order.iter().map(name);
        let names: Vec<&str> = names
            .map(|name| name.map(String::as_str))
            .collect::<Option<_>>()?;
        let more = match names.len().checked_sub(MOST_FILES) {
            None | Some(0) => String::new(),
            Some(more) => format!(" and {more} more"),
        };
        let shown = names[..names.len().min(MOST_FILES)].join(" ");
        (!names.is_empty()).then(|| {
            format!(
                "the files are not in the order of their records: give them as {}{more}",
                visible(&shown)
            )
        })
    }

    fn write_ledger(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ledger)?;
        write!(f, "{}", self.tally.unselected)?;
        match self.passes {
            Some(passes) => writeln!(
                f,
                "passes     {} to the end of the source",
                HumanCount(passes)
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::report::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a whole report, member by member")]
    fn a_report_with_problems_reads_as_documented() {
        let mut report = Report {
            source: SourceReport {
                kind: Some("rrpairs"),
                via: None,
                inputs: vec!["captures".into()],
                names: ["captures/raw.jsonl".into()].into(),
                complete: true,
            },
            destination: DestinationReport {
                brokers: "localhost:9092".into(),
                rehearsal: false,
                idempotence: true,
                unchecked: Vec::new(),
            },
            tally: Tally {
                bytes: 2048,
                rrpairs: 12,
                fetches: 9,
                empty_fetches: 2,
                skipped_files: 1,
                ..Tally::default()
            },
            topics: vec![
                TopicReport {
                    name: "orders".into(),
                    partitions: 6,
                    partitions_at_end: Some(8),
                    lowered_limit: Some((1_048_588, 100_000)),
                    delivered: 900,
                    bytes: 812_345,
                    per_partition: Vec::new(),
                },
                TopicReport {
                    name: "o".into(),
                    partitions: 1,
                    partitions_at_end: None,
                    lowered_limit: None,
                    delivered: 300,
                    bytes: 12,
                    per_partition: Vec::new(),
                },
            ],
            placement: Placement {
                kept: 1000,
                by_key: 200,
                spread: 0,
            },
            latency: Some(Latency {
                p50: 1.24,
                p95: 3.1,
                p99: 4.0,
                max: 9.7,
            }),
            elapsed: Duration::from_millis(310),
            ..Report::default()
        };
        report.ledger.found = 1204;
        report.ledger[Outcome::Delivered] = 1200;
        report.ledger[Outcome::Unreadable] = 3;
        report.ledger[Outcome::Unknown] = 1;
        let origin = Origin { input: 0, line: 17 };
        report
            .problems
            .add(ProblemKind::TopicUnknown, origin, || "no name".into());
        assert_eq!(
            report.to_string(),
            "delivered 1,200 of 1,204 records to localhost:9092 in 0.31 s\n\
             \n\
             read       rrpairs captures: 2.00 KiB, 12 RRPairs, 9 Fetches (2 empty)\n\
             skipped    1 file without RRPairs (-v names them)\n\
             found      1,204 = 3 unreadable + 1,200 delivered + 1 unknown\n\
             sent to    orders  6 partitions, 900 records, 793.31 KiB\n           \
                        o       1 partition, 300 records, 12 B\n\
             changed    orders has 8 partitions at the end, up from 6: the new ones got no records\n           \
                        orders has a max.message.bytes of 100000 at the end and had 1048588\n\
             placed     1,000 in their captured partition, 200 by key\n\
             latency    p50 1.2 ms, p95 3.1 ms, p99 4.0 ms, max 9.7 ms\n\
             problem    topic unknown: 1, first captures/raw.jsonl:17: no name\n           \
                        hint: name the topic with `--topic-id ID=NAME`, or use `-t TOPIC`\n"
        );
    }
}
