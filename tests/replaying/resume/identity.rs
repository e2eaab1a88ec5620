//! Another input, or another way to number its records, is found before anything of it is sent or skipped.

use super::{ANOTHER, Scene, TOPIC, refused};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::ledger;
use crate::harness::run::report;

/// What a run prints that finds other records than the journal was written for.
fn another_input(scene: &Scene, records: &str) -> String {
    let journal = scene.file("journal");
    format!(
        "kreplay: the journal {journal} belongs to another input: the first {records} differ\n{ANOTHER}"
    )
}

/// A record line, whose text may be too large for the producer.
fn line(id: u64, text: &str) -> String {
    format!(
        "{{\"topic\":\"{TOPIC}\",\"partition\":0,\"offset\":{id},\"value\":\"{{\\\"id\\\":{id},\\\"text\\\":\\\"{text}\\\"}}\"}}\n"
    )
}

const LIMITED: [&str; 4] = ["-X", "message.max.bytes=2000", "-X", "batch.size=1000"];

#[test]
fn changed_records_after_an_undelivered_one_are_found() {
    let scene = Scene::new();
    let large = line(0, &"x".repeat(3000));
    let capture =
        |text: &str| large.clone() + &(1..20_000).map(|id| line(id, text)).collect::<String>();
    let input = scene.write("input.jsonl", &capture("one"));
    let output = scene.replay(&input, &LIMITED).output();
    assert_eq!(report(&output)["ledger"]["delivered"], 19_999);
    let there = scene.there();
    scene.write("input.jsonl", &capture("two"));
    let said = refused(&scene.replay(&input, &LIMITED).output());
    assert_eq!(said, another_input(&scene, "20,000 records"));
    assert_eq!(scene.there(), there, "nothing was sent");
}

#[test]
fn one_changed_record_is_found_before_it_is_skipped_or_sent() {
    const ALL: u64 = 30_000;
    let scene = Scene::new();
    let capture = |other: Option<u64>| -> String {
        let text = |id| if other == Some(id) { "other" } else { "same" };
        (0..ALL).map(|id| line(id, text(id))).collect()
    };
    let input = scene.write("input.jsonl", &capture(None));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    for id in [0, 511, 12_345, ALL - 1] {
        scene.write("input.jsonl", &capture(Some(id)));
        let output = scene.replay(&input, &[]).output();
        assert_eq!(
            refused(&output),
            another_input(&scene, "30,000 records"),
            "{id}"
        );
    }
    scene.write("input.jsonl", &capture(None));
    let output = scene.replay(&input, &[]).output();
    assert_eq!(report(&output)["resume"]["skipped"], ALL);
    assert_eq!(scene.there(), ALL.cast_signed());
}

#[test]
fn a_changed_header_makes_another_record() {
    let scene = Scene::new();
    let line = |value: &str| {
        format!("{{\"topic\":\"{TOPIC}\",\"value\":\"v\",\"headers\":[[\"h\",{value}]]}}\n")
    };
    let input = scene.write("input.jsonl", &line("\"a\""));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    for value in ["\"b\"", "\"\"", "null"] {
        scene.write("input.jsonl", &line(value));
        let output = scene.replay(&input, &[]).output();
        let said = another_input(&scene, "record").replace("differ\n", "differs\n");
        assert_eq!(refused(&output), said, "{value}");
    }
    assert_eq!(scene.there(), 1);
}

#[test]
fn an_input_that_is_shorter_or_begins_later_is_another_input() {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..100));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    for numbers in [1..101, 0..99] {
        scene.write("input.jsonl", &numbered_lines(TOPIC, numbers));
        let said = refused(&scene.replay(&input, &[]).output());
        assert_eq!(said, another_input(&scene, "100 records"));
    }
    assert_eq!(scene.there(), 100, "nothing was sent");
}

#[test]
fn flags_that_change_record_numbers_are_part_of_the_journals_identity() {
    let scene = Scene::new();
    let unknown = line(0, "a").replace("}\n", ",\"outcome\":\"unknown\",\"reason\":\"r\"}\n");
    let input = scene.write("input.jsonl", &(unknown + &line(1, "b")));
    let output = scene.replay(&input, &[]).output();
    assert_eq!(ledger(&report(&output)), "2 = 1 filtered + 1 delivered");
    let journal = scene.file("journal");
    let said = refused(&scene.replay(&input, &["--send-unknown"]).output());
    let why = r#"belongs to another input (`unknown`): `"left_out"`, but this is `"sent"`"#;
    assert_eq!(
        said,
        format!("kreplay: the journal {journal} {why}\n{ANOTHER}")
    );
    assert_eq!(scene.there(), 1);
}

#[test]
fn a_changed_profile_does_not_resume() {
    let scene = Scene::new();
    let profile = crate::harness::run::kreplay(["profile", "fetch"]).stdout;
    let profile = |comment: &str| scene.write("profile.toml", &format!("{profile}\n# {comment}\n"));
    let file = profile("one");
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..10));
    assert_eq!(scene.replay(&input, &["--profile", &file]).output().code, 0);
    profile("two");
    let said = refused(&scene.replay(&input, &["--profile", &file]).output());
    let journal = scene.file("journal");
    let expected = format!(
        "kreplay: the journal {journal} belongs to another extraction (`profile`)\n{ANOTHER}"
    );
    assert_eq!(said, expected);
    assert_eq!(scene.there(), 10);
}

#[test]
fn the_detected_kind_is_part_of_the_journals_identity() {
    let scene = Scene::new();
    let pair = |id: u64| {
        format!(
            "{{\"msgType\":\"rrpair\",\"command\":\"Fetch\",\"kafka\":{{\"response\":{{\"FetchResponse\":{{\"topics\":[{{\"name\":\"{TOPIC}\",\"partitions\":[{{\"records\":{{\"baseOffset\":\"{id}\",\"records\":[{{\"valueString\":\"{id}\"}}]}}}}]}}]}}}}}}}}\n"
        )
    };
    let input = scene.write("input.jsonl", &(pair(0) + &pair(1)));
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    // Whether the user or the content says it makes no difference.
    let again = scene.replay(&input, &["--as", "rrpairs"]).output();
    assert_eq!(report(&again)["resume"]["skipped"], 2);
    let lines = |id: u64| format!("{{\"topic\":\"{TOPIC}\",\"value\":\"{id}\"}}\n");
    scene.write("input.jsonl", &(lines(0) + &lines(1)));
    let said = refused(&scene.replay(&input, &[]).output());
    let journal = scene.file("journal");
    let why = r#"belongs to another input (`kind`): `"rrpairs"`, but this is `"records"`"#;
    assert_eq!(
        said,
        format!("kreplay: the journal {journal} {why}\n{ANOTHER}")
    );
    assert_eq!(scene.there(), 2, "nothing was sent");
}
