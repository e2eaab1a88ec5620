//! What a comparison holds of the records.

use super::{folder, measured, record_lines, times};
use crate::harness::run::{Run, RunOutput, report};
use tempfile::TempDir;

fn compared(
    folder: &TempDir,
    records: impl Fn(usize) -> Vec<(String, String)>,
) -> (RunOutput, u64) {
    let file = |side: usize| record_lines(&folder.path().join(format!("{side}.gz")), records(side));
    let files = [file(0), file(1)];
    let args = [
        "compare", &files[0], &files[1], "--as", "records", "--report", "json",
    ];
    measured(|| Run::new(args).env("MIMALLOC_PURGE_DELAY", "0"))
}

/// A name of 300 KB above 20,000 members: as many paths would be 6 GB.
#[test]
fn what_is_shown_of_a_difference_takes_bounded_memory() {
    let value = |side: usize| {
        let members: Vec<String> = (0..20_000).map(|n| format!("\"{n}\":{side}")).collect();
        format!("{{\"{}\":{{{}}}}}", "n".repeat(300_000), members.join(","))
    };
    let (output, peak) = compared(&folder(), |side| vec![("k".into(), value(side))]);
    let report = report(&output);
    let difference = &report["differences"][0];
    assert_eq!(difference["changes"].as_array().map(Vec::len), Some(1000));
    assert_eq!(difference["more_changes"], 19_000);
    assert!(peak < 200, "{peak} MiB");
}

/// 60 records on each side that differ in everything: 3,600 pairs of 40,000 changes would be 10 GB.
#[test]
fn which_records_belong_together_is_found_in_bounded_memory() {
    let value = |side: usize, number: usize| {
        let members = (0..20_000).map(|n| format!("\"{n}-{side}-{number}\":{n}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    };
    let records = |side| (0..60).map(|n| ("k".into(), value(side, n))).collect();
    let (output, peak) = compared(&folder(), records);
    assert_eq!(report(&output)["total"]["changed"], 60, "{output:.500?}");
    assert!(peak < 300, "{peak} MiB");
}

/// 30 million numbers in a value of 60 MB, which is compared as bytes; and 100 keys of 10 MB each.
#[test]
fn large_values_and_keys_are_compared_in_bounded_memory() {
    let list = |side: usize| format!("[{}]", times(30_000_000, &side.to_string()));
    let (output, peak) = compared(&folder(), |side| vec![("k".into(), list(side))]);
    assert_eq!(report(&output)["total"]["changed"], 1, "{output:.500?}");
    assert!(peak < 600, "{peak} MiB");
    let key = |number: usize| format!("{}{number}", "k".repeat(10_000_000));
    let records = |side| (0..100).map(|n| (key(n), format!("{side}"))).collect();
    let (output, peak) = compared(&folder(), records);
    assert_eq!(report(&output)["total"]["changed"], 100, "{output:.500?}");
    assert!(peak < 300, "{peak} MiB");
}
