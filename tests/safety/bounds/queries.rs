//! Queries of the user's own that do not finish or select too much.

use std::time::Duration;

use super::{folder, gzipped, measured, record_lines, times};
use crate::harness::run::{Run, report};
use nix::sys::signal::Signal;

/// Paths that look at each node below each node below each node, one of them with a regular expression: both
/// would take hours. One command applies them to an RRPair, another to a record's value.
#[test]
fn ctrl_c_ends_a_user_defined_query_that_does_not_finish() {
    let folder = folder();
    let deep = format!("{}\"abab\"{}", r#"{"a":["#.repeat(60), "]}".repeat(60));
    let line = format!(r#"{{"command":"Fetch","x":[{}]}}"#, times(2000, &deep)) + "\n";
    let lines = record_lines(
        &folder.path().join("lines.gz"),
        [("k".into(), line.clone())],
    );
    for query in [
        "$..[?@..[?@..[?@..[?@..[?@..b]]]]]",
        "$..[?@..[?@..[?search(@, '(a|b){1,90}(c|d){1,90}')]]]",
    ] {
        for args in [
            &["inspect", "-", "--value", query][..],
            &[
                "compare", &lines, &lines, "--as", "records", "--ignore", query,
            ],
        ] {
            let mut running = Run::new(args).stdin(line.clone()).spawn();
            // It has read everything and is at work when it has used this much processor time.
            running.wait_until("the query is at work", |running| {
                cpu_ticks(running.pid()) > 100
            });
            assert!(!running.has_ended(), "{args:?} is too quick");
            running.signal(Signal::SIGINT);
            let output = running.wait_within(Duration::from_secs(20));
            assert_eq!(output.code, 130, "{args:?}: {output:.500?}");
        }
    }
}

/// Each node below each node below each node: 60 levels are millions.
#[test]
fn a_query_that_selects_millions_of_nodes_is_named() {
    let deep = format!("{}1{}", r#"{"a":["#.repeat(60), "]}".repeat(60));
    let line = format!(r#"{{"command":"Fetch","x":[{}]}}"#, times(500, &deep)) + "\n";
    let args = [
        "inspect",
        "-",
        "--value",
        "$..*..*..*..*",
        "--report",
        "json",
    ];
    let (output, peak) = measured(|| {
        let run = Run::new(args).stdin(line.clone());
        run.env("MIMALLOC_PURGE_DELAY", "0")
    });
    let why = report(&output)["problems"][0]["first"]["why"].clone();
    let said = "a path selects more than 1,048,576 nodes";
    assert!(
        why.as_str().is_some_and(|why| why.contains(said)),
        "{output:.1000?}"
    );
    assert!(peak < 300, "{peak} MiB");
}

/// A query looks at the line as a whole: 30 million numbers in 60 MB would be 4 GB.
#[test]
fn a_line_with_millions_of_values_is_not_queried() {
    let list = times(30_000_000, "0");
    let line = format!(r#"{{"command":"Fetch","x":[{list}],"value":"v"}}"#);
    let (_folder, path) = gzipped([line, r#"{"command":"Fetch","value":"v"}"#.to_owned()]);
    let args = ["inspect", &path, "--value", "$..value", "--report", "json"];
    let (output, peak) = measured(|| Run::new(args).env("MIMALLOC_PURGE_DELAY", "0"));
    let report = report(&output);
    assert_eq!(report["ledger"]["records"], 1, "{report:#}");
    let why = &report["problems"][0]["first"]["why"];
    let said = "it has more than 1,048,576 values, the most that a query looks at";
    assert!(
        why.as_str().is_some_and(|why| why.contains(said)),
        "{report:#}"
    );
    assert!(peak < 300, "{peak} MiB");
}

/// The time that a process has used of processors, in ticks of the kernel: 100 a second.
fn cpu_ticks(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything (proc_pid_stat(5)).
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse::<u64>().ok())
        .sum()
}
