//! The kind of an input, which its content decides.

use std::fs;
use std::path::Path;

use super::{SHOP, fetch, folder, record_lines, rehearse, run, write};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, report};
use serde_json::Value;

#[test]
fn the_content_decides_what_an_input_is_whatever_the_command() {
    let records = record_lines();
    let count = records.iter().filter(|byte| **byte == b'\n').count();
    let csv = fs::read(fixture("guide.csv")).expect("the fixture is there");
    let delivered = |forced: &[&str], content: &[u8]| {
        let file = folder();
        let path = write(file.path(), "input", content).display().to_string();
        let of = |source: &str| {
            let args = [
                "replay",
                source,
                "-t",
                "t",
                "--rehearse",
                "--report",
                "json",
            ];
            Run::new([&args, forced].concat())
        };
        let outputs = [of(&path).output(), of("-").stdin(content).output()];
        outputs.map(|output| {
            let report = report(&output);
            let delivered = report["ledger"]["delivered"].as_u64();
            (
                output.code,
                report["source"]["kind"].clone(),
                delivered.expect("a count"),
            )
        })
    };
    for (content, kind) in [
        (&csv[..], "csv"),
        (SHOP.as_bytes(), "rrpairs"),
        (&records, "records"),
    ] {
        let [own, from_stdin] = delivered(&[], content);
        assert_eq!(own, from_stdin, "{kind}");
        for expected_text in delivered(&["--as", kind], content) {
            assert_eq!(expected_text, own, "`--as {kind}`");
        }
        assert_eq!((own.0, &own.1), (0, &Value::from(kind)));
        assert!(
            own.2 > 0 && (kind != "records" || own.2 == count as u64),
            "{own:?}"
        );
    }
}

#[test]
fn several_kinds_in_one_run_are_named_with_both_files() {
    let [csv, raw] = ["guide.csv", "demo.jsonl"].map(|name| fixture(name).display().to_string());
    for command in ["replay", "extract", "inspect"] {
        let sending: &[&str] = match command {
            "extract" | "inspect" => &[],
            _ => &["-t", "t", "--rehearse"],
        };
        let output = Run::new([&[command, &raw, &csv][..], sending].concat()).output();
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{command}: {output:?}"
        );
        let named = format!(
            "the inputs are of different kinds: {raw} is RRPairs, {csv} is a CSV of speedctl\n"
        );
        assert!(output.stderr.contains(&named), "{command}: {output:?}");
    }
    // The stream comes after the file, and nothing of it is sent.
    let csv = fs::read(csv).expect("the fixture is there");
    let output = run(&[Path::new(&raw), Path::new("-")], Some(&csv));
    let named = format!("{raw} is RRPairs, stdin is a CSV of speedctl");
    assert!(
        output.stderr.contains(&named) && output.code == 2,
        "{output:?}"
    );
}

#[test]
fn a_binary_file_is_named_and_its_bytes_are_never_printed() {
    let folder = folder();
    let elf = [
        b"\x7fELF\x02\x01\x01\0"[..].to_vec(),
        vec![0x1b; 400],
        b"\n\x9b\n".to_vec(),
    ]
    .concat();
    let path = write(folder.path(), "ls", elf).display().to_string();
    for command in ["replay", "extract", "inspect"] {
        let sending: &[&str] = match command {
            "extract" | "inspect" => &[],
            _ => &["-t", "t", "--rehearse"],
        };
        let output = Run::new([&[command, &path][..], sending].concat()).output();
        let named = format!("cannot read {path}: it is a program (ELF)\n");
        assert!(
            output.stderr.contains(&named) && output.code == 4,
            "{command}: {output:?}"
        );
        let printed = output.stdout + &output.stderr;
        let control = |c: char| c.is_control() && c != '\n';
        assert!(
            !printed.contains(control) && !printed.contains('\u{fffd}'),
            "{printed:?}"
        );
    }
}

/// Two Fetches of one topic, of which the second one is the later.
fn two_fetches() -> [String; 2] {
    let fetch = |second: u32, offset: u32| {
        format!(
            r#"{{"msgType":"rrpair","ts":"2026-01-05T09:00:0{second}Z","command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"baseOffset":"{offset}","records":[{{"valueString":"at {offset}"}}]}}}}]}}]}}}}}}}}"#
        )
    };
    [fetch(1, 7), fetch(2, 8)]
}

#[test]
fn files_named_by_ids_are_read_in_the_order_of_their_times() {
    let [early, late] = two_fetches();
    let folder = folder();
    // By their names the later one would come first.
    write(
        folder.path(),
        "0b9c2f6e-5d7a-4c55-8d5f-0f3d6a1b2c3d.json",
        &late,
    );
    write(
        folder.path(),
        "f1d2c3b4-0000-4c55-8d5f-0f3d6a1b2c3d.json",
        &early,
    );
    let args = ["extract".into(), folder.path().display().to_string()];
    let output = Run::new(args).output();
    let values: Vec<&str> = output
        .stdout
        .split("at ")
        .skip(1)
        .map(|rest| &rest[..1])
        .collect();
    assert_eq!((output.code, values), (0, vec!["7", "8"]), "{output:?}");
}

#[test]
fn a_file_of_a_folder_is_judged_by_more_than_its_first_bytes() {
    let folder = folder();
    let path = folder.path();
    let middle = format!("eString\":\"cut\"}}]}}}}\n{}\n", fetch("a"));
    write(path, "middle.jsonl", middle);
    write(
        path,
        "page.js",
        "\"use client\";\nexport const x = { \"kafka\": 1 }\n",
    );
    write(path, "README.md", "[![Build](x)](y)\n\n# Captures\n");
    let long = format!("{{\"data\":\"{}\",\"more\":[]}}\n", "x".repeat(100_000));
    write(path, "long.json", long);
    write(path, "settings.json", r#"{"kafka":{"brokers":["b:9092"]}}"#);
    write(path, "rows.csv", "ts,RRPair UUID\n1,2\n");
    let output = rehearse(&[path]);
    let report = report(&output);
    let counts = |name: &str| report["ledger"][name].clone();
    // The piece of a line counts as a damaged RRPair, the others do not.
    assert_eq!(
        (counts("delivered"), counts("unreadable")),
        (1.into(), 1.into()),
        "{output:?}"
    );
    assert_eq!(
        (output.code, &report["source"]["skipped_files"]),
        (1, &5.into())
    );
    let named = report["problems"][0]["first"]["input"]
        .as_str()
        .expect("a name");
    assert!(named.ends_with("middle.jsonl"), "{named}");
}

#[test]
fn custom_paths_read_any_json_of_a_folder() {
    let folder = folder();
    write(
        folder.path(),
        "1.json",
        r#"{"orders":[{"v":"a"},{"v":"b"}]}"#,
    );
    write(
        folder.path(),
        "2.json",
        "{\n \"orders\": [{\"v\": \"c\"}]\n}\n",
    );
    write(folder.path(), "README.md", "[![Build](x)](y)\n");
    let place = folder.path().display().to_string();
    let own = [
        "replay",
        &place,
        "--filter",
        "",
        "--value",
        "$.orders[*].v",
        "-t",
        "t",
    ];
    let output = Run::new(own.into_iter().chain(["--rehearse", "--report", "json"])).output();
    let report = report(&output);
    assert_eq!(
        (output.code, &report["ledger"]["delivered"]),
        (0, &3.into()),
        "{output:?}"
    );
    assert_eq!(report["source"]["skipped_files"], 1);
}
