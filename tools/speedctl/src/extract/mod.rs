//! `speedctl extract data`: one CSV row per matching RRPair, on stdout or in a file that one line names.

mod filter;
mod path;
mod table;

use std::fs::File;
use std::io::{self, BufRead, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use self::filter::SnapshotFilter;
use self::path::{DottedPath, Objects, cell_text};
use self::table::{LineEnd, write_row};
use crate::args::Call;
use crate::failure::{Failure, complain};
use crate::faults::Faults;
use crate::sink::RowSink;
use crate::snapshot::{open_snapshot, uuid_text};

/// The byte order mark that some Windows programs put before UTF-8 text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What one extraction prints for each RRPair.
struct PrintedColumns {
    paths: Vec<DottedPath>,
    filter: Option<SnapshotFilter>,
    objects: Objects,
    end: LineEnd,
    uuid_suffix: &'static str,
}

/// Runs the command and returns its exit code.
///
/// # Errors
/// Returns an error if an argument is bad, the snapshot does not exist, or one of its
/// lines is not JSON (after the rows before it).
pub(crate) fn run(id: &str, call: &Call, faults: &Faults) -> Result<u8, Failure> {
    let columns = PrintedColumns::new(call, faults)?;
    let mut source = open_snapshot(id)?;
    if faults.has("no-output") {
        return faults.end();
    }
    let file = output_file(id, call, faults)?;
    let out: Box<dyn Write> = match &file {
        Some(path) if faults.has("late-child") => faults.rows_into(File::create(path)?.into())?,
        None if faults.has("late-child") => faults.rows_into(Stdio::inherit())?,
        Some(path) => Box::new(File::create(path)?),
        None => Box::new(io::stdout()),
    };
    let mut sink = RowSink::new(out, faults);
    let outcome = columns.copy(&mut source, call, &mut sink, faults);
    let rows = sink.finish()?;
    outcome?;
    if let Some(path) = file.filter(|_| !faults.has("cut-fail")) {
        name_file(&path, rows, faults)?;
    }
    faults.end()
}

impl PrintedColumns {
    fn new(call: &Call, faults: &Faults) -> Result<Self, Failure> {
        if call.paths.is_empty() {
            return Err(Failure::new("required flag(s) \"path\" not set"));
        }
        Ok(Self {
            paths: call
                .paths
                .iter()
                .map(|typed| DottedPath::parse(typed))
                .collect::<Result<_, _>>()?,
            filter: call
                .filter
                .as_deref()
                .map(SnapshotFilter::parse)
                .transpose()?,
            objects: Objects::from_env()?,
            end: if faults.has("crlf") {
                LineEnd::CrLf
            } else {
                LineEnd::Lf
            },
            uuid_suffix: if faults.has("object-uuid-suffix") {
                "|abc"
            } else {
                ""
            },
        })
    }

    fn copy(
        &self,
        source: &mut impl BufRead,
        call: &Call,
        sink: &mut RowSink<'_>,
        faults: &Faults,
    ) -> Result<(), Failure> {
        if sink.head(&self.head(call, faults))?.is_break() {
            return Ok(());
        }
        let mut line = Vec::new();
        let mut row = Vec::new();
        let mut number = 0_u64;
        while source.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            if !line.trim_ascii().is_empty() {
                let pair: Value = serde_json::from_slice(&line)
                    .map_err(|why| Failure::new(format!("RRPair {number}: {why}")))?;
                if self.filter.as_ref().is_none_or(|f| f.matches(&pair)) {
                    row.clear();
                    self.write(&mut row, &pair);
                    if let ControlFlow::Break(()) = sink.row(&row)? {
                        break;
                    }
                }
            }
            line.clear();
        }
        Ok(())
    }

    fn head(&self, call: &Call, faults: &Faults) -> Vec<u8> {
        let mut head = Vec::new();
        if faults.has("bom") {
            head.extend_from_slice(BOM);
        }
        if !faults.has("no-header") {
            let mut names: Vec<&str> = call.paths.iter().map(String::as_str).collect();
            names.push("RRPair UUID");
            write_row(&mut head, &names, self.end);
        }
        head
    }

    fn write(&self, row: &mut Vec<u8>, pair: &Value) {
        let mut fields: Vec<String> = self
            .paths
            .iter()
            .map(|path| cell_text(path.find(pair), self.objects))
            .collect();
        fields.push(uuid_text(pair) + self.uuid_suffix);
        write_row(row, &fields, self.end);
    }
}

/// The file to write, absolute, when the CSV does not go to stdout.
fn output_file(id: &str, call: &Call, faults: &Faults) -> io::Result<Option<PathBuf>> {
    let named = faults.has("names-file") || faults.has("names-file-stderr");
    match &call.output {
        Some(file) => std::path::absolute(file).map(Some),
        None if named => std::path::absolute(format!("{id}.csv")).map(Some),
        None => Ok(None),
    }
}

fn name_file(path: &Path, rows: u64, faults: &Faults) -> io::Result<()> {
    let line = format!("wrote {rows} rows to {}", path.display());
    if faults.has("names-file-stderr") {
        complain(&line);
        return Ok(());
    }
    writeln!(io::stdout(), "{line}")
}
