//! Journals that were damaged, or cut by a full disk: no record is lost, and kreplay does not claim what it
//! no longer knows.

use std::fs;

use super::{ANOTHER, Scene, TOPIC, refused};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::ledger;
use crate::harness::run::{Run, report};

const ALL: u64 = 50;

/// A scene in which all records are delivered, and its journal.
fn delivered() -> (Scene, String, String) {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..ALL));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let journal = fs::read_to_string(scene.journal()).expect("a journal is text");
    (scene, input, journal)
}

#[test]
fn a_truncated_last_line_is_ignored() {
    let (scene, input, journal) = delivered();
    let last = journal.lines().last().expect("it has lines");
    for cut in [1, 9, 10, 30, last.len() - 1] {
        let text = format!("{journal}{}", &last[..cut]);
        fs::write(scene.journal(), &text).expect("it is writable");
        let output = scene.replay(&input, &[]).output();
        assert_eq!(ledger(&report(&output)), "0 = ", "{cut}");
        assert_eq!(report(&output)["resume"]["may_repeat"], 0, "{cut}");
    }
    // The line that was there is dropped as well: what it called delivered may be in the log twice.
    let cut = &journal[..journal.len() - 5];
    fs::write(scene.journal(), cut).expect("it is writable");
    let output = scene.replay(&input, &[]).output();
    assert_eq!(report(&output)["resume"]["may_repeat"], ALL);
    assert_eq!(scene.there(), 2 * ALL.cast_signed());
}

#[test]
fn a_damaged_last_line_falls_back_to_the_one_before_and_nothing_is_claimed() {
    let (scene, input, journal) = delivered();
    let lines = journal.lines().count();
    let at = journal
        .rfind("\"delivered\":[[0,50")
        .expect("all are delivered");
    let mut damaged = journal.clone().into_bytes();
    damaged[at + 16] = b'9';
    fs::write(scene.journal(), &damaged).expect("it is writable");
    let output = scene.replay(&input, &[]).output();
    assert_eq!(output.code, 0, "{output:#?}");
    let said = format!(
        "kreplay: continuing after {}: 0 records are already delivered, it is unknown how many may be \
         sent twice, because line {lines} of the journal is damaged\n",
        scene.file("journal")
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    assert_eq!(
        report(&output)["resume"]["may_repeat"],
        serde_json::Value::Null
    );
    assert_eq!(ledger(&report(&output)), "50 = 50 delivered");
    // From here on it is known again.
    let output = scene.replay(&input, &[]).output();
    assert_eq!(report(&output)["resume"]["may_repeat"], 0);
    assert_eq!(ledger(&report(&output)), "0 = ");
}

#[test]
fn a_digit_that_was_changed_loses_no_record() {
    let (scene, input, journal) = delivered();
    let digits: Vec<usize> = journal
        .bytes()
        .enumerate()
        .filter_map(|(at, byte)| byte.is_ascii_digit().then_some(at))
        .collect();
    let mut gone_on = 0;
    // A unit test beside the code tries every digit; this tries a part of them, with everything that follows.
    for at in digits.iter().step_by(digits.len() / 24) {
        let mut damaged = journal.clone().into_bytes();
        damaged[*at] = b'0' + (damaged[*at] - b'0' + 1) % 10;
        fs::write(scene.journal(), &damaged).expect("it is writable");
        let before = scene.there();
        let output = scene.replay(&input, &[]).output();
        if output.code == 2 {
            assert_eq!(scene.there(), before, "{at}: nothing was sent");
            continue;
        }
        gone_on += 1;
        let report = report(&output);
        let skipped = report["resume"]["skipped"].as_u64().expect("a number");
        let again = (scene.there() - before).cast_unsigned();
        assert_eq!(skipped + again, ALL, "{at}: {report:#}");
        let bound = report["resume"]["may_repeat"].as_u64();
        assert!(bound.is_none_or(|bound| again <= bound), "{at}: {report:#}");
    }
    assert!(
        gone_on > 0,
        "one of them was in a line that can be done without"
    );
}

#[test]
fn a_journal_whose_first_lines_are_damaged_is_refused() {
    let (scene, input, journal) = delivered();
    let lines: Vec<&str> = journal.lines().collect();
    let journal = scene.file("journal");
    for (damaged, line) in [(&[0][..], 1), (&[1, 2], 2)] {
        let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
        for line in damaged {
            lines[*line] = lines[*line]
                .replace(':', ";")
                .replace("journal\";", "journal\":");
        }
        fs::write(scene.journal(), lines.join("\n") + "\n").expect("it is writable");
        let said = refused(&scene.replay(&input, &[]).output());
        let expected = format!(
            "kreplay: the journal {journal} is damaged in line {line}, without which kreplay cannot use it\n{ANOTHER}"
        );
        assert_eq!(said, expected);
    }
    assert_eq!(scene.there(), ALL.cast_signed());
}

#[test]
fn a_line_cut_by_a_full_disk_does_not_damage_the_next_one() {
    let scene = Scene::new();
    // One record in two is delivered, so that lines are long; the disk holds 8 or 16 KiB.
    let lines: String = (0..4000)
        .map(|id: u64| {
            let text = "x".repeat(if id.is_multiple_of(2) { 10 } else { 3000 });
            format!(r#"{{"topic":"{TOPIC}","partition":0,"offset":{id},"value":"{{\"id\":{id},\"text\":\"{text}\"}}"}}"#) + "\n"
        })
        .collect();
    let input = scene.write("input.jsonl", &lines);
    let limited = ["-X", "message.max.bytes=2000", "-X", "batch.size=1000"];
    let args = scene.arguments(&input, &limited);
    // A write beyond the limit is cut there, as on a full disk.
    let small = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let kreplay = env!("CARGO_BIN_EXE_kreplay").to_string();
    let shell = ["-c".to_string(), small.into(), kreplay].into_iter();
    let output = Run::program("sh", shell.chain(args)).output();
    assert_eq!(output.code, 1, "{output:#?}");
    assert!(
        output
            .stderr
            .contains("kreplay: cannot write the journal: "),
        "{}",
        output.stderr
    );
    let before = report(&output)["ledger"]["delivered"].as_u64();
    assert!(
        before.is_some_and(|before| (1..2000).contains(&before)),
        "{output:#?}"
    );
    let journal = fs::read(scene.journal()).expect("a journal");
    assert!(journal.ends_with(b"\n"), "the line that was cut is cut off");
    let output = scene.replay(&input, &limited).output();
    let report = report(&output);
    let bound = report["resume"]["may_repeat"]
        .as_u64()
        .expect("it is known");
    let mut numbers = scene.numbers();
    let twice = numbers.len() as u64 - 2000;
    assert!(twice <= bound, "{twice} twice: {report:#}");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, (0..4000).step_by(2).collect::<Vec<_>>());
}
