//! The texts of RRPairs, one after another, whatever the form of the input. The first bytes that are
//! not blank show the form, never a name:
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
//! "A later line" means one within the first MiB; a longer first line is one of JSON lines. Values may follow
//! each other with or without blanks, and arrays among them.

mod format;
pub(crate) mod lines;
mod markdown;
mod scanner;
#[cfg(test)]
mod tests;
mod text;
mod values;
pub(crate) mod window;

use std::io::{self, Read};

use self::format::Format;
use self::markdown::Markdown;
pub(in crate::extract) use self::text::{Remark, RrPairText, Unfinished};
use self::values::ValueReader;

use self::lines::LineReader;
use self::window::ReadWindow;

/// The texts of one input, with the line on which each begins. The caller decides when to read on, so that it
/// can send what it has before it waits for more.
#[derive(Debug)]
pub(in crate::extract) struct Framer<R>(FormatFramer<R>);

#[derive(Debug)]
enum FormatFramer<R> {
    Lines(LineReader<R>),
    Values(ValueReader<R>),
    Markdown(Markdown<R>),
}

impl<R: Read> Framer<R> {
    /// Recognises the form of the input; blocks until it is known. If reading fails, the first refill says
    /// so.
    pub(in crate::extract) fn new(reader: R) -> Self {
        let mut window = ReadWindow::new(reader);
        let mut ended = false;
        let form = loop {
            if let Some(form) = format::detect(window.bytes(), ended) {
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
            Format::Lines => FormatFramer::Lines(LineReader::over(window)),
            Format::Values => FormatFramer::Values(ValueReader::over(window)),
            Format::Markdown => FormatFramer::Markdown(Markdown::over(LineReader::over(window))),
        })
    }

    /// Like `new`, for record lines. It reads them as values only if a list begins, or an object is alone on
    /// its line as indented objects are; otherwise it reads them as lines, whose damage is named line by
    /// line.
    pub(in crate::extract) fn of_records(reader: R) -> Self {
        let mut window = ReadWindow::new(reader);
        let mut ended = false;
        let is_indented = loop {
            if let Some(is_indented) = begins_indented(window.bytes(), ended) {
                break is_indented;
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
            true => FormatFramer::Values(ValueReader::over(window)),
            false => FormatFramer::Lines(LineReader::over(window)),
        })
    }

    /// The next whole text; `None` if more has to be read first.
    pub(in crate::extract) fn next_buffered(&mut self) -> Option<(u64, RrPairText<'_>)> {
        match &mut self.0 {
            FormatFramer::Lines(lines) => lines
                .next_buffered()
                .map(|(number, line)| (number, line.into())),
            FormatFramer::Values(values) => values.next_buffered(),
            FormatFramer::Markdown(markdown) => markdown.next_buffered(),
        }
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// Returns the reader's error.
    pub(in crate::extract) fn refill(&mut self) -> io::Result<bool> {
        match &mut self.0 {
            FormatFramer::Lines(lines) => lines.refill(),
            FormatFramer::Values(values) => values.refill(),
            FormatFramer::Markdown(markdown) => markdown.refill(),
        }
    }

    /// The last text, if only the end of the input ends it: it may be cut off.
    pub(in crate::extract) fn remainder(&mut self) -> Option<(u64, RrPairText<'_>)> {
        match &mut self.0 {
            FormatFramer::Lines(lines) => lines
                .remainder()
                .map(|(number, line)| (number, line.into())),
            FormatFramer::Values(values) => values.remainder(),
            FormatFramer::Markdown(markdown) => markdown.remainder(),
        }
    }

    /// What was left out of the texts since the last call.
    pub(in crate::extract) fn take_remarks(&mut self) -> Vec<Remark> {
        match &mut self.0 {
            FormatFramer::Lines(_) | FormatFramer::Values(_) => Vec::new(),
            FormatFramer::Markdown(markdown) => markdown.take_remarks(),
        }
    }

    /// What is missing at the end of the input, besides what [`Framer::remainder`] returned.
    pub(in crate::extract) fn unfinished(&self) -> Option<Unfinished> {
        match &self.0 {
            FormatFramer::Lines(_) => None,
            FormatFramer::Values(values) => values.unfinished(),
            FormatFramer::Markdown(markdown) => markdown.unfinished(),
        }
    }
}

/// Whether an input that begins with `head` is a list or indented objects; `None` if more has to be read
/// first.
fn begins_indented(head: &[u8], ended: bool) -> Option<bool> {
    match head.trim_ascii_start() {
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
