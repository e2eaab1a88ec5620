//! A snapshot that speedctl prints as a CSV, or writes to a file that it names.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;

use super::command::{extract_data, start};
use crate::config::Snapshot;
use crate::config::small_file::unmarked;
use crate::error::Error;
use crate::extract::context::{ExtractionContext, ReadStop};
use crate::extract::csv;
use crate::extract::csv::rows::OnLoss;
use crate::extract::input::encoding::open;
use crate::extract::input::encoding::unpack::unpacked;
use crate::extract::input::speedctl::{Ended, Speedctl, SpeedctlProcess, Until};
use crate::extract::keep::deduplicator::Deduplicator;
use crate::extract::keep::sink::Outlet;

/// How much speedctl may print on stdout while it pulls a snapshot into a file.
pub(super) const MOST_SAID: u64 = 64 << 20;

/// How much text speedctl may write on stdout that is not CSV.
pub(super) const MOST_TEXT: usize = 64 << 10;

pub(super) fn read_extracted(
    snapshot: &Snapshot,
    on_loss: OnLoss,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let name = format!("snapshot {}", snapshot.id);
    let mut description = context.describe();
    description.of_one(name.clone());
    description.via = Some("csv");
    drop(description);
    let speedctl = extract_data(snapshot, &context.options).map_err(ReadStop::Failed)?;
    let SpeedctlProcess { output, mut ended } = start(&speedctl, context)?;
    let mut output = BufReader::with_capacity(256 << 10, output);
    let read = match find_header(&mut output, &speedctl) {
        CsvHeaderSearch::Found(header) => {
            let bytes = Cursor::new(header).chain(output);
            read_csv((bytes, &name), on_loss, context, sender)
        }
        CsvHeaderSearch::Missing(text) => {
            drop(output);
            let exit = context.runtime.block_on(ended.well(Until::AllOutputEnds));
            exit.map_err(|failed| {
                // kreplay stopped it for that, so its end says nothing about it.
                ReadStop::Failed(match text.len() < MOST_TEXT {
                    true => failed,
                    false => ended.failed(format!(
                        "wrote more than {} KiB of text that is not CSV to stdout, and was stopped",
                        MOST_TEXT >> 10
                    )),
                })
            })?;
            let file = named_csv(&text).or_else(|| named_csv(&ended.stderr_tail()));
            return match file {
                Some(path) => read_named(&path, &ended, on_loss, context, sender),
                None => Err(ReadStop::Failed(ended.failed(no_csv(&text)))),
            };
        }
    };
    if matches!(read, Err(ReadStop::Enough)) {
        context.runtime.block_on(ended.left());
        return read;
    }
    // However the reading ended, speedctl does not outlive it.
    let exit = context.runtime.block_on(ended.well(Until::StdoutEnds));
    match (read, exit) {
        // A failing speedctl is the better explanation for an input that is cut off.
        (
            Ok(()) | Err(ReadStop::Failed(Error::CutOff { .. } | Error::Unreadable { .. })),
            Err(failed),
        ) => Err(ReadStop::Failed(failed)),
        (read, _) => read,
    }
}

pub(super) fn read_named(
    path: &PathBuf,
    ended: &Ended,
    on_loss: OnLoss,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let cannot = |e| {
        ReadStop::Failed(ended.failed(format!("named {}: {}", path.display(), open::reason(&e))))
    };
    let file = File::open(path).map_err(cannot)?;
    let total_bytes = file.metadata().ok().map(|metadata| metadata.len());
    let content = unpacked(file).map_err(cannot)?;
    let mut description = context.describe();
    description.of_one(path.display().to_string());
    description.total_bytes = total_bytes;
    drop(description);
    let name = path.display().to_string();
    match read_csv((content.reader, &name), on_loss, context, sender) {
        // speedctl was asked for these columns by kreplay, not by the user, so speedctl is at
        // fault.
        Err(ReadStop::Failed(Error::NoValueColumn { .. })) => Err(ReadStop::Failed(
            ended.failed(format!("named {name}, which does not have a CSV header")),
        )),
        end => end,
    }
}

/// Reads the one CSV of a snapshot, and reports what is known of it at its end.
fn read_csv(
    (bytes, name): (impl Read, &str),
    on_loss: OnLoss,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let options = &context.options;
    let deduplicator = RefCell::new(Deduplicator::new(options));
    let source = csv::CsvSource {
        bytes,
        name,
        input: 0,
        options,
        topics: &context.topics_of_rows(),
        on_loss,
        deduplicator: &deduplicator,
    };
    csv::read(source, sender)?;
    csv::finish(&deduplicator, sender)
}

/// What a speedctl that succeeded has done wrong.
pub(super) fn no_csv(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let said = last.map_or_else(String::new, |line| {
        format!("; its last line was `{line:.200}`")
    });
    format!("printed no CSV header and named no CSV file that exists{said}")
}

pub(super) enum CsvHeaderSearch {
    /// The line with the header row, without a byte order mark.
    Found(Vec<u8>),
    /// Everything that was written, or as much as is worth checking.
    Missing(String),
}

/// Reads up to the header row; notes for people may come before it.
pub(super) fn find_header(output: &mut impl BufRead, speedctl: &Speedctl) -> CsvHeaderSearch {
    let mut text = Vec::new();
    let wanted = speedctl.first_path().unwrap_or_default();
    loop {
        let start = text.len();
        let room = (MOST_TEXT - start.min(MOST_TEXT)) as u64;
        let read = output.take(room).read_until(b'\n', &mut text);
        let line = &text[start..];
        let line = unmarked(line);
        if line.starts_with(wanted.as_bytes()) {
            return CsvHeaderSearch::Found(line.to_vec());
        }
        if !matches!(read, Ok(1..)) {
            return CsvHeaderSearch::Missing(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

/// A word of `text` that names an existing CSV file; the last one, because results come last.
pub(super) fn named_csv(text: &str) -> Option<PathBuf> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`<>,;()".contains(c));
    let paths = words
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| word.ends_with(".csv"));
    // Names that contain blanks: the rest of a line after a colon or the word `to`.
    let lines = text
        .lines()
        .flat_map(|line| [line.split_once(": "), line.split_once(" to ")]);
    let rests = lines
        .flatten()
        .map(|(_, rest)| rest.trim())
        .filter(|rest| rest.ends_with(".csv"));
    paths
        .chain(rests)
        .map(PathBuf::from)
        .rfind(|path| path.is_file())
}
