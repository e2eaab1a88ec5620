//! What `extract` prints, and what ends it early.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{args, json_lines};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay};
use nix::sys::signal::Signal;
use tempfile::TempDir;

/// A file of the shop fixture many times over: more than any pipe holds.
fn large_capture(folder: &TempDir) -> PathBuf {
    let shop = fs::read(fixture("shop.jsonl")).expect("the fixture can be read");
    let path = folder.path().join("large.jsonl");
    fs::write(&path, shop.repeat(150)).expect("the temporary folder is writable");
    path
}

#[test]
fn fields_that_a_csv_lacks_are_omitted_and_not_null() {
    let value = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
    let key = value.replace("valueString", "keyString");
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("capture.csv");
    let extract = |csv: String| {
        std::fs::write(&file, csv).expect("the folder is writable");
        let output = kreplay(["extract", &file.display().to_string()]);
        assert_eq!(output.code, 0, "{output:#?}");
        output.stdout
    };
    let without = extract(format!("{value},RRPair UUID\na,u1\n"));
    assert_eq!(without, "{\"value\":\"a\"}\n");
    let with = extract(format!("{value},{key},RRPair UUID\na,k,u1\nb,,u2\n"));
    assert_eq!(
        with,
        "{\"key\":\"k\",\"value\":\"a\"}\n{\"key\":null,\"value\":\"b\"}\n"
    );
}

#[test]
fn extract_prints_the_records_of_a_capture_as_record_lines() {
    let run = kreplay(args("extract", &[&fixture("shop.jsonl")], &["-q"]));
    let expected = fs::read_to_string(fixture("shop.expected.jsonl")).expect("it can be read");
    let mut printed = json_lines(&run.stdout);
    for line in &mut printed {
        // `tests/extraction/capture_time.rs` knows when each was captured.
        let captured = line
            .as_object_mut()
            .and_then(|line| line.remove("captured"));
        assert!(captured.is_some(), "{line}");
    }
    assert_eq!(printed, json_lines(&expected));
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn extract_summarises_on_stderr_what_it_has_read() {
    let run = kreplay(args("extract", &[&fixture("shop.jsonl")], &[]));
    let lines: Vec<&str> = run.stderr.lines().collect();
    assert!(
        lines[0].starts_with("printed 49 of 51 records in "),
        "{}",
        run.stderr
    );
    assert!(
        lines[2].contains(": 69.37 KiB, 34 RRPairs, 21 Fetches (6 empty)"),
        "{}",
        run.stderr
    );
    assert_eq!(lines[3], "found      51 = 2 control + 49 printed");
    assert_eq!((run.code, lines.len()), (0, 4));
}

#[test]
fn extract_names_unreadable_input_even_with_quiet() {
    let run = kreplay(args("extract", &[&fixture("bad-middle.jsonl")], &["-q"]));
    assert_eq!((run.code, run.stdout.lines().count()), (1, 4));
    assert!(
        run.stderr.starts_with("problem    unreadable: 1, first "),
        "{}",
        run.stderr
    );
    assert_eq!(run.stderr.lines().count(), 1);
    let run = kreplay(args("extract", &[&fixture("cut.jsonl")], &["-q"]));
    assert_eq!((run.code, run.stdout.lines().count()), (4, 3));
    assert!(run.stderr.contains("\nkreplay: "), "{}", run.stderr);
}

#[test]
fn a_reader_that_closes_stdout_ends_the_run_without_a_failure() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let script = r#"{ "$0" extract --keep-duplicates "$1"; echo "code $?" >&2; } | head -1"#;
    let capture = large_capture(&folder);
    let arguments = [
        "-c".into(),
        script.into(),
        env!("CARGO_BIN_EXE_kreplay").into(),
        capture,
    ];
    let run = Run::program("sh", arguments).output();
    assert_eq!(json_lines(&run.stdout).len(), 1);
    assert!(
        run.stderr.starts_with("stdout was closed: printed "),
        "{}",
        run.stderr
    );
    assert!(run.stderr.ends_with("code 0\n"), "{}", run.stderr);
}

#[test]
fn a_full_disk_is_a_failure_of_extract() {
    let script = r#""$0" extract --keep-duplicates "$1" -q > /dev/full"#;
    let arguments = [
        "-c".into(),
        script.into(),
        env!("CARGO_BIN_EXE_kreplay").into(),
        fixture("shop.jsonl"),
    ];
    let run = Run::program("sh", arguments).output();
    assert_eq!(
        run.stderr,
        "kreplay: cannot write to stdout: no space left on device\n"
    );
    assert_eq!(run.code, 1);
}

#[test]
fn records_are_printed_at_once_and_an_interruption_is_reported() {
    let mut run = Run::new(args("extract", &[Path::new("-")], &[]))
        .stdin_open()
        .spawn();
    run.write_stdin(&fs::read(fixture("demo.jsonl")).expect("the fixture can be read"));
    run.wait_until("21 lines", |run| run.stdout_so_far().lines().count() == 21);
    run.signal(Signal::SIGINT);
    let sent = Instant::now();
    // `wait` would end stdin, and so the run.
    while !run.has_ended() {
        thread::sleep(Duration::from_millis(2));
        assert!(sent.elapsed() < Duration::from_secs(4), "it still runs");
    }
    let run = run.wait();
    assert!(
        run.stderr
            .starts_with("interrupted: printed 21 of 21 records in "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("; not read to its end\n"),
        "{}",
        run.stderr
    );
    assert_eq!(run.code, 130);
}

#[test]
fn an_interruption_ends_the_run_also_when_nobody_reads_stdout() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    // The reader waits until kreplay has ended. A signal may come before kreplay listens.
    let script = r#"{ "$0" extract --keep-duplicates "$1" & pid=$!
        for _ in $(seq 40); do sleep 0.1; kill -INT $pid 2> /dev/null || break; done
        wait $pid; echo "code $?" >&2; } | { sleep 5; cat > /dev/null; }"#;
    let capture = large_capture(&folder);
    let arguments = [
        "-c".into(),
        script.into(),
        env!("CARGO_BIN_EXE_kreplay").into(),
        capture,
    ];
    let run = Run::program("bash", arguments).output();
    assert!(
        run.stderr.starts_with("interrupted: printed "),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("DOES NOT BALANCE"), "{}", run.stderr);
    assert!(run.stderr.ends_with("code 130\n"), "{}", run.stderr);
}
