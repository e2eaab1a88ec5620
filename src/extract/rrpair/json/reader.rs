//! The text that is read, and where the reader is in it. Apart from `deserializer.rs` because nothing
//! here knows of serde's containers.

use serde::de::Visitor;

use super::escapes::{code_point, hex, is_plain, plain_bytes, single};
use super::given_up::{GivenUp, JsonResult};

/// How deep nodes may lie that are not skipped; serde_json's own bound is 127.
const DEEPEST: u8 = 100;
/// Digits that fit an `i64` in any case.
const MOST_DIGITS: usize = 18;

/// Memory that is kept from text to text.
#[derive(Debug, Default)]
pub(in crate::extract) struct Scratch {
    /// A string without its escapes.
    plain: Vec<u8>,
    /// The brackets that are open in what is skipped.
    open: Vec<u8>,
}

/// A text being read.
pub(in crate::extract) struct JsonReader<'de, 's> {
    pub(super) text: &'de str,
    pub(super) at: usize,
    pub(super) depth: u8,
    /// Whether every number was given as serde_json gives it.
    pub(super) is_exact: bool,
    scratch: &'s mut Scratch,
}

impl<'de, 's> JsonReader<'de, 's> {
    pub(in crate::extract) fn new(text: &'de str, scratch: &'s mut Scratch) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            is_exact: true,
            scratch,
        }
    }

    /// The node that was read must be all that there is.
    pub(in crate::extract) fn end(mut self) -> JsonResult<()> {
        match self.token() {
            Err(GivenUp) if self.at == self.text.len() => Ok(()),
            _ => Err(GivenUp),
        }
    }

    pub(super) fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no white space; it is not taken.
    pub(super) fn token(&mut self) -> JsonResult<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(GivenUp),
            }
        }
    }

    pub(super) fn take(&mut self, wanted: u8) -> JsonResult<()> {
        match self.token()? == wanted {
            true => self.at += 1,
            false => return Err(GivenUp),
        }
        Ok(())
    }

    pub(super) fn word(&mut self, word: &str) -> JsonResult<()> {
        match self.bytes()[self.at..].starts_with(word.as_bytes()) {
            true => self.at += word.len(),
            false => return Err(GivenUp),
        }
        Ok(())
    }

    /// Where the run of plain characters of a string ends that begins at `at`.
    pub(super) fn end_of_run(&self, mut at: usize) -> usize {
        let bytes = self.bytes();
        while let Some(eight) = bytes[at..].first_chunk() {
            match plain_bytes(eight) {
                8 => at += 8,
                n => return at + n,
            }
        }
        let rest = bytes[at..].iter().take_while(|byte| is_plain(**byte));
        at + rest.count()
    }

    /// A string, from behind its opening quote; `Err` is one that is not a part of the text.
    #[inline]
    pub(super) fn string(&mut self) -> JsonResult<Result<&'de str, &str>> {
        let start = self.at;
        let end = self.end_of_run(start);
        match self.bytes().get(end) {
            Some(b'"') => {
                self.at = end + 1;
                Ok(Ok(&self.text[start..end]))
            }
            Some(b'\\') => self.unescaped().map(Err),
            _ => Err(GivenUp),
        }
    }

    /// A string with escapes. Its bytes are copied while they are looked at, eight at a time; what was
    /// copied too much is overwritten by what comes next.
    pub(super) fn unescaped(&mut self) -> JsonResult<&str> {
        let (bytes, mut at, mut len) = (self.bytes(), self.at, 0);
        let plain = &mut self.scratch.plain;
        loop {
            // Up to eight bytes of a run, or seven and the character that an escape stands for.
            if plain.len() < len + 7 + char::MAX_LEN_UTF8 {
                plain.resize(plain.len() * 2 + 64, 0);
            }
            match bytes[at..].first_chunk::<8>() {
                Some(eight) => {
                    plain[len..][..8].copy_from_slice(eight);
                    let n = plain_bytes(eight);
                    (at, len) = (at + n, len + n);
                    if n == 8 {
                        continue;
                    }
                }
                None => {
                    let byte = *bytes.get(at).ok_or(GivenUp)?;
                    if is_plain(byte) {
                        plain[len] = byte;
                        (at, len) = (at + 1, len + 1);
                        continue;
                    }
                }
            }
            match bytes[at] {
                b'"' => break,
                b'\\' => {}
                _ => return Err(GivenUp),
            }
            let escape = *bytes.get(at + 1).ok_or(GivenUp)?;
            if escape == b'u' {
                let (c, escape) = code_point(&bytes[at..])?;
                len += c.encode_utf8(&mut plain[len..]).len();
                at += escape;
            } else {
                plain[len] = single(escape)?;
                (at, len) = (at + 2, len + 1);
            }
        }
        self.at = at + 1;
        std::str::from_utf8(&plain[..len]).map_err(|_| GivenUp)
    }

    pub(super) fn skip_string(&mut self) -> JsonResult<()> {
        loop {
            self.at = self.end_of_run(self.at);
            match (self.bytes().get(self.at), self.bytes().get(self.at + 1)) {
                (Some(b'"'), _) => {
                    self.at += 1;
                    return Ok(());
                }
                // serde_json does not ask either what skipped escapes stand for.
                (Some(b'\\'), Some(b'u')) => {
                    hex(&self.bytes()[self.at + 2..])?;
                    self.at += 6;
                }
                (Some(b'\\'), Some(byte)) => {
                    single(*byte)?;
                    self.at += 2;
                }
                _ => return Err(GivenUp),
            }
        }
    }

    /// A string as it is written, without its quotes, from behind the opening one.
    pub(super) fn raw_string(&mut self) -> JsonResult<&'de str> {
        let start = self.at;
        self.skip_string()?;
        Ok(&self.text[start..self.at - 1])
    }

    pub(super) fn skip_digits(&mut self) -> usize {
        let digits = self.bytes()[self.at..].iter();
        let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    /// The part of a number before a point or an exponent, with its sign.
    pub(super) fn skip_integer(&mut self) -> JsonResult<usize> {
        let bytes = self.bytes();
        self.at += usize::from(bytes.get(self.at) == Some(&b'-'));
        let leading = bytes.get(self.at) == Some(&b'0');
        match self.skip_digits() {
            0 => Err(GivenUp),
            digits if leading && digits > 1 => Err(GivenUp),
            digits => Ok(digits),
        }
    }

    pub(super) fn skip_number(&mut self) -> JsonResult<()> {
        self.skip_integer()?;
        if self.bytes().get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.skip_digits() == 0 {
                return Err(GivenUp);
            }
        }
        if let Some(b'e' | b'E') = self.bytes().get(self.at) {
            self.at += 1;
            let signed = matches!(self.bytes().get(self.at), Some(b'+' | b'-'));
            self.at += usize::from(signed);
            if self.skip_digits() == 0 {
                return Err(GivenUp);
            }
        }
        Ok(())
    }

    /// A small integer, or about what the number is: nobody takes one that is no small integer for
    /// more than its text. serde_json refuses what is beyond every `f64`; here it is an infinity.
    pub(super) fn number<V: Visitor<'de>>(&mut self, visitor: V) -> JsonResult<V::Value> {
        let start = self.at;
        let digits = self.skip_integer()?;
        let text = &self.text[start..self.at];
        let is_integer = !matches!(self.bytes().get(self.at), Some(b'.' | b'e' | b'E'));
        if is_integer && digits <= MOST_DIGITS && text != "-0" {
            return visitor.visit_i64(text.parse().map_err(|_| GivenUp)?);
        }
        self.at = start;
        self.skip_number()?;
        self.is_exact = false;
        let number = self.text[start..self.at].parse().map_err(|_| GivenUp)?;
        visitor.visit_f64(number)
    }

    /// A node that nobody asked for.
    pub(super) fn skip(&mut self) -> JsonResult<()> {
        self.scratch.open.clear();
        loop {
            match self.token()? {
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    // The closing bracket stands two behind the opening one in ASCII.
                    if self.token()? == open + 2 {
                        self.at += 1;
                    } else {
                        self.scratch.open.push(open);
                        self.skip_name(open)?;
                        continue;
                    }
                }
                b'"' => {
                    self.at += 1;
                    self.skip_string()?;
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.skip_number()?,
            }
            loop {
                let Some(open) = self.scratch.open.last().copied() else {
                    return Ok(());
                };
                match self.token()? {
                    b',' => {
                        self.at += 1;
                        self.skip_name(open)?;
                        break;
                    }
                    close if close == open + 2 => {
                        self.at += 1;
                        self.scratch.open.pop();
                    }
                    _ => return Err(GivenUp),
                }
            }
        }
    }

    /// A member's name, with what stands between it and its value, where an object is `open`.
    pub(super) fn skip_name(&mut self, open: u8) -> JsonResult<()> {
        if open == b'{' {
            self.take(b'"')?;
            self.skip_string()?;
            self.take(b':')?;
        }
        Ok(())
    }

    pub(super) fn enter(&mut self) -> JsonResult<()> {
        self.at += 1;
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(GivenUp),
            false => Ok(()),
        }
    }
}
