//! Opens inputs: files and stdin, unpacked, with their size if known.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::unpack::{LongWindow, unpacked};
use crate::config::Input;
use crate::error::Error;
pub(in crate::extract) use crate::error::reason;
use crate::extract::input::kind;
use crate::extract::input::kind::{Asked, Nature, Supply};

/// An input that is being read.
pub(in crate::extract) struct Opened {
    /// Its content, unpacked.
    pub(in crate::extract) reader: Box<dyn Read + Send>,
    /// The command that unpacks it as kreplay does, if it is packed.
    pub(in crate::extract) unpacked_by: Option<&'static str>,
    pub(in crate::extract) taken: Taken,
    /// Whether it is known to hold only blanks.
    pub(in crate::extract) is_empty: bool,
    /// Whether more of it is available at once, or arrives over time.
    supply: Supply,
}

/// How many bytes are first read to recognise an input; this doubles while they do not show its kind.
const FIRST_LOOK: usize = 32 << 10;

impl Opened {
    /// Recognises the input; its reader reads again what was read for that.
    ///
    /// # Errors
    /// Returns the reader's error if nothing could be read before it.
    pub(in crate::extract) fn look(&mut self, asked: Asked) -> io::Result<Nature> {
        let (mut head, mut supply) = (Vec::new(), self.supply);
        let mut failure = None;
        let nature = loop {
            if let Some(nature) = kind::detect(&head, supply, asked) {
                break nature;
            }
            match self.read_more(&mut head) {
                Ok(0) => supply = Supply::Ended,
                Ok(_) => {}
                Err(e) if head.is_empty() => return Err(e),
                Err(e) => {
                    failure = Some(e);
                    supply = Supply::Ended;
                }
            }
        };
        let rest = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        let rest = Failing(failure).chain(rest);
        self.reader = Box::new(io::Cursor::new(head).chain(rest));
        self.is_empty = nature == Nature::Empty;
        Ok(nature)
    }

    /// The `ts` of the first object that has one, if it is not far from the beginning; the input cannot be
    /// read any more after this.
    pub(in crate::extract) fn first_ts(&mut self) -> Option<String> {
        let mut head = Vec::new();
        loop {
            let read = self.read_more(&mut head).unwrap_or(0);
            let ts = kind::first_ts(&head);
            if ts.is_some() || read == 0 || head.len() >= kind::MOST_BYTES {
                return ts;
            }
        }
    }

    /// Reads on: as much as requested from a file, and what is there from a stream.
    fn read_more(&mut self, head: &mut Vec<u8>) -> io::Result<usize> {
        let before = head.len();
        head.resize(before + before.max(FIRST_LOOK), 0);
        let read = loop {
            match self.reader.read(&mut head[before..]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        head.truncate(before + *read.as_ref().unwrap_or(&0));
        read
    }
}

/// Returns an error that came too early, and then ends.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// Bytes taken from the file or stdin, before they are unpacked: they correspond to its size.
#[derive(Debug, Clone, Default)]
pub(in crate::extract) struct Taken(Arc<AtomicU64>);

impl Taken {
    /// Bytes taken since the last call.
    pub(in crate::extract) fn since_last(&self) -> u64 {
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

/// Opens `input`; blocks until its first bytes arrive.
///
/// # Errors
/// Returns [`Error::Unreadable`] with the system's reason.
pub(in crate::extract) fn open(input: &Input) -> Result<Opened, Error> {
    let unreadable = |e: io::Error| read_error(input.name(), &e);
    let supply = match is_regular_file(input) {
        true => Supply::File,
        false => Supply::Stream,
    };
    match input {
        Input::Stdin => opened(io::stdin(), supply),
        Input::File(path) => {
            let file = File::open(path).map_err(unreadable)?;
            if file.metadata().map_err(unreadable)?.is_dir() {
                return Err(Error::Unreadable {
                    place: input.name(),
                    reason: "it is a folder".into(),
                });
            }
            opened(file, supply)
        }
    }
    .map_err(unreadable)
}

/// What a failed read means for the input at `place`.
pub(in crate::extract) fn read_error(place: String, error: &io::Error) -> Error {
    match error.kind() {
        _ if error.get_ref().is_some_and(|e| e.is::<LongWindow>()) => Error::OtherFormat {
            input: place,
            what: "packed with zstd and a window of more than 128 MiB",
            unpack: vec!["zstd -dc --long=31"],
        },
        io::ErrorKind::UnexpectedEof => Error::CutOff {
            place,
            why: "the compressed data is cut off".into(),
        },
        _ => Error::Unreadable {
            place,
            reason: reason(error),
        },
    }
}

fn opened(reader: impl Read + Send + 'static, supply: Supply) -> io::Result<Opened> {
    let taken = Taken::default();
    let counted = Counted {
        reader,
        taken: taken.clone(),
    };
    let content = unpacked(counted)?;
    Ok(Opened {
        reader: content.reader,
        unpacked_by: content.unpacked_by,
        taken,
        is_empty: false,
        supply,
    })
}

/// The bytes of all `inputs`; `None` if the size of one of them is unknown.
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
pub(in crate::extract) fn is_regular_file(input: &Input) -> bool {
    size(input).is_some()
}
