//! Record lines as an input: those of `extract`, of kcat and of other tools, and damaged ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::{REHEARSE, args, json_lines, rehearse_lines};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay, report};
use serde_json::{Value, json};

#[test]
fn what_extract_prints_replays_as_the_capture_itself() {
    for (name, control) in [("demo.jsonl", 0), ("shop.jsonl", 2), ("topic-id.jsonl", 0)] {
        let raw = report(&kreplay(args("replay", &[&fixture(name)], &REHEARSE)));
        let lines = kreplay(args("extract", &[&fixture(name)], &["-q"])).stdout;
        let count = lines.lines().count();
        let replayed = report(&rehearse_lines(lines));
        let mut ledger = raw["ledger"].clone();
        // Markers are not records and have no lines.
        assert_eq!(ledger["control"], control, "{name}");
        ledger["control"] = 0.into();
        ledger["found"] = count.into();
        assert_eq!(replayed["ledger"], ledger, "{name}");
        assert_eq!(replayed["topics"], raw["topics"], "{name}");
        assert_eq!(replayed["placement"], raw["placement"], "{name}");
        assert_eq!(replayed["source"]["lines"], count, "{name}");
        assert_eq!(replayed["source"]["kind"], "records", "{name}");
    }
}

#[test]
fn a_topic_that_is_known_only_by_id_survives_the_round_trip() {
    let lines = kreplay(args(
        "extract",
        &[&fixture("topic-id-unknown.jsonl")],
        &["-q"],
    ))
    .stdout;
    let last = json_lines(&lines).pop().expect("there are lines");
    assert_eq!(last["topic_id"], "4jfhP0BF2SmV6Nl7qrdn9Q");
    assert_eq!(last.get("topic"), None);
    let flags = [
        &REHEARSE[..],
        &["--topic-id", "4jfhP0BF2SmV6Nl7qrdn9Q=found"],
    ]
    .concat();
    let run = Run::new(args("replay", &[Path::new("-")], &flags)).stdin(lines);
    let report = report(&run.output());
    assert_eq!(report["topics"][1]["topic"], "found");
    assert_eq!(report["ledger"]["delivered"], 3);
}

#[test]
fn lines_of_kcat_are_replayed_whatever_bytes_they_hold() {
    let run = kreplay(args("replay", &[&fixture("kcat.jsonl")], &REHEARSE));
    let printed = report(&run);
    assert_eq!(printed["ledger"]["delivered"], 10, "{}", run.stderr);
    assert_eq!(
        (printed["source"]["lines"].clone(), run.code),
        (10.into(), 0)
    );

    let odd = b"\xef\xbb\xbf{\"topic\":\"t\",\"payload\":null}\r\n\r\n{\"topic\":\"t\",\"payload\":\"\xfe\"}";
    let run = rehearse_lines(*odd);
    let printed = report(&run);
    assert_eq!(printed["ledger"]["delivered"], 2, "{}", run.stderr);
    assert_eq!(
        (printed["source"]["lines"].clone(), run.code),
        (2.into(), 0)
    );
}

#[test]
fn a_bad_line_is_named_and_does_not_stop_the_rest() {
    let run = rehearse_lines(
        "{\"topic\":\"t\",\"value\":\"a\"}\n\
         {\"topic\":\"t\",\"value\":\"a\",\"value_base64\":\"YQ==\"}\n\
         \n\
         {\"topic\":\"t\",\"value\":null\n\
         {\"topic\":\"t\",\"value\":\"b\",\"reason\":{\"what\":\"unknown\"},\"unknown\":true}\n",
    );
    let report = report(&run);
    let problem = json!({
        "what": "unreadable",
        "count": 2,
        "first": {
            "input": "stdin",
            "line": 2,
            "why": "`value_base64`: the line has a second value at column 47",
        },
    });
    assert_eq!(report["problems"], json!([problem]));
    assert_eq!(report["ledger"]["delivered"], 2);
    assert_eq!(report["ledger"]["unreadable"], 2);
    assert_eq!(
        (report["source"]["complete"].clone(), run.code),
        (true.into(), 1)
    );
}

#[test]
fn the_text_report_counts_lines_and_no_rrpairs() {
    let args = args("replay", &[Path::new("-")], &["--rehearse", "-q"]);
    let run = Run::new(args)
        .stdin("{\"topic\":\"t\",\"value\":\"a\"}\n")
        .output();
    assert!(
        run.stdout
            .contains("\nread       records stdin: 26 B, 1 line\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn an_input_that_is_cut_off_or_missing_does_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let (cut, whole) = (folder.path().join("cut"), folder.path().join("whole"));
    let missing = folder.path().join("missing");
    fs::write(
        &cut,
        "{\"topic\":\"t\",\"value\":\"a\"}\n{\"topic\":\"t\",\"val",
    )
    .expect("writable");
    fs::write(&whole, "{\"topic\":\"t\",\"value\":\"a\"}").expect("writable");
    for (damaged, why) in [
        (&cut, "the JSON is cut off after 17 bytes"),
        (&missing, "no such file"),
    ] {
        let run = kreplay(args("replay", &[damaged, &whole], &REHEARSE));
        let report = report(&run);
        assert!(run.stderr.contains(why), "{}", run.stderr);
        assert_eq!(report["source"]["complete"], false);
        let delivered = if damaged == &cut { 2 } else { 1 };
        assert_eq!(
            (report["ledger"]["delivered"].clone(), run.code),
            (delivered.into(), 4)
        );
    }
}

/// An input of each kind, whole and cut off.
fn whole_and_cut() -> [(&'static str, String, String); 3] {
    let line = "{\"topic\":\"t\",\"value\":\"a\"}\n";
    let header = "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
    let rrpair = fs::read_to_string(fixture("demo.jsonl")).expect("it can be read");
    [
        (
            "records",
            line.to_string(),
            format!("{line}{{\"topic\":\"t\",\"val"),
        ),
        (
            "csv",
            format!("{header},RRPair UUID\na,u1\n"),
            format!("{header},RRPair UUID\nb,u2\n\"c"),
        ),
        (
            "rrpairs",
            rrpair.clone(),
            rrpair[..rrpair.len() - 9].to_string(),
        ),
    ]
}

#[test]
fn every_input_that_cannot_be_read_is_named_whatever_the_kind_of_the_others() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("the folder is writable");
        path
    };
    for (kind, whole, cut) in whole_and_cut() {
        // The RRPairs of the cut file are in the whole one as well.
        let copies: &[&str] = if kind == "rrpairs" {
            &["--keep-duplicates"]
        } else {
            &[]
        };
        let files = [
            folder.path().join("no-such-file"),
            file(&format!("cut-{kind}"), &cut),
            folder.path().join("nor-this-one"),
            file(&format!("whole-{kind}"), &whole),
        ];
        let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
        let alone = kreplay(args("extract", &files[3..], &[&["-q"], copies].concat()));
        assert_eq!(alone.code, 0, "{alone:#?}");
        let last = alone
            .stdout
            .lines()
            .last()
            .expect("a whole input has a record");
        // Also with `-q`, which hides notes and no errors.
        for flags in [&["-q"][..], &[]] {
            let run = kreplay(args("extract", &files, &[flags, copies].concat()));
            assert_eq!(run.code, 4, "{kind} {run:#?}");
            for file in &files[..3] {
                let named = |line: &&str| {
                    line.starts_with("kreplay: ") && line.contains(&*file.to_string_lossy())
                };
                assert_eq!(
                    run.stderr.lines().filter(named).count(),
                    1,
                    "{kind} {run:#?}"
                );
            }
            assert_eq!(run.stdout.lines().last(), Some(last), "{kind} {run:#?}");
        }
    }
}

/// What `jq .` makes of the lines that `extract` prints.
#[test]
fn indented_record_lines_and_a_list_of_them_are_the_same_records() {
    let lines = kreplay(args("extract", &[&fixture("shop.jsonl")], &["-q"])).stdout;
    let values = json_lines(&lines);
    let pretty = |value: &Value| serde_json::to_string_pretty(value).expect("it is JSON") + "\n";
    let indented: String = values.iter().map(pretty).collect();
    let list = pretty(&Value::Array(values.clone()));
    let flat = Value::Array(values.clone()).to_string();
    let expected = report(&rehearse_lines(lines));
    for text in [indented, list, flat] {
        let replayed = report(&rehearse_lines(text));
        for member in ["ledger", "topics", "placement"] {
            assert_eq!(replayed[member], expected[member], "{member}");
        }
        assert_eq!(replayed["source"]["lines"], values.len());
    }
}

#[test]
fn a_list_that_is_cut_off_gives_its_whole_records_and_says_so() {
    let output = rehearse_lines("[{\"topic\":\"t\",\"value\":\"a\"},{\"topic\":\"t\",\"val");
    assert_eq!(output.code, 4, "{output:#?}");
    let report = report(&output);
    assert_eq!(report["ledger"]["delivered"], 1);
    assert_eq!(report["source"]["complete"], false);
}

#[test]
fn records_of_other_tools_are_replayed_and_the_fields_they_omit_are_named() {
    let event = r#"{"eventSource":"aws:kafka","records":{"o-0":[{"topic":"o","partition":0,"offset":1,"key":null,"value":"aGVsbG8="},{"topic":"o","partition":0,"offset":2,"value":"aGVsbG8="}]}}"#;
    let rpk = "{\n  \"topic\": \"o\",\n  \"value\": \"v\",\n  \"headers\": [\n    {\n      \"key\": \"h\",\n      \"value\": \"x\"\n    }\n  ],\n  \"timestamp\": 1,\n  \"partition\": 0,\n  \"offset\": 3\n}\n{\n  \"topic\": \"o\",\n  \"key\": \"k\",\n  \"timestamp\": 1,\n  \"partition\": 0,\n  \"offset\": 4\n}\n";
    let decoded =
        r#"{"topic":{"name":"o"},"partition":0,"offset":3,"valueSchemaId":7,"value":"{}"}"#;
    for (text, delivered, unreadable) in [
        (event.to_string(), 2, 0),
        (rpk.to_string(), 2, 0),
        (format!("[{decoded},{event}]"), 2, 1),
    ] {
        let output = rehearse_lines(text);
        let report = report(&output);
        assert_eq!(report["ledger"]["delivered"], delivered, "{report:#}");
        assert_eq!(report["ledger"]["unreadable"], unreadable);
        assert_eq!(report["ledger"]["found"], delivered + unreadable);
        assert_eq!(output.code, i32::from(unreadable > 0));
        if unreadable > 0 {
            let why = report["problems"][0]["first"]["why"]
                .as_str()
                .expect("a text");
            assert!(
                why.starts_with("a record of AKHQ: it has decoded the record"),
                "{why}"
            );
        }
    }
}

#[test]
fn status_lines_of_kcat_are_skipped_and_counted() {
    let lines = "% Auto-selecting Consumer mode (use -P or -C to override)\n{\"topic\":\"o\",\"partition\":0,\"offset\":0,\"tstype\":\"create\",\"ts\":1,\"broker\":1,\"key\":null,\"payload\":\"v\"}\n% Reached end of topic o [0] at offset 1\n";
    let output = rehearse_lines(lines);
    let report = report(&output);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(report["source"]["lines"], 1);
    assert_eq!(report["source"]["skipped_lines"], 2);
    assert_eq!(report["ledger"]["found"], 1);
    let arguments = args("replay", &[Path::new("-")], &["--rehearse"]);
    let text = Run::new(arguments).stdin(lines).output().stdout;
    assert!(
        text.contains("\nskipped    2 lines of kcat's own (`% ...`)\n"),
        "{text}"
    );
}
