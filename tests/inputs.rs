//! Every form in which RRPairs occur delivers what their JSON lines deliver: told by content, from
//! files, folders and stdin, packed or not; and damage is told wherever it stands.

mod harness;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use harness::paths::fixture;
use harness::run::{Output, Run, report};

/// RRPairs of the fixture; 49 records and 2 control batches in 21 Fetches.
const SHOP: &str = include_str!("../fixtures/shop.jsonl");

fn rehearse(paths: &[&Path]) -> Output {
    run(paths, None)
}

fn run(paths: &[&Path], stdin: Option<&[u8]>) -> Output {
    let mut args: Vec<PathBuf> = vec!["raw".into()];
    args.extend(paths.iter().map(|path| path.to_path_buf()));
    args.extend(["--rehearse", "--keep-duplicates", "--report", "json"].map(PathBuf::from));
    let run = Run::new(args);
    match stdin {
        Some(bytes) => run.stdin(bytes).output(),
        None => run.output(),
    }
}

/// What must be the same whatever the form.
fn essence(output: &Output) -> Value {
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

/// As proxymock writes it; `tests/markdown.rs` is about what the sections say.
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

/// One RRPair a file, spread over hosts; only the times in the names tell the order of the lines.
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
        // Its ending says nothing: all have the same.
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
fn what_is_no_rrpair_in_a_folder_is_skipped_counted_and_named() {
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

    let args = ["raw", "--rehearse", "--keep-duplicates", "-v"].map(PathBuf::from);
    let output = Run::new(args.into_iter().chain([path.to_path_buf()])).output();
    let skipped = "skipped    6 files without RRPairs (-v names them)\n";
    assert!(output.stdout.contains(skipped), "{}", output.stdout);
    let named = format!(
        "skipping {}: it holds no RRPairs\n",
        path.join("5b6c.json").display()
    );
    assert!(output.stderr.contains(&named), "{}", output.stderr);
}

#[test]
fn an_input_named_itself_is_not_skipped() {
    let folder = folder();
    let path = write(folder.path(), "README.txt", "Captured on a Tuesday.\n");
    let output = rehearse(&[&path]);
    assert_eq!(output.code, 1);
    assert_eq!(report(&output)["ledger"]["unreadable"], 1);
    assert_eq!(rehearse(&[&folder.path().join("none")]).code, 4);
}

#[test]
fn an_input_of_another_kind_is_told_with_the_command_that_reads_it() {
    for (command, input, hint) in [
        ("raw", "guide.csv", "which `kreplay csv` reads"),
        ("records", "guide.csv", "which `kreplay csv` reads"),
        ("records", "demo.jsonl", "which `kreplay raw` reads"),
        (
            "csv",
            "demo.jsonl",
            "`kreplay raw` reads RRPairs, `kreplay records` record lines",
        ),
        (
            "csv",
            "shop.expected.jsonl",
            "`kreplay raw` reads RRPairs, `kreplay records` record lines",
        ),
    ] {
        let input = fixture(input).display().to_string();
        let output = Run::new([command, &input, "-t", "t", "--rehearse"]).output();
        // The report has long lines broken.
        let told = format!("{}{}", output.stdout, output.stderr);
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            told.contains(hint) && output.code != 0,
            "{command} {input}: {told}"
        );
    }
}

#[test]
fn an_empty_folder_holds_nothing() {
    let folder = folder();
    let output = rehearse(&[folder.path()]);
    assert_eq!(output.code, 0);
    assert_eq!(report(&output)["source"]["rrpairs"], 0);
    assert!(
        output.stderr.contains("no RRPairs in "),
        "{}",
        output.stderr
    );
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
    assert_eq!((output.code, &report["ledger"]["found"]), (0, &0.into()));
    assert_eq!(report["source"]["rrpairs"], 2);
    assert_eq!(report["source"]["skipped_files"], 0);
}

#[test]
fn what_is_cut_off_delivers_what_stands_before_the_cut() {
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
fn one_damaged_file_of_a_folder_does_not_keep_the_others_back() {
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
    // The second reason is told as well.
    assert!(
        output.stderr.contains("2025-10-09_14-43-03Z.md:2: "),
        "{}",
        output.stderr
    );
}

#[test]
fn a_damaged_element_is_named_with_its_line_and_the_next_one_is_read() {
    let text = format!(
        "[\n{},\n{{\"msgType\": oops x}},\n{}\n]\n",
        fetch("a"),
        fetch("b")
    );
    let output = run(&[Path::new("-")], Some(text.as_bytes()));
    let report = report(&output);
    assert_eq!(output.code, 1);
    assert_eq!(report["ledger"]["delivered"], 2);
    assert_eq!(report["problems"][0]["count"], 1);
    assert_eq!(report["problems"][0]["first"]["line"], 3);
}

#[test]
fn a_topic_id_is_resolved_from_a_later_file_of_any_form() {
    let folder = folder();
    let fixture = include_str!("../fixtures/topic-id.jsonl");
    for (i, line) in fixture.lines().enumerate() {
        let name = format!("2026-01-05_09-00-{i:0>2}Z.md");
        write(folder.path(), &name, markdown(line));
    }
    let output = rehearse(&[folder.path()]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(report(&output)["ledger"]["delivered"], 3);
}
