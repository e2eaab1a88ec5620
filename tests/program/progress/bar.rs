//! The bar of a replay, at each width of the terminal, and the report that follows it.

use super::terminal::{TerminalRun, drawn, in_terminal};
use super::{KREPLAY, TOPIC, capture_of};
use crate::harness::capture::numbered_lines;

/// Asserts that the bar was taken away and the whole report is after it.
fn assert_ends_with_report(shown: &str, first: &str) {
    let end = shown.rfind(" elapsed").expect("progress was shown");
    let rest = &shown[end..];
    let erase = rest.find("\x1b[2K").expect("the bar is erased");
    let report = &rest[erase..];
    assert!(
        report.contains(first),
        "`{first}` is not at the end of\n{shown:?}"
    );
    for part in [
        "\r\nread       ",
        "\r\nfound      ",
        "\r\nsent to    ",
        "\r\nlatency    ",
    ] {
        assert!(
            report.contains(part),
            "`{part:?}` is not at the end of\n{shown:?}"
        );
    }
}

#[test]
fn a_terminal_shows_a_bar_and_then_the_report() {
    let folder = capture_of(numbered_lines(TOPIC, 0..40_000));
    // With one request for each record, the replay is slow enough to be watched.
    let args = [
        "replay",
        "capture.jsonl",
        "--rehearse",
        "-X",
        "batch.num.messages=1",
        "-X",
        "max.in.flight=1",
    ];
    let (code, shown) = in_terminal(folder.path(), KREPLAY, &args);
    let tail = &shown[shown.floor_char_boundary(shown.len().saturating_sub(3000))..];
    assert_eq!(code, 0, "{tail:?}");
    assert!(shown.contains("██"), "there is no bar in\n{tail:?}");
    assert!(shown.contains(" % "), "there is no percentage in\n{tail:?}");
    assert!(
        shown.contains(" elapsed  ETA "),
        "there is no ETA in\n{tail:?}"
    );
    assert_ends_with_report(
        &shown,
        "delivered 40,000 of 40,000 records to a rehearsal broker in ",
    );
}

#[test]
fn a_terminal_shows_progress_also_when_the_size_of_the_input_is_not_known() {
    let folder = capture_of(numbered_lines(TOPIC, 0..1000));
    let script = r#"while IFS= read -r line; do printf '%s\n' "$line"; sleep 0.06; done \
        <capture.jsonl | "$0" replay - --rehearse"#;
    let args = ["-c", script, KREPLAY];
    let (code, shown) = in_terminal(folder.path(), "sh", &args);
    assert_eq!(code, 0, "{shown:?}");
    assert!(shown.contains("/s  1s elapsed"), "{shown:?}");
    assert_ends_with_report(
        &shown,
        "delivered 1,000 of 1,000 records to a rehearsal broker in ",
    );
}

#[test]
fn quiet_and_progress_never_draw_nothing_on_a_terminal() {
    let folder = capture_of(numbered_lines(TOPIC, 0..5000));
    let slow = ["--rehearse", "-X", "batch.num.messages=1"];
    let replay = [&["replay", "capture.jsonl"], &slow[..]].concat();
    let plan = vec!["plan", "capture.jsonl"];
    for (command, begin) in [
        (replay, "delivered 5,000 of 5,000 records"),
        (plan, "a replay would deliver all 5,000 records"),
    ] {
        for flags in [&["-q"][..], &["--progress", "never"]] {
            let args = [&command[..], flags].concat();
            let (code, shown) = in_terminal(folder.path(), KREPLAY, &args);
            assert_eq!(code, 0, "{shown:?}");
            assert!(shown.starts_with(begin), "{shown:?}");
            assert!(!shown.contains('\x1b'), "{shown:?}");
        }
    }
}

#[test]
fn progress_fits_a_narrow_terminal() {
    let folder = capture_of(numbered_lines(TOPIC, 0..200));
    let args = ["replay", "capture.jsonl", "--rehearse", "--rate", "200"];
    for columns in [40, 80] {
        let run = TerminalRun::kreplay(columns, folder.path(), &args);
        let (code, shown) = run.end();
        assert_eq!(code, 0, "{shown:?}");
        assert!(!drawn(&shown).is_empty(), "{shown:?}");
    }
}
