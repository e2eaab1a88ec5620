//! Tests of the verdict and the proxy themselves: the verdict notices each kind of lie, and the proxy makes
//! each kind of fault.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::capture::seed::SeededRandom;
use crate::harness::faults::proxy::{NetworkFault, Proxy};
use crate::harness::verdict::{Evidence, Log, RejectedIds, Repeats, id_of, violations};
use crate::{FaultTrial, Takes};

pub(crate) const CASES: &[FaultTrial] = &[
    ("the_verdict_accepts_a_true_report", Takes::Nothing, truths),
    (
        "the_verdict_finds_every_kind_of_false_report",
        Takes::Nothing,
        lies,
    ),
    (
        "the_verdict_finds_every_kind_of_false_reject",
        Takes::Nothing,
        lies_of_rejects,
    ),
    (
        "rejects_without_an_id_an_outcome_or_a_reason_are_refused",
        Takes::Nothing,
        bad_rejects,
    ),
    ("ids_are_read_from_values", Takes::Nothing, ids),
    (
        "the_proxy_cuts_so_that_answers_are_lost",
        Takes::Nothing,
        cuts,
    ),
    ("the_proxy_limits_the_bandwidth", Takes::Nothing, throttled),
];

/// A report with these entries of the ledger, of a source that was read to its end.
fn report(found: u64, delivered: u64, failed: [u64; 3]) -> Value {
    let [not_written, unknown, unsent] = failed;
    json!({
        "source": { "complete": true },
        "ledger": {
            "found": found, "duplicates": 0, "filtered": 0, "control": 0, "aborted": 0,
            "unreadable": 0, "unselected": 0, "delivered": delivered, "not_written": not_written,
            "unknown": unknown, "unsent": unsent,
        },
    })
}

fn truths() {
    let whole = Log::of(&[&[0, 2, 4], &[1, 3]]);
    let failed = RejectedIds::of(&[(3, "not_written"), (4, "unknown")]);
    let cases = [
        (report(5, 5, [0, 0, 0]), whole, None, Repeats::None),
        (
            report(5, 3, [1, 1, 0]),
            Log::of(&[&[0, 2], &[1]]),
            Some(&failed),
            Repeats::None,
        ),
        // What is called unknown may be in the log.
        (
            report(5, 3, [1, 1, 0]),
            Log::of(&[&[0, 2, 4], &[1]]),
            Some(&failed),
            Repeats::None,
        ),
        (
            report(5, 5, [0, 0, 0]),
            Log::of(&[&[0, 2, 0, 2, 4], &[1, 3]]),
            None,
            Repeats::AtMost(2),
        ),
    ];
    for (report, log, rejects, repeats) in &cases {
        let evidence = Evidence {
            rejects: *rejects,
            ..Evidence::new(0..5, report, log).repeats(*repeats)
        };
        assert_eq!(violations(&evidence), [""; 0]);
    }
    let mut interrupted = report(3, 2, [0, 0, 1]);
    interrupted["source"]["complete"] = json!(false);
    let (log, rejects) = (Log::of(&[&[0], &[1]]), RejectedIds::of(&[(2, "unsent")]));
    let evidence = Evidence::new(0..5, &interrupted, &log).rejects(&rejects);
    assert_eq!(violations(&evidence), [""; 0]);
    let mut resumed = report(3, 3, [0, 0, 0]);
    resumed["resume"] = json!({ "journal": "j", "skipped": 2, "may_repeat": 1 });
    let log = Log::of(&[&[0, 2, 2, 4], &[1, 3]]);
    let evidence = Evidence::new(0..5, &resumed, &log).repeats(Repeats::AtMost(1));
    assert_eq!(violations(&evidence), [""; 0]);
}

/// What is wrong with a report and a log of the ids 0 to 5.
fn seen(report: &Value, log: &[&[u64]]) -> Vec<String> {
    violations(&Evidence::new(0..5, report, &Log::of(log)))
}

fn lies() {
    let all = report(5, 5, [0, 0, 0]);
    let lost = "4 records are in the log, by the report 5 to 5; not in the log: 3";
    assert_eq!(seen(&all, &[&[0, 2, 4], &[1]]), [lost]);
    assert_eq!(
        seen(&all, &[&[0, 2, 2, 4], &[1, 3]]),
        ["in the log twice: 2"]
    );
    // In two partitions counts as twice.
    assert_eq!(
        seen(&all, &[&[0, 2, 4], &[1, 2, 3]]),
        ["in the log twice: 2"]
    );
    assert_eq!(seen(&all, &[&[0, 4, 2], &[1, 3]]), ["out of order: 2"]);
    assert_eq!(
        seen(&all, &[&[0, 2, 4, 9], &[1, 3]]),
        ["in the log and not in the source: 9"]
    );
    let in_silence = "5 records are in the log, by the report 4 to 4; ";
    let one_failed = report(5, 4, [1, 0, 0]);
    assert_eq!(seen(&one_failed, &[&[0, 2, 4], &[1, 3]]), [in_silence]);
    let unbalanced = seen(&report(5, 4, [0, 0, 0]), &[&[0, 2, 4], &[1]]);
    assert_eq!(unbalanced, ["the ledger does not balance: 5 != 4"]);
    let unread = seen(&report(4, 4, [0, 0, 0]), &[&[0, 2, 4], &[1]]);
    assert_eq!(
        unread,
        ["the source holds 5 records, found and skipped are 4"]
    );
    let (report, log) = (all, Log::of(&[&[0, 2, 2, 4, 4], &[1, 3]]));
    let evidence = Evidence::new(0..5, &report, &log).repeats(Repeats::AtMost(1));
    assert_eq!(
        violations(&evidence),
        ["more than 1 records repeated: 2, 4"]
    );
    let none = Log::of(&[]);
    let many = Evidence::new(0..7, &report, &none);
    let named = violations(&many).pop().unwrap_or_default();
    assert!(
        named.ends_with("not in the log: 0, 1, 2, 3, 4 and 2 more"),
        "{named}"
    );
}

fn lies_of_rejects() {
    let report = report(5, 3, [1, 1, 0]);
    let log = Log::of(&[&[0, 2], &[1]]);
    let seen = |log: &Log, rejects: &[(u64, &str)]| {
        let rejects = RejectedIds::of(rejects);
        violations(&Evidence::new(0..5, &report, log).rejects(&rejects))
    };
    assert_eq!(
        seen(&log, &[(3, "not_written")]),
        [
            "`unknown`: 1 in the report, 0 in the rejects",
            "neither in the log nor in the rejects: 4",
        ]
    );
    // The record that is called not written is there, the other one is lost.
    let swapped = Log::of(&[&[0, 2], &[1, 3]]);
    assert_eq!(
        seen(&swapped, &[(3, "not_written"), (4, "unknown")]),
        ["not written by the rejects and in the log: 3"]
    );
    assert_eq!(
        seen(&log, &[(3, "not_written"), (3, "unknown")]),
        [
            "in the rejects twice: 3",
            "neither in the log nor in the rejects: 4",
        ]
    );
    assert_eq!(
        seen(&log, &[(3, "not_written"), (4, "unknown"), (9, "lost")]),
        ["in the rejects without a known id or outcome: 9"]
    );
    // What is called unknown may be there, and not twice.
    let repeated = Log::of(&[&[0, 2, 4, 4], &[1]]);
    let rejects = RejectedIds::of(&[(3, "not_written"), (4, "unknown")]);
    let evidence = Evidence::new(0..5, &report, &repeated).rejects(&rejects);
    assert_eq!(violations(&evidence), ["in the log twice: 4"]);
    // As many as counted, and another one than what is missing.
    assert_eq!(
        seen(&log, &[(3, "not_written"), (2, "unknown")]),
        ["neither in the log nor in the rejects: 4"]
    );
}

fn bad_rejects() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let whole = json!({
        "topic": "t", "value": r#"{"id":7,"text":""}"#, "outcome": "unsent", "reason": "interrupted",
    });
    let read = |line: &Value| {
        std::fs::write(file.path(), format!("{line}\n")).expect("the file is ours");
        RejectedIds::read(file.path())
    };
    assert!(read(&whole).is_ok());
    for (name, value) in [
        ("value", json!("no id")),
        ("value", json!(null)),
        ("outcome", json!(null)),
        ("reason", json!("")),
    ] {
        let mut line = whole.clone();
        line[name] = value;
        assert!(read(&line).is_err(), "{line}");
    }
}

fn ids() {
    assert_eq!(id_of(br#"{"id":17,"text":""}"#), Some(17));
    for value in ["", r#"{"id":17"#, r#"{"id":x}"#, r#"{"n":1}"#, r#"{"id":}"#] {
        assert_eq!(id_of(value.as_bytes()), None, "{value}");
    }
}

/// Answers each byte with a byte, and counts them when the connection has ended.
fn echo() -> (String, thread::JoinHandle<u64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let counting = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut received = 0;
        let mut piece = [0; 1000];
        while let Ok(read @ 1..) = stream.read(&mut piece) {
            received += read as u64;
            if stream.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        received
    });
    (address, counting)
}

fn cuts() {
    let fault = NetworkFault {
        cut_after: Some(5000..5001),
        cuts: 1,
        rate: None,
        ..NetworkFault::default()
    };
    // The first cut of this seed swallows an answer.
    let proxy = Proxy::bind(fault, SeededRandom::new(1)).expect("a free port");
    let (address, counting) = echo();
    proxy.forward_to(&address);
    let mut client = TcpStream::connect(proxy.address()).expect("the proxy listens");
    let mut answered = 0;
    for _ in 0..100 {
        if client.write_all(&[7; 1000]).is_err() || client.read_exact(&mut [0; 1000]).is_err() {
            break;
        }
        answered += 1000;
    }
    let received = counting.join().expect("the echo does not panic");
    assert_eq!((answered, received), (4000, 5000));
    assert_eq!((proxy.cuts(), proxy.lost_answers()), (1, 1));
}

fn throttled() {
    let fault = NetworkFault {
        rate: Some(100_000),
        ..NetworkFault::default()
    };
    let proxy = Proxy::bind(fault, SeededRandom::new(1)).expect("a free port");
    let (address, counting) = echo();
    proxy.forward_to(&address);
    let began = Instant::now();
    let mut client = TcpStream::connect(proxy.address()).expect("the proxy listens");
    for _ in 0..20 {
        client
            .write_all(&[7; 1000])
            .expect("the proxy passes it on");
        client
            .read_exact(&mut [0; 1000])
            .expect("the proxy passes it on");
    }
    drop(client);
    assert_eq!(counting.join().expect("the echo does not panic"), 20_000);
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert_eq!(proxy.cuts(), 0);
}
