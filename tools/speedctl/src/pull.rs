//! `speedctl pull snapshot`: the RRPairs as they are, in the folder where the real one leaves them.

use std::fs::{self, File};
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::failure::Failure;
use crate::faults::Faults;
use crate::sink::RowSink;
use crate::snapshot::open_snapshot;

/// Runs the command and returns its exit code. A row of the faults is a line of `raw.jsonl` here.
///
/// # Errors
/// Returns an error if the snapshot does not exist or the files cannot be written.
pub(crate) fn run(id: &str, faults: &Faults) -> Result<u8, Failure> {
    let mut source = open_snapshot(id)?;
    if faults.has("no-output") {
        return faults.end();
    }
    let home = std::env::var_os("HOME").ok_or_else(|| Failure::new("HOME is not set"))?;
    let snapshots = PathBuf::from(home).join(".speedscale/data/snapshots");
    let folder = snapshots.join(id);
    fs::create_dir_all(&folder)?;
    let mut stdout = io::stdout();
    writeln!(stdout, "Downloading snapshot {id} ...")?;

    let raw = File::create(folder.join("raw.jsonl"))?;
    let raw: Box<dyn Write> = match faults.has("late-child") {
        true => faults.rows_into(raw.into())?,
        false => Box::new(raw),
    };
    let mut sink = RowSink::new(raw, faults);
    // There is no header, but a fault after 0 rows strikes here.
    let mut flow = sink.head(b"")?;
    let mut line = Vec::new();
    while flow.is_continue() && source.read_until(b'\n', &mut line)? > 0 {
        flow = sink.row(&line)?;
        line.clear();
    }
    let rrpairs = sink.finish()?;
    if !faults.has("cut-fail") {
        let about = json!({ "id": id, "name": id, "status": "COMPLETE", "rrpairs": rrpairs });
        fs::write(snapshots.join(format!("{id}.json")), format!("{about}\n"))?;
        writeln!(
            stdout,
            "✔ Snapshot {id} saved to {} ({rrpairs} RRPairs)",
            folder.display()
        )?;
    }
    faults.end()
}
