//! Simulates `speedctl`, which is a closed binary that needs a cloud account: it answers the two documented
//! commands that kreplay uses from local RRPair files, and misbehaves on request. Test equipment, never part
//! of kreplay.
//!
//! ```text
//! speedctl extract data <ID> --path P [--path P2 ...] [--filter F] [--output FILE]
//! speedctl pull snapshot <ID>
//! ```
//!
//! `STANDIN_DATA` names the folder of `<ID>.jsonl` (default `fixtures`), `STANDIN_OBJECTS` is `json` or `empty` (what a
//! path that ends at an object or list prints), `STANDIN_FAULT` lists the misbehaviours of `faults.rs`.

mod args;
mod extract;
mod failure;
mod faults;
mod pull;
mod sink;
mod snapshot;

use std::io::{self, Write};
use std::process::ExitCode;

use args::Call;
use failure::{Failure, complain};
use faults::Faults;

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            complain(&format!("Error: {}", failure.message));
            ExitCode::from(failure.code)
        }
    }
}

fn run() -> Result<u8, Failure> {
    let faults = Faults::from_env()?;
    let typed: Vec<String> = std::env::args().skip(1).collect();
    faults.begin(&typed)?;
    let call = Call::parse(typed)?;
    let words: Vec<&str> = call.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["version"] => {
            writeln!(io::stdout(), "speedctl v0.0.0 (stand-in)")?;
            Ok(0)
        }
        ["extract", "data", rest @ ..] => extract::run(snapshot_id(&call, rest)?, &call, &faults),
        ["pull", "snapshot", rest @ ..] => pull::run(snapshot_id(&call, rest)?, &faults),
        other => Err(Failure::new(format!(
            "unknown command `{}` for `speedctl`",
            other.join(" ")
        ))),
    }
}

/// The snapshot's id: the one positional argument, or `--snapshot`.
fn snapshot_id<'a>(call: &'a Call, rest: &[&'a str]) -> Result<&'a str, Failure> {
    match (rest, call.snapshot.as_deref()) {
        ([id], None) => Ok(id),
        ([], Some(id)) => Ok(id),
        ([], None) => Err(Failure::new("a snapshot id is required")),
        _ => Err(Failure::new("more than one snapshot id")),
    }
}
