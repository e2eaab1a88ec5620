//! Recognises what an input is from its beginning, never from its name:
//!
//! | it begins with | kind |
//! |---|---|
//! | a header row with the column `RRPair UUID`, or with one that ends in `valueString` and the like | a CSV |
//! | JSON or Markdown whose objects have the members of an RRPair, or an export of logs that holds some | RRPairs |
//! | JSON whose objects have the members of a record, as kreplay, kcat or another tool prints them | record lines |
//! | a magic number, or bytes that no text has | a format that kreplay does not read |
//!
//! The first object that is one or the other decides: anything before it is damage. An input of none of these
//! kinds is read only if the user's own paths lead into any JSON.

use memchr::{memchr, memmem};

use super::encoding::magic;
use super::encoding::magic::KnownFormat;
use super::envelope;
use super::framing::{Framer, RrPairText};
use super::members::{TextEnd, TopLevelMembers};
use crate::config::InputKind;
use crate::record::lines;

/// How much is examined of an input that is none of the kinds so far.
pub(in crate::extract) const MOST_BYTES: usize = 1 << 20;
/// How many texts of another kind decide about a stream: waiting for a MiB may take for ever.
const MOST_TEXTS: usize = 16;
/// The header of the column that speedctl adds to every CSV.
pub(in crate::extract) const UUID_COLUMN: &str = crate::error::UUID_COLUMN;
/// How the headers of value columns end.
const VALUE_COLUMNS: [&str; 3] = [".valueString", ".valueBytes", ".valueBase64"];
/// What damaged JSON of an RRPair still shows: members with their colons, which nothing else has.
const MARKS: [&str; 8] = [
    "\"msgType\":\"rrpair\"",
    "\"msgType\": \"rrpair\"",
    "\"l7protocol\":",
    "\"kafka\":",
    "\"FetchResponse\":",
    "\"ProduceRequest\":",
    "\"valueString\":",
    "\"valueBytes\":",
];

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Nature {
    Known(InputKind),
    /// It holds only blanks.
    Empty,
    /// JSON that is neither RRPairs nor records. `like_a_record` says whether it has any member of a record.
    Json {
        like_a_record: bool,
    },
    /// Anything else that people write.
    Text,
    Unread(KnownFormat),
}

/// Why an input is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Asked {
    /// It is an argument.
    ByName,
    /// It is in a folder that is an argument: not everything there need be RRPairs.
    InFolder,
}

/// Whether more of an input is available at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Supply {
    /// All there is has been seen.
    Ended,
    /// It is a file.
    File,
    /// It is a stream, which yields data over time.
    Stream,
}

/// What an input is that begins with `head`; `None` if more has to be read first.
pub(in crate::extract) fn detect(head: &[u8], supply: Supply, asked: Asked) -> Option<Nature> {
    let ended = supply == Supply::Ended || head.len() >= MOST_BYTES;
    let text = head.trim_ascii_start();
    if text.is_empty() {
        return match supply {
            Supply::Ended => Some(Nature::Empty),
            // Whatever follows this many blanks, the input is not empty.
            Supply::File | Supply::Stream => ended.then_some(Nature::Text),
        };
    }
    let first_line = match memchr(b'\n', text) {
        Some(end) => &text[..end],
        None if ended => text,
        // JSON may show what it is before its line ends.
        None if matches!(text[0], b'{' | b'[') || magic::format(head).is_some() => text,
        None => return None,
    };
    // Before the formats: the cells of a CSV may be any bytes.
    if !matches!(text[0], b'{' | b'[') && is_header(first_line) {
        return Some(Nature::Known(InputKind::Csv));
    }
    if let Some(format) = magic::format(head) {
        return Some(Nature::Unread(format));
    }
    let seen = Glance::of(text, asked);
    let few = supply == Supply::File || seen.texts < MOST_TEXTS;
    match (seen.kind, ended || !few) {
        (Some(kind), _) => Some(Nature::Known(kind)),
        (None, false) => None,
        (None, true) => Some(seen.otherwise(text, first_line)),
    }
}

/// The `ts` of the first object in `head` that has one.
pub(in crate::extract) fn first_ts(head: &[u8]) -> Option<String> {
    let mut texts = Framer::new(head);
    let ts = |text: &RrPairText<'_>| match text {
        RrPairText::Whole(bytes) => TopLevelMembers::of(bytes).ts,
        RrPairText::TooLong | RrPairText::Broken(_) => None,
    };
    loop {
        while let Some((_, text)) = texts.next_buffered() {
            if let Some(ts) = ts(&text) {
                return Some(ts);
            }
        }
        if !matches!(texts.refill(), Ok(true)) {
            break;
        }
    }
    texts.remainder().and_then(|(_, text)| ts(&text))
}

/// Whether a line is the header row of a CSV.
fn is_header(line: &[u8]) -> bool {
    let cells = line.split(|byte| *byte == b',');
    let mut cells = cells.map(|cell| cell.trim_ascii().trim_with(b'"'));
    let is_column = |cell: &[u8]| {
        cell == UUID_COLUMN.as_bytes()
            || VALUE_COLUMNS
                .iter()
                .any(|end| cell.ends_with(end.as_bytes()))
    };
    cells.any(is_column)
}

/// Removes a byte from both ends.
trait TrimWith {
    fn trim_with(&self, byte: u8) -> &Self;
}

impl TrimWith for [u8] {
    fn trim_with(&self, byte: u8) -> &Self {
        let text = self.strip_prefix(&[byte]).unwrap_or(self);
        text.strip_suffix(&[byte]).unwrap_or(text)
    }
}

/// What the texts at the beginning of an input are.
#[derive(Debug, Default)]
struct Glance {
    kind: Option<InputKind>,
    /// Texts that are of no kind.
    texts: usize,
    /// How many of them are not JSON.
    other: usize,
    rrpairs: usize,
    json: bool,
    /// Whether the input begins as an array.
    array: bool,
    like_a_record: bool,
    /// Whether a text was damaged or cut off, and is an RRPair if it is anything.
    damaged: bool,
}

impl Glance {
    fn of(text: &[u8], asked: Asked) -> Self {
        let mut seen = Self {
            array: text.starts_with(b"["),
            ..Self::default()
        };
        let mut texts = Framer::new(text);
        loop {
            while let Some((_, text)) = texts.next_buffered() {
                if seen.add(&text, asked) {
                    return seen;
                }
            }
            // A slice yields everything at once, and then its end.
            if !matches!(texts.refill(), Ok(true)) {
                break;
            }
        }
        if let Some((_, text)) = texts.remainder() {
            _ = seen.add(&text, asked);
        }
        seen.damaged |= texts.unfinished().is_some() && text.starts_with(b"### ");
        // Prose may show an RRPair as an example.
        if seen.kind.is_none() && seen.rrpairs > 0 && seen.rrpairs >= seen.other {
            seen.kind = Some(InputKind::RrPairs);
        }
        seen
    }

    /// Adds a text; returns whether the kind is known with it.
    fn add(&mut self, text: &RrPairText<'_>, asked: Asked) -> bool {
        let RrPairText::Whole(bytes) = text else {
            self.other += 1;
            self.texts += 1;
            return false;
        };
        if bytes.trim_ascii().is_empty() {
            return false;
        }
        let members = TopLevelMembers::of(bytes);
        let is_export = envelope::is_export(bytes);
        let holds_some = is_export && envelope::has_members(&String::from_utf8_lossy(bytes));
        if members.is_rrpair() || holds_some {
            self.rrpairs += 1;
            let in_prose = asked == Asked::InFolder && self.other > 1;
            self.kind = (!in_prose).then_some(InputKind::RrPairs);
        } else if members.end == TextEnd::Whole && (members.is_record() || lines::is_foreign(bytes))
        {
            self.kind = Some(InputKind::Records);
        } else {
            self.texts += 1;
            let in_brackets = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
            self.json |= members.end == TextEnd::Whole && (self.array || in_brackets);
            self.json |= members.is_object && !members.is_empty();
            self.like_a_record |= members.is_like_a_record();
            let is_cut = members.end == TextEnd::Early && is_export;
            self.damaged |= is_cut || (members.may_become_rrpair() && members.is_object);
            self.other += usize::from(members.end == TextEnd::Broken);
        }
        self.kind.is_some()
    }

    /// What an input of no kind is.
    fn otherwise(self, text: &[u8], first_line: &[u8]) -> Nature {
        let ends_as_json = matches!(first_line.trim_ascii_end().last(), Some(b'}' | b']'));
        let fragment = ends_as_json || matches!(text[0], b'{' | b'[');
        let marked = MARKS
            .iter()
            .any(|mark| memmem::find(text, mark.as_bytes()).is_some());
        if self.damaged || (fragment && marked && self.other > 0) {
            return Nature::Known(InputKind::RrPairs);
        }
        match self.json {
            true => Nature::Json {
                like_a_record: self.like_a_record,
            },
            false => Nature::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RRPAIRS: Option<Nature> = Some(Nature::Known(InputKind::RrPairs));
    const CSV: Option<Nature> = Some(Nature::Known(InputKind::Csv));
    const RECORDS: Option<Nature> = Some(Nature::Known(InputKind::Records));
    const JSON: Option<Nature> = Some(Nature::Json {
        like_a_record: false,
    });
    const TEXT: Option<Nature> = Some(Nature::Text);

    #[test]
    fn the_kind_is_detected_from_the_content() {
        let cases = [
            ("{\"msgType\":\"rrpair\"}", RRPAIRS),
            (
                "{\n  \"command\": \"Fetch\",\n  \"kafka\": {}\n}\n",
                RRPAIRS,
            ),
            ("[{\"msgType\":\"rrpair\"}]", RRPAIRS),
            ("damaged\"}\n{\"msgType\":\"rrpair\"}\n", RRPAIRS),
            ("g\":\"a\"}],\"kafka\":{}}\n", RRPAIRS),
            ("{\"msgType\":\"rrpair\",\"kafka\": oops}\n", RRPAIRS),
            ("{\"msgType\":\"rrpair\",\"ts\":\"2025", RRPAIRS),
            ("{\"m", RRPAIRS),
            ("### REQUEST ###\n```\n", RRPAIRS),
            (
                "{\"topic\":\"t\",\"partition\":0,\"value\":null}\n",
                RECORDS,
            ),
            (
                "{\"topic_id\":\"AAAAAAAAAAAAAAAAAAAAAQ\",\"value\":\"a\"}",
                RECORDS,
            ),
            (
                "% Reached end of topic\n{\"topic\":\"t\",\"offset\":1}\n",
                RECORDS,
            ),
            ("ts,RRPair UUID\n", CSV),
            ("\"a.valueString\",\"b\"\r\n1,2\r\n", CSV),
            (r#"{"resourceLogs":[{"key":"msgType"}]}"#, RRPAIRS),
            (r#"{"resourceLogs":[{"key":"level"}]}"#, JSON),
            (r#"{"resourceLogs":[{"key":"#, RRPAIRS),
            ("{\"id\":\"5b6c\",\"name\":\"a snapshot\"}", JSON),
            ("{\"msgType\":\"snapshot\"}", JSON),
            ("{\"kafka\":{\"brokers\":[]}}", JSON),
            ("{\"level\":\"info\"}\n{\"level\":\"in", JSON),
            ("[1, 2]", JSON),
            ("3", TEXT),
            ("{{ a template }}", TEXT),
            ("\"use client\";\nimport \"kafka\";\n", TEXT),
            ("[![Build](x)](y)\n\n# Title\n", TEXT),
            ("### Captures\nof Tuesday\n", TEXT),
            ("Captures of \"kafka\" and {more}\n", TEXT),
            ("one,two\n1,2\n", TEXT),
            (" \n\t", Some(Nature::Empty)),
            ("", Some(Nature::Empty)),
        ];
        for (text, expected) in cases {
            let nature = detect(text.as_bytes(), Supply::Ended, Asked::InFolder);
            assert_eq!(nature, expected, "{text:?}");
        }
    }

    #[test]
    fn prose_that_quotes_an_rrpair_is_skipped_unless_the_file_is_named() {
        let prose = "Captures\n========\nlook like this:\n{\"msgType\":\"rrpair\"}\nand so on.\n";
        let nature = |asked| detect(prose.as_bytes(), Supply::Ended, asked);
        assert_eq!(nature(Asked::InFolder), TEXT);
        assert_eq!(nature(Asked::ByName), RRPAIRS);
    }

    #[test]
    fn an_input_that_begins_with_much_whitespace_is_not_called_empty() {
        let blanks = vec![b'\n'; MOST_BYTES];
        for supply in [Supply::File, Supply::Stream] {
            assert_eq!(detect(&blanks, supply, Asked::ByName), TEXT);
            assert_eq!(detect(&blanks[1..], supply, Asked::ByName), None);
        }
        let ended = detect(&blanks, Supply::Ended, Asked::ByName);
        assert_eq!(ended, Some(Nature::Empty));
    }

    #[test]
    fn the_kind_of_a_long_input_is_detected_from_its_beginning() {
        let json = format!("{{\"data\":\"{}\"}}", "x".repeat(2 * MOST_BYTES));
        assert_eq!(detect(json.as_bytes(), Supply::File, Asked::InFolder), JSON);
        let cut = &json.as_bytes()[..MOST_BYTES / 2];
        assert_eq!(detect(cut, Supply::File, Asked::InFolder), None);
        let rrpair = format!("{{\"kafka\":\"{}\"}}", "x".repeat(2 * MOST_BYTES));
        let cut = &rrpair.as_bytes()[..MOST_BYTES];
        assert_eq!(detect(cut, Supply::File, Asked::InFolder), RRPAIRS);
    }

    #[test]
    fn a_slow_stream_is_waited_for_only_so_long() {
        let lines = "{\"id\":1}\n".repeat(MOST_TEXTS);
        assert_eq!(
            detect(lines.as_bytes(), Supply::Stream, Asked::ByName),
            JSON
        );
        assert_eq!(detect(lines.as_bytes(), Supply::File, Asked::ByName), None);
        assert_eq!(detect(b"{\"id\":1}\n", Supply::Stream, Asked::ByName), None);
    }
}
