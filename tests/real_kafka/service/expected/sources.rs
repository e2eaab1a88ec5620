//! `--expect` and `--expect-from` with what they need from others: captures, CSVs, snapshots, TLS and SASL, and
//! rights that are missing.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{FAULTS, ORDERS, ServiceRun, check, fault, invoice_line};
use crate::harness::faults::acl::{allow_describing, allow_reading, allow_writing};
use crate::harness::kafka::Kafka;
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::unique;
use crate::harness::verdict::readback::ends;
use crate::preparing::connecting::{alice_over_tls, bob};
use crate::{KafkaTrial, replay};

pub(crate) const CASES: &[KafkaTrial] = &[
    ("the_output_is_compared_for_a_snapshot_too", snapshot),
    (
        "the_expected_output_may_be_in_another_capture",
        from_capture,
    ),
    ("the_expected_output_may_be_in_a_csv", from_csv),
    ("the_expected_output_may_be_in_a_snapshot", from_snapshot),
    (
        "an_expected_output_that_cannot_be_read_sends_nothing",
        from_nothing,
    ),
    (
        "the_expected_output_may_be_in_another_source",
        from_another_source,
    ),
];

/// Those that need a broker with users.
pub(crate) const OF_USERS: &[KafkaTrial] = &[
    ("the_output_is_read_over_tls_and_with_sasl", over_tls),
    (
        "an_output_that_the_user_may_not_read_is_named",
        without_rights,
    ),
];

/// A replay whose `capture` is the snapshot `mine` of the simulated speedctl.
fn of_snapshot(run: &ServiceRun, kafka: &Kafka, capture: &Path, args: &[&str]) -> RunOutput {
    let data = capture.parent().expect("a folder").join("snapshots");
    fs::create_dir_all(&data).expect("the temporary folder is writable");
    fs::copy(capture, data.join("mine.jsonl")).expect("the temporary folder is writable");
    let maps = run.maps();
    let more = [&maps[0], &maps[1], "-F", "none"];
    replay(kafka, &[args, &more].concat())
        .env("STANDIN_DATA", data)
        .output()
}

fn snapshot(kafka: &Kafka) {
    for (fault, code, verdict, counts) in [
        (&[][..], 0, "same", &[("equal", ORDERS)][..]),
        (
            &["--fault", "missing-record", "--every", "10"],
            1,
            "differs",
            &[("equal", ORDERS - 3), ("missing", 3)],
        ),
    ] {
        let run = ServiceRun::new(kafka);
        let service = run.service(kafka, fault);
        let capture = run.file("capture.jsonl");
        let output = of_snapshot(&run, kafka, &capture, &["snapshot", "mine", "--expect"]);
        service.stop();
        check(&output, code, verdict, counts);
    }
}

/// How a replay takes what it expects from another source, by its arguments.
type Replayed<'a> = dyn Fn(&ServiceRun, &[&str]) -> RunOutput + 'a;

/// Compares the output with what another source expects: that of a healthy service, and that of one which leaves
/// records out. The replay itself is given the Fetches alone.
fn assert_compared(kafka: &Kafka, replayed: &Replayed<'_>, isolation: &str) {
    let faulty = fault("missing-record");
    let missing = [("equal", ORDERS - FAULTS), ("missing", FAULTS)];
    for (flags, code, verdict, counts) in [
        (&[][..], 0, "same", &[("equal", ORDERS)][..]),
        (&faulty, 1, "differs", &missing),
    ] {
        let run = ServiceRun::new(kafka);
        let group = unique("billing");
        let service = run.service_in(kafka, &group, flags);
        // What the service has read it has answered, so that nothing comes once it is drained.
        let wait = ["--wait-group", &group, "--expect-quiet", "200ms"];
        // The report shows a hang before the time of the run is over.
        let limits = ["--expect-timeout", "30s", "--speedctl-timeout", "20s"];
        let output = replayed(&run, &[&wait[..], &limits].concat());
        service.stop();
        let expected = check(&output, code, verdict, counts);
        assert_eq!(expected["isolation"], isolation);
        assert_eq!(expected["expected_records"], ORDERS);
    }
}

/// A file with the inputs of a run.
fn fetches(run: &ServiceRun) -> String {
    let [fetches, _] = run.rrpairs();
    run.write("fetches", &[fetches]).display().to_string()
}

fn from_capture(kafka: &Kafka) {
    let replayed = |run: &ServiceRun, more: &[&str]| {
        let (fetches, capture) = (fetches(run), run.file("capture.jsonl"));
        let capture = capture.display().to_string();
        run.replay_of(
            kafka,
            &fetches,
            &[&["--expect-from", &capture], more].concat(),
        )
    };
    // The capture shows that there are no transactions.
    assert_compared(kafka, &replayed, "read_uncommitted");
}

/// The columns of the CSV: those of the fields of `kafka.request.ProduceRequest` in speedctl's notation.
const COLUMNS: [&str; 3] = [
    "name",
    "partitions.0.records.records.0.keyString",
    "partitions.0.records.records.0.valueString",
];

fn from_csv(kafka: &Kafka) {
    let replayed = |run: &ServiceRun, more: &[&str]| {
        let prefix = "kafka.request.ProduceRequest.topics.0";
        let heads = COLUMNS.map(|column| format!("{prefix}.{column}"));
        let mut csv = heads.join(",") + ",RRPair UUID\n";
        for n in 1..=ORDERS {
            let line = invoice_line(n);
            let cell = |name: &str| line[name].as_str().expect("a text").replace('"', "\"\"");
            let [topic, key, value] = ["topic", "key", "value"].map(cell);
            csv += &format!("{topic},{key},\"{value}\",00000000-0000-4000-8000-{n:012}\n");
        }
        let file = run.file("invoices.csv");
        fs::write(&file, csv).expect("the temporary folder is writable");
        let (fetches, file) = (fetches(run), file.display().to_string());
        run.replay_of(kafka, &fetches, &[&["--expect-from", &file], more].concat())
    };
    assert_compared(kafka, &replayed, "read_committed");
}

/// It is read as RRPairs, which show that there are no transactions.
fn from_snapshot(kafka: &Kafka) {
    let replayed = |run: &ServiceRun, more: &[&str]| {
        let (fetches, capture) = (fetches(run), run.file("capture.jsonl"));
        let args = ["replay", &fetches, "--expect-from", "snapshot:mine"];
        of_snapshot(run, kafka, &capture, &[&args[..], more].concat())
    };
    assert_compared(kafka, &replayed, "read_uncommitted");
}

/// A missing source, one without records, and a missing snapshot: each ends the run before anything is sent.
fn from_nothing(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let empty = run.write("empty", &[]).display().to_string();
    let gone = run.file("gone").display().to_string();
    let fetches = fetches(&run);
    let capture = run.file("capture.jsonl");
    let nothing_to_compare = "`--expect-from`: the source has no record to compare with";
    for (source, code, said) in [
        (gone.as_str(), 4, "gone: no such file or directory"),
        (&empty, 2, nothing_to_compare),
        (&fetches, 2, nothing_to_compare),
        ("snapshot:other", 4, "snapshot not found: other"),
    ] {
        let args = ["replay", &fetches, "--expect-from", source];
        let output = of_snapshot(&run, kafka, &capture, &args);
        assert_eq!(output.code, code, "{source}: {output:#?}");
        assert!(output.stderr.contains(said), "{source}: {output:#?}");
        let sent = ends(&kafka.brokers(), &run.orders).expect("the broker answers");
        assert_eq!(sent, [(0, 0)], "{source}");
    }
}

fn over_tls(kafka: &Kafka) {
    let run = ServiceRun::new(kafka);
    let service = run.service(kafka, &[]);
    let (brokers, flags) = alice_over_tls(kafka);
    let output = as_user(&run, &brokers, &flags);
    service.stop();
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

/// Replays the capture of `run` with `--expect`, as the user of these flags.
fn as_user(run: &ServiceRun, brokers: &str, flags: &[String]) -> RunOutput {
    expecting_as_user(run, brokers, flags, &["--expect"])
}

fn expecting_as_user(
    run: &ServiceRun,
    brokers: &str,
    flags: &[String],
    expect: &[&str],
) -> RunOutput {
    let capture = run.file("capture.jsonl").display().to_string();
    let maps = run.maps();
    let mut args = vec![
        "replay", &capture, &maps[0], &maps[1], "-F", "none", "-b", brokers,
    ];
    args.extend(["--report", "json", "--expect-quiet", "1s"]);
    args.extend(expect);
    args.extend(flags.iter().map(String::as_str));
    Run::new(args).limit(Duration::from_secs(30)).output()
}

fn without_rights(kafka: &Kafka) {
    let bob = bob();
    let brokers = kafka.brokers_at("SASL").expect("the listener is there");
    let assert_refused = |run: &ServiceRun, said: &str| {
        let lines = run.lines_of_invoices(ORDERS).display().to_string();
        for expect in [&["--expect"][..], &["--expect-from", &lines]] {
            let output = expecting_as_user(run, &brokers, &bob, expect);
            assert_eq!(output.code, 3, "{output:#?}");
            assert!(output.stderr.contains(said), "{output:#?}");
            let sent = ends(&kafka.brokers(), &run.orders).expect("the broker answers");
            assert_eq!(sent, [(0, 0)], "{expect:?}");
        }
    };
    // The user may not see the output at all, so for this user it does not exist.
    let run = ServiceRun::new(kafka);
    allow_writing(&kafka.brokers(), "User:bob", &run.orders);
    let said = format!("topic `{}` does not exist on {brokers}", run.invoices);
    assert_refused(&run, &said);
    // The user may see it, but not read it.
    allow_describing(&kafka.brokers(), "User:bob", &run.invoices);
    let said = format!(
        "the user may not read from {brokers}: the right `Read` on topic `{}` is missing\nhint: ",
        run.invoices
    );
    assert_refused(&run, &said);
    // He may read it.
    allow_reading(&kafka.brokers(), "User:bob", &run.invoices);
    let service = run.service(kafka, &[]);
    let output = as_user(&run, &brokers, &bob);
    service.stop();
    check(&output, 0, "same", &[("equal", ORDERS)]);
}

fn from_another_source(kafka: &Kafka) {
    let stage = ServiceRun::new(kafka);
    let from = stage.lines_of_invoices(ORDERS).display().to_string();
    let service = stage.service(kafka, &[]);
    let output = stage.replay(kafka, &["--expect-from", &from]);
    service.stop();
    check(&output, 0, "same", &[("equal", ORDERS)]);
    // One more is expected than the service writes.
    let stage = ServiceRun::new(kafka);
    let from = stage.lines_of_invoices(ORDERS + 1).display().to_string();
    let service = stage.service(kafka, &[]);
    let output = stage.replay(kafka, &["--expect-from", &from]);
    service.stop();
    check(&output, 1, "differs", &[("equal", ORDERS), ("missing", 1)]);
}
