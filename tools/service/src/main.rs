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
mod options;
mod work;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};

use options::ServiceOptions;

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
