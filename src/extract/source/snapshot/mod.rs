//! Reads a snapshot through speedctl: first its CSV, and its RRPairs if the CSV would lose something. The
//! channel's gate holds the CSV's records back until the CSV is known to be good, so that changing over costs
//! only time.

mod command;
mod csv;
mod pulled;

use self::command::{check_id, extract_data, pull_snapshot};
use self::csv::read_extracted;
pub(in crate::extract) use self::pulled::pulled;
use self::pulled::read_pulled;
use crate::config::{Extraction, ProfileChoice, Snapshot, Via};
use crate::error::Error;
use crate::extract::context::{ExtractionContext, ReadStop};
use crate::extract::csv::rows::OnLoss;
use crate::extract::keep::sink::Outlet;
use crate::extract::profile::filter::{Fault, Filter};
use crate::extract::profile::path::PathStep;
use crate::extract::profile::{Profile, path};

/// The command that a replay of `snapshot` begins with, quoted for a shell.
///
/// # Errors
/// Returns [`Error::Config`] for paths and filters that do not parse, or that speedctl does not accept for a
/// CSV.
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

/// Decides how to read a snapshot first. speedctl takes no wildcards. The built-in profiles do not need any,
/// because sentinels watch for what the first elements leave out; the user's own paths are taken literally.
fn way(snapshot: &Snapshot, options: &Extraction) -> Result<Way, Error> {
    check_id(&snapshot.id)?;
    let profile = Profile::chosen(options)?;
    let wildcard = match options.profile {
        ProfileChoice::BuiltIn(_) => options.overrides.paths().find(|path| needs_raw(path)),
        ProfileChoice::File { .. } => profile.paths().find(|path| needs_raw(path)),
    };
    match (snapshot.via, wildcard) {
        // What kreplay will evaluate is checked before speedctl fetches anything.
        (Via::Raw, _) | (Via::Auto, Some(_)) => profile.parsed_filter().map(|_| Way::Raw),
        (Via::Csv, Some(path)) => Err(Error::Config {
            message: format!(
                "speedctl does not accept the path `{path}`: it takes only names and indexes"
            ),
            hint: Some("leave out `--via csv` to read the RRPairs".into()),
        }),
        (Via::Csv, None) => Ok(Way::Csv(OnLoss::Count)),
        // A filter that only speedctl can evaluate leaves no way back to the RRPairs.
        (Via::Auto, None) => match Filter::parse(&profile.filter) {
            Err(error) if error.fault() == Fault::Unknowable => Ok(Way::Csv(OnLoss::Count)),
            Err(error) if error.fault() == Fault::UnknownKeyword => Err(error
                .into_error_with("with `--via csv`, kreplay leaves unknown keywords to speedctl")),
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

/// Reads `snapshot` into `sender`.
///
/// # Errors
/// Returns [`ReadStop::Failed`] if speedctl fails or its output is damaged.
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
            let note = format!("the CSV would lose something: {why}; reading the RRPairs instead");
            context.console.note(&note);
            read_pulled(snapshot, context, sender)
        }
        end => end,
    }
}
