//! Captures that end anywhere: kreplay sends what is whole and names what is cut off, and the exit code
//! distinguishes the two. Many cuts share a run if the command takes many files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, report};
use serde_json::Value;
use tempfile::TempDir;

/// How many runs go on at the same time; a run mostly waits.
const SIDE_BY_SIDE: usize = 8;
/// Two lines of `shop.jsonl` with Fetches, from 0, and how many records each holds.
const SHOP_LINES: [(usize, u64); 2] = [(6, 3), (7, 7)];
/// Records in the rows of `wide.csv`.
const WIDE_ROWS: [u64; 8] = [1, 1, 0, 1, 2, 1, 0, 2];

/// What the tests check of a run.
#[derive(Debug, PartialEq, Eq)]
struct RunResult {
    code: i32,
    delivered: u64,
    unreadable: u64,
}

/// Rehearses into one topic and checks what holds for every run.
fn rehearse(forced: &[&str], files: &[String]) -> RunResult {
    let flags = [
        "-t",
        "t",
        "--rehearse",
        "--keep-duplicates",
        "--report",
        "json",
    ];
    let args = [&["replay"], &flags[..], forced].concat().into_iter();
    let args = args.map(str::to_owned).chain(files.iter().cloned());
    let output = Run::new(args).output();
    assert_sound(&output)
}

fn assert_sound(output: &RunOutput) -> RunResult {
    let said: String = output.stderr.chars().take(2000).collect();
    assert!(!said.contains("panicked"), "{said}");
    assert!(
        [0, 1, 4].contains(&output.code),
        "code {}: {said}",
        output.code
    );
    let report = report(output);
    assert_eq!(report["exit_code"], output.code, "{said}");
    let ledger = report["ledger"]
        .as_object()
        .expect("the report has a ledger");
    let count = |name: &str| ledger[name].as_u64().expect("the ledger has this member");
    let total: u64 = ledger.values().filter_map(Value::as_u64).sum();
    assert_eq!(count("found") * 2, total, "{ledger:?}");
    RunResult {
        code: output.code,
        // The same record in many files is replayed once where duplicates are dropped.
        delivered: count("delivered") + count("duplicates"),
        unreadable: count("unreadable"),
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

/// Writes the first `length` bytes of `text` and returns the path.
fn write_cut(folder: &Path, text: &[u8], length: usize) -> String {
    let path = folder.join(length.to_string());
    fs::write(&path, &text[..length]).expect("the folder is writable");
    path.display().to_string()
}

/// Cuts `text` at each of `lengths` in a run of its own, several at a time.
fn each_cut(kind: &str, text: &[u8], lengths: &[usize], check: impl Fn(usize, RunResult) + Sync) {
    let folder = folder();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(&length) = lengths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let file = write_cut(folder.path(), text, length);
                    check(length, rehearse(&["--as", kind], &[file]));
                }
            });
        }
    });
}

/// The two lines of the shop, and what a cut at `length` leaves: whole records and cut lines.
fn shop() -> (Vec<u8>, impl Fn(usize) -> (u64, u64)) {
    let text = fs::read_to_string(fixture("shop.jsonl")).expect("the fixture is text");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (first, second) = (lines[SHOP_LINES[0].0], lines[SHOP_LINES[1].0]);
    let (end, total) = (first.len(), first.len() + second.len());
    let whole = move |length: usize| match length {
        0 => (0, 0),
        // A line without its line end is whole if its JSON is.
        length if length < end - 1 => (0, 1),
        length if length <= end => (SHOP_LINES[0].1, 0),
        length if length < total - 1 => (SHOP_LINES[0].1, 1),
        _ => (SHOP_LINES[0].1 + SHOP_LINES[1].1, 0),
    };
    ([first, second].concat().into_bytes(), whole)
}

#[test]
fn rrpairs_cut_at_every_byte_give_their_whole_lines() {
    let (text, whole) = shop();
    let folder = folder();
    let (mut files, mut delivered, mut unreadable) = (Vec::new(), 0, 0);
    for length in 0..=text.len() {
        files.push(write_cut(folder.path(), &text, length));
        let (records, cut) = whole(length);
        delivered += records;
        unreadable += cut;
    }
    let seen = rehearse(&[], &files);
    assert_eq!(
        seen,
        RunResult {
            code: 4,
            delivered,
            unreadable
        }
    );
}

#[test]
fn rrpairs_cut_after_any_kind_of_byte_have_the_exit_code_of_a_cut() {
    let (text, whole) = shop();
    // The two bytes before the cut distinguish numbers, escapes, literals and structure.
    let mut kinds = BTreeSet::new();
    let mut lengths: Vec<usize> = (2..text.len())
        .filter(|length| kinds.insert([text[length - 2], text[length - 1]].map(kind)))
        .collect();
    let end = text
        .iter()
        .position(|byte| *byte == b'\n')
        .expect("it has lines");
    lengths.extend([
        0,
        end - 1,
        end,
        end + 1,
        end + 2,
        text.len() - 1,
        text.len(),
    ]);
    each_cut("rrpairs", &text, &lengths, |length, seen| {
        let (delivered, unreadable) = whole(length);
        // An empty file is a source without records.
        let code = match (length, unreadable) {
            (0, _) => 1,
            (_, 0) => 0,
            (_, _) => 4,
        };
        let tail = String::from_utf8_lossy(&text[length.saturating_sub(30)..length]);
        assert_eq!(
            seen,
            RunResult {
                code,
                delivered,
                unreadable
            },
            "cut behind `{tail}`"
        );
    });
}

#[test]
fn rrpairs_damaged_anywhere_leave_a_balanced_ledger() {
    let text = fs::read(fixture("shop.jsonl")).expect("the fixture can be read");
    let folder = folder();
    // Knuth's linear congruential generator: the same damage in every run.
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or(0) % below
    };
    let files: Vec<String> = (0..300)
        .map(|number| {
            let mut damaged = text.clone();
            for _ in 0..8 {
                let at = random(damaged.len() - 1);
                match random(3) {
                    0 => damaged[at] = b"{}[]\":,\\0-e\n\0\xff"[random(14)],
                    1 => drop(damaged.remove(at)),
                    _ => damaged.insert(at, b"{}[]\":,\\0-e\n\0\xff"[random(14)]),
                }
            }
            let path = folder.path().join(number.to_string());
            fs::write(&path, damaged).expect("the folder is writable");
            path.display().to_string()
        })
        .collect();
    let seen = rehearse(&[], &files);
    assert_ne!(seen.code, 0);
    assert!(
        seen.unreadable > 300 && seen.delivered > 300 * 20,
        "{seen:?}"
    );
}

/// The class of a byte when cuts are compared: letters and digits are all alike.
fn kind(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' => b'a',
        b'0'..=b'9' => b'0',
        128.. => 128,
        other => other,
    }
}

/// The ends of the header and of each row, after the line end.
fn row_ends(text: &[u8]) -> Vec<usize> {
    let mut quoted = false;
    let ends = text.iter().enumerate().filter(|(_, byte)| {
        quoted ^= **byte == b'"';
        **byte == b'\n' && !quoted
    });
    ends.map(|(at, _)| at + 1).collect()
}

/// The columns of a row; `None` if a quote is open.
fn columns(row: &[u8]) -> Option<usize> {
    let (mut commas, mut quoted) = (0, false);
    for byte in row {
        quoted ^= *byte == b'"';
        commas += usize::from(*byte == b',' && !quoted);
    }
    (!quoted).then_some(commas + 1)
}

#[test]
fn a_csv_cut_at_every_byte_of_its_last_rows_gives_its_whole_rows() {
    let text = fs::read(fixture("wide.csv")).expect("the fixture can be read");
    let ends = row_ends(&text);
    assert_eq!(
        (ends.len(), ends.last()),
        (WIDE_ROWS.len() + 1, Some(&text.len()))
    );
    let last_two = ends[ends.len() - 3];
    let lengths: Vec<usize> = (last_two..=text.len())
        .chain((ends[0]..last_two).step_by(41))
        .collect();
    each_cut("csv", &text, &lengths, |length, seen| {
        let mut rows = ends.iter().filter(|end| **end <= length).count() - 1;
        // A row that has all columns and closed quotes needs no line end.
        let is_whole = columns(&text[ends[rows]..length]) == columns(&text[..ends[0]]);
        rows += usize::from(is_whole && length > ends[rows]);
        let delivered = WIDE_ROWS[..rows].iter().sum();
        let (code, unreadable) = match ends.contains(&length) || is_whole {
            true if rows == 0 => (1, 0),
            true => (0, 0),
            false => (4, 1),
        };
        assert_eq!(
            seen,
            RunResult {
                code,
                delivered,
                unreadable
            },
            "cut at byte {length}"
        );
    });
}

#[test]
fn a_csv_cut_inside_its_header_is_never_a_success() {
    let text = fs::read(fixture("wide.csv")).expect("the fixture can be read");
    let header = row_ends(&text)[0];
    let folder = folder();
    for length in (0..header).step_by(29).chain([header - 1]) {
        let file = write_cut(folder.path(), &text, length);
        let args = ["replay", &file, "-t", "t", "--rehearse", "--report", "json"];
        let output = Run::new(args).output();
        // Before the first value column there is nothing to replay, which is also a reason.
        assert!(
            [1, 2, 4].contains(&output.code),
            "cut at byte {length}: {output:#?}"
        );
        assert!(!output.stderr.contains("panicked"), "{output:#?}");
    }
}
