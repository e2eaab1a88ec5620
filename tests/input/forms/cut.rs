//! Folders and files that hold nothing, other protocols, or damage.

use std::path::Path;

use super::{fetch, folder, gzip, markdown, pretty, rehearse, run, write, zstd};
use crate::harness::run::report;

#[test]
fn an_empty_folder_holds_nothing() {
    let folder = folder();
    let output = rehearse(&[folder.path()]);
    assert_eq!(output.code, 1);
    assert_eq!(report(&output)["source"]["rrpairs"], 0);
    let expected_text = format!(
        "kreplay: nothing was found: {} is empty\n",
        folder.path().display()
    );
    assert_eq!(output.stderr, expected_text);
}

#[test]
fn rrpairs_of_other_protocols_hold_no_records() {
    let folder = folder();
    let http = r#"{"msgType":"rrpair","command":"GET","l7protocol":"http","http":{"req":{}}}"#;
    let postgres =
        serde_json::json!({"msgType": "rrpair", "l7protocol": "postgres", "postgres": {}});
    write(
        folder.path(),
        "a/2025-10-09_14-43-01Z.json",
        pretty(&postgres),
    );
    write(folder.path(), "a/2025-10-09_14-43-02Z.md", markdown(http));
    let output = rehearse(&[folder.path()]);
    let report = report(&output);
    assert_eq!((output.code, &report["ledger"]["found"]), (1, &0.into()));
    let expected_text = format!(
        "kreplay: nothing was found: the filter passed none of 2 RRPairs of {}\n",
        folder.path().display()
    );
    assert!(
        output.stderr.starts_with(&expected_text),
        "{}",
        output.stderr
    );
    assert_eq!(report["source"]["rrpairs"], 2);
    assert_eq!(report["source"]["skipped_files"], 0);
}

#[test]
fn a_truncated_input_delivers_everything_before_the_cut() {
    let values: Vec<String> = (0..400).map(|i| fetch(&format!("{i:0>90}"))).collect();
    let lines = values.join("\n") + "\n";
    let array = format!("[{}]", values.join(","));
    let packed = gzip(lines.as_bytes());
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let cases: [(&str, Vec<u8>); 5] = [
        ("gzip", half(&packed)),
        ("zstd", half(&in_frames(&lines))),
        ("array", half(array.as_bytes())),
        (
            "pretty",
            half(pretty(&serde_json::from_str(&array).expect("JSON")).as_bytes()),
        ),
        (
            "gzip without its checksum",
            packed[..packed.len() - 4].to_vec(),
        ),
    ];
    for (name, content) in cases {
        let output = run(&[Path::new("-")], Some(&content));
        let report = report(&output);
        assert_eq!(output.code, 4, "{name}: {output:#?}");
        assert_eq!(report["source"]["complete"], false, "{name}");
        let error = report["errors"][0].as_str().expect("an error");
        assert!(error.contains("the input is cut off"), "{name}: {error}");
        let delivered = report["ledger"]["delivered"].as_u64().expect("a number");
        let least = if name == "gzip without its checksum" {
            400
        } else {
            50
        };
        assert!(delivered >= least, "{name}: {delivered}");
    }
}

/// zstd in many frames, so that a cut one leaves whole ones before it.
fn in_frames(lines: &str) -> Vec<u8> {
    let frames = lines.as_bytes().chunks(1000);
    frames.flat_map(zstd).collect()
}

#[test]
fn one_damaged_file_of_a_folder_does_not_stop_the_others() {
    let folder = folder();
    let path = folder.path();
    write(path, "2025-10-09_14-43-01Z.json", fetch("a"));
    let whole = fetch("b");
    write(path, "2025-10-09_14-43-02Z.json", &whole[..whole.len() - 5]);
    write(path, "2025-10-09_14-43-03Z.md", "### REQUEST ###\n```\n");
    write(path, "2025-10-09_14-43-04Z.json", fetch("c"));
    let output = rehearse(&[path]);
    let report = report(&output);
    assert_eq!(output.code, 4);
    assert_eq!(report["ledger"]["delivered"], 2);
    assert_eq!(report["ledger"]["unreadable"], 1);
    let error = report["errors"][0].as_str().expect("an error");
    assert!(error.contains("2025-10-09_14-43-02Z.json:1: "), "{error}");
    // The second reason is reported as well.
    assert!(
        output.stderr.contains("2025-10-09_14-43-03Z.md:2: "),
        "{}",
        output.stderr
    );
}

#[test]
fn a_damaged_element_is_named_with_its_line_and_ends_the_reading() {
    let text = format!(
        "[\n{},\n{{\"msgType\": oops x}},\n{}\n]\n",
        fetch("a"),
        fetch("b")
    );
    let output = run(&[Path::new("-")], Some(text.as_bytes()));
    let report = report(&output);
    assert_eq!(output.code, 4, "{output:#?}");
    assert_eq!(report["ledger"]["delivered"], 1);
    assert_eq!(report["source"]["complete"], false);
    assert_eq!(report["problems"][0]["count"], 1);
    assert_eq!(report["problems"][0]["first"]["line"], 3);
    let why = "kreplay cannot separate what follows the damage";
    assert!(output.stderr.contains(why), "{output:#?}");
}

#[test]
fn a_topic_id_is_resolved_from_a_later_file_of_any_form() {
    let folder = folder();
    let fixture = include_str!("../../../fixtures/topic-id.jsonl");
    for (i, line) in fixture.lines().enumerate() {
        let name = format!("2026-01-05_09-00-{i:0>2}Z.md");
        write(folder.path(), &name, markdown(line));
    }
    let output = rehearse(&[folder.path()]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(report(&output)["ledger"]["delivered"], 3);
}
