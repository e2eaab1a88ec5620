//! Unpacks gzip and zstd, recognised by their first bytes and never by a name. This file is separate
//! because it is the one home of both crates. `magic.rs` names other ways of packing.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::mem;

use flate2::bufread::GzDecoder;
use zstd::Decoder;

use super::head::head;
use super::utf16;

/// gzip's magic number and its only compression method (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b, 8];
/// The magic number of a zstd frame (RFC 8878, 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// The magic number of a skippable frame, after its first byte (RFC 8878, 3.1.2); pzstd begins with one.
const ZSTD_SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];
/// Packed bytes read at once.
const CHUNK: usize = 128 << 10;
/// How far back a zstd frame may refer, as a power of two: 128 MiB, which unpacking takes of memory. `zstd
/// -d` accepts the same; only `--long=28` and above need more.
const WINDOW_LOG_MAX: u32 = 27;

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// The command that unpacks it to stdout; the name of the file follows it.
    fn command(self) -> &'static str {
        match self {
            Self::Gzip => "gunzip -c",
            Self::Zstd => "zstd -dc",
        }
    }

    /// Whether a member of this packing begins with `head`, which is short only at the end of the data.
    fn may_begin(self, head: &[u8]) -> bool {
        let cut_off = match self {
            Self::Gzip => GZIP.starts_with(head),
            Self::Zstd => {
                ZSTD.starts_with(head)
                    || matches!(head, [0x50..=0x5f, rest @ ..] if ZSTD_SKIPPABLE.starts_with(rest))
            }
        };
        Self::of(head) == Some(self) || cut_off
    }

    /// The packing of data that begins with `head`.
    fn of(head: &[u8]) -> Option<Self> {
        let skippable = head.get(1..4) == Some(ZSTD_SKIPPABLE) && matches!(head[0], 0x50..=0x5f);
        match head {
            _ if head.starts_with(GZIP) => Some(Self::Gzip),
            _ if head.starts_with(ZSTD) || skippable => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The content of an input.
pub(in crate::extract) struct Content {
    pub(in crate::extract) reader: Box<dyn Read + Send>,
    /// The command that does the same as kreplay, if the input is packed.
    pub(in crate::extract) unpacked_by: Option<&'static str>,
}

/// What `reader` yields, as UTF-8 without a byte order mark, and unpacked if it is packed: several gzip members or zstd frames are
/// one stream. Only packed data that is cut off yields an error of kind `UnexpectedEof`.
///
/// # Errors
/// Returns the reader's error, or what is wrong with the beginning of packed data.
pub(in crate::extract) fn unpacked<R: Read + Send + 'static>(mut reader: R) -> io::Result<Content> {
    let head = head(&mut reader)?;
    let packing = Packing::of(&head);
    let whole = Cursor::new(head).chain(reader);
    let reader = match packing {
        None => utf16::decoded(whole),
        Some(packing) => utf16::decoded(Unpacked {
            packing,
            member: CompressedMember::Between(Packed::new(whole)),
            any: false,
        }),
    };
    Ok(Content {
        reader: reader?,
        unpacked_by: packing.map(Packing::command),
    })
}

/// Packed bytes with a look-ahead.
struct Packed<R> {
    reader: BufReader<R>,
    /// Bytes of the look-ahead, and how many of them are taken.
    seen: Vec<u8>,
    taken: usize,
}

impl<R: Read> Packed<R> {
    fn new(reader: R) -> Self {
        Self {
            reader: BufReader::with_capacity(CHUNK, reader),
            seen: Vec::new(),
            taken: 0,
        }
    }

    /// The next bytes, as many as show a packing, or fewer at the end.
    fn peek(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.seen.len() {
            self.seen = head(&mut self.reader)?;
            self.taken = 0;
        }
        Ok(&self.seen[self.taken..])
    }

    /// Tapes and some disks fill up their blocks with zeros.
    fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.fill_buf()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let all = zeros == bytes.len();
            self.consume(zeros);
            if zeros == 0 || !all {
                return Ok(());
            }
        }
    }
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(buffer)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Packed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.taken < self.seen.len() {
            true => Ok(&self.seen[self.taken..]),
            false => self.reader.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        match self.taken < self.seen.len() {
            true => self.taken += n,
            false => self.reader.consume(n),
        }
    }
}

/// A zstd frame that would take too much memory.
#[derive(Debug)]
pub(in crate::extract) struct LongWindow;

impl fmt::Display for LongWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "its zstd window is longer than {} MiB",
            1 << (WINDOW_LOG_MAX - 20)
        )
    }
}

impl std::error::Error for LongWindow {}

/// Recognises this error by libzstd's text (`ZSTD_error_frameParameter_windowTooLarge`), because libzstd
/// has nothing else for it.
fn zstd_error(error: io::Error) -> io::Error {
    match error.to_string().contains("too much memory") {
        true => io::Error::other(LongWindow),
        false => error,
    }
}

/// Packed data, member by member.
struct Unpacked<R: Read> {
    packing: Packing,
    member: CompressedMember<R>,
    /// Whether a whole member was read: what follows may not be data.
    any: bool,
}

/// The member that is read.
enum CompressedMember<R: Read> {
    Between(Packed<R>),
    Gzip(GzDecoder<Packed<R>>),
    Zstd(Box<Decoder<'static, Packed<R>>>),
    /// Nothing more can be read.
    Ended,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match &mut self.member {
                CompressedMember::Between(_) => match self.begin()? {
                    true => continue,
                    false => return Ok(0),
                },
                CompressedMember::Gzip(member) => member.read(buffer),
                CompressedMember::Zstd(frame) => frame.read(buffer).map_err(zstd_error),
                CompressedMember::Ended => return Ok(0),
            };
            let read = read?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.any = true;
            self.member = match mem::replace(&mut self.member, CompressedMember::Ended) {
                CompressedMember::Gzip(member) => CompressedMember::Between(member.into_inner()),
                CompressedMember::Zstd(frame) => CompressedMember::Between(frame.finish()),
                other => other,
            };
        }
    }
}

impl<R: Read> Unpacked<R> {
    /// Begins the next member; `false` at the end of the data.
    fn begin(&mut self) -> io::Result<bool> {
        let CompressedMember::Between(mut packed) =
            mem::replace(&mut self.member, CompressedMember::Ended)
        else {
            return Ok(false);
        };
        if self.any {
            packed.skip_zeros()?;
        }
        let head = packed.peek()?;
        if head.is_empty() && self.any {
            return Ok(false);
        }
        if self.any && !self.packing.may_begin(head) {
            return Err(io::Error::other(
                "the packed data is complete, but other bytes follow it",
            ));
        }
        self.member = match self.packing {
            Packing::Gzip => CompressedMember::Gzip(GzDecoder::new(packed)),
            Packing::Zstd => {
                let mut frame = Decoder::with_buffer(packed)?.single_frame();
                frame.window_log_max(WINDOW_LOG_MAX)?;
                CompressedMember::Zstd(Box::new(frame))
            }
        };
        Ok(true)
    }
}
