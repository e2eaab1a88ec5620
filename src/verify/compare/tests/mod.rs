//! The comparison of records as a whole. What its tests share is here.

mod bounds;
mod kinds;
mod noise;
mod rules;

use super::*;
use crate::report::Change;

/// A record of topic `t`: its key and its value.
type Plain<'a> = (Option<&'a str>, &'a str);

fn subject<'a>((key, value): &Plain<'a>, number: usize) -> Subject<'a> {
    Subject {
        topic: "t",
        key: key.map(str::as_bytes),
        value: Some(value.as_bytes()),
        headers: &[],
        place: RecordPlace {
            input: 0,
            number: number as u64,
        },
    }
}

fn add(comparison: &mut RecordComparison, side: Side, subject: &Subject<'_>) {
    let added = comparison.add(side, subject);
    added.expect("so few records are remembered");
}

fn comparison(rules: Rules, expected: &[Plain<'_>], observed: &[Plain<'_>]) -> RecordComparison {
    let mut comparison = RecordComparison::new(rules);
    for (side, records) in [(Side::Expected, expected), (Side::Observed, observed)] {
        for (number, record) in records.iter().enumerate() {
            add(&mut comparison, side, &subject(record, number));
        }
    }
    comparison
}

/// The counts, and a line for each difference.
fn compare(
    rules: Rules,
    expected: &[Plain<'_>],
    observed: &[Plain<'_>],
) -> (Compared, Vec<String>) {
    let mut shown = Vec::new();
    let counts = comparison(rules, expected, observed).finish(|difference| {
        let number = |half: Option<DifferenceHalf<'_>>| {
            half.map_or_else(|| "-".into(), |half| half.place.number.to_string())
        };
        let (expected, observed) = (number(difference.expected), number(difference.observed));
        let mut line = format!("{:?} {expected} {observed}", difference.kind);
        for Change {
            path,
            expected,
            observed,
        } in &difference.changes.named
        {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            line += &format!(" {path}: {} -> {}", text(expected), text(observed));
        }
        shown.push(line);
    });
    (
        counts
            .first()
            .map_or_else(Compared::default, |(_, counts)| *counts),
        shown,
    )
}

const K: Option<&str> = Some("k");
