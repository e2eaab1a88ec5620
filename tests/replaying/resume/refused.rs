//! Journals that a run does not continue.

use std::fs;

use super::{ANOTHER, Scene, TOPIC, refused};
use crate::harness::capture::numbered_lines;
use crate::harness::paths::fixture;
use crate::harness::run::kreplay;

#[test]
fn a_journal_of_something_else_is_refused() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..100));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let other = scene.write("other.jsonl", &numbered_lines(TOPIC, 0..200));
    let journal = scene.file("journal");
    let cases: [(&str, &[&str], String); 3] = [
        (
            &other,
            &[],
            format!(
                r#"belongs to another input (`inputs`): `["{input}"]`, but this is `["{other}"]`"#
            ),
        ),
        (
            &input,
            &["-t", "elsewhere"],
            r#"belongs to another destination (`map`): `[]`, but this is `not there`"#.into(),
        ),
        (
            &input,
            &["--with-aborted"],
            r#"belongs to another extraction (`aborted`): `"left_out"`, but this is `"kept"`"#
                .into(),
        ),
    ];
    scene.mock.create_topic("elsewhere", 1, 1).expect("a topic");
    for (input, flags, why) in cases {
        let said = refused(&scene.replay(input, flags).output());
        assert_eq!(
            said,
            format!("kreplay: the journal {journal} {why}\n{ANOTHER}")
        );
    }
    assert_eq!(scene.there(), 100, "nothing was sent");
}

#[test]
fn a_journal_of_another_cluster_is_refused() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..10));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let elsewhere = Scene::new();
    fs::copy(scene.journal(), elsewhere.journal()).expect("the journal can be copied");
    let said = refused(&elsewhere.replay(&input, &[]).output());
    assert!(said.contains(" belongs to another cluster: `"), "{said}");
    assert_eq!(elsewhere.there(), 0);
}

#[test]
fn two_runs_cannot_share_a_journal() {
    let scene = Scene::new();
    let mut run = scene.replay("-", &[]).stdin_open().spawn();
    run.write_stdin(numbered_lines(TOPIC, 0..10).as_bytes());
    run.wait_until("its records are there", |_| scene.there() == 10);
    let output = scene.replay("-", &[]).output();
    let expected = format!(
        "kreplay: the journal {}: another run is using it\n",
        scene.file("journal")
    );
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (2, expected.as_str())
    );
    assert_eq!(run.wait().code, 0);
}

#[test]
fn a_journal_that_cannot_be_created_is_an_error_before_anything_is_sent() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..10));
    let folder = scene.file("no/such/folder");
    let args = [
        "replay",
        &input,
        "-b",
        &scene.mock.bootstrap_servers(),
        "--resume",
        &folder,
    ];
    let output = kreplay(args);
    assert_eq!(output.code, 2, "{output:#?}");
    let expected = format!("kreplay: the journal {folder}: no such file or directory\n");
    assert_eq!(output.stderr, expected);
    assert_eq!(scene.there(), 0);
}

#[test]
fn a_rehearsal_cannot_be_resumed() {
    let demo = fixture("demo.jsonl").display().to_string();
    let output = kreplay(["replay", &demo, "--rehearse", "--resume", "journal"]);
    assert_eq!(output.code, 2, "{output:#?}");
    let said = "the argument '--rehearse' cannot be used with '--resume <FILE>'";
    assert!(output.stderr.contains(said), "{}", output.stderr);
}
