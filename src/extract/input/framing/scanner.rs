//! Finds where one JSON value ends (RFC 8259), as its bytes come. It follows the grammar and does not just
//! count brackets, so that it meets damage where it occurs and does not swallow the values after it. It
//! leaves what cannot move the end of a value (escapes, digits, UTF-8) to the reader.

use memchr::memchr3;

/// What the next byte outside a string may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ScannerState {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// Inside a string, and whether it is a member's name.
    Text {
        key: bool,
    },
    Escape {
        key: bool,
    },
    /// Inside a number or one of the three words.
    Scalar,
}

/// The result of scanning bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// The value ends before this byte.
    Ended(usize),
    /// This byte is not allowed here, and why.
    Broken(usize, &'static str),
    /// All bytes are part of the value, which continues.
    More,
}

/// A value whose beginning has been seen.
#[derive(Debug)]
pub(super) struct ValueScanner {
    state: ScannerState,
    /// Open containers.
    depth: u32,
    /// A bit for each of them, the outermost the lowest: whether it is an object.
    objects: u128,
}

/// As deep as [`ValueScanner::objects`] has bits, which is also serde_json's limit.
const DEEPEST: u32 = u128::BITS;

impl ValueScanner {
    pub(super) fn new() -> Self {
        Self {
            state: ScannerState::Value,
            depth: 0,
            objects: 0,
        }
    }

    /// Whether the value is whole if nothing follows: only numbers and words end by what follows.
    pub(super) fn may_end(&self) -> bool {
        self.state == ScannerState::Scalar && self.depth == 0
    }

    /// Goes over the next bytes of the value.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scan {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                ScannerState::Text { key } => {
                    let Some(found) = memchr3(b'"', b'\\', b'\n', &bytes[at..]) else {
                        return Scan::More;
                    };
                    at += found;
                    match bytes[at] {
                        b'\\' => self.state = ScannerState::Escape { key },
                        b'\n' => return Scan::Broken(at, "a line ends inside a string"),
                        _ if key => self.state = ScannerState::Colon,
                        _ => {
                            if self.ends() {
                                return Scan::Ended(at + 1);
                            }
                        }
                    }
                    at += 1;
                }
                ScannerState::Escape { key } => {
                    self.state = ScannerState::Text { key };
                    // A line end stays, so that the string fails at it.
                    at += usize::from(byte != b'\n');
                }
                ScannerState::Scalar if is_scalar(byte) => at += 1,
                ScannerState::Scalar => {
                    if self.ends() {
                        return Scan::Ended(at);
                    }
                }
                _ if byte.is_ascii_whitespace() => at += 1,
                _ => {
                    if let Err(why) = self.structure(byte) {
                        return Scan::Broken(at, why);
                    }
                    at += 1;
                    if self.depth == 0 && self.state == ScannerState::CommaOrEnd {
                        return Scan::Ended(at);
                    }
                }
            }
        }
        Scan::More
    }

    /// Takes a byte outside strings and numbers.
    fn structure(&mut self, byte: u8) -> Result<(), &'static str> {
        self.state = match (self.state, byte) {
            (ScannerState::Value | ScannerState::ValueOrEnd, b'{') => self.open(true)?,
            (ScannerState::Value | ScannerState::ValueOrEnd, b'[') => self.open(false)?,
            (ScannerState::Value | ScannerState::ValueOrEnd, b'"') => {
                ScannerState::Text { key: false }
            }
            (ScannerState::Value | ScannerState::ValueOrEnd, byte) if is_scalar(byte) => {
                ScannerState::Scalar
            }
            (ScannerState::Key | ScannerState::KeyOrEnd, b'"') => ScannerState::Text { key: true },
            (ScannerState::Colon, b':') => ScannerState::Value,
            (ScannerState::CommaOrEnd, b',') if self.in_object() => ScannerState::Key,
            (ScannerState::CommaOrEnd, b',') => ScannerState::Value,
            (ScannerState::KeyOrEnd, b'}') => self.close(),
            (ScannerState::CommaOrEnd, b'}') if self.in_object() => self.close(),
            (ScannerState::ValueOrEnd, b']') => self.close(),
            (ScannerState::CommaOrEnd, b']') if !self.in_object() => self.close(),
            (ScannerState::Value | ScannerState::ValueOrEnd, _) => return Err("expected a value"),
            (ScannerState::Key | ScannerState::KeyOrEnd, _) => {
                return Err("expected a member's name");
            }
            (ScannerState::Colon, _) => return Err("expected `:`"),
            _ if self.in_object() => return Err("expected `,` or `}`"),
            _ => return Err("expected `,` or `]`"),
        };
        Ok(())
    }

    fn open(&mut self, object: bool) -> Result<ScannerState, &'static str> {
        if self.depth == DEEPEST {
            return Err("it is nested too deeply");
        }
        let bit = 1 << self.depth;
        self.depth += 1;
        if object {
            self.objects |= bit;
            return Ok(ScannerState::KeyOrEnd);
        }
        self.objects &= !bit;
        Ok(ScannerState::ValueOrEnd)
    }

    fn close(&mut self) -> ScannerState {
        self.depth -= 1;
        ScannerState::CommaOrEnd
    }

    fn in_object(&self) -> bool {
        self.depth > 0 && self.objects >> (self.depth - 1) & 1 == 1
    }

    /// Ends a string or number; returns whether the whole value ends with it.
    fn ends(&mut self) -> bool {
        self.state = ScannerState::CommaOrEnd;
        self.depth == 0
    }
}

fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_the_json_grammar_says() {
        let cases = [
            (r#"{"a":[1,{"b":"}\"]"}]} x"#, Scan::Ended(22)),
            ("[] ]", Scan::Ended(2)),
            (r#""a"b"#, Scan::Ended(3)),
            ("-1.5e+3,", Scan::Ended(7)),
            ("null", Scan::More),
            (r#"{"a":"#, Scan::More),
            (r#"{"a"}"#, Scan::Broken(4, "expected `:`")),
            (r#"{"a":}"#, Scan::Broken(5, "expected a value")),
            (r#"{"a":1]"#, Scan::Broken(6, "expected `,` or `}`")),
            (r#"[1}"#, Scan::Broken(2, "expected `,` or `]`")),
            (r#"{"a":1,}"#, Scan::Broken(7, "expected a member's name")),
            (
                "{\"a\":\"b\nc\"}",
                Scan::Broken(7, "a line ends inside a string"),
            ),
            (
                "{\"a\":\"b\\\nc\"}",
                Scan::Broken(8, "a line ends inside a string"),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                ValueScanner::new().scan(text.as_bytes()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(200);
        assert_eq!(
            ValueScanner::new().scan(deep.as_bytes()),
            Scan::Broken(128, "it is nested too deeply")
        );
    }
}
