//! Output of speedctl that does not contain a whole CSV.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::play;

#[test]
fn output_without_a_csv_in_it_is_refused() {
    let nothing = "printed no CSV header and named no CSV file";
    for (faults, words) in [
        ("no-header", nothing),
        ("no-header,stderr=1000", nothing),
        ("no-output", nothing),
        ("cut=0", nothing),
        ("cut=5", nothing),
        (
            "names-file,no-header",
            "demo.csv, which does not have a CSV header",
        ),
    ] {
        for via in ["auto", "csv"] {
            let played = play("demo", faults, &["--via", via]).end();
            played.assert_refused(faults, &[words]);
        }
    }
    let played = play("demo", "no-output", &["--via", "raw"]).end();
    played.assert_refused("no-output --via raw", &["wrote no ", "/demo/raw.jsonl"]);
}

#[test]
fn a_csv_file_that_is_named_but_missing_is_refused() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    for (to, text) in [
        ("1", "wrote 27 rows to /no/such/out.csv"),
        ("2", "result: no-such.csv"),
    ] {
        let script = folder.path().join("speedctl");
        let lines = format!("#!/bin/sh\necho '{text}' >&{to}\n");
        fs::write(&script, lines).expect("the folder is writable");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        let script = script.display().to_string();
        let played = play("demo", "", &["--speedctl", &script]).end();
        played.assert_refused(text, &["`speedctl extract data` ", "CSV"]);
    }
}

#[test]
fn a_truncated_csv_sends_nothing_whatever_the_exit_code_of_speedctl() {
    // The header ends after 2,721 bytes, the last row after 12,347.
    for bytes in [2722, 3000, 5000, 12_000, 12_346] {
        for via in ["auto", "csv"] {
            let cut = |fault| play("demo", &format!("{fault}={bytes}"), &["--via", via]).end();
            let what = format!("{bytes} bytes --via {via}");
            cut("cut").assert_refused(&what, &["snapshot demo:", "the input is cut off"]);
            let words = [
                "exited with code 1",
                "stream error: connection reset by peer",
            ];
            cut("cut-fail").assert_refused(&what, &words);
            cut("names-file,cut").assert_refused(&what, &["demo.csv:", "the input is cut off"]);
            cut("names-file,cut-fail").assert_refused(&what, &words);
        }
    }
    for bytes in [1, 2000, 60_000, 64_067] {
        let cut = |fault| play("demo", &format!("{fault}={bytes}"), &["--via", "raw"]).end();
        let what = format!("{bytes} bytes --via raw");
        cut("cut").assert_refused(&what, &["raw.jsonl:", "the input is cut off"]);
        let words = [
            "exited with code 1",
            "stream error: connection reset by peer",
        ];
        cut("cut-fail").assert_refused(&what, &words);
    }
}

#[test]
fn a_csv_that_is_cut_off_inside_its_header_is_refused() {
    for bytes in [100, 1000, 2000, 2700, 2720] {
        let played = play("demo", &format!("cut={bytes}"), &[]).end();
        played.assert_refused(&format!("{bytes} bytes"), &["snapshot demo"]);
    }
}
