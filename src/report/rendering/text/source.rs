//! The lines about the source: what was read, left out or redacted.

use std::fmt;

use crate::host::visible::visible;
use crate::report::rendering::figures::{HumanBytes, HumanCount, plural, records};
use crate::report::{SourceReport, Tally};

/// How many files a hint names.
pub(super) const MOST_FILES: usize = 8;

/// How many topics are named on the line that counts redacted records, or those with dates to be resolved.
pub(super) const MOST_REDACTED_TOPICS: usize = 5;

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
    // The input of a snapshot has that name already.
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

/// Counts by topic the records that differ from what the application received.
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
                let topic = if topic.is_empty() { "(unknown)" } else { topic };
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

/// Names a filter that passed nothing: the user should check it first.
pub(super) fn write_nothing_passed(f: &mut fmt::Formatter<'_>, tally: &Tally) -> fmt::Result {
    match (tally.rrpairs, tally.fetches) {
        (0, _) | (_, 1..) => Ok(()),
        (all, 0) => writeln!(
            f,
            "note       the filter passed none of {}\n           \
             hint: `kreplay inspect --paths` lists what they hold, `--filter` and `--value` select from it",
            plural(all, "RRPair", "RRPairs")
        ),
    }
}
