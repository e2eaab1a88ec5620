//! The line of a plan: how far its reading is.

use super::terminal::TerminalRun;
use super::{KREPLAY, capture_of, lines};

#[test]
fn a_plan_shows_how_far_its_reading_is_and_then_the_plan() {
    let folder = capture_of(lines(0..1000));
    let script =
        r#"{ head -n 600 capture.jsonl; sleep 1.5; tail -n +601 capture.jsonl; } | "$0" plan -"#;
    for columns in [80, 40] {
        let mut run = TerminalRun::start(columns, folder.path(), "sh", &["-c", script, KREPLAY]);
        run.wait_for_line("it has planned what is there", |line| {
            line.contains("600 planned")
        });
        let (code, shown) = run.end();
        assert_eq!(code, 0, "{shown:?}");
        let erased = shown.rfind("\x1b[2K").expect("the line is erased");
        let plan = &shown[erased..];
        assert!(
            plan.contains("a replay would deliver all 1,000 records"),
            "{shown:?}"
        );
    }
}

#[test]
fn a_plan_of_a_file_shows_which_share_of_it_is_read() {
    // More than is read between two looks, which are a tenth of a second apart.
    let folder = capture_of(lines(0..400_000));
    let mut run = TerminalRun::kreplay(80, folder.path(), &["plan", "capture.jsonl"]);
    let line = run.wait_for_line("a part is read", |line| {
        line.contains(" % ") && !line.contains(" 0 planned")
    });
    let share: u32 = line
        .split(" % ")
        .next()
        .and_then(|before| before.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("a share: {line}"));
    assert!((1..=100).contains(&share), "{line}");
    let (code, shown) = run.end();
    assert_eq!(code, 0, "{shown:?}");
}
