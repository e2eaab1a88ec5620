//! Rejects of a run that is continued.

use std::fs;

use super::{Scene, TOPIC, refused};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::ledger;
use crate::harness::run::report;

#[test]
fn rejects_are_tried_again_and_kept_when_the_journal_is_refused() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines("missing", 0..20));
    let rejects = scene.file("rejects.jsonl");
    let flags = ["--rejects", &rejects];
    assert_eq!(scene.replay(&input, &flags).output().code, 3);
    let lines = || {
        let text = fs::read_to_string(&rejects).expect("the rejects are text");
        text.lines().count()
    };
    assert_eq!(lines(), 20);
    let other = scene.write("other.jsonl", &numbered_lines("missing", 0..30));
    refused(&scene.replay(&other, &flags).output());
    assert_eq!(lines(), 20, "they are another run's");
    scene.mock.create_topic("missing", 1, 1).expect("a topic");
    let output = scene.replay(&input, &flags).output();
    assert_eq!(ledger(&report(&output)), "20 = 20 delivered");
    assert_eq!(lines(), 0, "all of them were sent");
}

#[test]
fn rejects_are_kept_when_another_input_is_found_at_the_same_path() {
    let lines = |values: std::ops::Range<usize>, length: usize| -> String {
        let line = |n| format!("{{\"topic\":\"{TOPIC}\",\"value\":\"{n:0length$}\"}}\n");
        values.map(line).collect()
    };
    let scene = Scene::new();
    let rejects = scene.file("rejects.jsonl");
    let flags = ["--rejects", &rejects, "-X", "message.max.bytes=1000"];
    // Whether it is found in the middle of the source or at its end.
    for other in [lines(1..31, 10), lines(0..5, 10)] {
        // Ten that are too large.
        let all = lines(0..20, 10) + &lines(20..30, 2000);
        let input = scene.write("input.jsonl", &all);
        let run = scene.replay(&input, &flags).output();
        assert_eq!(run.code, 1, "{run:#?}");
        let before = fs::read_to_string(&rejects).expect("the rejects are text");
        assert_eq!(before.lines().count(), 10);
        scene.write("input.jsonl", &other);
        let said = refused(&scene.replay(&input, &flags).output());
        assert!(said.contains(" belongs to another input: "), "{said}");
        let after = fs::read_to_string(&rejects).expect("the rejects are text");
        assert_eq!(after, before);
        fs::remove_file(&rejects).expect("it is there");
        fs::remove_file(scene.journal()).expect("it is there");
    }
}

#[test]
fn a_journal_empties_only_its_own_rejects() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines("missing", 0..20));
    let (own, foreign) = (scene.file("own.jsonl"), scene.file("foreign.jsonl"));
    assert_eq!(scene.replay(&input, &["--rejects", &own]).output().code, 3);
    fs::copy(&own, &foreign).expect("the folder is writable");
    let journal = scene.file("journal");
    let said = refused(&scene.replay(&input, &["--rejects", &foreign]).output());
    let found = fs::canonicalize(&own)
        .expect("it is there")
        .display()
        .to_string();
    let expected = format!(
        "kreplay: the rejects of the journal {journal} are in {found}\n\
         hint: this run sends them again: name that file with `--rejects {found}`, or move it away first"
    );
    assert_eq!(said, expected);
    // Once moved away, they leave a journal that does not know the others.
    fs::rename(&own, scene.file("moved.jsonl")).expect("the folder is writable");
    let said = refused(&scene.replay(&input, &["--rejects", &foreign]).output());
    let expected = format!(
        "kreplay: the rejects file {foreign} already holds rejects that the journal {journal} does \
         not know\n\
         hint: send them with `kreplay replay {foreign}`, name another file, or remove it"
    );
    assert_eq!(said, expected);
    let lines = |file: &str| fs::read_to_string(file).map_or(0, |text| text.lines().count());
    assert_eq!(lines(&foreign), 20);
    // Without the flag they are mentioned; with it, whatever their name, they are sent again.
    fs::rename(scene.file("moved.jsonl"), &own).expect("the folder is writable");
    let run = scene.replay(&input, &[]).output();
    let said =
        format!("kreplay: {found} holds rejects of earlier runs; this run sends them again\n");
    assert!(run.stderr.contains(&said), "{}", run.stderr);
    assert_eq!((run.code, lines(&own)), (3, 20));
    scene.mock.create_topic("missing", 1, 1).expect("a topic");
    let link = scene.file("link.jsonl");
    std::os::unix::fs::symlink(&own, &link).expect("the folder is writable");
    let run = scene.replay(&input, &["--rejects", &link]).output();
    assert_eq!((run.code, lines(&own)), (0, 0), "{run:#?}");
}
