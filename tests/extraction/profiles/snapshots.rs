//! Paths and filters of a snapshot: what goes to speedctl, and what kreplay reads itself.

use std::fs;

use super::run;
use crate::harness::paths::{fixture, standin};
use crate::harness::report::ledger::ledger;
use crate::harness::run::{RunOutput, report};
use serde_json::{Value, json};
use tempfile::TempDir;

// Snapshots.

/// A run of `kreplay snapshot http` and the calls of speedctl that it made.
fn snapshot(args: &[&str]) -> (RunOutput, Vec<Vec<String>>) {
    let folder = http_snapshot();
    let typed = folder.path().join("args");
    let output = run(&[&["snapshot", "http", "-t", "x"], args].concat())
        .env("KREPLAY_SPEEDCTL", standin())
        .env("STANDIN_DATA", folder.path())
        .env("STANDIN_FAULT", format!("args-file={}", typed.display()))
        .output();
    let calls = fs::read_to_string(typed).unwrap_or_default();
    let calls = calls
        .lines()
        .map(|line| serde_json::from_str(line).expect("the stand-in writes JSON"))
        .collect();
    (output, calls)
}

/// `http-demo.json` as a snapshot of the simulated speedctl.
fn http_snapshot() -> TempDir {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let text = fs::read_to_string(fixture("http-demo.json")).expect("the fixture is readable");
    let pairs: Vec<Value> = serde_json::from_str(&text).expect("the fixture is an array");
    let lines: String = pairs.iter().map(|pair| format!("{pair}\n")).collect();
    fs::write(folder.path().join("http.jsonl"), lines).expect("the folder is ours");
    folder
}

const REPORT: [&str; 3] = ["--rehearse", "--report", "json"];

#[test]
fn paths_without_wildcards_go_to_speedctl_in_its_notation_and_the_filter_as_it_was_typed() {
    let filter = "(command  IS  \"POST\")";
    let paths = [
        "--value",
        "$.http.req.body",
        "--key",
        "http.req.headers.X-Customer.0",
    ];
    for via in ["auto", "csv"] {
        let more = ["--filter", filter, "--via", via];
        let (output, calls) = snapshot(&[&paths[..], &more, &REPORT].concat());
        assert_eq!(output.code, 0, "{output:#?}");
        let report = report(&output);
        assert_eq!(ledger(&report), "4 = 4 delivered");
        assert_eq!(report["source"]["via"], "csv");
        let [call] = &calls[..] else {
            panic!("speedctl was called {} times", calls.len())
        };
        assert_eq!(call[..3], ["extract", "data", "http"]);
        let behind = |flag: &str| -> Vec<&str> {
            let pairs = call.windows(2).filter(|pair| pair[0] == flag);
            pairs.map(|pair| pair[1].as_str()).collect()
        };
        assert_eq!(behind("--filter"), [filter]);
        let asked = behind("--path");
        assert_eq!(
            asked[..2],
            ["http.req.body", "http.req.headers.X-Customer.0"]
        );
        assert!(
            asked.iter().all(|path| !path.contains(['$', '*', '['])),
            "{asked:?}"
        );
    }
}

#[test]
fn with_via_csv_an_unknown_keyword_is_left_to_speedctl() {
    let paths = ["--value", "http.req.body"];
    let filter = "newer[key] IS x AND comand IS POST";
    let (output, calls) =
        snapshot(&[&paths[..], &["--filter", filter, "--via", "csv"], &REPORT].concat());
    let [call] = &calls[..] else {
        panic!("speedctl was called {} times: {output:#?}", calls.len())
    };
    let asked: Vec<&String> = call.iter().skip_while(|it| *it != "--filter").collect();
    assert_eq!(asked[1], filter);
    // The simulated speedctl does not know it either, and kreplay reports that.
    assert_eq!(output.code, 4, "{output:#?}");
    assert!(
        output.stderr.contains("unknown keyword `newer"),
        "{output:#?}"
    );
    for via in ["auto", "raw"] {
        let (output, calls) = snapshot(
            &[
                &paths[..],
                &["--filter", "comand IS POST", "--via", via],
                &REPORT,
            ]
            .concat(),
        );
        assert_eq!((output.code, calls.len()), (2, 0), "{output:#?}");
        for shown in [
            "kreplay: the filter does not parse: `comand` is not a keyword\n    comand IS POST\n    ^\n",
            "hint: did you mean `command`? ",
        ] {
            assert!(output.stderr.contains(shown), "{via}: {}", output.stderr);
        }
    }
}

#[test]
fn filters_look_into_sessions_methods_and_bodies() {
    let pair = |session: &str, method: &str, body: &str| {
        json!({
            "session": session, "ts": "2026-01-05T09:00:00Z", "l7protocol": "http",
            "http": {"req": {"method": method, "body": body}, "res": {"body": "{\"ok\":true}"}},
        })
    };
    let pairs = [
        pair("JWT:1", "POST", r#"{"user":{"id":1},"total":5}"#),
        pair("JWT:2", "PUT", r#"{"user":{"id":2},"total":5}"#),
        pair("JWT:3", "POST", "<order><id>3</id></order>"),
    ];
    let input: String = pairs.iter().map(|pair| format!("{pair}\n")).collect();
    for (filter, expected) in [
        ("session IS \"JWT:2\"", &["JWT:2"][..]),
        ("method IS POST", &["JWT:1", "JWT:3"]),
        ("req_json[user.id] IS 1", &["JWT:1"]),
        ("resp_json[ok] IS true", &["JWT:1", "JWT:2", "JWT:3"]),
        ("reqbodyjson CONTAINS '{\"total\":5}'", &["JWT:1", "JWT:2"]),
        ("req_xpath[/order/id] IS 3", &["JWT:3"]),
        ("text CONTAINS '<order>'", &["JWT:3"]),
        (
            "session CONTAINS \"WT:\" AND session NOT \"JWT\\:2\"",
            &["JWT:1", "JWT:2", "JWT:3"],
        ),
        ("session REGEX \"^JWT\\:[2-3]$\"", &["JWT:2", "JWT:3"]),
        (
            "header[a] NOT \"x\\-y\" AND session IS \"JWT:1\"",
            &["JWT:1"],
        ),
    ] {
        let args = [
            "extract",
            "-q",
            "-",
            "--filter",
            filter,
            "--value",
            "$.session",
        ];
        let output = run(&args).stdin(input.as_bytes()).output();
        assert_eq!(output.code, 0, "{filter}: {output:#?}");
        let values = output.stdout.lines().map(|line| {
            let line: Value = serde_json::from_str(line).expect("a record line");
            line["value"].as_str().map(String::from).expect("a text")
        });
        assert_eq!(values.collect::<Vec<_>>(), expected, "{filter}");
    }
}

#[test]
fn a_wildcard_makes_kreplay_read_the_rrpairs() {
    for value in [
        "http.req.headers.*.0",
        "$.http.req.headers[*][0]",
        "$..headers['X-Customer'][0]",
    ] {
        let more = ["--value", value, "--filter", "command IS POST"];
        let (output, calls) = snapshot(&[&more[..], &REPORT].concat());
        assert_eq!(output.code, 0, "{output:#?}");
        assert_eq!(report(&output)["source"]["via"], "raw", "{value}");
        assert_eq!(calls, [["pull", "snapshot", "http"]], "{value}");
    }
}

#[test]
fn a_wildcard_with_via_csv_is_an_error() {
    for value in [
        "http.req.headers.*.0",
        "$.http.req.headers[*][0]",
        "$..body",
    ] {
        let (output, calls) = snapshot(&["--value", value, "--via", "csv", "--rehearse"]);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{output:#?}"
        );
        assert_eq!(
            output.stderr,
            format!(
                "kreplay: speedctl does not accept the path `{value}`: it takes only names and indexes\n\
                 hint: leave out `--via csv` to read the RRPairs\n"
            )
        );
        assert!(calls.is_empty(), "{calls:?}");
    }
}
