//! RRPairs inside the JSON of log stores: exports of Speedscale's BYOC, recognised by their content, and what
//! Elasticsearch and Loki return, as docs/sources.md says.

use std::fs;
use std::path::Path;

use crate::harness::paths::fixture;
use crate::harness::run::{Run, RunOutput, report};
use serde_json::{Value, json};

/// 34 RRPairs; 49 records in 21 Fetches.
const SHOP: &str = include_str!("../../fixtures/shop.jsonl");
const SOURCES: &str = include_str!("../../docs/sources.md");

/// `value` as OTLP has it: every node an object that names its type.
fn typed(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "boolValue": value }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": value }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        Value::String(_) => json!({ "stringValue": value }),
        Value::Array(elements) => {
            let values: Vec<Value> = elements.iter().map(typed).collect();
            json!({"arrayValue": {"values": values}})
        }
        Value::Object(members) => {
            let pair = |(key, value): (&String, &Value)| json!({"key": key, "value": typed(value)});
            let values: Vec<Value> = members.iter().map(pair).collect();
            json!({"kvlistValue": {"values": values}})
        }
    }
}

fn rrpairs(lines: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).expect("the fixture is JSON lines");
    lines.lines().map(parse).collect()
}

fn log_record(rrpair: &Value) -> Value {
    json!({"timeUnixNano": "1767603600048986919", "body": typed(rrpair), "traceId": ""})
}

fn export(records: &[Value]) -> Value {
    let scope = json!({"scope": {}, "logRecords": records});
    json!({"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [scope]}]})
}

fn exported(lines: &str) -> Value {
    let records: Vec<Value> = rrpairs(lines).iter().map(log_record).collect();
    export(&records)
}

fn extract(input: &str, args: &[&str]) -> RunOutput {
    Run::new([&["extract", "-q", "-"], args].concat())
        .stdin(input)
        .output()
}

/// The report of a rehearsal with these flags.
fn rehearsed(input: &str, flags: &[&str]) -> Value {
    let args = ["replay", "-", "--rehearse", "--report", "json"];
    report(&Run::new([&args, flags].concat()).stdin(input).output())
}

/// The record lines of a run in which nothing went wrong.
#[track_caller]
fn lines(input: &str, args: &[&str]) -> String {
    let output = extract(input, args);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{output:?}");
    output.stdout
}

/// Checks that a run has printed the records of the shop.
#[track_caller]
fn assert_shop(output: &RunOutput) {
    assert_eq!(
        (output.code, &output.stdout),
        (0, &lines(SHOP, &[])),
        "{}",
        output.stderr
    );
}

#[test]
fn an_export_gives_the_records_of_its_rrpairs_without_a_flag() {
    let export = exported(SHOP);
    let several: Vec<String> = rrpairs(SHOP)
        .chunks(5)
        .map(|some| some.iter().map(log_record).collect::<Vec<_>>())
        .map(|records| self::export(&records).to_string())
        .collect();
    let pretty = serde_json::to_string_pretty(&export).expect("a value can be written");
    for (form, text) in [
        ("one line", export.to_string()),
        ("a message a line", several.join("\n") + "\n"),
        ("pretty", pretty),
        ("an array", format!("[{}]", several.join(",\n"))),
    ] {
        for args in [&[][..], &["--profile", "byoc"], &["--profile", "produce"]] {
            let plain = if args.contains(&"produce") { args } else { &[] };
            let expected = lines(SHOP, plain);
            assert!(expected.lines().count() >= 3, "{expected}");
            assert_eq!(lines(&text, args), expected, "{form} {args:?}");
        }
    }
}

#[test]
fn an_export_is_counted_filtered_and_listed_by_its_rrpairs() {
    let text = exported(SHOP).to_string();
    let count = |input: &str, filter: &str| {
        let report = rehearsed(input, &["--filter", filter]);
        let member = |pointer: &str| report.pointer(pointer).cloned();
        [
            member("/ledger"),
            member("/source/rrpairs"),
            member("/source/fetches"),
        ]
    };
    // All Fetches, and one of them.
    for filter in [
        "(command IS Fetch)",
        r#"(command IS Fetch) AND (tag[sequence] IS "6")"#,
    ] {
        assert_eq!(count(&text, filter), count(SHOP, filter), "{filter}");
    }
    let listed = Run::new(["inspect", "-", "--paths"]).stdin(&*text).output();
    assert!(
        listed
            .stdout
            .contains("$.kafka.response.FetchResponse.topics[*].name"),
        "{listed:?}"
    );
    assert!(!listed.stdout.contains("resourceLogs"), "{listed:?}");
}

#[test]
fn a_topic_id_is_resolved_from_a_later_log_record_of_a_file() {
    let file = fixture("byoc.json").display().to_string();
    let plain = fixture("topic-id.jsonl").display().to_string();
    let of = |file: &str| Run::new(["extract", "-q", file]).output();
    assert_eq!((of(&file).code, of(&file).stdout), (0, of(&plain).stdout));
}

#[test]
fn files_of_a_bucket_are_read_as_a_folder() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let path = folder
        .path()
        .join("byoc/year=2026/month=01/day=05/hour=09/minute=00");
    fs::create_dir_all(&path).expect("a temporary folder is writable");
    let values = rrpairs(SHOP);
    for (number, some) in values.chunks(10).enumerate() {
        let records: Vec<Value> = some.iter().map(log_record).collect();
        let name = format!("logs_09_00_0{number}.json_1");
        fs::write(path.join(name), export(&records).to_string()).expect("it is writable");
    }
    let folder = folder.path().display().to_string();
    assert_shop(&Run::new(["extract", "-q", &folder]).output());
}

#[test]
fn an_export_that_is_cut_off_loses_nothing_before_the_cut() {
    let text = exported(SHOP).to_string();
    let at: Vec<usize> = text
        .match_indices("{\"timeUnixNano\"")
        .map(|(at, _)| at)
        .collect();
    // In the middle of the thirtieth RRPair, and of the second one.
    for whole in [30, 2] {
        let output = extract(&text[..at[whole] + 200], &[]);
        let expected: Vec<&str> = SHOP.lines().take(whole).collect();
        assert_eq!(output.code, 4, "{output:?}");
        assert_eq!(output.stdout, extract(&expected.join("\n"), &[]).stdout);
        assert!(output.stderr.contains("the input is cut off"), "{output:?}");
    }
}

#[test]
fn other_log_records_of_an_export_are_counted_and_named() {
    let mut records: Vec<Value> = rrpairs(SHOP).iter().map(log_record).collect();
    records.insert(1, json!({"body": {"stringValue": "listening on :4317"}}));
    let args = ["replay", "-", "--rehearse", "--report", "json"];
    let output = Run::new(args).stdin(export(&records).to_string()).output();
    let report = report(&output);
    assert_eq!(
        (output.code, &report["ledger"]["delivered"]),
        (0, &json!(49)),
        "{output:?}"
    );
    let problem = &report["problems"][0];
    assert_eq!(
        (&problem["what"], &problem["count"]),
        (&json!("no_rrpair"), &json!(1))
    );
    // An export of other logs alone is JSON like any other.
    let logs = export(&[json!({"body": {"stringValue": "listening"}})]).to_string();
    let path = "$.resourceLogs[*].scopeLogs[*].logRecords[*].body.stringValue";
    let found = lines(&logs, &["--filter", "", "--value", path]);
    assert!(found.contains("\"value\":\"listening\""), "{found}");
}

/// The lines of docs/sources.md that contain `text`, as a shell runs them.
fn example(text: &str) -> Vec<&'static str> {
    let lines = SOURCES
        .lines()
        .filter(|line| line.starts_with("    ") && line.contains(text));
    lines.map(str::trim).collect()
}

/// Runs the example of docs/sources.md that makes and uses a profile `name`.toml, with `input` as its file; nothing
/// is sent.
fn run_example(name: &str, input: &str) -> RunOutput {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let [profile, replay] = example(&format!("{name}.toml"))[..] else {
        panic!("docs/sources.md shows how {name}.toml is made, and how it is used");
    };
    let replay = replay
        .replace("kreplay replay", "kreplay extract -q")
        .replace("-b localhost:9092", "");
    fs::write(folder.path().join(format!("{name}.json")), input).expect("it is writable");
    let binary = Path::new(env!("CARGO_BIN_EXE_kreplay"));
    let programs = binary
        .parent()
        .expect("a program lies in a folder")
        .display();
    let script = format!("PATH={programs}:$PATH; {profile} && {replay}");
    Run::program("sh", ["-c", &script])
        .cwd(folder.path())
        .output()
}

#[test]
fn the_documented_example_reads_what_elasticsearch_gives_back() {
    let hits: Vec<Value> = rrpairs(SHOP)
        .into_iter()
        .map(|rrpair| json!({"_index": "speedscale-rrpair", "_source": {"@timestamp": 1, "Body": rrpair}}))
        .collect();
    let dump: String = hits.iter().map(|hit| format!("{hit}\n")).collect();
    let search = json!({"took": 3, "hits": {"total": {"value": 34}, "hits": hits}}).to_string();
    for text in [dump, search] {
        assert_shop(&run_example("elasticsearch", &text));
    }
}

#[test]
fn the_documented_example_reads_what_loki_gives_back() {
    let entry = |line: &str| json!(["1767603600048986919", line]);
    let values: Vec<Value> = SHOP.lines().map(entry).collect();
    let stream = json!({"stream": {"service": "fulfilment"}, "values": values});
    let answer =
        json!({"status": "success", "data": {"resultType": "streams", "result": [stream]}});
    assert_shop(&run_example("loki", &answer.to_string()));
}

#[test]
fn a_line_without_an_rrpair_where_the_profile_looks_is_named() {
    let text = "{\"_index\":\"other\"}\n";
    let output = run_example("elasticsearch", text);
    assert_eq!(output.stdout, "", "{output:?}");
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let profile = folder.path().join("p.toml");
    let fetch = Run::new(["profile", "fetch"]).output().stdout;
    fs::write(&profile, format!("rrpair = \"$._source.Body\"\n{fetch}")).expect("it is writable");
    let profile = profile.display().to_string();
    let report = rehearsed(text, &["--profile", &profile]);
    let why = "there is no RRPair where the profile looks for one";
    let first = json!({"input": "stdin", "line": 1, "why": why});
    assert_eq!(
        report["problems"],
        json!([{"what": "no_rrpair", "count": 1, "first": first}])
    );
}

#[test]
fn the_profile_is_printed_and_is_one() {
    let printed = Run::new(["profile", "byoc"]).output();
    assert_eq!(printed.code, 0, "{printed:?}");
    let profile: toml::Table = printed.stdout.parse().expect("it is TOML");
    let path = "$.resourceLogs[*].scopeLogs[*].logRecords[*].body";
    assert_eq!(profile["rrpair"].as_str(), Some(path));
    let fetch: toml::Table = Run::new(["profile"])
        .output()
        .stdout
        .parse()
        .expect("it is TOML");
    assert_eq!(profile["record"], fetch["record"]);
}
