//! Opening inputs: files and stdin, with their size where it is known.

use std::fs::{self, File};
use std::io::{self, Read};

use crate::config::Input;
use crate::error::Error;
pub(super) use crate::error::reason;

/// An input that is being read.
pub(super) struct Opened {
    pub(super) reader: Box<dyn Read + Send>,
}

/// Opens `input`.
///
/// # Errors
/// [`Error::Unreadable`] with the system's reason.
pub(super) fn open(input: &Input) -> Result<Opened, Error> {
    let unreadable = |e: io::Error| Error::Unreadable {
        place: input.name(),
        reason: reason(&e),
    };
    let reader: Box<dyn Read + Send> = match input {
        Input::Stdin => Box::new(io::stdin()),
        Input::File(path) => {
            let file = File::open(path).map_err(unreadable)?;
            if file.metadata().map_err(unreadable)?.is_dir() {
                return Err(Error::Unreadable {
                    place: input.name(),
                    reason: "it is a folder".into(),
                });
            }
            Box::new(file)
        }
    };
    Ok(Opened { reader })
}

/// Bytes of all `inputs`; none when one of them does not tell.
pub(crate) fn total_size(inputs: &[Input]) -> Option<u64> {
    inputs.iter().map(size).sum()
}

fn size(input: &Input) -> Option<u64> {
    match input {
        Input::Stdin => None,
        Input::File(path) => fs::metadata(path)
            .ok()
            .filter(fs::Metadata::is_file)
            .map(|m| m.len()),
    }
}

/// Whether `input` can be read twice.
pub(super) fn is_regular_file(input: &Input) -> bool {
    size(input).is_some()
}
