//! Every form in which RRPairs occur delivers what their JSON lines deliver: recognised by content, from
//! files, folders and stdin, compressed or not; and damage is named wherever it is.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, report};

/// RRPairs of the fixture; 49 records and 2 control batches in 21 Fetches.
const SHOP: &str = include_str!("../../fixtures/shop.jsonl");

fn rehearse(paths: &[&Path]) -> RunOutput {
    run(paths, None)
}

fn run(paths: &[&Path], stdin: Option<&[u8]>) -> RunOutput {
    let mut args: Vec<PathBuf> = vec!["replay".into()];
    args.extend(paths.iter().map(|path| path.to_path_buf()));
    args.extend(["--rehearse", "--keep-duplicates", "--report", "json"].map(PathBuf::from));
    let run = Run::new(args);
    match stdin {
        Some(bytes) => run.stdin(bytes).output(),
        None => run.output(),
    }
}

/// What must be the same whatever the form.
fn essence(output: &RunOutput) -> Value {
    let report = report(output);
    serde_json::json!({
        "code": output.code,
        "ledger": report["ledger"],
        "topics": report["topics"],
        "placement": report["placement"],
        "rrpairs": report["source"]["rrpairs"],
        "fetches": report["source"]["fetches"],
        "empty_fetches": report["source"]["empty_fetches"],
        "complete": report["source"]["complete"],
        "problems": report["problems"],
    })
}

/// What the fixture's JSON lines give.
fn of_lines() -> Value {
    let essence = essence(&run(&[Path::new("-")], Some(SHOP.as_bytes())));
    assert_eq!(essence["ledger"]["delivered"], 49);
    assert_eq!(essence["code"], 0);
    essence
}

fn rrpairs() -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("the fixture is JSON lines");
    SHOP.lines().map(parse).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).expect("a value can be written")
}

/// As proxymock writes it; `tests/input/markdown.rs` is about what the sections say.
fn markdown(line: &str) -> String {
    format!(
        "### REQUEST ###\n```\n```\n\n### RESPONSE ###\n```\n```\n\n### METADATA ###\n```\n\
         direction: OUT\n```\n\n### INTERNAL - DO NOT MODIFY ###\n```\njson: {line}\n```\n"
    )
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("a Vec can be written to");
    encoder.finish().expect("a Vec can be written to")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("a slice can be packed")
}

/// The text in two packed halves, as `cat a.gz b.gz` gives them.
fn in_halves(pack: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (first, second) = SHOP.as_bytes().split_at(SHOP.len() / 2);
    [pack(first), pack(second)].concat()
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    let parent = path.parent().expect("a file has a folder");
    fs::create_dir_all(parent).expect("a temporary folder is writable");
    fs::write(&path, content).expect("a temporary folder is writable");
    path
}

/// One RRPair per file, spread over hosts; only the times in the names give the order of the lines.
fn spread(folder: &Path, write_one: impl Fn(&str) -> (String, &'static str)) {
    for (i, line) in SHOP.lines().enumerate() {
        let (content, ending) = write_one(line);
        let name = format!("host-{}/2026-01-05_09-00-00.{i:09}Z.{ending}", i % 3);
        write(folder, &name, content);
    }
}

fn reformatted(line: &str) -> String {
    pretty(&serde_json::from_str(line).expect("the fixture is JSON lines"))
}

#[test]
fn one_file_of_any_form_delivers_what_its_json_lines_do() {
    let expected = of_lines();
    let values = rrpairs();
    let all = |pretty: fn(&Value) -> String| values.iter().map(pretty).collect::<Vec<_>>();
    let one_by_one = all(pretty).join("\n") + "\n";
    let documents: String = SHOP.lines().map(markdown).collect();
    let array = pretty(&Value::from(values.clone()));
    let forms: [(&str, Vec<u8>); 12] = [
        ("array", array.clone().into_bytes()),
        (
            "array in one line",
            Value::from(values.clone()).to_string().into(),
        ),
        (
            "array, an element a line",
            format!("[\n{}\n]\n", all(Value::to_string).join(",\n")).into(),
        ),
        ("pretty values", one_by_one.into_bytes()),
        ("values in one line", all(Value::to_string).concat().into()),
        ("markdown", documents.into()),
        ("gzip", gzip(SHOP.as_bytes())),
        ("gzip of two members", in_halves(gzip)),
        ("zstd", zstd(SHOP.as_bytes())),
        ("zstd of two frames", in_halves(zstd)),
        (
            "zstd behind a skippable frame",
            [b"\x50\x2a\x4d\x18\x02\0\0\0ab", &zstd(SHOP.as_bytes())[..]].concat(),
        ),
        ("gzip of an array", gzip(array.as_bytes())),
    ];
    let folder = folder();
    for (name, content) in forms {
        // Its ending shows nothing: all have the same.
        let path = write(folder.path(), "capture.txt", &content);
        assert_eq!(
            essence(&rehearse(&[&path])),
            expected,
            "{name}, from a file"
        );
        let output = run(&[Path::new("-")], Some(&content));
        assert_eq!(essence(&output), expected, "{name}, from stdin");
        let size = report(&rehearse(&[&path]))["source"]["bytes"].clone();
        assert_eq!(
            size,
            content.len(),
            "{name}: the bytes on the disk are counted"
        );
    }
}

#[test]
fn folders_deliver_what_the_json_lines_do() {
    let expected = of_lines();
    type Form = fn(&str) -> (String, &'static str);
    let forms: [(&str, Form); 3] = [
        ("one line", |line| (line.into(), "json")),
        ("pretty", |line| (reformatted(line), "json")),
        ("markdown", |line| (markdown(line), "md")),
    ];
    for (name, form) in forms {
        let folder = folder();
        spread(folder.path(), form);
        let output = rehearse(&[folder.path()]);
        assert_eq!(essence(&output), expected, "{name}");
        let inputs = report(&output)["source"]["inputs"].clone();
        assert_eq!(inputs, serde_json::json!([folder.path()]), "{name}");
    }
}

/// A Fetch of one record with this value.
fn fetch(value: &str) -> String {
    format!(
        r#"{{"msgType":"rrpair","command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"records":[{{"valueString":"{value}"}}]}}}}]}}]}}}}}}}}"#
    )
}

/// What is unreadable is named in the order of reading, which is how a test can see the order.
#[test]
fn a_folder_is_read_in_the_order_of_the_times_in_names() {
    let folder = folder();
    let bad = r#"{"msgType":"rrpair","command":}"#;
    let early = write(folder.path(), "z/2025-10-09_14-43-01.25Z.json", bad);
    write(folder.path(), "a/2025-10-09_14-43-01.3Z.json", bad);
    write(folder.path(), "b/2025-10-10_00-00-00Z.md", markdown(bad));
    let first_of = |paths: &[&Path]| {
        let report = report(&rehearse(paths));
        assert_eq!(
            report["problems"][0]["count"],
            report["ledger"]["unreadable"]
        );
        PathBuf::from(
            report["problems"][0]["first"]["input"]
                .as_str()
                .expect("a name"),
        )
    };
    assert_eq!(first_of(&[folder.path()]), early);
    // Without a time a file comes first; arguments come in the order given.
    let timeless = write(folder.path(), "z/raw.jsonl", format!("{bad}\n"));
    assert_eq!(first_of(&[folder.path()]), timeless);
    assert_eq!(first_of(&[&early, folder.path()]), early);
}

#[test]
fn no_more_than_one_file_is_open_at_a_time() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let lines = SHOP.lines().cycle().take(200).enumerate();
    for (number, line) in lines {
        write(folder.path(), &format!("{number:03}.json"), line);
    }
    // Fewer descriptors than files, by far.
    let shell = "ulimit -n 64; exec \"$0\" extract --keep-duplicates \"$1\"";
    let folder = folder.path().display().to_string();
    let output = Run::program("sh", ["-c", shell, env!("CARGO_BIN_EXE_kreplay"), &folder]).output();
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("200 RRPairs"), "{output:?}");
}

#[test]
fn files_of_a_folder_without_rrpairs_are_skipped_counted_and_named() {
    let folder = folder();
    let path = folder.path();
    write(path, "raw.jsonl", fetch("a") + "\n" + &fetch("b") + "\n");
    write(path, "README.txt", "Captured on a Tuesday.\n");
    write(path, "notes.md", "### Notes\n\nnone\n");
    write(path, "5b6c.json", r#"{"id": "5b6c", "name": "shop"}"#);
    write(path, "picture.png", b"\x89PNG\r\n\x1a\n\0\0");
    write(path, "empty.json", "");
    write(path, ".hidden.json", "{ damaged");
    write(path, ".git/config.json", "{ damaged");
    symlink(path.join("nowhere"), path.join("dangling.json")).expect("links can be made");
    symlink(path, path.join("loop")).expect("links can be made");
    symlink(path.join("raw.jsonl"), path.join("again.jsonl")).expect("links can be made");

    let output = rehearse(&[path]);
    let report = report(&output);
    assert_eq!(
        (output.code, &report["ledger"]["delivered"]),
        (0, &2.into())
    );
    assert_eq!(report["source"]["skipped_files"], 6);
    assert_eq!(report["source"]["rrpairs"], 2);
    assert_eq!(report["problems"], serde_json::json!([]));

    let args = ["replay", "--rehearse", "--keep-duplicates", "-v"].map(PathBuf::from);
    let output = Run::new(args.into_iter().chain([path.to_path_buf()])).output();
    let skipped = "skipped    6 files without RRPairs (-v names them)\n";
    assert!(output.stdout.contains(skipped), "{}", output.stdout);
    let named = format!(
        "skipping {}: it is JSON without the members of an RRPair\n",
        path.join("5b6c.json").display()
    );
    assert!(output.stderr.contains(&named), "{}", output.stderr);
}

#[test]
fn a_file_named_on_the_command_line_is_not_skipped() {
    let folder = folder();
    let path = write(folder.path(), "README.txt", "Captured on a Tuesday.\n");
    let output = rehearse(&[&path]);
    assert_eq!(output.code, 1);
    let holds_none = format!(
        "{} holds no RRPairs or record lines: it is other text",
        path.display()
    );
    assert_eq!(report(&output)["errors"], serde_json::json!([holds_none]));
    assert_eq!(rehearse(&[&folder.path().join("none")]).code, 4);
}

/// What `kreplay extract` prints of the guide's records, a fixture made by hand.
fn record_lines() -> Vec<u8> {
    fs::read(fixture("shop.expected.jsonl")).expect("the fixture is there")
}

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

/// Inputs about which one line on stderr says everything, with nothing on stdout.
fn assert_one_line(output: &RunOutput, code: i32, line: &str) {
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (code, ""),
        "{output:?}"
    );
    let lines: Vec<&str> = output.stderr.lines().collect();
    let hints = lines.iter().filter(|line| line.starts_with("hint: "));
    assert_eq!(lines.len() - hints.count(), 1, "{output:?}");
    assert_eq!(lines[0], format!("kreplay: {line}"));
}

#[test]
fn a_source_without_records_is_refused_in_one_line_unless_allowed() {
    let folder = folder();
    let none = folder.path().join("captures");
    write(&none, "README.txt", "Captured on a Tuesday.\n");
    let empty = write(folder.path(), "empty", "");
    let guide = fs::read_to_string(fixture("guide.csv")).expect("the fixture is text");
    let header = guide.split_inclusive('\n').next().expect("it has a header");
    let header = write(folder.path(), "header.csv", header);
    let [none, empty, header] = [none, empty, header].map(|path| path.display().to_string());
    let cases = [
        (
            &none,
            format!("nothing was found: {none} holds no RRPair: 1 file skipped"),
        ),
        (&empty, format!("nothing was found: {empty} is empty")),
        (
            &header,
            format!("nothing was found: {header} has no row but the header"),
        ),
        (&"-".to_string(), "nothing was found: stdin is empty".into()),
    ];
    for (source, line) in &cases {
        for command in ["replay", "extract", "inspect"] {
            let sending: &[&str] = if command == "replay" {
                &["--rehearse", "-t", "t"]
            } else {
                &[]
            };
            let args = [&[command, source][..], sending].concat();
            assert_one_line(&Run::new(&args).output(), 1, line);
            let output = Run::new([&args[..], &["--allow-empty"]].concat()).output();
            assert_eq!(output.code, 0, "{command} {source}: {output:?}");
            assert!(!output.stderr.contains("nothing was found"), "{output:?}");
        }
    }
}

#[test]
fn a_filter_that_passes_nothing_is_a_failure_unless_it_is_allowed() {
    let http = fixture("http.jsonl").display().to_string();
    for command in ["replay", "extract", "inspect"] {
        let sending: &[&str] = if command == "replay" {
            &["--rehearse", "-t", "t"]
        } else {
            &[]
        };
        let args = [
            &[command, &http, "--filter", r#"(command IS "Fetch")"#][..],
            sending,
        ]
        .concat();
        let output = Run::new(&args).output();
        let expected_text = format!("RRPairs of {http}\n");
        let line = output
            .stderr
            .lines()
            .find(|line| line.contains("the filter passed none of "));
        assert!(output.code == 1 && line.is_some(), "{command}: {output:?}");
        assert!(
            output.stderr.contains(&expected_text),
            "{command}: {output:?}"
        );
        let output = Run::new([&args[..], &["--allow-empty"]].concat()).output();
        assert_eq!(output.code, 0, "{command}: {output:?}");
        // Filtered records are found, and yet none is left.
        let shop = fixture("shop.jsonl").display().to_string();
        let args = [
            &[command, &shop, "--filter", r#"(command IS "Nothing")"#][..],
            sending,
        ]
        .concat();
        let output = Run::new(&args).output();
        let expected_text =
            format!("kreplay: nothing was found: the filter passed none of 34 RRPairs of {shop}\n");
        assert_eq!(output.code, 1, "{command}: {output:?}");
        assert!(
            output.stderr.contains(&expected_text),
            "{command}: {output:?}"
        );
    }
}

#[test]
fn bare_values_get_a_hint_at_the_right_kcat_command() {
    for values in ["one\ntwo\n", "{\"id\":1}\n{\"id\":2}\n", "3\n4\n"] {
        let args = ["replay", "-", "-t", "t", "--rehearse"];
        let output = Run::new(args).stdin(values).output();
        let what = if values.starts_with('{') {
            "JSON"
        } else {
            "text"
        };
        let line = format!("stdin holds no RRPairs or record lines: it is other {what}");
        assert_one_line(&output, 1, &line);
        assert!(
            output
                .stderr
                .contains("hint: `kcat -C -J` prints record lines"),
            "{output:?}"
        );
    }
}

#[test]
fn an_input_that_cannot_be_opened_is_reported_in_one_line() {
    let folder = folder();
    let missing = folder.path().join("missing").display().to_string();
    let other = write(folder.path(), "other.json", r#"{"id":1}"#)
        .display()
        .to_string();
    for command in ["replay", "extract", "inspect"] {
        let sending: &[&str] = if command == "replay" {
            &["--rehearse", "-t", "t"]
        } else {
            &[]
        };
        let run = |source: &str| Run::new([&[command, source][..], sending].concat()).output();
        let line = format!("cannot read {missing}: no such file or directory");
        assert_one_line(&run(&missing), 4, &line);
        let line = format!("{other} holds no RRPairs or record lines: it is other JSON");
        assert_one_line(&run(&other), 1, &line);
    }
}

/// Characters that control a terminal, or that reverse the order of a text.
fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
}

#[test]
fn control_characters_are_escaped_for_people_and_kept_for_programs() {
    const EVIL: &str = "\\u001b]0;x\\u0007\\u202eb\\nfound 99\\u009b2J";
    let evil: Value = serde_json::from_str(&format!("\"{EVIL}\"")).expect("JSON");
    let evil = evil.as_str().expect("a string");
    let folder = folder();
    let name = "e\u{1b}[31m\u{202e}\nvil.jsonl";
    let line = format!(
        r#"{{"msgType":"rrpair","command":"Fetch","network_address":"{EVIL}:9092","kafka":{{"clientId":"{EVIL}","request":{{"JoinGroupRequest":{{"groupId":"{EVIL}"}}}},"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"records":[{{"valueString":"v","{EVIL}":1}}]}}}}]}},{{"name":"{EVIL}","partitions":[{{"records":{{"records":[{{"valueString":"v"}}]}}}}]}}]}}}}}}}}"#
    );
    let other = format!(r#"{{"msgType":"rrpair","command":"{EVIL}","l7protocol":"x"}}"#);
    let path = write(folder.path(), name, format!("{line}\n{other}\n{{bad}}\n"));
    let path = path.display().to_string();
    let commands: [&[&str]; 6] = [
        &["replay", &path, "--rehearse"],
        &["replay", &path, "--rehearse", "-v", "--report", "none"],
        &["inspect", &path],
        &["inspect", &path, "--paths"],
        &["extract", &path, "-v"],
        &[
            "replay",
            &path,
            "/no\u{1b}/where\n",
            "--rehearse",
            "--value",
            "$.\u{1b}[31m",
        ],
    ];
    for command in commands {
        let output = Run::new(command).output();
        let shown = match command[0] {
            "extract" => output.stderr.clone(),
            _ => output.stdout.clone() + &output.stderr,
        };
        assert!(
            !shown.is_empty() && !shown.contains(obeyed),
            "{command:?}: {shown:?}"
        );
        assert!(
            !shown.lines().any(|line| line.starts_with("found 99")),
            "{command:?}: {shown}"
        );
    }
    // Programs get every character.
    let output = Run::new(["inspect", &path, "--report", "json"]).output();
    let seen: Value = serde_json::from_str(&output.stdout).expect("a report");
    assert_eq!(seen["source"]["inputs"][0], path.as_str());
    assert!(
        seen["commands"]
            .to_string()
            .contains(&Value::from(evil).to_string()),
        "{seen}"
    );
}

#[test]
fn utf_16_as_powershell_writes_it_is_read() {
    let expected = of_lines();
    let crlf = SHOP.replace('\n', "\r\n");
    let units: Vec<u16> = "\u{feff}"
        .encode_utf16()
        .chain(crlf.encode_utf16())
        .collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for (name, content) in [
        ("little", little.clone()),
        ("big", big),
        ("without a mark", little[2..].to_vec()),
        ("packed", gzip(&little)),
    ] {
        let output = run(&[Path::new("-")], Some(&content));
        assert_eq!(essence(&output), expected, "{name}");
    }
    let records = String::from_utf8(record_lines()).expect("UTF-8");
    let units = "\u{feff}".encode_utf16().chain(records.encode_utf16());
    let content: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let args = ["replay", "-", "-t", "t", "--rehearse", "--report", "json"];
    let output = Run::new(args).stdin(content).output();
    let delivered = records.lines().count();
    assert_eq!(
        report(&output)["ledger"]["delivered"],
        delivered,
        "{output:?}"
    );
    // A text that ends in the middle of a character is damaged.
    let output = run(&[Path::new("-")], Some(&little[..little.len() - 1]));
    assert_eq!(output.code, 4);
    assert!(
        output
            .stderr
            .contains("the UTF-16 text ends in the middle of a character"),
        "{output:?}"
    );
}

/// Inputs that kreplay does not unpack: a name, the content, what it is and what unpacks it.
fn packed_otherwise() -> [(&'static str, Vec<u8>, &'static str, &'static str); 7] {
    let twice = gzip(&gzip(SHOP.as_bytes()));
    let zstd_inside = gzip(&zstd(SHOP.as_bytes()));
    let (xz, bzip2) = (b"\xfd7zXZ\0\0\x04\xe6\xd6", b"BZh91AY&SY\x01\x02\xff");
    let (zip, lz4) = (
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"\x04\x22\x4d\x18\x64\x40\xa7",
    );
    let seven = b"7z\xbc\xaf\x27\x1c\0\x04";
    [
        ("a.xz", xz.to_vec(), "packed with xz", "xz -dc"),
        ("a.bz2", bzip2.to_vec(), "packed with bzip2", "bzip2 -dc"),
        ("a.zip", zip.to_vec(), "a zip archive", "unzip -p"),
        ("a.lz4", lz4.to_vec(), "packed with lz4", "lz4 -dc"),
        ("a.7z", seven.to_vec(), "a 7z archive", "7z x -so"),
        ("a.gz", twice, "packed twice, with gzip inside", "gunzip -c"),
        (
            "b.gz",
            zstd_inside,
            "packed twice, with zstd inside",
            "gunzip -c",
        ),
    ]
}

#[test]
fn an_unsupported_compression_is_named_with_the_command_that_unpacks_it() {
    for (name, content, what, unpack) in packed_otherwise() {
        let folder = folder();
        let path = write(folder.path(), name, &content).display().to_string();
        for forced in [&[][..], &["--as", "csv"], &["--as", "records"]] {
            let args = [&["replay", &path, "-t", "t", "--rehearse"], forced].concat();
            let output = Run::new(args).output();
            assert_one_line(&output, 4, &format!("cannot read {path}: it is {what}"));
            let hint = format!("`{unpack} {path} | kreplay ... -`");
            assert!(output.stderr.contains(&hint), "{output:?}");
        }
        let output = run(&[Path::new("-")], Some(&content));
        assert!(
            output
                .stderr
                .contains(&format!("put `{unpack}` before kreplay")),
            "{output:?}"
        );
        // In a folder it is left out, and never silently.
        write(folder.path(), "raw.jsonl", fetch("a"));
        let output = rehearse(&[folder.path()]);
        assert_eq!(
            (output.code, &report(&output)["source"]["skipped_files"]),
            (0, &1.into())
        );
        assert!(
            output
                .stderr
                .contains(&format!("skipping {path}: it is {what}")),
            "{output:?}"
        );
    }
}

#[test]
fn zeros_after_compressed_data_are_ignored_and_other_bytes_are_reported() {
    let expected = of_lines();
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let packed = pack(SHOP.as_bytes());
        for zeros in [1, 3, 512, 300_000] {
            let content = [&packed[..], &vec![0; zeros]].concat();
            let output = run(&[Path::new("-")], Some(&content));
            assert_eq!(essence(&output), expected, "{name} and {zeros} zeros");
        }
        for junk in [&b"junk"[..], b"\0\0\0x", b"\x1f", b"\x28\xb5\x2f\xfe"] {
            let output = run(&[Path::new("-")], Some(&[&packed, junk].concat()));
            let report = report(&output);
            assert_eq!(output.code, 4, "{name} {junk:?}: {output:?}");
            assert_eq!(
                report["ledger"]["delivered"],
                expected["ledger"]["delivered"]
            );
            let named = output
                .stderr
                .contains("the packed data is complete, but other bytes follow it");
            // With one more byte, a member has begun that is cut off.
            let cut = name == "gzip" && junk == b"\x1f";
            assert_eq!(named, !cut, "{name} {junk:?}: {output:?}");
            assert_eq!(
                cut,
                output.stderr.contains("the compressed data is cut off"),
                "{output:?}"
            );
        }
    }
}

/// A zstd frame by hand (RFC 8878, 3.1.1), as `zstd --long=LOG` begins one of a stream: its header says how
/// far back it may refer, whether it does or not.
fn zstd_of_window(log: u8) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3];
    let mut blocks = SHOP.as_bytes().chunks(100_000).peekable();
    while let Some(block) = blocks.next() {
        // A raw block: whether it is the last one, two bits for its type, its size.
        let last = usize::from(blocks.peek().is_none());
        let header = (block.len() << 3 | last).to_le_bytes();
        frame.extend_from_slice(&header[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

/// The hint for what is packed in two ways does all of the work, or only what kreplay does not.
#[test]
fn doubly_compressed_data_is_named_with_commands_that_unpack_it() {
    let xz = b"\xfd7zXZ\0\0\x04\xe6\xd6";
    for (content, before, behind) in [
        (gzip(xz), "gunzip -c", " | xz -dc"),
        (zstd(xz), "zstd -dc", " | xz -dc"),
        (zstd(&gzip(SHOP.as_bytes())), "zstd -dc", ""),
    ] {
        let folder = folder();
        let path = write(folder.path(), "a", content).display().to_string();
        let output = Run::new(["replay", &path, "--rehearse"]).output();
        let hint = format!("`{before} {path}{behind} | kreplay ... -`");
        assert_eq!(output.code, 4, "{output:?}");
        assert!(output.stderr.contains(&hint), "{output:?}");
    }
}

/// docs/sources.md: the window of 128 MiB, beside which everything else is small.
#[test]
fn a_zstd_window_of_the_bound_takes_its_memory_and_little_more() {
    const WINDOW: usize = 128 << 20;
    const REST: u64 = 96 << 20;
    // One RRPair a line over and over, so that the window is filled.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (27 - 10) << 3];
    let line = SHOP.lines().next().expect("there are lines");
    let block = format!("{line}\n").repeat(100_000 / (line.len() + 1));
    let blocks = (WINDOW + (16 << 20)) / block.len();
    for number in 1..=blocks {
        let header = (block.len() << 3 | usize::from(number == blocks)).to_le_bytes();
        frame.extend_from_slice(&header[..3]);
        frame.extend_from_slice(block.as_bytes());
    }
    let folder = folder();
    let path = write(folder.path(), "a.zst", frame).display().to_string();
    let run = Run::new(["replay", &path, "--rehearse", "--report", "json"]);
    let mut run = run.spawn();
    let mut peak = 0;
    while !run.has_ended() {
        peak = peak.max(run.peak_memory());
        thread::sleep(Duration::from_millis(5));
    }
    let output = run.wait();
    let lines = block.lines().count() * blocks;
    assert_eq!(report(&output)["source"]["rrpairs"], lines, "{output:?}");
    let window = WINDOW as u64;
    assert!((window / 2..window + REST).contains(&peak), "{peak} bytes");
}

#[test]
fn a_zstd_window_is_read_up_to_its_bound_and_refused_with_a_hint_above() {
    let expected = of_lines();
    let output = run(&[Path::new("-")], Some(&zstd_of_window(27)));
    assert_eq!(essence(&output), expected);
    for log in [28, 31] {
        let folder = folder();
        let path = write(folder.path(), "a.zst", zstd_of_window(log))
            .display()
            .to_string();
        let output = Run::new(["replay", &path, "--rehearse"]).output();
        let what = "packed with zstd and a window of more than 128 MiB";
        assert_one_line(&output, 4, &format!("cannot read {path}: it is {what}"));
        assert!(
            output
                .stderr
                .contains(&format!("`zstd -dc --long=31 {path} | kreplay ... -`")),
            "{output:?}"
        );
    }
}

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
    let fixture = include_str!("../../fixtures/topic-id.jsonl");
    for (i, line) in fixture.lines().enumerate() {
        let name = format!("2026-01-05_09-00-{i:0>2}Z.md");
        write(folder.path(), &name, markdown(line));
    }
    let output = rehearse(&[folder.path()]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(report(&output)["ledger"]["delivered"], 3);
}
