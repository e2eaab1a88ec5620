//! A small service behind a topic, for the tests and the examples of what comes after a replay: for every
//! record that it reads from one topic, it writes one to another, with the same key. It is healthy unless a
//! flag plants a fault.
//!
//! Prints `ready` on stdout once it has partitions, then runs until SIGTERM or Ctrl-C, or until stdin ends:
//!
//! ```text
//! cargo run --release --bin service -- --brokers localhost:9092 --group billing --from orders --to invoices
//! ```

mod answer;
mod fault;
mod work;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use signal_hook::consts::{SIGINT, SIGTERM};

use fault::PlantedFault;

/// What the command line asks for.
#[derive(Debug, Clone, Parser)]
struct ServiceOptions {
    /// Bootstrap servers.
    #[arg(long)]
    brokers: String,
    /// The consumer group.
    #[arg(long)]
    group: String,
    /// The topic to read.
    #[arg(long)]
    from: String,
    /// The topic to write; without it, the service writes nothing.
    #[arg(long)]
    to: Option<String>,
    /// The group's protocol: `consumer` is that of KIP-848.
    #[arg(long, value_enum, default_value_t = Protocol::Classic)]
    protocol: Protocol,
    /// Records a second that the service handles; by default, as many as it can.
    #[arg(long)]
    capacity: Option<f64>,
    /// Milliseconds between two commits.
    #[arg(long, default_value_t = 200)]
    commit_ms: u64,
    /// Write and commit in transactions, one for each commit.
    #[arg(long)]
    transactional: bool,
    /// Also give answers with ids an id in the header `trace`, instead of that of the record.
    #[arg(long)]
    set_trace: bool,
    /// What the service does wrong.
    #[arg(long, value_enum)]
    fault: Option<PlantedFault>,
    /// The record of its input at which the fault happens, and again after as many; with `stuck`, how many
    /// records of that partition are read.
    #[arg(long, default_value_t = 10)]
    every: u64,
    /// The partition that is `stuck`.
    #[arg(long, default_value_t = 0)]
    partition: i32,
}

/// How members of the group agree on who reads what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Protocol {
    Classic,
    Consumer,
}

fn main() -> ExitCode {
    let wanted = ServiceOptions::parse();
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        if let Err(error) = signal_hook::flag::register(signal, stop.clone()) {
            return fail(&format!("cannot wait for signals: {error}"));
        }
    }
    stop_with_stdin(stop.clone());
    loop {
        match work::run(&wanted, &stop) {
            Ok(work::ServiceEnd::Stopped) => return ExitCode::SUCCESS,
            // Long enough for the group to notice that a member has gone.
            Ok(work::ServiceEnd::Crashed) => thread::sleep(Duration::from_secs(2)),
            Err(error) => return fail(&error.to_string()),
        }
    }
}

fn fail(why: &str) -> ExitCode {
    writeln!(io::stderr(), "service: {why}").ok();
    ExitCode::FAILURE
}

/// A script that holds stdin as a pipe ends the service by ending itself.
fn stop_with_stdin(stop: Arc<AtomicBool>) {
    thread::spawn(move || {
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        stop.store(true, Ordering::SeqCst);
    });
}
