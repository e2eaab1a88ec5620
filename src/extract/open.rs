//! Opening inputs: files and stdin, unpacked, with their size where it is known.

use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::unpack::unpacked;
use crate::config::Input;
use crate::error::Error;
pub(super) use crate::error::reason;

/// An input that is being read.
pub(super) struct Opened {
    /// Its content, unpacked.
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) taken: Taken,
}

/// Bytes taken from the file or stdin, before they are unpacked: they go with its size.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken(Arc<AtomicU64>);

impl Taken {
    /// Bytes taken since the last call.
    pub(super) fn since_last(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
}

/// Counts what it passes on.
struct Counted<R> {
    reader: R,
    taken: Taken,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.taken.0.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Opens `input`; blocks until its first bytes are there.
///
/// # Errors
/// [`Error::Unreadable`] with the system's reason.
pub(super) fn open(input: &Input) -> Result<Opened, Error> {
    let unreadable = |e: io::Error| Error::Unreadable {
        place: input.name(),
        reason: reason(&e),
    };
    match input {
        Input::Stdin => opened(io::stdin()),
        Input::File(path) => {
            let file = File::open(path).map_err(unreadable)?;
            if file.metadata().map_err(unreadable)?.is_dir() {
                return Err(Error::Unreadable {
                    place: input.name(),
                    reason: "it is a folder".into(),
                });
            }
            opened(file)
        }
    }
    .map_err(unreadable)
}

/// What a failing read means for the input at `place`.
pub(super) fn read_error(place: String, error: &io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::CutOff {
            place,
            why: "the compressed data breaks off".into(),
        },
        _ => Error::Unreadable {
            place,
            reason: reason(error),
        },
    }
}

fn opened(reader: impl Read + Send + 'static) -> io::Result<Opened> {
    let taken = Taken::default();
    let counted = Counted {
        reader,
        taken: taken.clone(),
    };
    Ok(Opened {
        reader: unpacked(counted)?,
        taken,
    })
}

/// Bytes of all `inputs`; none when one of them does not tell.
pub(crate) fn total_size<'a>(inputs: impl IntoIterator<Item = &'a Input>) -> Option<u64> {
    inputs.into_iter().map(size).sum()
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
