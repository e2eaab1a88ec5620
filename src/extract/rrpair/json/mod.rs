//! A quick reader of JSON for serde, apart from serde_json because a pass over RRPairs is mostly the
//! skipping of members that nobody asked for and the unescaping of JSON that stands in a string.
//!
//! It only ever reads what is right: at anything else, and at deep nesting, it gives up without a
//! word, and the text is read again by serde_json, which says what is wrong and where, or reads it
//! after all. So there is one judge of what is JSON: what this reader takes, serde_json must take for
//! the same, but for strings and numbers that are JSON (RFC 8259) and that serde_json has no type for.
//! Those do not upset this reader where only their text is wanted, or nothing of them.

mod deserializer;
pub(crate) mod document;
mod escapes;
pub(super) mod text;

use std::fmt;

use serde::de::{self, Deserialize, Visitor};

use self::deserializer::ContainerAccess;
pub(in crate::extract) use self::document::document;
pub(in crate::extract) use self::text::{JsonText, text};

use self::escapes::{code_point, hex, is_plain, plain_bytes, single};

/// The text has to be read by serde_json.
#[derive(Debug)]
pub(in crate::extract) struct GivenUp;

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the quick reader gave up")
    }
}

impl std::error::Error for GivenUp {}

impl de::Error for GivenUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type JsonResult<T> = Result<T, GivenUp>;

/// The newtype by which a node's text is asked for: a string without an escape is given. Any other
/// deserializer gives the node.
const TEXT: &str = "the text of a node";
/// The newtype of a node in which only what is inside is wanted: a string or a number need not be one
/// that can be read, and `true` is given for it.
pub(in crate::extract) const INSIDE: &str = "what is inside a node";

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
    text: &'de str,
    at: usize,
    depth: u8,
    /// Whether every number was given as serde_json gives it.
    is_exact: bool,
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

    fn bytes(&self) -> &'de [u8] {
        self.text.as_bytes()
    }

    /// The next byte that is no white space; it is not taken.
    fn token(&mut self) -> JsonResult<u8> {
        loop {
            match self.bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(GivenUp),
            }
        }
    }

    fn take(&mut self, wanted: u8) -> JsonResult<()> {
        match self.token()? == wanted {
            true => self.at += 1,
            false => return Err(GivenUp),
        }
        Ok(())
    }

    fn word(&mut self, word: &str) -> JsonResult<()> {
        match self.bytes()[self.at..].starts_with(word.as_bytes()) {
            true => self.at += word.len(),
            false => return Err(GivenUp),
        }
        Ok(())
    }

    /// Where the run of plain characters of a string ends that begins at `at`.
    fn end_of_run(&self, mut at: usize) -> usize {
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
    fn string(&mut self) -> JsonResult<Result<&'de str, &str>> {
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
    fn unescaped(&mut self) -> JsonResult<&str> {
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

    fn skip_string(&mut self) -> JsonResult<()> {
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
    fn raw_string(&mut self) -> JsonResult<&'de str> {
        let start = self.at;
        self.skip_string()?;
        Ok(&self.text[start..self.at - 1])
    }

    fn skip_digits(&mut self) -> usize {
        let digits = self.bytes()[self.at..].iter();
        let digits = digits.take_while(|byte| byte.is_ascii_digit()).count();
        self.at += digits;
        digits
    }

    /// The part of a number before a point or an exponent, with its sign.
    fn skip_integer(&mut self) -> JsonResult<usize> {
        let bytes = self.bytes();
        self.at += usize::from(bytes.get(self.at) == Some(&b'-'));
        let leading = bytes.get(self.at) == Some(&b'0');
        match self.skip_digits() {
            0 => Err(GivenUp),
            digits if leading && digits > 1 => Err(GivenUp),
            digits => Ok(digits),
        }
    }

    fn skip_number(&mut self) -> JsonResult<()> {
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
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> JsonResult<V::Value> {
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
    fn skip(&mut self) -> JsonResult<()> {
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
    fn skip_name(&mut self, open: u8) -> JsonResult<()> {
        if open == b'{' {
            self.take(b'"')?;
            self.skip_string()?;
            self.take(b':')?;
        }
        Ok(())
    }

    fn enter(&mut self) -> JsonResult<()> {
        self.at += 1;
        self.depth += 1;
        match self.depth > DEEPEST {
            true => Err(GivenUp),
            false => Ok(()),
        }
    }
}

/// What the quick reader says that `text` is, where it does not give up and all numbers are exact.
pub(in crate::extract) fn quickly_read(text: &str) -> Option<serde_json::Value> {
    let mut scratch = Scratch::default();
    let mut reader = JsonReader::new(text, &mut scratch);
    let value = serde_json::Value::deserialize(&mut reader).ok()?;
    let is_exact = reader.is_exact;
    reader.end().ok().filter(|()| is_exact).map(|()| value)
}

/// Whether the quick reader can skip `text`.
pub(in crate::extract) fn quickly_skipped(text: &str) -> bool {
    let mut scratch = Scratch::default();
    let mut reader = JsonReader::new(text, &mut scratch);
    reader.skip().and_then(|()| reader.end()).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};
    use serde::de::IgnoredAny;
    use serde_json::{Value, json};

    use super::*;

    /// What JSON is made of, whole and in pieces.
    const PIECES: [&str; 46] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"name\":",
        " ",
        "\n",
        "\t",
        "\r",
        "0",
        "7",
        "-",
        "-3",
        "-0",
        "01",
        "1.5",
        "1.",
        "1e5",
        "1E+2",
        "1e400",
        "123456789012345678",
        "1234567890123456789",
        "true",
        "false",
        "null",
        "nul",
        "\\",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b\\f",
        "\\n\\r\\t",
        "\\x",
        "\\u00e9",
        "\\u00",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\u0041",
        "\u{1}",
        "\u{7f}é\u{2028}",
        "abcdefghijklmnop",
    ];

    /// Values with strings of every length up to several words of eight bytes.
    fn values() -> impl Strategy<Value = Value> {
        let text = vec(select(PIECES.to_vec()), 0..12).prop_map(|pieces| pieces.concat());
        let leaf = prop_oneof![
            text.prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-99_i64..99).prop_map(Value::from),
            select(vec![json!(null), json!(true), json!(false)]),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Value::from),
                vec(("[a-z\"\\\\é]{0,20}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn is_judged_alike(text: &str) -> Result<(), TestCaseError> {
        if let Some(quick) = quickly_read(text) {
            let judged: Result<Value, _> = serde_json::from_str(text);
            prop_assert_eq!(Some(quick), judged.ok(), "{}", text);
        }
        let judged = serde_json::from_str::<IgnoredAny>(text).is_ok();
        prop_assert_eq!(quickly_skipped(text), judged, "{}", text);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_right_is_read_as_serde_json_reads_it(value in values(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&value),
                false => serde_json::to_string(&value),
            };
            let text = text.expect("a value can be written");
            is_judged_alike(&text)?;
            // Of these only integers beyond 18 digits are not exact.
            let is_long = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 18);
            prop_assert!(is_long || quickly_read(&text).is_some(), "{}", text);
        }

        #[test]
        fn what_is_damaged_is_left_to_serde_json(
            value in values(),
            damage in vec((any::<Index>(), any::<Index>(), select(PIECES.to_vec())), 1..3),
        ) {
            let mut text: Vec<char> = value.to_string().chars().collect();
            for (from, len, piece) in damage {
                let from = from.index(text.len() + 1);
                let to = from + len.index(4).min(text.len() - from);
                text.splice(from..to, piece.chars());
            }
            is_judged_alike(&text.into_iter().collect::<String>())?;
        }

        #[test]
        fn pieces_in_any_order_are_judged_as_serde_json_does(pieces in vec(select(PIECES.to_vec()), 0..9)) {
            is_judged_alike(&pieces.concat())?;
        }
    }

    #[test]
    fn an_escaped_character_may_stand_behind_a_string_of_any_length() {
        for length in 0..300 {
            for escape in ["\\ud83d\\ude00", "\\u20ac", "\\n"] {
                let text = format!("\"{}{escape}{escape} and more\"", "x".repeat(length));
                let judged = serde_json::from_str(&text).ok();
                assert_eq!(quickly_read(&text), judged, "{text}");
            }
        }
    }

    #[test]
    fn every_place_in_a_word_of_eight_bytes_is_looked_at() {
        for len in 0..24 {
            for odd in ["\"", "\\", "\n", "\u{1f}", "\u{7f}", "é", "\u{1f600}"] {
                let text = format!("{}{odd}", "x".repeat(len));
                let json = serde_json::to_string(&[&text, "behind"]).expect("it can be written");
                assert_eq!(quickly_read(&json), Some(json!([text, "behind"])));
                let raw = format!("[\"{text}\",1]");
                let right = !["\"", "\\", "\n", "\u{1f}"].contains(&odd);
                assert_eq!(quickly_read(&raw).is_some(), right, "{raw:?}");
                assert_eq!(quickly_skipped(&raw), right, "{raw:?}");
            }
        }
    }

    #[test]
    fn deep_nesting_is_skipped_at_any_depth_and_read_only_so_far() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(quickly_skipped(&nested(100_000)));
        assert!(quickly_read(&nested(100)).is_some());
        assert!(quickly_read(&nested(101)).is_none());
    }
}
