//! What is wrong with paths, filters and flags for the kind of source that they are given with. Apart because
//! it is found as early as the kind is known: before anything is read where the user says it or speedctl is
//! asked, before anything is sent where the content does.

use crate::config::{Extraction, InputKind, Inputs, Source, Uncertain};
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
/// [`Error::Config`] that shows the place.
pub(crate) fn check(source: &Source, options: &Extraction) -> Result<(), Error> {
    match source {
        Source::Inputs(inputs) => match inputs.forced {
            Some(kind) => check_kind(kind, inputs, options),
            // What is wrong with a path or a filter is wrong whatever the kind.
            None => check_rrpairs(options),
        },
        Source::Snapshot(snapshot) => snapshot::command_line(snapshot, options).map(|_| ()),
    }
}

/// What a report and a journal call the kind of `source`; none while only a stream knows it.
///
/// # Errors
/// [`Error::Config`] for what cannot be done with that kind.
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

/// Finds what cannot be done with inputs that turned out to be of `kind`.
///
/// # Errors
/// [`Error::Config`].
pub(in crate::extract) fn check_found(
    kind: InputKind,
    inputs: &Inputs,
    context: &ExtractionContext,
) -> Result<(), Error> {
    if kind == InputKind::Csv && matches!(context.census, Census::Paths(_)) {
        let first = inputs.all.first().map(crate::config::Input::name);
        let first = first.unwrap_or_default();
        return Err(Error::Config {
            message: format!("{first} is a CSV, which has columns and no paths"),
            hint: Some("its first line names them; without `--paths` its records are shown".into()),
        });
    }
    check_kind(kind, inputs, &context.options)
}

fn check_kind(kind: InputKind, inputs: &Inputs, options: &Extraction) -> Result<(), Error> {
    if inputs.uncertain == Uncertain::Send && kind != InputKind::Records {
        return Err(Error::Config {
            message: format!(
                "`--send-unknown` is for record lines, and the source is {}",
                kind.name()
            ),
            hint: Some("what an earlier run is not sure of is in its rejects file".into()),
        });
    }
    match kind {
        InputKind::RrPairs => check_rrpairs(options),
        InputKind::Csv if options.overrides.filter.is_some() => Err(Error::Config {
            message: "a CSV was filtered when speedctl wrote it: `--filter` cannot be applied"
                .into(),
            hint: Some("use `kreplay snapshot`, or replay the RRPairs".into()),
        }),
        InputKind::Csv => csv::rows::engine(options).map(|_| ()),
        InputKind::Records if options.overrides.filter.is_some() => Err(Error::config(
            "`--filter` chooses RRPairs, and these are record lines",
        )),
        InputKind::Records => match options
            .overrides
            .by_flag()
            .iter()
            .find(|(_, p)| p.is_some())
        {
            Some((flag, _)) => Err(Error::Config {
                message: format!("`--{flag}` leads into RRPairs, and `--as records` has none"),
                hint: Some("`--as rrpairs` reads any JSON by paths of your own".into()),
            }),
            None => Ok(()),
        },
    }
}

fn check_rrpairs(options: &Extraction) -> Result<(), Error> {
    Collector::new(options, Vec::new(), Census::Nothing).map(|_| ())
}
