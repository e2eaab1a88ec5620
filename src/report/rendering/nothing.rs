//! What a run says if it has found no record: one sentence instead of a page of zeros. This file is separate
//! because all commands that read a source say it.

use crate::error::Error;
use crate::report::rendering::figures::count;
use crate::report::{EmptySource, ProblemKind, SourceReport, Tally};

/// Whether there was nothing to read, so that there is nothing to report.
pub(crate) fn is_nothing_read(tally: &Tally) -> bool {
    tally.found == 0 && tally.rrpairs == 0 && tally.lines == 0
}

/// What is wrong with a source that was read to its end and has no record, no record that the filter passes,
/// or none in the window, unless the user allows that.
pub(crate) fn nothing_found(
    source: &SourceReport,
    tally: &Tally,
    empty: EmptySource,
) -> Option<Error> {
    if !source.complete || empty == EmptySource::Allowed {
        return None;
    }
    let of_csv = source.kind == Some("csv") || source.via == Some("csv");
    let mut problems = tally.problems.iter();
    if let Some(outside) = problems.find(|problem| problem.what == ProblemKind::WindowOutside) {
        return Some(Error::Config {
            message: outside.why.clone(),
            hint: outside.what.hint().map(str::to_owned),
        });
    }
    // Filtered records are found as well.
    let passes_some = of_csv || tally.rrpairs == 0 || tally.fetches > 0;
    if tally.found > 0 && passes_some {
        return None;
    }
    let what = match &source.inputs[..] {
        [one] => one.clone(),
        all => format!("the {} inputs", all.len()),
    };
    let rrpairs = count(tally.rrpairs, "RRPair");
    let (why, hint) = match (tally.rrpairs, tally.fetches) {
        (0, _) if tally.skipped_files > 0 => {
            let files = count(tally.skipped_files, "file");
            let why = format!("{what} holds no RRPair: {files} skipped");
            (why, Some("`-v` lists the skipped files and why".into()))
        }
        (0, _) if of_csv && tally.bytes > 0 => (format!("{what} has no row but the header"), None),
        (0, _) => (format!("{what} is empty"), None),
        (_, _) if of_csv => (format!("no row of {what} holds a record"), None),
        (_, 0) => (
            format!("the filter passed none of {rrpairs} of {what}"),
            Some(
                "`kreplay inspect --paths` lists what they hold, `--filter` selects from it".into(),
            ),
        ),
        (_, _) => (format!("{rrpairs} of {what} hold no record"), None),
    };
    Some(Error::NothingFound { why, hint })
}

/// The same for a run that looks for paths: they occur in RRPairs whether or not these hold records.
pub(crate) fn no_path_found(
    source: &SourceReport,
    tally: &Tally,
    empty: EmptySource,
) -> Option<Error> {
    match tally.rrpairs {
        0 => nothing_found(source, tally, empty),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: &'static str, tally: Tally, empty: EmptySource) -> Option<String> {
        let source = SourceReport {
            kind: Some(kind),
            inputs: vec!["captures".into()],
            complete: true,
            ..SourceReport::default()
        };
        let found_no_path = no_path_found(&source, &tally, empty);
        let nothing = nothing_found(&source, &tally, empty);
        let expected = nothing.clone().filter(|_| tally.rrpairs == 0);
        assert_eq!(found_no_path, expected);
        nothing.map(|error| error.to_string())
    }

    #[test]
    fn a_source_without_records_is_a_failure_unless_it_is_allowed() {
        let tally = |rrpairs, fetches, skipped_files, bytes| Tally {
            rrpairs,
            fetches,
            skipped_files,
            bytes,
            ..Tally::default()
        };
        let cases = [
            ("rrpairs", tally(0, 0, 0, 0), "captures is empty"),
            (
                "rrpairs",
                tally(0, 0, 2, 0),
                "captures holds no RRPair: 2 files skipped",
            ),
            (
                "rrpairs",
                tally(3, 0, 0, 9),
                "the filter passed none of 3 RRPairs of captures",
            ),
            (
                "rrpairs",
                tally(3, 2, 0, 9),
                "3 RRPairs of captures hold no record",
            ),
            (
                "csv",
                tally(0, 0, 0, 9),
                "captures has no row but the header",
            ),
            (
                "csv",
                tally(2, 0, 0, 9),
                "no row of captures holds a record",
            ),
            ("records", tally(0, 0, 0, 0), "captures is empty"),
        ];
        for (kind, tally, expected) in cases {
            let expected = format!("nothing was found: {expected}");
            assert_eq!(
                message(kind, tally.clone(), EmptySource::Fails),
                Some(expected.clone())
            );
            assert_eq!(message(kind, tally.clone(), EmptySource::Allowed), None);
            let found = Tally { found: 1, ..tally };
            // What is found and filtered is not left.
            let is_filtered = expected.contains("the filter passed none");
            let expected = is_filtered.then_some(expected);
            assert_eq!(message(kind, found, EmptySource::Fails), expected);
        }
    }
}
