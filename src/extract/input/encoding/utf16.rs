//! Converts UTF-16 to UTF-8 without a byte order mark, which everything after this reads. PowerShell's `>` writes
//! UTF-16 with a byte order mark; without one, the zeros beside the first two characters show it.

use std::io::{self, Cursor, Read};

use super::head::head;
use crate::config::small_file::unmark;

/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// The order of the two bytes of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The order of a text that begins with `head`, and the length of its mark; `None` for anything but
    /// UTF-16.
    fn of(head: &[u8]) -> Option<(Self, usize)> {
        match head {
            // This is UTF-32.
            [0xff, 0xfe, 0, 0] => None,
            [0xff, 0xfe, ..] => Some((Self::Little, 2)),
            [0xfe, 0xff, ..] => Some((Self::Big, 2)),
            [1..=0x7f, 0, 1..=0x7f, 0] => Some((Self::Little, 0)),
            [0, 1..=0x7f, 0, 1..=0x7f] => Some((Self::Big, 0)),
            _ => None,
        }
    }

    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }
}

/// What `reader` yields, converted to UTF-8 if it is UTF-16, and without the byte order mark at its beginning.
///
/// # Errors
/// Returns the reader's error.
pub(in crate::extract) fn decoded(
    mut reader: impl Read + Send + 'static,
) -> io::Result<Box<dyn Read + Send>> {
    let mut head = head(&mut reader)?;
    let Some((order, mark)) = ByteOrder::of(&head) else {
        unmark(&mut head);
        return Ok(Box::new(Cursor::new(head).chain(reader)));
    };
    head.drain(..mark);
    Ok(Box::new(Utf16 {
        reader: Cursor::new(head).chain(reader),
        order,
        undecoded: Vec::new(),
        decoded: Vec::new(),
        given: 0,
        passed: mark as u64,
    }))
}

struct Utf16<R> {
    reader: R,
    order: ByteOrder,
    undecoded: Vec<u8>,
    decoded: Vec<u8>,
    /// How many bytes of `decoded` were passed on.
    given: usize,
    /// Bytes of the input that were decoded.
    passed: u64,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() {
            self.decoded.clear();
            self.given = 0;
            let before = self.undecoded.len();
            self.undecoded.resize(before + CHUNK, 0);
            let read = self.reader.read(&mut self.undecoded[before..]);
            self.undecoded
                .truncate(before + *read.as_ref().unwrap_or(&0));
            if read? == 0 {
                return match self.undecoded.is_empty() {
                    true => Ok(0),
                    false => Err(io::Error::other(
                        "the UTF-16 text ends in the middle of a character",
                    )),
                };
            }
            self.decode()?;
        }
        let n = (&self.decoded[self.given..]).read(buffer)?;
        self.given += n;
        Ok(n)
    }
}

impl<R> Utf16<R> {
    /// Decodes all characters that are whole.
    fn decode(&mut self) -> io::Result<()> {
        let order = self.order;
        let units = self.undecoded.chunks_exact(2);
        let mut units: Vec<u16> = units.map(|unit| order.unit([unit[0], unit[1]])).collect();
        // The other half of a pair may still come.
        units.pop_if(|last| matches!(last, 0xd800..=0xdbff));
        let mut at = 0;
        for decoded in char::decode_utf16(units.iter().copied()) {
            let Ok(character) = decoded else {
                // What is sound before the fault is passed on first.
                if at > 0 {
                    break;
                }
                let place = self.passed;
                return Err(io::Error::other(format!("invalid UTF-16 at byte {place}")));
            };
            let mut utf8 = [0; 4];
            let utf8 = character.encode_utf8(&mut utf8);
            self.decoded.extend_from_slice(utf8.as_bytes());
            at += 2 * character.len_utf16();
        }
        self.passed += at as u64;
        self.undecoded.drain(..at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Yields at most `.1` bytes at once.
    struct SteppedCursor(Cursor<Vec<u8>>, usize);

    impl Read for SteppedCursor {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = buffer.len().min(self.1);
            self.0.read(&mut buffer[..n])
        }
    }

    fn read(bytes: &[u8], step: usize) -> Result<String, String> {
        let stepped = SteppedCursor(Cursor::new(bytes.to_vec()), step);
        let mut reader = decoded(stepped).map_err(|e| e.to_string())?;
        let mut text = String::new();
        let read = reader.read_to_string(&mut text);
        read.map(|_| text).map_err(|e| e.to_string())
    }

    #[test]
    fn utf_16_is_read_in_both_byte_orders_with_and_without_a_bom() {
        let text = "{\"a\":\"na\u{ef}ve \u{1f980}\"}\r\n";
        for mark in ["", "\u{feff}"] {
            let units: Vec<u16> = mark.encode_utf16().chain(text.encode_utf16()).collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for bytes in [&little, &big] {
                for step in [1, 2, 3, 1000] {
                    assert_eq!(read(bytes, step).as_deref(), Ok(text), "{mark:?} {step}");
                }
            }
        }
    }

    #[test]
    fn other_text_than_utf_16_is_left_unchanged() {
        for text in ["", "a", "{}", "plain text"] {
            assert_eq!(read(text.as_bytes(), 1).as_deref(), Ok(text));
        }
    }

    #[test]
    fn utf_8_loses_one_byte_order_mark_at_its_beginning() {
        for (bytes, expected) in [
            (&b"\xef\xbb\xbf"[..], &b""[..]),
            (b"\xef\xbb\xbf[", b"["),
            (b"\xef\xbb\xbf\"a,b\"\n", b"\"a,b\"\n"),
            (b"\xef\xbb\xbf\xef\xbb\xbfa", b"\xef\xbb\xbfa"),
            (
                b"a\xef\xbb\xbfb\n\xef\xbb\xbfc",
                b"a\xef\xbb\xbfb\n\xef\xbb\xbfc",
            ),
            (b"\xef\xbb", b"\xef\xbb"),
            (b"\xef\xbb\xbe", b"\xef\xbb\xbe"),
        ] {
            for step in [1, 2, 3, 1000] {
                let stepped = SteppedCursor(Cursor::new(bytes.to_vec()), step);
                let mut seen = Vec::new();
                let mut reader = decoded(stepped).expect("memory can be read");
                reader.read_to_end(&mut seen).expect("memory can be read");
                assert_eq!(seen, expected, "{bytes:?} {step}");
            }
        }
    }

    #[test]
    fn damaged_utf_16_is_named_with_its_position() {
        let cases: [(&[u8], &str); 3] = [
            (
                b"\xff\xfea\0b",
                "the UTF-16 text ends in the middle of a character",
            ),
            (
                b"\xff\xfe\x3d\xd8",
                "the UTF-16 text ends in the middle of a character",
            ),
            (b"\xff\xfea\0\x00\xdcb\0", "invalid UTF-16 at byte 4"),
        ];
        for (bytes, expected) in cases {
            for step in [1, 1000] {
                assert_eq!(read(bytes, step), Err(expected.into()), "{bytes:?}");
            }
        }
    }
}
