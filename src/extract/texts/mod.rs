//! The texts of RRPairs, one after another, whatever the form of the input. The form is told from
//! the first bytes that are not blank, never from a name:
//!
//! | the input begins with | form |
//! |---|---|
//! | `{`, and the value ends on its line | JSON lines; values if another `{` follows on that line |
//! | `{`, and the line ends inside the value | JSON lines if the next line begins with `{`, else values |
//! | `{`, and the line is damaged | JSON lines if a later line begins with `{`, else values |
//! | `[` | values: an array's elements, one by one |
//! | a line `### ... ###` | RRPairs as Markdown: the line `json: {...}` under `### INTERNAL`, with the other sections laid over it |
//! | anything else | JSON lines, and the damage is named line by line |
//!
//! "A later line" is one within the first MiB; a first line longer than that is one of JSON lines.
//! Values may stand one after another with or without blanks, and arrays among them.

mod document;
mod form;
mod grammar;
mod markdown;
mod overlay;
mod values;

use std::io::{self, Read};

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use form::Form;
use markdown::Markdown;
use values::Values;

use super::envelope;
use super::lines::{BOM, Line, Lines};
use super::window::Window;

/// The text of one RRPair.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// From its first to its last byte; may still be no JSON.
    Whole(&'a [u8]),
    /// Longer than [`LONGEST_LINE`](super::lines::LONGEST_LINE), and skipped.
    TooLong,
    /// Damaged so that its end cannot be told, and why.
    Broken(String),
}

impl<'a> From<Line<'a>> for Text<'a> {
    fn from(line: Line<'a>) -> Self {
        match line {
            Line::Whole(bytes) => Self::Whole(bytes),
            Line::TooLong => Self::TooLong,
        }
    }
}

/// A part of a text that is not understood and was left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) line: u64,
    pub(super) why: String,
}

/// What is missing at the end of an input.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfinished {
    pub(super) line: u64,
    pub(super) why: String,
    /// Whether there was more that could not be told apart; else the input is cut off.
    pub(super) lost: bool,
}

impl Unfinished {
    fn cut_off(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
            lost: false,
        }
    }
}

/// The texts of one input, with the line on which each begins. The caller decides when to read on,
/// so that it can hand over what it has before it waits for more.
#[derive(Debug)]
pub(super) struct Texts<R>(Kind<R>);

#[derive(Debug)]
enum Kind<R> {
    Lines(Lines<R>),
    Values(Values<R>),
    Markdown(Markdown<R>),
}

impl<R: Read> Texts<R> {
    /// Blocks until the form is known. A failure to read comes with the first refill.
    pub(super) fn new(reader: R) -> Self {
        let mut window = Window::new(reader);
        let mut ended = false;
        let form = loop {
            if let Some(form) = form::tell(window.bytes(), ended) {
                break form;
            }
            match window.refill() {
                Ok(more) => ended = !more,
                Err(e) => {
                    window.fail_later(e);
                    ended = true;
                }
            }
        };
        Self(match form {
            Form::Lines => Kind::Lines(Lines::over(window)),
            Form::Values => Kind::Values(Values::over(window)),
            Form::Markdown => Kind::Markdown(Markdown::over(Lines::over(window))),
        })
    }

    /// The same for record lines: values only where a list begins, or an object that is alone on its line as
    /// those are that are indented; else lines, whose damage is named line by line.
    pub(super) fn of_records(reader: R) -> Self {
        let mut window = Window::new(reader);
        let mut ended = false;
        let is_indented = loop {
            if let Some(told) = begins_indented(window.bytes(), ended) {
                break told;
            }
            match window.refill() {
                Ok(more) => ended = !more,
                Err(e) => {
                    window.fail_later(e);
                    ended = true;
                }
            }
        };
        Self(match is_indented {
            true => Kind::Values(Values::over(window)),
            false => Kind::Lines(Lines::over(window)),
        })
    }

    /// The next text that is there as a whole; none when more has to be read first.
    pub(super) fn next_buffered(&mut self) -> Option<(u64, Text<'_>)> {
        match &mut self.0 {
            Kind::Lines(lines) => lines
                .next_buffered()
                .map(|(number, line)| (number, line.into())),
            Kind::Values(values) => values.next_buffered(),
            Kind::Markdown(markdown) => markdown.next_buffered(),
        }
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// The reader's.
    pub(super) fn refill(&mut self) -> io::Result<bool> {
        match &mut self.0 {
            Kind::Lines(lines) => lines.refill(),
            Kind::Values(values) => values.refill(),
            Kind::Markdown(markdown) => markdown.refill(),
        }
    }

    /// The last text, where nothing shows its end but that of the input: it may be cut off.
    pub(super) fn remainder(&mut self) -> Option<(u64, Text<'_>)> {
        match &mut self.0 {
            Kind::Lines(lines) => lines
                .remainder()
                .map(|(number, line)| (number, line.into())),
            Kind::Values(values) => values.remainder(),
            Kind::Markdown(markdown) => markdown.remainder(),
        }
    }

    /// What was left out of the texts given since the last call.
    pub(super) fn take_remarks(&mut self) -> Vec<Remark> {
        match &mut self.0 {
            Kind::Lines(_) | Kind::Values(_) => Vec::new(),
            Kind::Markdown(markdown) => markdown.take_remarks(),
        }
    }

    /// What is missing at the end of the input, besides what [`Texts::remainder`] gave.
    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        match &self.0 {
            Kind::Lines(_) => None,
            Kind::Values(values) => values.unfinished(),
            Kind::Markdown(markdown) => markdown.unfinished(),
        }
    }

    /// Whether the input may be RRPairs, as far as it is in memory; to be asked before anything is
    /// taken. What cannot be told, such as a file that is cut off, may be.
    pub(super) fn may_be_rrpairs(&self) -> bool {
        let head = match &self.0 {
            Kind::Lines(lines) => lines.unread(),
            Kind::Values(values) => values.unread(),
            Kind::Markdown(markdown) => markdown.unread(),
        };
        let mut texts = Texts::new(head);
        let mut seen = None;
        loop {
            while let Some((_, text)) = texts.next_buffered() {
                match is_rrpair(&text) {
                    Some(true) => return true,
                    known => seen = seen.or(known),
                }
            }
            // A slice gives everything at once, and then its end.
            if !matches!(texts.refill(), Ok(true)) {
                break;
            }
        }
        let cut_off = match texts.remainder() {
            Some((_, text)) => match (is_rrpair(&text), text) {
                (Some(true), _) => return true,
                (None, Text::Whole(bytes)) => breaks_off(bytes),
                (known, _) => {
                    seen = seen.or(known);
                    false
                }
            },
            None => texts.unfinished().is_some(),
        };
        let named = |name: &str| memmem::find(head, name.as_bytes()).is_some();
        seen.is_none() && (cut_off || QUOTED_MEMBERS.iter().any(|name| named(name)))
    }
}

/// Whether an input that begins with `head` is a list or indented objects; none when more has to be
/// read first.
fn begins_indented(head: &[u8], ended: bool) -> Option<bool> {
    if head.len() < BOM.len() && !ended {
        return None;
    }
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    match text {
        [] => ended.then_some(false),
        [b'[', ..] => Some(true),
        [b'{', rest @ ..] => {
            let behind = rest.iter().find(|byte| !b" \t\r".contains(byte));
            match behind {
                None => ended.then_some(false),
                Some(byte) => Some(*byte == b'\n'),
            }
        }
        _ => Some(false),
    }
}

/// Members that tell an RRPair, as they stand in its text.
const QUOTED_MEMBERS: [&str; 3] = ["\"msgType\"", "\"l7protocol\"", "\"kafka\""];

/// Whether `text` is an RRPair: a `msgType` that says so, or a payload. None for what is no JSON.
fn is_rrpair(text: &Text<'_>) -> Option<bool> {
    #[derive(Deserialize)]
    struct Members {
        #[serde(rename = "msgType")]
        msg_type: Option<serde_json::Value>,
        l7protocol: Option<IgnoredAny>,
        kafka: Option<IgnoredAny>,
        http: Option<IgnoredAny>,
    }
    let Text::Whole(bytes) = text else {
        return None;
    };
    if envelope::is_export(bytes) {
        let json = std::str::from_utf8(bytes).ok()?;
        let is_json = serde_json::from_str::<IgnoredAny>(json).is_ok();
        return is_json.then(|| envelope::has_members(json));
    }
    if !bytes.trim_ascii_start().starts_with(b"{") {
        // serde takes an array for a struct as well.
        let json = serde_json::from_slice::<IgnoredAny>(bytes);
        return json.ok().map(|_| false);
    }
    let members: Members = serde_json::from_slice(bytes).ok()?;
    let payload = members
        .l7protocol
        .or(members.kafka)
        .or(members.http)
        .is_some();
    Some(payload || members.msg_type.is_some_and(|kind| kind == "rrpair"))
}

fn breaks_off(bytes: &[u8]) -> bool {
    let json = serde_json::from_slice::<IgnoredAny>(bytes);
    !bytes.trim_ascii().is_empty() && json.is_err_and(|e| e.is_eof())
}

#[cfg(test)]
mod tests;
