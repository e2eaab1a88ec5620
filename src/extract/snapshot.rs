//! A snapshot by way of speedctl: first its CSV, and its RRPairs when the CSV cannot carry what is
//! there. The channel's gate holds the CSV's records back until it is known to be good, so that
//! changing over costs nothing but time.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::PathBuf;

use super::columns::generated_paths;
use super::csv::{self, OnLoss};
use super::open;
use super::speedctl::{Ended, Running, Speedctl};
use super::{Context, Stop, read_raw};
use crate::channel::Sender;
use crate::config::{Input, Snapshot, Via};
use crate::error::Error;

/// The filter of the `fetch` profile in Speedscale's language.
const FILTER: &str = "(command IS \"Fetch\")";
/// How much text speedctl may write on stdout that is not CSV.
const MOST_TEXT: usize = 64 << 10;

/// The command that a replay of `snapshot` begins with, quoted for a shell.
pub(super) fn command_line(snapshot: &Snapshot) -> String {
    match snapshot.via {
        Via::Auto | Via::Csv => extract_data(snapshot).command_line(),
        Via::Raw => pull_snapshot(snapshot).command_line(),
    }
}

fn extract_data(snapshot: &Snapshot) -> Speedctl {
    let mut arguments = vec![snapshot.id.clone()];
    for path in generated_paths() {
        arguments.extend(["--path".into(), path]);
    }
    arguments.extend(["--filter".into(), FILTER.into()]);
    Speedctl::new(snapshot, "extract data", arguments)
}

fn pull_snapshot(snapshot: &Snapshot) -> Speedctl {
    Speedctl::new(snapshot, "pull snapshot", vec![snapshot.id.clone()])
}

/// Reads `snapshot` into `sender`.
///
/// # Errors
/// [`Stop::Failed`] when speedctl fails or what it gives is damaged.
pub(super) fn read(snapshot: &Snapshot, context: &Context, sender: &Sender) -> Result<(), Stop> {
    let on_loss = match snapshot.via {
        Via::Raw => return read_pulled(snapshot, context, sender),
        Via::Csv => OnLoss::Count,
        Via::Auto => OnLoss::ChangeToRaw,
    };
    match read_extracted(snapshot, on_loss, context, sender) {
        Err(Stop::NeedsRaw(why)) => {
            context.console.note(&format!(
                "the CSV cannot carry everything: {why}; reading the RRPairs instead"
            ));
            read_pulled(snapshot, context, sender)
        }
        end => end,
    }
}

fn start(speedctl: &Speedctl, context: &Context) -> Result<Running, Stop> {
    context
        .console
        .verbose(&format!("running {}", speedctl.command_line()));
    let _runtime = context.runtime.enter();
    speedctl.start(context.stop.clone()).map_err(Stop::Failed)
}

fn read_extracted(
    snapshot: &Snapshot,
    on_loss: OnLoss,
    context: &Context,
    sender: &Sender,
) -> Result<(), Stop> {
    let name = format!("snapshot {}", snapshot.id);
    let mut description = context.describe();
    description.of_one(name.clone());
    description.via = Some("csv");
    drop(description);
    let Running { output, mut ended } = start(&extract_data(snapshot), context)?;
    let mut output = BufReader::with_capacity(256 << 10, output);
    let read = match find_header(&mut output) {
        Header::Found(header) => csv::read(
            Cursor::new(header).chain(output),
            &name,
            on_loss,
            &context.topics,
            sender,
        ),
        Header::Missing(text) => {
            drop(output);
            context
                .runtime
                .block_on(ended.well())
                .map_err(Stop::Failed)?;
            let file = named_csv(&text).or_else(|| named_csv(&ended.stderr_tail()));
            return match file {
                Some(path) => read_named(&path, &ended, on_loss, context, sender),
                None => Err(Stop::Failed(
                    ended.failed("printed no CSV header and named no CSV file".into()),
                )),
            };
        }
    };
    // However the reading ended, speedctl does not outlive it.
    let exit = context.runtime.block_on(ended.well());
    match (read, exit) {
        // A failing speedctl is the better reason for an input that breaks off.
        (
            Ok(()) | Err(Stop::Failed(Error::CutOff { .. } | Error::Unreadable { .. })),
            Err(failed),
        ) => Err(Stop::Failed(failed)),
        (read, _) => read,
    }
}

fn read_named(
    path: &PathBuf,
    ended: &Ended,
    on_loss: OnLoss,
    context: &Context,
    sender: &Sender,
) -> Result<(), Stop> {
    let cannot =
        |e| Stop::Failed(ended.failed(format!("named {}: {}", path.display(), open::reason(&e))));
    let file = File::open(path).map_err(cannot)?;
    let mut description = context.describe();
    description.of_one(path.display().to_string());
    description.total_bytes = file.metadata().ok().map(|metadata| metadata.len());
    drop(description);
    csv::read(
        file,
        &path.display().to_string(),
        on_loss,
        &context.topics,
        sender,
    )
}

enum Header {
    /// The header row and what was read before it of the same line: the line as it came.
    Found(Vec<u8>),
    /// All that was written, or as much as is worth looking at.
    Missing(String),
}

/// Reads up to the header row; notes for people may stand before it.
fn find_header(output: &mut impl BufRead) -> Header {
    let mut text = Vec::new();
    let wanted = generated_paths().swap_remove(0);
    loop {
        let start = text.len();
        let room = (MOST_TEXT - start.min(MOST_TEXT)) as u64;
        let read = output.take(room).read_until(b'\n', &mut text);
        if memchr::memmem::find(&text[start..], wanted.as_bytes()).is_some() {
            return Header::Found(text.split_off(start));
        }
        if !matches!(read, Ok(1..)) {
            return Header::Missing(String::from_utf8_lossy(&text).into_owned());
        }
    }
}

/// A word of `text` that names a CSV file which exists; the last one, as results come last.
fn named_csv(text: &str) -> Option<PathBuf> {
    let words = text.split(|c: char| c.is_whitespace() || "\"'`<>,;()".contains(c));
    let paths = words
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| word.ends_with(".csv"));
    // Names with blanks in them: the rest of a line behind a colon or the word `to`.
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

fn read_pulled(snapshot: &Snapshot, context: &Context, sender: &Sender) -> Result<(), Stop> {
    let pull = pull_snapshot(snapshot);
    let mut description = context.describe();
    description.of_one(format!("snapshot {}", snapshot.id));
    description.via = Some("raw");
    drop(description);
    let Running {
        mut output,
        mut ended,
    } = start(&pull, context)?;
    let mut text = Vec::new();
    // The text is for people; it is read so that speedctl does not wait for its reader.
    let mut discard = [0; 4096];
    while let Ok(n @ 1..) = output.read(&mut discard) {
        text.extend_from_slice(&discard[..n.min(MOST_TEXT.saturating_sub(text.len()))]);
    }
    context
        .runtime
        .block_on(ended.well())
        .map_err(Stop::Failed)?;
    let Some(home) = std::env::home_dir() else {
        return Err(Stop::Failed(
            ended.failed("has no home directory to write to".into()),
        ));
    };
    // Where speedctl's documentation says that a pulled snapshot is put.
    let path = home
        .join(".speedscale/data/snapshots")
        .join(&snapshot.id)
        .join("raw.jsonl");
    if !path.is_file() {
        let how = format!("ended well and wrote no {}", path.display());
        return Err(Stop::Failed(ended.failed(how)));
    }
    read_raw(&[Input::File(path)], context, sender)
}
