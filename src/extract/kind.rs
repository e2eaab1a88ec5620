//! Which kind of input a file is, by what its first line looks like. Commands that take any SOURCE read
//! it as what it is; the others name the right command beside the damage.

use std::io::{BufRead, BufReader, Read};

use super::open;
use crate::config::{
    Config, Input, ProfileChoice, RecordLines, Source, Task, TopicNames, Uncertain, View,
};
use crate::error::Error;
use crate::record::{Batch, Origin};
use crate::record_line;

/// What is read of a file to tell its kind: a line, unless it is longer.
const MOST_BYTES: u64 = 1 << 20;
/// The header of the column that speedctl adds to every CSV.
pub(super) const UUID_COLUMN: &str = "RRPair UUID";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Csv,
    Records,
    /// RRPairs, and whatever is told from nothing: extraction names what is wrong with it.
    RrPairs,
}

/// Settles what the sources of `config` are, where any kind may be given. Files of several kinds, and
/// what can be read only once, stay RRPairs.
///
/// # Errors
/// [`Error::Config`] for a wish that cannot be met with this kind.
pub(crate) fn tell(config: &mut Config) -> Result<(), Error> {
    let Source::Raw(inputs) = &config.source else {
        return Ok(());
    };
    let mut kinds = inputs.iter().map(kind_of);
    let first = kinds.next().unwrap_or(Kind::RrPairs);
    if kinds.any(|kind| kind != first) {
        return Ok(());
    }
    match (first, &inputs[..]) {
        (Kind::RrPairs, _) => return Ok(()),
        (Kind::Records, _) if chooses(config) => return Ok(()),
        (Kind::Records, _) => {
            config.source = Source::Records(RecordLines {
                inputs: inputs.clone(),
                uncertain: Uncertain::Send,
            });
        }
        (Kind::Csv, [csv, ..]) if config.task == Task::Inspect(View::Paths) => {
            return Err(Error::Config {
                message: format!("{} is a CSV, which has columns and no paths", csv.name()),
                hint: Some(
                    "its first line names them; without `--paths` its records are told".into(),
                ),
            });
        }
        (Kind::Csv, _) => config.source = Source::Csv(inputs.clone()),
    }
    // Nothing is sent, so records may go without a topic.
    config.destination.topics = TopicNames::One(String::new());
    Ok(())
}

/// Whether paths or a filter are wished for, which lead into any JSON.
fn chooses(config: &Config) -> bool {
    let overrides = &config.extraction.overrides;
    let is_own = matches!(config.extraction.profile, ProfileChoice::File { .. });
    is_own || overrides.filter.is_some() || overrides.paths().next().is_some()
}

fn kind_of(input: &Input) -> Kind {
    let mut line = Vec::new();
    if open::is_regular_file(input)
        && let Ok(opened) = open::open(input)
    {
        // What cannot be read is named when it is read in earnest.
        let mut beginning = BufReader::new(opened.reader).take(MOST_BYTES);
        _ = beginning.read_until(b'\n', &mut line);
    }
    match line.trim_ascii_start().first() {
        Some(b'{') if has(&line, "\"msgType\"") => Kind::RrPairs,
        Some(b'{') if is_record(&line) => Kind::Records,
        Some(b'{') => Kind::RrPairs,
        Some(b'[') | None => Kind::RrPairs,
        Some(_) if has(&line, UUID_COLUMN) => Kind::Csv,
        Some(_) => Kind::RrPairs,
    }
}

/// Whether a line has what only a record line has at its top.
fn is_record(line: &[u8]) -> bool {
    let (mut batch, origin) = (Batch::default(), Origin { input: 0, line: 1 });
    let read = record_line::read(line, origin, &mut batch);
    let record = batch.records.first().filter(|_| read.is_ok());
    record.is_some_and(|record| record.topic.is_some() && !has(line, "\"l7protocol\""))
}

fn has(line: &[u8], text: &str) -> bool {
    memchr::memmem::find(line, text.as_bytes()).is_some()
}

/// The hint for a `line` of RRPairs or record lines that cannot be read.
pub(super) fn hint(line: &[u8]) -> Option<&'static str> {
    match line.trim_ascii_start().first() {
        Some(b'{') if has(line, "\"msgType\"") => {
            Some("this looks like an RRPair, which `kreplay raw` reads")
        }
        Some(b'{' | b'[') | None => None,
        Some(_) if has(line, UUID_COLUMN) => {
            Some("this looks like the header of speedctl's CSV, which `kreplay csv` reads")
        }
        Some(_) => None,
    }
}

/// `why` with the hint for the line, where it is the first one of its input.
pub(super) fn with_hint(why: String, line: &[u8], number: u64) -> String {
    match hint(line).filter(|_| number == 1) {
        Some(hint) => format!("{why}; {hint}"),
        None => why,
    }
}
