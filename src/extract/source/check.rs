//! Finds what is wrong with paths, filters and flags for the kind of source that they are used with. This
//! file is separate because it runs as early as the kind is known: before anything is read if the user
//! names the kind or speedctl is used, before anything is sent if the content decides.

use crate::config::{Extraction, InputKind, Inputs, Source};
use crate::error::Error;
use crate::extract::census::Census;
use crate::extract::context::ExtractionContext;
use crate::extract::csv;
use crate::extract::input::encoding::opener::kind_without_streams;
use crate::extract::keep::collect::Collector;
use crate::extract::source::snapshot;

/// Finds what is wrong before anything is read.
///
/// # Errors
/// Returns [`Error::Config`], which shows the place.
pub(crate) fn check(source: &Source, options: &Extraction) -> Result<(), Error> {
    match source {
        Source::Inputs(inputs) => match inputs.forced {
            Some(kind) => check_kind(kind, inputs, options),
            // A wrong path or filter is wrong whatever the kind.
            None => check_rrpairs(options),
        },
        Source::Snapshot(snapshot) => snapshot::command_line(snapshot, options).map(|_| ()),
    }
}

/// What a report and a journal call the kind of `source`; `None` while only a stream shows it.
///
/// # Errors
/// Returns [`Error::Config`] for what that kind does not allow.
pub(crate) fn kind(source: &Source, options: &Extraction) -> Result<Option<&'static str>, Error> {
    let Source::Inputs(inputs) = source else {
        return Ok(source.kind());
    };
    let Some(kind) = kind_without_streams(inputs, options) else {
        return Ok(None);
    };
    check_kind(kind, inputs, options)?;
    Ok(Some(kind.reported()))
}

/// Finds what inputs of `kind` do not allow.
///
/// # Errors
/// Returns [`Error::Config`] for the first of them.
pub(in crate::extract) fn check_found(
    kind: InputKind,
    inputs: &Inputs,
    context: &ExtractionContext,
) -> Result<(), Error> {
    if kind == InputKind::Csv && matches!(context.census, Census::Paths(_)) {
        let first = inputs.all.first().map(crate::config::Input::name);
        let first = first.unwrap_or_default();
        return Err(Error::Config {
            message: format!("{first} is a CSV, which has columns instead of paths"),
            hint: Some(
                "its first line names the columns; without `--paths`, kreplay shows its records"
                    .into(),
            ),
        });
    }
    check_kind(kind, inputs, &context.options)
}

fn check_kind(kind: InputKind, inputs: &Inputs, options: &Extraction) -> Result<(), Error> {
    inputs.uncertain.check(Some(kind))?;
    match kind {
        InputKind::RrPairs => check_rrpairs(options),
        InputKind::Csv if options.overrides.filter.is_some() => Err(Error::Config {
            message: "speedctl filtered the CSV when it wrote it: `--filter` cannot be applied"
                .into(),
            hint: Some("use `kreplay snapshot`, or replay the RRPairs".into()),
        }),
        InputKind::Csv => csv::rows::engine(options).map(|_| ()),
        InputKind::Records if options.overrides.filter.is_some() => Err(Error::config(
            "`--filter` selects RRPairs, but these are record lines",
        )),
        InputKind::Records => match options
            .overrides
            .by_flag()
            .iter()
            .find(|(_, p)| p.is_some())
        {
            Some((flag, _)) => Err(Error::Config {
                message: format!(
                    "`--{flag}` is a path into RRPairs, but `--as records` reads none"
                ),
                hint: Some("`--as rrpairs` reads any JSON with your own paths".into()),
            }),
            None => Ok(()),
        },
    }
}

fn check_rrpairs(options: &Extraction) -> Result<(), Error> {
    Collector::new(options, Vec::new(), Census::Nothing).map(|_| ())
}
