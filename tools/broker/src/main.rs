//! Runs the tests' Apache Kafka by hand, for the examples of the README and the benchmarks.
//!
//! Prints `127.0.0.1:PORT` as one line on stdout once the broker answers, then runs until Ctrl-C or
//! SIGTERM, or until stdin ends when stdin is a pipe, so that a script can hold it like a file:
//!
//! ```text
//! cargo run --release --bin broker -- --port 9092 --topic orders:6 --topic audit
//! ```

#[path = "../../../tests/harness/kafka/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod kafka;
#[path = "../../../tests/harness/topics.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod topics;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::process::ExitCode;
use std::thread;

use kafka::{Kafka, KafkaOptions};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

const USAGE: &str = "usage: broker [--port PORT] [--topic NAME[:PARTITIONS[:SETTING=VALUE]]]... [--property NAME=VALUE]...";

/// What the command line asks for.
#[derive(Default)]
struct BrokerOptions {
    port: Option<u16>,
    topics: Vec<TopicToMake>,
    /// Server properties.
    properties: Vec<(String, String)>,
}

/// A topic that the broker gets before it is announced.
struct TopicToMake {
    name: String,
    partitions: i32,
    /// What differs from the broker's defaults.
    setting: Option<(String, String)>,
}

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)).and_then(|wanted| run(&wanted)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            writeln!(io::stderr(), "broker: {why}").ok();
            ExitCode::FAILURE
        }
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<BrokerOptions, String> {
    let mut wanted = BrokerOptions::default();
    while let Some(flag) = args.next() {
        let value = args.next().ok_or(USAGE)?;
        match flag.as_str() {
            "--port" => wanted.port = Some(value.parse().map_err(|_| USAGE)?),
            "--topic" => wanted.topics.push(parse_topic(&value)?),
            "--property" => {
                let (name, value) = value.split_once('=').ok_or(USAGE)?;
                wanted.properties.push((name.into(), value.into()));
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(wanted)
}

/// Reads `NAME:PARTITIONS:SETTING=VALUE`; one partition when the number is left out.
fn parse_topic(text: &str) -> Result<TopicToMake, String> {
    let mut parts = text.splitn(3, ':');
    let name = parts.next().unwrap_or(text).to_owned();
    let partitions = parts.next().unwrap_or("1").parse().map_err(|_| USAGE)?;
    let setting = parts
        .next()
        .map(|setting| setting.split_once('=').ok_or(USAGE));
    let setting = setting.transpose()?;
    Ok(TopicToMake {
        name,
        partitions,
        setting: setting.map(|(name, value)| (name.to_owned(), value.to_owned())),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn wait_for_end() -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stdin_ended = watch_stdin();
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        Ok(()) = stdin_ended => {}
    }
    Ok(())
}

/// Reports the end of stdin when it is a pipe. A terminal is not read, and the `/dev/null` that a shell
/// gives to a job in the background does not count as an end.
fn watch_stdin() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    let is_pipe = io::stdin()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|stdin| File::from(stdin).metadata())
        .is_ok_and(|stdin| stdin.file_type().is_fifo() || stdin.file_type().is_socket());
    if is_pipe {
        thread::spawn(move || {
            io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
            sender.send(()).ok();
        });
    }
    receiver
}

fn run(wanted: &BrokerOptions) -> Result<(), String> {
    let options = KafkaOptions {
        port: wanted.port,
        properties: wanted.properties.clone(),
        ..KafkaOptions::default()
    };
    let kafka = Kafka::start_with(&options)?;
    for topic in &wanted.topics {
        let setting = topic.setting.iter();
        let settings: Vec<_> = setting
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        topics::create(&kafka.brokers(), &topic.name, topic.partitions, &settings)?;
    }
    // A closed stdout is not a reason to end: the port may be fixed and known.
    writeln!(io::stdout(), "{}", kafka.brokers()).ok();
    wait_for_end().map_err(|error| format!("cannot wait for signals: {error}"))?;
    kafka.stop();
    Ok(())
}
