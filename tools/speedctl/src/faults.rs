//! The misbehaviours of `STANDIN_FAULT`, a comma-separated list of `name` or `name=value`:
//!
//! | name | what happens |
//! |---|---|
//! | `exit=N` | exit code N after all rows |
//! | `exit-early=N` | a message on stderr and exit code N before any output |
//! | `kill-self[=ROWS]` | SIGKILL to itself after ROWS rows (default 0: only the header is out) |
//! | `silent` | no output, no end |
//! | `silent-after=ROWS` | ROWS rows, then no end |
//! | `stderr=BYTES` | so many bytes of log lines on stderr, half of them before the first row |
//! | `no-header`, `bom`, `crlf` | the CSV without its header, with a byte order mark, with CRLF after each row |
//! | `no-output` | exit code 0 (or `exit`) and nothing printed |
//! | `cut=BYTES`, `cut-fail=BYTES` | exactly so many bytes of CSV (or `raw.jsonl`), then exit code 0, or 1 |
//! | `names-file`, `names-file-stderr` | the CSV goes to `<ID>.csv` or `--output`, a line on stdout or stderr names it |
//! | `child` | a `sleep 600` that holds stdout open; after all rows no end, or with `exit=N` the end of the parent only |
//! | `late-child=MS` | a child of its own writes the CSV (or `raw.jsonl`), MS after it itself has written all and ended |
//! | `ignore-term` | SIGTERM does nothing, to the child neither |
//! | `slow=MS` | a pause after the header and after each row |
//! | `object-uuid-suffix` | UUIDs end with `\|abc` |
//! | `pid-file=PATH` | appends the pids of itself and of the child, one a line |
//! | `args-file=PATH` | appends the arguments as one JSON array |

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal, raise};
use serde_json::json;

use crate::failure::Failure;

/// One line of the noise on stderr.
const LOG_LINE: &[u8] =
    b"2026-01-05T09:00:00.000Z INFO  extracting rrpairs from the snapshot, please wait\n";

/// Faults with a number; the rest are in [`WITH_PATH`] and [`SWITCHES`].
const WITH_NUMBER: &[&str] = &[
    "exit",
    "exit-early",
    "kill-self",
    "silent-after",
    "stderr",
    "cut",
    "cut-fail",
    "slow",
    "late-child",
];
const WITH_PATH: &[&str] = &["pid-file", "args-file"];
const SWITCHES: &[&str] = &[
    "silent",
    "no-header",
    "no-output",
    "names-file",
    "names-file-stderr",
    "bom",
    "crlf",
    "child",
    "ignore-term",
    "object-uuid-suffix",
];

/// The misbehaviours that the test asked for.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    numbers: HashMap<String, u64>,
    texts: HashMap<String, String>,
}

impl Faults {
    /// Reads `STANDIN_FAULT`.
    ///
    /// # Errors
    /// Returns exit code 64 if a fault is unknown or its value is bad, so that a test with a typing error cannot pass.
    pub(crate) fn from_env() -> Result<Self, Failure> {
        Self::parse(&std::env::var("STANDIN_FAULT").unwrap_or_default())
    }

    fn parse(list: &str) -> Result<Self, Failure> {
        let mut faults = Self::default();
        for fault in list.split(',').map(str::trim).filter(|f| !f.is_empty()) {
            let (name, value) = match fault.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (fault, None),
            };
            let bad = || Failure::with_code(64, format!("STANDIN_FAULT: bad fault `{fault}`"));
            let value = match (name, value) {
                ("kill-self", None) => "0",
                (_, Some(value)) if !SWITCHES.contains(&name) => value,
                (_, None) if SWITCHES.contains(&name) => "",
                _ => return Err(bad()),
            };
            if WITH_NUMBER.contains(&name) {
                let number = value.parse().map_err(|_| bad())?;
                faults.numbers.insert(name.to_owned(), number);
            } else if !SWITCHES.contains(&name) && !WITH_PATH.contains(&name) {
                return Err(bad());
            }
            faults.texts.insert(name.to_owned(), value.to_owned());
        }
        Ok(faults)
    }

    /// Whether the test asked for this fault.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.texts.contains_key(name)
    }

    /// The number of a fault that takes one.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.numbers.get(name).copied()
    }

    /// Does what comes before any output.
    ///
    /// # Errors
    /// Returns the exit code of `exit-early`, or an error if a file or child cannot be made.
    pub(crate) fn begin(&self, typed: &[String]) -> Result<(), Failure> {
        if let Some(path) = self.texts.get("args-file") {
            append(path, &json!(typed).to_string())?;
        }
        if let Some(path) = self.texts.get("pid-file") {
            append(path, &std::process::id().to_string())?;
        }
        if self.has("ignore-term") {
            // Blocking does what ignoring would, and needs no unsafe handler.
            let mut term = SigSet::empty();
            term.add(Signal::SIGTERM);
            term.thread_block().map_err(io::Error::from)?;
        }
        if self.has("child") {
            self.spawn_child()?;
        }
        write_noise(self.noise() - self.noise_while_writing())?;
        if let Some(code) = self.number("exit-early") {
            return Err(Failure::with_code(exit_code(code), "snapshot not found"));
        }
        if self.has("silent") {
            sleep_forever();
        }
        Ok(())
    }

    /// Does what comes after the last row, and returns the exit code.
    ///
    /// # Errors
    /// Returns the exit codes of `exit` and `cut-fail`, with a message for stderr.
    pub(crate) fn end(&self) -> Result<u8, Failure> {
        if self.has("cut-fail") {
            return Err(Failure::new("stream error: connection reset by peer"));
        }
        match self.number("exit").map(exit_code) {
            None if self.has("child") => sleep_forever(),
            None | Some(0) => Ok(0),
            Some(code) => Err(Failure::with_code(code, "the extraction failed")),
        }
    }

    /// The part of the noise on stderr that goes along with the rows.
    pub(crate) fn noise_while_writing(&self) -> usize {
        self.noise() / 2
    }

    fn noise(&self) -> usize {
        usize::try_from(self.number("stderr").unwrap_or(0)).unwrap_or(usize::MAX)
    }

    /// Where rows are written that belong into `out`.
    ///
    /// # Errors
    /// Returns an error if the child cannot be made.
    pub(crate) fn rows_into(&self, out: Stdio) -> io::Result<Box<dyn Write>> {
        let delay_ms = self.number("late-child").unwrap_or(0);
        // It reads from the beginning, so that it never makes its parent wait.
        let script = "rows=$(cat; echo .); sleep \"$0\"; printf %s \"${rows%.}\"";
        let mut child = Command::new("sh")
            .args(["-c", script, &format!("{:.3}", delay_ms as f64 / 1000.0)])
            .stdin(Stdio::piped())
            .stdout(out)
            .spawn()?;
        if let Some(path) = self.texts.get("pid-file") {
            append(path, &child.id().to_string())?;
        }
        let stdin = child.stdin.take();
        Ok(Box::new(stdin.expect("stdin was asked for as a pipe")))
    }

    fn spawn_child(&self) -> io::Result<()> {
        let script = if self.has("ignore-term") {
            "trap '' TERM; exec sleep 600"
        } else {
            "exec sleep 600"
        };
        // It is in the same process group and inherits stdout and stderr, so that their reader sees no end
        // while it lives.
        let child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::null())
            .spawn()?;
        match self.texts.get("pid-file") {
            Some(path) => append(path, &child.id().to_string()),
            None => Ok(()),
        }
    }
}

/// Writes exactly so many bytes of log lines to stderr.
pub(crate) fn write_noise(bytes: usize) -> io::Result<()> {
    let noise: Vec<u8> = LOG_LINE.iter().copied().cycle().take(bytes).collect();
    io::stderr().write_all(&noise)
}

/// Sleeps until a signal ends the process.
pub(crate) fn sleep_forever() -> ! {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Ends the process as the kernel's out-of-memory killer would.
pub(crate) fn kill_self() -> ! {
    raise(Signal::SIGKILL).ok();
    sleep_forever()
}

fn exit_code(number: u64) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn append(path: &str, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::Faults;

    #[test]
    fn faults_are_read_with_their_values() {
        let faults = Faults::parse("kill-self, exit=3,pid-file=/tmp/a=b,,bom").expect("known");
        assert_eq!(faults.number("kill-self"), Some(0));
        assert_eq!(faults.number("exit"), Some(3));
        assert_eq!(faults.texts["pid-file"], "/tmp/a=b");
        assert!(faults.has("bom") && !faults.has("crlf"));
    }

    #[test]
    fn an_unknown_fault_or_value_is_refused() {
        for list in ["slient", "exit", "exit=x", "silent=1", "pid-file", "x=1"] {
            assert!(Faults::parse(list).is_err(), "{list}");
        }
    }
}
