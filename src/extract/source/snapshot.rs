//! A snapshot by way of speedctl: first its CSV, and its RRPairs when the CSV cannot carry what is
//! there. The channel's gate holds the CSV's records back until it is known to be good, so that
//! changing over costs nothing but time.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::{Extraction, Input, InputKind, Inputs, ProfileChoice, Snapshot, Via};
use crate::error::Error;
use crate::extract::context::{ExtractionContext, ReadStop};
use crate::extract::csv;
use crate::extract::csv::columns::generated_paths;
use crate::extract::csv::rows::{OnLoss, engine};
use crate::extract::input::encoding::open;
use crate::extract::input::encoding::opener::Opener;
use crate::extract::input::speedctl::{Ended, Speedctl, SpeedctlProcess, Until};
use crate::extract::keep::deduplicator::Deduplicator;
use crate::extract::keep::sink::Outlet;
use crate::extract::profile::Profile;
use crate::extract::profile::filter::{Fault, Filter};
use crate::extract::profile::path;
use crate::extract::profile::path::PathStep;
use crate::host::visible::{shortened, visible};
use crate::report::rendering::figures::whole_mib;

/// How much text speedctl may write on stdout that is not CSV.
const MOST_TEXT: usize = 64 << 10;
/// How much speedctl may say on stdout while it pulls a snapshot into a file.
const MOST_SAID: u64 = 64 << 20;
/// Bytes of a snapshot's id, which becomes the name of a folder (NAME_MAX of Linux).
const LONGEST_ID: usize = 255;

/// The command that a replay of `snapshot` begins with, quoted for a shell.
///
/// # Errors
/// [`Error::Config`] for paths and filters that do not parse, or that a CSV cannot be asked for.
pub(in crate::extract) fn command_line(
    snapshot: &Snapshot,
    options: &Extraction,
) -> Result<String, Error> {
    let speedctl = match way(snapshot, options)? {
        Way::Csv(_) => extract_data(snapshot, options)?,
        Way::Raw => pull_snapshot(snapshot),
    };
    Ok(speedctl.command_line())
}

/// How a snapshot is read first.
enum Way {
    Csv(OnLoss),
    Raw,
}

/// Refuses what cannot be a snapshot's id. An id is an argument of speedctl, which would take `-x` for an
/// option, and a folder's name among those of other snapshots.
///
/// # Errors
/// [`Error::Config`].
fn check_id(id: &str) -> Result<(), Error> {
    let why = match id {
        "" => "it is empty",
        id if id.starts_with('-') => "it begins with `-`",
        id if id.contains(['/', '\\']) => "it holds a slash",
        "." => "it names the folder of all snapshots",
        id if id.contains("..") => "it holds `..`",
        id if id.contains(|c: char| c.is_whitespace() || c.is_control()) => "it holds a blank",
        id if id.len() > LONGEST_ID => "it is longer than 255 bytes",
        _ => return Ok(()),
    };
    let shown = shortened(id, LONGEST_ID);
    Err(Error::Config {
        message: format!("`{}` is not the id of a snapshot: {why}", visible(&shown)),
        hint: Some("an id looks like 6f1f7c3e-3b1a-4a55-8f0e-2d5c1f8a9b7d".into()),
    })
}

/// speedctl takes no wildcards. The built-in profiles can do without, because sentinels watch for
/// what the first elements leave out; paths of the user's own are taken at their word.
fn way(snapshot: &Snapshot, options: &Extraction) -> Result<Way, Error> {
    check_id(&snapshot.id)?;
    let profile = Profile::chosen(options)?;
    let wildcard = match options.profile {
        ProfileChoice::BuiltIn(_) => options.overrides.paths().find(|path| needs_raw(path)),
        ProfileChoice::File { .. } => profile.paths().find(|path| needs_raw(path)),
    };
    match (snapshot.via, wildcard) {
        // What kreplay will evaluate is judged before speedctl fetches anything.
        (Via::Raw, _) | (Via::Auto, Some(_)) => profile.parsed_filter().map(|_| Way::Raw),
        (Via::Csv, Some(path)) => Err(Error::Config {
            message: format!(
                "speedctl cannot be asked for `{path}`: it takes names and indexes only"
            ),
            hint: Some("leave out `--via csv`: kreplay then reads the RRPairs".into()),
        }),
        (Via::Csv, None) => Ok(Way::Csv(OnLoss::Count)),
        // A filter that only speedctl can evaluate leaves no way back to the RRPairs.
        (Via::Auto, None) => match Filter::parse(&profile.filter) {
            Err(error) if error.fault() == Fault::Unknowable => Ok(Way::Csv(OnLoss::Count)),
            Err(error) if error.fault() == Fault::UnknownKeyword => Err(error.into_error_with(
                "`--via csv` leaves a keyword that kreplay does not know to speedctl",
            )),
            Err(error) => Err(error.into()),
            Ok(_) => Ok(Way::Csv(OnLoss::ChangeToRaw)),
        },
    }
}

fn needs_raw(path: &str) -> bool {
    let path = path::Path::parse(path);
    path.is_ok_and(|path| {
        path.steps()
            .is_none_or(|steps| steps.contains(&PathStep::Each))
    })
}

fn extract_data(snapshot: &Snapshot, options: &Extraction) -> Result<Speedctl, Error> {
    let mut arguments = vec![snapshot.id.clone()];
    for path in generated_paths(&engine(options)?) {
        arguments.extend(["--path".into(), path]);
    }
    arguments.extend(["--filter".into(), Profile::chosen(options)?.filter]);
    Ok(Speedctl::new(snapshot, "extract data", arguments))
}

fn pull_snapshot(snapshot: &Snapshot) -> Speedctl {
    Speedctl::new(snapshot, "pull snapshot", vec![snapshot.id.clone()])
}

/// Reads `snapshot` into `sender`.
///
/// # Errors
/// [`ReadStop::Failed`] when speedctl fails or what it gives is damaged.
pub(in crate::extract) fn read(
    snapshot: &Snapshot,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let on_loss = match way(snapshot, &context.options).map_err(ReadStop::Failed)? {
        Way::Raw => return read_pulled(snapshot, context, sender),
        Way::Csv(on_loss) => on_loss,
    };
    match read_extracted(snapshot, on_loss, context, sender) {
        Err(ReadStop::NeedsRaw(why)) => {
            let note =
                format!("the CSV cannot carry everything: {why}; reading the RRPairs instead");
            context.console.note(&note);
            read_pulled(snapshot, context, sender)
        }
        end => end,
    }
}

fn start(speedctl: &Speedctl, context: &ExtractionContext) -> Result<SpeedctlProcess, ReadStop> {
    context
        .console
        .verbose(&format!("running {}", speedctl.shown_line()));
    let _runtime = context.runtime.enter();
    speedctl
        .start(context.stop.clone())
        .map_err(ReadStop::Failed)
}

fn read_extracted(
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
            let (options, topics) = (&context.options, &context.topics_of_rows());
            let deduplicator = RefCell::new(Deduplicator::new(options));
            let read = csv::read(
                csv::CsvSource {
                    bytes,
                    name: &name,
                    input: 0,
                    options,
                    topics,
                    on_loss,
                    deduplicator: &deduplicator,
                },
                sender,
            );
            read.and_then(|()| csv::finish(&deduplicator, sender))
        }
        CsvHeaderSearch::Missing(text) => {
            drop(output);
            context
                .runtime
                .block_on(ended.well(Until::AllOutputEnds))
                .map_err(ReadStop::Failed)?;
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
        // A failing speedctl is the better reason for an input that breaks off.
        (
            Ok(()) | Err(ReadStop::Failed(Error::CutOff { .. } | Error::Unreadable { .. })),
            Err(failed),
        ) => Err(ReadStop::Failed(failed)),
        (read, _) => read,
    }
}

fn read_named(
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
    let mut description = context.describe();
    description.of_one(path.display().to_string());
    description.total_bytes = file.metadata().ok().map(|metadata| metadata.len());
    drop(description);
    let (options, topics) = (&context.options, &context.topics_of_rows());
    let name = path.display().to_string();
    let deduplicator = RefCell::new(Deduplicator::new(options));
    let source = csv::CsvSource {
        bytes: file,
        name: &name,
        input: 0,
        options,
        topics,
        on_loss,
        deduplicator: &deduplicator,
    };
    let read = csv::read(source, sender);
    match read.and_then(|()| csv::finish(&deduplicator, sender)) {
        // The columns are those that speedctl was asked for: the user has chosen none.
        Err(ReadStop::Failed(Error::NoValueColumn { .. })) => Err(ReadStop::Failed(
            ended.failed(format!("named {name}, which has no CSV header")),
        )),
        end => end,
    }
}

/// What a speedctl that ended well has done wrong.
fn no_csv(text: &str) -> String {
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    let said = last.map_or_else(String::new, |line| {
        format!("; its last line was `{line:.200}`")
    });
    format!("printed no CSV header and named no CSV file that exists{said}")
}

enum CsvHeaderSearch {
    /// The header row and what was read before it of the same line: the line as it came.
    Found(Vec<u8>),
    /// All that was written, or as much as is worth looking at.
    Missing(String),
}

/// Reads up to the header row; notes for people may stand before it.
fn find_header(output: &mut impl BufRead, speedctl: &Speedctl) -> CsvHeaderSearch {
    let mut text = Vec::new();
    let wanted = speedctl.first_path().unwrap_or_default();
    loop {
        let start = text.len();
        let room = (MOST_TEXT - start.min(MOST_TEXT)) as u64;
        let read = output.take(room).read_until(b'\n', &mut text);
        let line = &text[start..];
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        if line.starts_with(wanted.as_bytes()) {
            return CsvHeaderSearch::Found(text.split_off(start));
        }
        if !matches!(read, Ok(1..)) {
            return CsvHeaderSearch::Missing(String::from_utf8_lossy(&text).into_owned());
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

/// Where speedctl's documentation says that a pulled snapshot is put.
pub(in crate::extract) fn pulled(id: &str) -> Option<PathBuf> {
    check_id(id).ok()?;
    let snapshots = std::env::home_dir()?.join(".speedscale/data/snapshots");
    Some(snapshots.join(id).join("raw.jsonl"))
}

fn read_pulled(
    snapshot: &Snapshot,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let pull = pull_snapshot(snapshot);
    let mut description = context.describe();
    description.of_one(format!("snapshot {}", snapshot.id));
    description.via = Some("raw");
    drop(description);
    let SpeedctlProcess {
        mut output,
        mut ended,
    } = start(&pull, context)?;
    let started = SystemTime::now();
    // The text is for people; it is read so that speedctl does not wait for its reader.
    let written = io::copy(&mut (&mut output).take(MOST_SAID), &mut io::sink());
    drop(output);
    if matches!(written, Ok(MOST_SAID)) {
        // It is ended with that, which is not why it failed.
        _ = context.runtime.block_on(ended.well(Until::StdoutEnds));
        let how = format!(
            "wrote more than {} to stdout and was stopped",
            whole_mib(MOST_SAID)
        );
        return Err(ReadStop::Failed(ended.failed(how)));
    }
    context
        .runtime
        .block_on(ended.well(Until::AllOutputEnds))
        .map_err(ReadStop::Failed)?;
    let Some(path) = pulled(&snapshot.id) else {
        return Err(ReadStop::Failed(
            ended.failed("has no home directory to write to".into()),
        ));
    };
    if !path.is_file() {
        let how = format!("ended well and wrote no {}", path.display());
        return Err(ReadStop::Failed(ended.failed(how)));
    }
    if let Some(age) = age_at(&path, started) {
        let (path, age) = (path.display(), humantime::format_duration(age));
        let note = format!("speedctl left {path} as it was, written {age} before: replaying that");
        context.console.note(&note);
    }
    let inputs = Inputs {
        all: vec![Input::File(path)],
        forced: Some(InputKind::RrPairs),
        ..Inputs::default()
    };
    let opener = Opener::of(&inputs, context).map_err(ReadStop::Failed)?;
    super::rrpairs::read_inputs(&inputs.all, opener, context, sender)
}

/// How much older than `started` a file is, in whole seconds; none when it is newer.
fn age_at(path: &Path, started: SystemTime) -> Option<Duration> {
    let written = fs::metadata(path).ok()?.modified().ok()?;
    let age = started.duration_since(written).ok()?.as_secs();
    (age > 1).then(|| Duration::from_secs(age))
}
