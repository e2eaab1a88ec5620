//! The line that a terminal shows while a replay waits for a group: how far the group lags, and how fast it reads.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::thread;

use nix::libc::O_NOCTTY;
use portable_pty::{PtySize, native_pty_system};
use serde_json::json;

use crate::harness::kafka::Kafka;
use crate::harness::run::service::RunningService;
use crate::harness::topics::{create_unique, unique};
use crate::{KafkaTrial, replay, report_of};

pub(crate) const CASES: &[KafkaTrial] = &[(
    "the_progress_on_a_terminal_shows_the_lag_of_a_group_and_how_fast_it_reads",
    lag_and_rate,
)];

/// Records, and how many a second the service does at most.
const RECORDS: u64 = 300;
const CAPACITY: f64 = 100.0;

/// The number behind `word` in a line, without its commas.
fn number(line: &str, word: &str) -> Option<f64> {
    let (_, behind) = line.split_once(word)?;
    let digits = behind
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == ',');
    let digits: String = digits.filter(|c| *c != ',').collect();
    digits.parse().ok()
}

fn lag_and_rate(kafka: &Kafka) {
    let topic = create_unique(&kafka.brokers(), "shown", 3).expect("a topic");
    let group = unique("readers");
    let capacity = CAPACITY.to_string();
    let flags = ["--capacity", &capacity, "--commit-ms", "200"];
    let service = RunningService::start(&kafka.brokers(), &group, &topic, &flags);
    let size = PtySize {
        rows: 24,
        cols: 160,
        pixel_width: 0,
        pixel_height: 0,
    };
    let pair = native_pty_system().openpty(size).expect("a terminal");
    let path = pair.master.tty_name().expect("it has a name");
    let stderr = File::options()
        .write(true)
        .custom_flags(O_NOCTTY)
        .open(path)
        .expect("the other end is open");
    let mut screen = pair.master.try_clone_reader().expect("it can be read");
    let reading = thread::spawn(move || {
        let mut shown = Vec::new();
        // Reading ends with an error once the last writer has gone.
        screen.read_to_end(&mut shown).ok();
        String::from_utf8_lossy(&shown).into_owned()
    });
    let line = |n: u64| json!({ "topic": topic, "key": n.to_string(), "value": "v" }).to_string();
    let lines: Vec<String> = (0..RECORDS).map(line).collect();
    let args = ["replay", "-", "--wait-group", &group];
    let run = replay(kafka, &args).stdin(lines.join("\n") + "\n");
    let output = run.stderr(stderr).output();
    let report = report_of(&output, 0);
    assert_eq!(report["groups"][0]["verdict"], "drained", "{report:#}");
    drop(pair);
    let shown = reading.join().expect("it panics nowhere");
    // Each drawing begins at the first column.
    let frames: Vec<&str> = shown.split('\r').collect();
    let delivered = format!("{RECORDS} delivered");
    let all_delivered = frames.iter().filter(|frame| frame.contains(&delivered));
    let lags: Vec<f64> = all_delivered
        .filter_map(|frame| number(frame, "lag "))
        .collect();
    let most = lags.iter().copied().fold(0.0, f64::max);
    // When everything is delivered, the group has still to read nearly all of it, and nothing is added.
    assert!((100.0..=300.0).contains(&most), "{lags:?} {shown:?}");
    assert!(
        lags.len() > 5 && lags.last() < Some(&(most / 2.0)),
        "{lags:?}"
    );
    // The figure may be from before the last delivery.
    let falling = lags.iter().skip_while(|lag| **lag < most);
    assert!(
        falling.is_sorted_by(|before, after| before >= after),
        "{lags:?}"
    );
    let rates = frames.iter().filter_map(|frame| number(frame, "read "));
    let rates: Vec<f64> = rates.collect();
    let last = rates.last().copied().expect("the rate is shown");
    // The service is never faster than that; how much slower it is depends on the machine.
    assert!((20.0..=1.5 * CAPACITY).contains(&last), "{rates:?}");
    service.stop();
}
