//! Every form in which RRPairs occur delivers what their JSON lines deliver: recognised by content, from
//! files, folders and stdin, compressed or not; and damage is named wherever it is.

mod characters;
mod cut;
mod empty;
mod folders;
mod kinds;
mod packed;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, report};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

/// RRPairs of the fixture; 49 records and 2 control batches in 21 Fetches.
const SHOP: &str = include_str!("../../../fixtures/shop.jsonl");

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

/// A Fetch of one record with this value.
fn fetch(value: &str) -> String {
    format!(
        r#"{{"msgType":"rrpair","command":"Fetch","kafka":{{"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"records":[{{"valueString":"{value}"}}]}}}}]}}]}}}}}}}}"#
    )
}

/// What `kreplay extract` prints of the guide's records, a fixture made by hand.
fn record_lines() -> Vec<u8> {
    fs::read(fixture("shop.expected.jsonl")).expect("the fixture is there")
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
