//! Resolves how often to read the source: only a source that can be read again can be replayed again.

use std::fs;
use std::num::NonZeroU64;

use crate::cli;
use crate::config::{Input, Repetition, Source};
use crate::error::Error;

/// Resolves `--loop` and `--for`.
///
/// # Errors
/// Returns [`Error::Config`] for a source that cannot be read again.
pub(super) fn resolve_repetition(
    args: &cli::RepetitionArguments,
    source: &Source,
) -> Result<Repetition, Error> {
    let repetition = Repetition {
        passes: args.passes.unwrap_or(Some(NonZeroU64::MIN)),
        sends_for: args.sends_for,
    };
    if repetition.reads_again()
        && let Source::Inputs(inputs) = source
        && let Some(once) = inputs.all.iter().find(|input| !is_there_again(input))
    {
        return Err(Error::Config {
            message: format!("`--loop` cannot read {} a second time", once.name()),
            hint: Some("save it to a file first, and name the file".into()),
        });
    }
    Ok(repetition)
}

/// Whether an input can be read more than once; a missing one is reported when it is opened.
fn is_there_again(input: &Input) -> bool {
    match input {
        Input::Stdin => false,
        Input::File(path) => {
            fs::metadata(path).map_or(true, |found| found.is_file() || found.is_dir())
        }
    }
}
