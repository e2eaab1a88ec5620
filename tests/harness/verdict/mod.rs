//! The verdict over a replay: compares what kreplay reports about each record with what is in the log.
//!
//! This one function judges every fault: the log holds exactly what was acknowledged, no id twice and each
//! partition in order; what failed is absent or is called unknown. The ids are in the values, see [`id_of`].

mod log;
pub(crate) mod readback;
mod rejects;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::ops::Range;
use std::panic::Location;

use serde_json::Value;

pub(crate) use log::{Log, id_of};
pub(crate) use rejects::RejectedIds;

/// How many ids a violation names; the rest is a number.
const NAMED: usize = 5;

/// Entries of the ledger that leave a record out on purpose, or could not read it.
const LEFT_OUT: [&str; 6] = [
    "duplicates",
    "filtered",
    "control",
    "aborted",
    "unreadable",
    "unselected",
];

/// Entries of the ledger for what was to be delivered and was not.
const FAILED: [&str; 3] = ["not_written", "unknown", "unsent"];

/// Where an id is in a range.
fn index(ids: &Range<u64>, id: u64) -> Option<usize> {
    usize::try_from(id.checked_sub(ids.start)?).ok()
}

/// Which records may be in the log more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    None,
    /// This many, as a resumed run announces.
    AtMost(u64),
}

/// What is known about a run after its end.
#[derive(Clone, Debug)]
pub(crate) struct Evidence<'a> {
    /// The ids that the source holds, by rising offset within each partition.
    pub(crate) source: Range<u64>,
    /// The JSON report.
    pub(crate) report: &'a Value,
    /// What the topic holds, in which only this replay and those that it resumes have written.
    pub(crate) log: &'a Log,
    /// What `--rejects` has written, when it was asked for.
    pub(crate) rejects: Option<&'a RejectedIds>,
    pub(crate) repeats: Repeats,
}

impl<'a> Evidence<'a> {
    /// The evidence of a run without rejects that may write nothing twice.
    pub(crate) fn new(source: Range<u64>, report: &'a Value, log: &'a Log) -> Self {
        Self {
            source,
            report,
            log,
            rejects: None,
            repeats: Repeats::None,
        }
    }

    /// Adds what `--rejects` has written.
    #[must_use]
    pub(crate) fn rejects(self, rejects: &'a RejectedIds) -> Self {
        Self {
            rejects: Some(rejects),
            ..self
        }
    }

    /// Lets records be in the log more than once.
    #[must_use]
    pub(crate) fn repeats(self, repeats: Repeats) -> Self {
        Self { repeats, ..self }
    }

    /// One entry of the ledger.
    fn entry(&self, name: &str) -> u64 {
        self.report["ledger"][name].as_u64().unwrap_or_default()
    }

    fn entries(&self, names: &[&str]) -> u64 {
        names.iter().map(|name| self.entry(name)).sum()
    }

    /// What an earlier run of the same journal has delivered.
    fn skipped(&self) -> u64 {
        let skipped = &self.report["resume"]["skipped"];
        skipped.as_u64().unwrap_or_default()
    }

    fn is_complete(&self) -> bool {
        self.report["source"]["complete"] == true
    }
}

/// Judges a run. With `KREPLAY_TEST_FIGURES=FILE`, appends the figures to that file, one line each.
///
/// # Panics
/// Panics if what kreplay reports is not what is in the log; the message lists everything that is wrong.
#[track_caller]
pub(crate) fn verdict(evidence: &Evidence<'_>) {
    if let Some(file) = std::env::var_os("KREPLAY_TEST_FIGURES") {
        let line = figures(evidence, Location::caller());
        let opened = OpenOptions::new().append(true).create(true).open(file);
        let written = opened.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the file for the figures is writable");
    }
    let violations = violations(evidence);
    assert!(
        violations.is_empty(),
        "the verdict:\n- {}\n{:#}",
        violations.join("\n- "),
        evidence.report
    );
}

fn figures(evidence: &Evidence<'_>, place: &Location<'_>) -> String {
    let (times, _) = evidence.log.census(&evidence.source);
    let entry = |name: &str| evidence.report["ledger"][name].to_string();
    let figures = ["found", "delivered", "not_written", "unknown", "unsent"];
    let figures = figures.map(|name| format!("{name} {}", entry(name)));
    let (there, twice) = (
        times.iter().filter(|n| **n > 0).count(),
        times.iter().filter(|n| **n > 1).count(),
    );
    let place = format!("{}:{}", place.file(), place.line());
    format!(
        "{place}: {}, in the log {there}, twice {twice}\n",
        figures.join(", ")
    )
}

/// Everything that is wrong with a run, in words.
pub(crate) fn violations(evidence: &Evidence<'_>) -> Vec<String> {
    let (times, strangers) = evidence.log.census(&evidence.source);
    let mut wrong = Vec::new();
    wrong.extend(balance(evidence));
    wrong.extend(name_some(&strangers, "in the log and not in the source"));
    wrong.extend(twice(evidence, &times));
    wrong.extend(name_some(&evidence.log.out_of_order(), "out of order"));
    wrong.extend(acknowledged(evidence, &times));
    if let Some(rejects) = evidence.rejects {
        wrong.extend(rejected(evidence, rejects, &times));
    }
    wrong
}

/// Judges a topic after the rejects were sent again: each of them is there once more than before, and so is
/// every record of the source. Rejects come late, so the order does not matter.
///
/// # Panics
/// Panics if a record is missing or occurs another number of times.
pub(crate) fn completed(source: &Range<u64>, before: &Log, rejects: &RejectedIds, after: &Log) {
    let ((times, _), (now, strangers)) = (before.census(source), after.census(source));
    let sent: HashSet<u64> = rejects.ids().into_iter().collect();
    let known = || source.clone().zip(times.iter().zip(&now));
    let missing = known().filter(|(_, (_, now))| **now == 0);
    let missing: Vec<u64> = missing.map(|(id, _)| id).collect();
    let other = known().filter(|(id, (times, now))| {
        let expected = **times + u32::from(sent.contains(id));
        **now != expected
    });
    let other: Vec<u64> = other.map(|(id, _)| id).collect();
    let wrong = [
        name_some(&strangers, "in the log and not in the source"),
        name_some(&missing, "missing after the rejects were sent again"),
        name_some(&other, "not once more after the rejects were sent again"),
    ];
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert_eq!(wrong, [""; 0]);
}

/// Names the first of some ids.
fn name_some(ids: &[u64], what: &str) -> Option<String> {
    let (first, rest) = ids.split_at(ids.len().min(NAMED));
    let mut text = format!("{what}: ");
    let names: Vec<String> = first.iter().map(u64::to_string).collect();
    text.push_str(&names.join(", "));
    if !rest.is_empty() {
        write!(text, " and {} more", rest.len()).expect("a string takes all");
    }
    (!ids.is_empty()).then_some(text)
}

/// The ids of the source that occur that often in the log.
fn ids(evidence: &Evidence<'_>, times: &[u32], such: impl Fn(u32) -> bool) -> Vec<u64> {
    let known = evidence.source.clone().zip(times);
    let these = known.filter(|(_, times)| such(**times));
    these.map(|(id, _)| id).collect()
}

/// Found = everything else; and found = the source when that was read to its end.
fn balance(evidence: &Evidence<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let found = evidence.entry("found");
    let others = evidence.entry("delivered") + evidence.entries(&LEFT_OUT);
    let others = others + evidence.entries(&FAILED);
    if found != others {
        wrong.push(format!("the ledger does not balance: {found} != {others}"));
    }
    let source = evidence.source.end - evidence.source.start;
    // Copies and markers do not count as records.
    let once = found.saturating_sub(evidence.entries(&["duplicates", "control"]));
    let seen = once + evidence.skipped();
    if seen > source || (evidence.is_complete() && seen < source) {
        let whole = format!("the source holds {source} records");
        wrong.push(format!("{whole}, found and skipped are {seen}"));
    }
    wrong
}

fn twice(evidence: &Evidence<'_>, times: &[u32]) -> Option<String> {
    let twice = ids(evidence, times, |n| n > 1);
    match evidence.repeats {
        Repeats::None => {}
        Repeats::AtMost(most) => {
            let repeats = times.iter().map(|n| u64::from(n.saturating_sub(1)));
            if repeats.sum::<u64>() > most {
                return name_some(&twice, &format!("more than {most} records repeated"));
            }
            return None;
        }
    }
    name_some(&twice, "in the log twice")
}

/// Checks that what is called delivered is in the log, and nothing else except for what is called unknown.
fn acknowledged(evidence: &Evidence<'_>, times: &[u32]) -> Option<String> {
    let there = times.iter().filter(|n| **n > 0).count() as u64;
    let least = evidence.skipped() + evidence.entry("delivered");
    let most = least + evidence.entry("unknown");
    if (least..=most).contains(&there) {
        return None;
    }
    let missing = ids(evidence, times, |n| n == 0);
    let missing = name_some(&missing, "not in the log").unwrap_or_default();
    Some(format!(
        "{there} records are in the log, by the report {least} to {most}; {missing}"
    ))
}

/// Checks that the rejects name each record that was found and not delivered, and are right about it.
fn rejected(evidence: &Evidence<'_>, rejects: &RejectedIds, times: &[u32]) -> Vec<String> {
    let mut wrong = Vec::new();
    for outcome in FAILED {
        let (named, counted) = (rejects.with(&[outcome]).len(), evidence.entry(outcome));
        if named as u64 != counted {
            let so = format!("`{outcome}`: {counted} in the report");
            wrong.push(format!("{so}, {named} in the rejects"));
        }
    }
    let mut named = vec![false; times.len()];
    let (mut again, mut strange) = (Vec::new(), Vec::new());
    for (id, what) in &rejects.0 {
        let at = index(&evidence.source, *id);
        match at.and_then(|at| named.get_mut(at)) {
            Some(named) if *named => again.push(*id),
            Some(named) if FAILED.contains(&what.as_str()) || what == "unreadable" => *named = true,
            _ => strange.push(*id),
        }
    }
    wrong.extend(name_some(&again, "in the rejects twice"));
    wrong.extend(name_some(
        &strange,
        "in the rejects without a known id or outcome",
    ));
    let is_there =
        |id: &u64| index(&evidence.source, *id).is_some_and(|at| times.get(at) > Some(&0));
    let mut there = rejects.with(&["not_written", "unsent"]);
    there.retain(is_there);
    wrong.extend(name_some(
        &there,
        "not written by the rejects and in the log",
    ));
    let neither = evidence.source.clone().zip(times.iter().zip(&named));
    let neither = neither.filter(|(_, (times, named))| **times == 0 && !**named);
    let neither: Vec<u64> = neither.map(|(id, _)| id).collect();
    let left_out = evidence.entries(&LEFT_OUT);
    let left_out = left_out.saturating_sub(rejects.with(&["unreadable"]).len() as u64);
    let seen = evidence.skipped() + evidence.entry("found") - left_out;
    let source = evidence.source.end - evidence.source.start;
    if neither.len() as u64 != source.saturating_sub(seen) {
        wrong.extend(name_some(&neither, "neither in the log nor in the rejects"));
    }
    wrong
}
