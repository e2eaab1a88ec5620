//! The report for people: one screen that says what was read, what was found, what was sent where,
//! what was not and why, and what to do next.

use std::fmt::{self, Write};
use std::time::Duration;

use crate::error::{Error, quoted};
use crate::host::visible::visible;
use crate::report::rendering::figures::{
    HumanBytes, HumanCount, count, counted, plural, records, seconds,
};
use crate::report::{
    Outcome, Placement, Problem, ProblemKind, Problems, Report, Signal, SourceReport, Tally,
    TopicReport, place,
};

/// Files named one by one in a hint.
const MOST_FILES: usize = 8;
/// Topics named on the line that counts redacted records, or those with dates to be resolved.
const MOST_REDACTED_TOPICS: usize = 5;
/// Topics shown one by one; the rest is summed up, so that the report fits on one screen.
const MOST_TOPICS: usize = 10;

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
    /// Why the exit code is what it is, for whoever is not shown the report.
    #[must_use]
    pub fn why(&self) -> String {
        let why = fmt::from_fn(|f| {
            let (delivered, wanted) = (self.ledger[Outcome::Delivered], self.ledger.wanted());
            writeln!(
                f,
                "kreplay: exit code {}: delivered {} of {}",
                self.exit().code(),
                HumanCount(delivered),
                records(wanted)
            )?;
            self.write_ledger(f)?;
            self.write_groups(f)?;
            self.write_stop(f)?;
            self.write_problems(f)?;
            self.write_rejects(f)
        });
        why.to_string()
    }

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

    /// In which order the files would have been right, where another one was the cause.
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

    fn write_headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ledger = &self.ledger;
        let verdict = match self.signal {
            Some(Signal::Interrupt) => "interrupted: ",
            Some(Signal::Terminate) => "terminated: ",
            None if self.failures.iter().any(ends_a_run) => "failed: ",
            None => "",
        };
        let place = if self.destination.rehearsal {
            "a rehearsal broker"
        } else {
            &self.destination.brokers
        };
        writeln!(
            f,
            "{verdict}delivered {} of {} to {place} in {}",
            HumanCount(ledger[Outcome::Delivered]),
            records(ledger.wanted()),
            seconds(self.elapsed),
        )?;
        let per_second =
            ledger[Outcome::Delivered] as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON);
        if self.elapsed > Duration::from_secs(1) && ledger[Outcome::Delivered] > 0 {
            writeln!(f, "rate       {per_second:.0} records/s")?;
        }
        f.write_char('\n')
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

    /// What was promised, where the run began and how it stopped.
    fn write_stop(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.destination.unchecked.is_empty() {
            let unchecked = quoted(&self.destination.unchecked);
            writeln!(f, "tls        not checked: {unchecked}")?;
        }
        if !self.destination.idempotence {
            writeln!(
                f,
                "promise    none (--no-idempotence): what is delivered may be there twice, out of \
                 order, or be lost"
            )?;
        }
        if let Some(resume) = &self.resume {
            let (skipped, journal) = (HumanCount(resume.skipped), visible(&resume.journal));
            write!(
                f,
                "resumed    {skipped} delivered before are skipped ({journal})"
            )?;
            match resume.may_repeat {
                Some(0) => f.write_char('\n')?,
                Some(n) => writeln!(f, "; up to {} may be there twice", HumanCount(n))?,
                None => f.write_str("; how many may be there twice is not known\n")?,
            }
            if let Some(n) = resume.uncertain.filter(|n| *n > 0) {
                writeln!(
                    f,
                    "           the next run may send up to {} twice",
                    HumanCount(n)
                )?;
            }
        }
        let Some(drain) = self.drain else {
            return Ok(());
        };
        let parts = [
            (drain.answered, "answered"),
            (drain.given_up, "given up by librdkafka"),
            (drain.purged_from_queue, "taken back from the queue"),
            (drain.purged_in_flight, "given up in flight"),
            (drain.unanswered, "without an answer"),
        ];
        let parts = counted(&parts);
        match parts.is_empty() {
            true => Ok(()),
            false => writeln!(f, "stopped    of the records on their way {parts}"),
        }
    }

    fn write_rejects(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(rejects) = self.rejects.as_ref().filter(|rejects| rejects.records > 0) else {
            return Ok(());
        };
        let (n, file) = (records(rejects.records), visible(&rejects.file));
        write!(f, "rejects    {n} in {file}: ")?;
        let is_refused = |failure: &Error| matches!(failure, Error::SameCluster { .. });
        match &self.resume {
            _ if self.failures.iter().any(is_refused) => {
                writeln!(f, "`kreplay replay {file}` sends them to another cluster")?;
            }
            Some(_) => writeln!(f, "the same command with `--resume` tries them again")?,
            None => writeln!(
                f,
                "`kreplay replay {file}` with the same destination sends what is not in the log"
            )?,
        }
        match self.source.complete {
            true => Ok(()),
            false => {
                f.write_str("           what was not read yet of the input is not among them\n")
            }
        }
    }

    fn write_topics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.topics[..self.topics.len().min(MOST_TOPICS)];
        let width = shown
            .iter()
            .map(|topic| visible(&topic.name).chars().count())
            .max()
            .unwrap_or(0);
        for (i, topic) in shown.iter().enumerate() {
            let head = if i == 0 { "sent to" } else { "" };
            writeln!(
                f,
                "{head:<10} {:<width$}  {}, {}, {}",
                visible(&topic.name),
                count(u64::from(topic.partitions), "partition"),
                records(topic.delivered),
                HumanBytes(topic.bytes),
            )?;
        }
        if self.topics.len() > shown.len() {
            writeln!(
                f,
                "           and {} more topics",
                self.topics.len() - shown.len()
            )?;
        }
        write_changes(f, &self.topics)?;
        let Placement {
            kept,
            by_key,
            spread,
        } = self.placement;
        if by_key + spread == 0 {
            return Ok(());
        }
        let parts = [
            (kept, "in their captured partition"),
            (by_key, "by key"),
            (spread, "without a key or by the client's choice"),
        ];
        writeln!(f, "placed     {}", counted(&parts))
    }
}

/// What was changed of the topics in the middle of the run, a line for each.
fn write_changes(f: &mut fmt::Formatter<'_>, topics: &[TopicReport]) -> fmt::Result {
    let grown = topics.iter().filter_map(|topic| {
        let (name, has) = (visible(&topic.name), topic.partitions_at_end?);
        let had = topic.partitions;
        Some(format!(
            "{name} has {has} partitions at the end and had {had}: the new ones got no records"
        ))
    });
    let lowered = topics.iter().filter_map(|topic| {
        let (name, (had, has)) = (visible(&topic.name), topic.lowered_limit?);
        Some(format!(
            "{name} has a max.message.bytes of {has} at the end and had {had}"
        ))
    });
    let changes: Vec<String> = grown.chain(lowered).collect();
    for (i, change) in changes.iter().take(MOST_TOPICS).enumerate() {
        let head = if i == 0 { "changed" } else { "" };
        writeln!(f, "{head:<10} {change}")?;
    }
    match changes.len().checked_sub(MOST_TOPICS) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(f, "           and {more} more changes"),
    }
}

/// A report that is not written says nothing of what it reports.
fn ends_a_run(failure: &Error) -> bool {
    !matches!(failure, Error::ReportUnwritten { .. })
}

/// All problems, a line for each kind and one for its hint.
pub(crate) fn problems_text(source: &SourceReport, problems: &Problems) -> String {
    let text = fmt::from_fn(|f| {
        let mut problems = problems.iter();
        problems.try_for_each(|problem| write_problem(f, &source.names, problem))
    });
    text.to_string()
}

/// The line that says what was read.
pub(in crate::report) fn write_source(
    f: &mut fmt::Formatter<'_>,
    source: &SourceReport,
    tally: &Tally,
) -> fmt::Result {
    let via = source
        .via
        .map_or(String::new(), |via| format!(" via {via}"));
    let inputs = match &source.inputs[..] {
        [] => String::new(),
        [one] => format!(" {}", visible(one)),
        [first, rest @ ..] => format!(" {} and {} more", visible(first), rest.len()),
    };
    // A snapshot's input is called so itself.
    let kind = source.kind.unwrap_or_default();
    let kind = match inputs.starts_with(&format!(" {kind} ")) {
        true => "",
        false => kind,
    };
    let bytes = HumanBytes(tally.bytes);
    let what = format!("{kind}{inputs}{via}");
    write!(f, "read       {}: {bytes}, ", what.trim_start())?;
    if source.kind == Some(SourceReport::RECORDS) {
        f.write_str(&plural(tally.lines, "line", "lines"))?;
    } else {
        write!(
            f,
            "{}, {} ({} empty)",
            plural(tally.rrpairs, "RRPair", "RRPairs"),
            plural(tally.fetches, "Fetch", "Fetches"),
            HumanCount(tally.empty_fetches),
        )?;
    }
    let end = if source.complete {
        ""
    } else {
        "; not read to its end"
    };
    writeln!(f, "{end}")?;
    if source.kind != Some("csv") && source.via != Some("csv") {
        write_nothing_passed(f, tally)?;
    }
    if tally.skipped_lines > 0 {
        let lines = plural(tally.skipped_lines, "line", "lines");
        writeln!(f, "skipped    {lines} of kcat's own (`% ...`)")?;
    }
    if tally.skipped_files > 0 {
        let files = plural(tally.skipped_files, "file", "files");
        writeln!(f, "skipped    {files} without RRPairs (-v names them)")?;
    }
    Ok(())
}

/// Counts by topic the records that are not what the application was given.
pub(in crate::report) fn write_substitutes(
    f: &mut fmt::Formatter<'_>,
    tally: &Tally,
) -> fmt::Result {
    for (head, topics) in [
        ("redacted", &tally.redacted),
        ("dates", &tally.date_placeholders),
    ] {
        let all = topics.by_count();
        if all.is_empty() {
            continue;
        }
        let shown = &all[..all.len().min(MOST_REDACTED_TOPICS)];
        let shown: Vec<String> = shown
            .iter()
            .map(|(topic, n)| {
                let topic = if topic.is_empty() { "(untold)" } else { topic };
                format!("{} {}", visible(topic), HumanCount(*n))
            })
            .collect();
        let more = match all.len().saturating_sub(MOST_REDACTED_TOPICS) {
            0 => String::new(),
            more => format!(" and {more} more topics"),
        };
        let (total, shown) = (records(topics.total()), shown.join(", "));
        writeln!(f, "{head:<10} {total}: {shown}{more}")?;
    }
    Ok(())
}

/// Names a filter that nothing passed: this is what to look at when nothing was found.
fn write_nothing_passed(f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
    match (tally.rrpairs, tally.fetches) {
        (0, _) | (_, 1..) => Ok(()),
        (all, 0) => writeln!(
            f,
            "note       the filter passed none of {}\n           \
             hint: `kreplay inspect --paths` lists what they hold, `--filter` and `--value` choose of it",
            plural(all, "RRPair", "RRPairs")
        ),
    }
}

/// A kind of problem, with what to do about it.
pub(in crate::report) fn write_problem(
    f: &mut fmt::Formatter<'_>,
    inputs: &[String],
    problem: &Problem,
) -> fmt::Result {
    write_what(f, inputs, problem)?;
    problem
        .what
        .hint()
        .map_or(Ok(()), |hint| writeln!(f, "           hint: {hint}"))
}

fn write_what(f: &mut fmt::Formatter<'_>, inputs: &[String], problem: &Problem) -> fmt::Result {
    writeln!(
        f,
        "problem    {}: {}, first {}: {}",
        problem.what.name().replace('_', " "),
        HumanCount(problem.count),
        visible(&place(inputs, problem.first)),
        visible(&problem.why),
    )
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
             changed    orders has 8 partitions at the end and had 6: the new ones got no records\n           \
                        orders has a max.message.bytes of 100000 at the end and had 1048588\n\
             placed     1,000 in their captured partition, 200 by key\n\
             latency    p50 1.2 ms, p95 3.1 ms, p99 4.0 ms, max 9.7 ms\n\
             problem    topic unknown: 1, first captures/raw.jsonl:17: no name\n           \
                        hint: name the topic with `--topic-id ID=NAME`, or use `-t TOPIC`\n"
        );
    }
}
