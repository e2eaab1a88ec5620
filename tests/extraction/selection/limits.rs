//! Where reading ends: `--skip` and `--limit`.

use std::io::Write as _;

use super::{extract, lines};
use crate::harness::paths::{fixture, standin};
use crate::harness::run::{Run, report};
use serde_json::json;
use tempfile::TempDir;

#[test]
fn skip_and_limit_divide_the_source_without_overlap() {
    let whole = lines(&[]);
    for at in [1, 7, 48, 49, 60] {
        let at = at.to_string();
        let mut both = lines(&["--limit", &at]);
        let rest = extract(&["-q", "--skip", &at]);
        assert_eq!(rest.code, 0, "{rest:#?}");
        both.extend(rest.stdout.lines().map(String::from));
        assert_eq!(both, whole, "{at}");
    }
}

#[test]
fn a_limit_ends_reading_of_an_input_that_goes_on() {
    let shop = std::fs::read(fixture("shop.jsonl")).expect("the fixture can be read");
    let mut running = Run::new(["extract", "-", "-q", "--limit", "5"])
        .stdin_open()
        .spawn();
    // The pipe stays open: without the limit the run would wait for more.
    let mut pipe = running.take_stdin();
    // It may have enough before it has taken everything.
    _ = pipe.write_all(&shop);
    let output = running.wait();
    drop(pipe);
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, ""),
        "{output:#?}"
    );
    assert_eq!(output.stdout.lines().count(), 5);
}

#[test]
fn a_limit_ends_speedctl_without_a_failure() {
    let notes = TempDir::new().expect("a temporary folder");
    for via in ["csv", "auto"] {
        let pids = notes.path().join(via).display().to_string();
        // Some rows, and then nothing more and no end.
        let faults = format!("silent-after=5,pid-file={pids}");
        let args = [
            "--rehearse",
            "--report",
            "json",
            "--via",
            via,
            "--limit",
            "1",
        ];
        let output = Run::new([&["snapshot", "demo"], &args[..]].concat())
            .env("KREPLAY_SPEEDCTL", standin())
            .env("STANDIN_DATA", fixture("demo.jsonl").with_file_name(""))
            .env("STANDIN_OBJECTS", "json")
            .env("STANDIN_FAULT", faults)
            .output();
        let report = report(&output);
        let outcome = (
            output.code,
            &report["ledger"]["delivered"],
            &report["errors"],
        );
        assert_eq!(outcome, (0, &json!(1), &json!([])), "{via} {output:#?}");
        let pids = std::fs::read_to_string(&pids).expect("the stand-in has noted it");
        for pid in pids.lines() {
            // A process that nobody has waited for yet is a zombie.
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let ended = stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ");
            assert!(ended, "{via}: {stat}");
        }
    }
}
