//! `--max-lag` when something other than the service is the limit: the measured rate is then a lower bound, and the
//! report says so and names the limit.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ChildStdin;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::KafkaTrial;
use crate::harness::capture::seed::SeededRandom;
use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::run::{Run, RunOutput};
use crate::harness::topics::{create_unique, unique};

pub(crate) const PATIENT_CASES: &[KafkaTrial] = &[
    (
        "a_slow_input_gives_a_lower_bound_of_the_capacity",
        slow_input,
    ),
    (
        "a_slow_cluster_gives_a_lower_bound_of_the_capacity",
        slow_cluster,
    ),
];

/// For how long records are sent.
const SENDING: Duration = Duration::from_secs(15);

/// A record line with a value of this many bytes that do not compress.
fn line(random: &mut SeededRandom, bytes: usize) -> String {
    let value: String = (0..bytes).map(|_| random.letter()).collect();
    json!({ "topic": "inputs", "key": value[..8], "value": value }).to_string() + "\n"
}

/// Checks that the report gives a rate between `least` and `most` as a lower bound for this reason; in JSON, and
/// in words.
fn assert_lower_bound(output: &RunOutput, report: &Path, by: &str, (least, most): (f64, f64)) {
    assert_eq!(output.code, 0, "{output:#?}");
    let report = fs::read_to_string(report).expect("the report is written");
    let report: Value = serde_json::from_str(&report).expect("it is JSON");
    let found = &report["capacity"];
    assert_eq!(found["bounded_by"], by, "{report:#}");
    let rate = found["rate"].as_f64().expect("it was steady");
    assert!((least..=most).contains(&rate), "{found:#}");
    // A rate that is not the capacity is not confirmed.
    assert_eq!(found["confirmation"], json!(null), "{found:#}");
    let said = format!("capacity   at least {rate:.0} records/s (p10 ");
    let mut lines = output.stdout.lines();
    let line = lines.find(|line| line.starts_with("capacity"));
    let line = line.expect("the report names the capacity");
    assert!(line.starts_with(&said), "{line}");
    let why = format!("bounded by the {by}");
    assert!(line.ends_with(&why), "{line}");
}

/// Records a second that the slow input gives.
const FED: u64 = 100;

/// Writes [`FED`] record lines a second, ten times a second.
fn feed(mut stdin: ChildStdin) {
    let mut random = SeededRandom::new(1);
    let began = Instant::now();
    let mut due = Duration::ZERO;
    while due < SENDING {
        thread::sleep(due.saturating_sub(began.elapsed()));
        let lines: String = (0..FED / 10).map(|_| line(&mut random, 40)).collect();
        let written = stdin.write_all(lines.as_bytes());
        written.expect("the run reads its input");
        due += Duration::from_millis(100);
    }
}

/// The service could do much more than it is given.
fn slow_input(kafka: &Kafka) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    for protocol in ["classic", "consumer"] {
        let topic = create_unique(&kafka.brokers(), "fed", 3).expect("a topic");
        let group = unique("readers");
        let flags = ["--protocol", protocol];
        let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
        let report = folder.path().join(protocol);
        let file = report.display().to_string();
        let brokers = kafka.brokers();
        let args = ["replay", "-", "-b", &brokers, "-t", &topic, "-q"];
        let more = ["--wait-group", &group, "--max-lag", "500"];
        let args = [&args[..], &more, &["--report-file", &file]].concat();
        let mut running = Run::new(args).stdin_open().spawn();
        let stdin = running.take_stdin();
        let feeding = thread::spawn(move || feed(stdin));
        let output = running.wait();
        feeding.join().expect("the whole input is read");
        let fed = FED as f64;
        assert_lower_bound(&output, &report, "input", (0.8 * fed, 1.1 * fed));
        service.stop();
    }
}

/// One record in each request, and one request at a time: the way to the brokers and back is the limit.
fn slow_cluster(kafka: &Kafka) {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let input = folder.path().join("lines");
    let mut random = SeededRandom::new(1);
    let lines: String = (0..1000).map(|_| line(&mut random, 40)).collect();
    fs::write(&input, lines).expect("the temporary folder is writable");
    let topic = create_unique(&kafka.brokers(), "slow", 1).expect("a topic");
    let group = unique("readers");
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &[]);
    let report = folder.path().join("report");
    let (input, file) = (input.display().to_string(), report.display().to_string());
    let sending = format!("{}s", SENDING.as_secs());
    let brokers = kafka.brokers();
    let args = ["replay", &input, "-b", &brokers, "-t", &topic, "-q"];
    let args = [&args[..], &["--loop", "--for", &sending]].concat();
    let args = [&args[..], &["--wait-group", &group, "--max-lag", "4000"]].concat();
    // The last one allows no more in flight than goes in five seconds.
    let settings = [
        "batch.num.messages=1",
        "max.in.flight.requests.per.connection=1",
        "message.timeout.ms=20000",
    ];
    let settings = settings.iter().flat_map(|setting| ["-X", setting]);
    let args = args.into_iter().chain(settings);
    let args = args.chain(["--report-file", &file]);
    let output = Run::new(args).output();
    // How many requests a second that makes depends on the machine.
    assert_lower_bound(&output, &report, "cluster", (20.0, 20_000.0));
    service.stop();
}
