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
mod faults;
mod filter;
mod path;
mod pull;
mod sink;
mod table;

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use args::Call;
use faults::Faults;

/// Why a command ends without its result: the exit code and what stderr says.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self::with_code(1, message)
    }

    fn with_code(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(cause: io::Error) -> Self {
        Self::new(cause.to_string())
    }
}

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

/// Opens the RRPairs of a snapshot; their file takes the place of the cloud.
fn open_snapshot(id: &str) -> Result<BufReader<File>, Failure> {
    let folder = std::env::var_os("STANDIN_DATA").unwrap_or_else(|| "fixtures".into());
    let file = PathBuf::from(folder).join(format!("{id}.jsonl"));
    match File::open(&file) {
        Ok(opened) => Ok(BufReader::new(opened)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            Err(Failure::new(format!("snapshot not found: {id}")))
        }
        Err(cause) => Err(Failure::new(format!("{}: {cause}", file.display()))),
    }
}

/// Writes one line to stderr; a closed stderr is nobody's concern here.
fn complain(line: &str) {
    writeln!(io::stderr(), "{line}").ok();
}
