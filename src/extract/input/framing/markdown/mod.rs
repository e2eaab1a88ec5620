//! RRPairs as proxymock writes them for people: sections of Markdown, each below a line such as `### REQUEST
//! ###`. The section `### INTERNAL - DO NOT MODIFY ###` holds the base of the RRPair on one line that begins
//! with `json: `; `overlay/` applies the others to it.
//!
//! Several documents may follow each other: a section that a document already has begins the next one. A
//! document is returned as soon as nothing that follows can belong to it.

use std::io::{self, Read};

mod document;
mod overlay;

use self::document::{Document, title};
use self::overlay::{SectionName, is_fence};
use super::lines::{LineRange, LineReader, SourceLine};
use super::text::{Remark, RrPairText, Unfinished};

/// Why a document cannot be read.
const NO_BASE: &str = "no line `json: ` under `### INTERNAL`";

/// Gathers the lines of one document at a time.
#[derive(Debug)]
pub(super) struct Markdown<R> {
    lines: LineReader<R>,
    /// The document being collected; `None` after a whole one.
    document: Option<Document>,
    /// Whether a document was collected before.
    is_behind: bool,
    /// Whether what follows the last document already has its remark.
    is_astray: bool,
    /// The last text that was returned.
    given: Vec<u8>,
    remarks: Vec<Remark>,
    /// The last line that was taken.
    line: u64,
}

impl<R: Read> Markdown<R> {
    pub(super) fn over(lines: LineReader<R>) -> Self {
        Self {
            lines,
            document: None,
            is_behind: false,
            is_astray: false,
            given: Vec::new(),
            remarks: Vec::new(),
            line: 0,
        }
    }

    pub(super) fn next_buffered(&mut self) -> Option<(u64, RrPairText<'_>)> {
        loop {
            let (number, place) = self.lines.next_place()?;
            if let Some(document) = self.take_line(number, place) {
                return Some(self.give(&document));
            }
        }
    }

    /// Reads on; blocks until there is something. `false` at the end of the input.
    ///
    /// # Errors
    /// Returns the reader's error.
    pub(super) fn refill(&mut self) -> io::Result<bool> {
        self.lines.refill()
    }

    /// The last document, if it has a base; [`Markdown::unfinished`] reports one without.
    pub(super) fn remainder(&mut self) -> Option<(u64, RrPairText<'_>)> {
        let last = self.lines.remaining_place();
        let before = last.and_then(|(number, place)| self.take_line(number, place));
        let has_base = |document: &mut Document| document.has_base();
        let document = before.or_else(|| self.document.take_if(has_base))?;
        Some(self.give(&document))
    }

    pub(super) fn unfinished(&self) -> Option<Unfinished> {
        let document = self.document.as_ref()?;
        (!document.has_base()).then(|| Unfinished::cut_off(self.line, NO_BASE))
    }

    /// What was not understood since the last call.
    pub(super) fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Takes the line at `place`, and returns the document that ends before it or with it.
    fn take_line(&mut self, number: u64, place: LineRange) -> Option<Document> {
        self.line = number;
        let SourceLine::Whole(line) = self.lines.at(place) else {
            self.document.as_mut()?.push_too_long(number);
            return self.document.take_if(|document| document.is_whole());
        };
        let title = title(line);
        match (&mut self.document, title) {
            (Some(document), Some(title)) if document.ends_before(title) => {
                let next = Document::begin(number, line, title);
                return self.document.replace(next);
            }
            (Some(document), Some(title)) if document.is_between_parts() => {
                document.begin_section(number, title);
            }
            (Some(document), _) => {
                document.push(number, line);
                return self.document.take_if(|document| document.is_whole());
            }
            (None, Some(title)) if !self.is_behind || begins(title) => {
                self.document = Some(Document::begin(number, line, title));
                (self.is_behind, self.is_astray) = (true, false);
            }
            (None, _) => {
                let is_something = !line.trim_ascii().is_empty() && !is_fence(line);
                if is_something && !std::mem::replace(&mut self.is_astray, true) {
                    let why = "this follows an RRPair and does not belong to one".into();
                    self.remarks.push(Remark { line: number, why });
                }
            }
        }
        None
    }

    /// The RRPair of a document: its base with all sections applied.
    fn give(&mut self, document: &Document) -> (u64, RrPairText<'_>) {
        if document.is_too_long() {
            return (document.first_line(), RrPairText::TooLong);
        }
        let Some((line, base)) = document.base() else {
            return (document.first_line(), RrPairText::Broken(NO_BASE.into()));
        };
        let sections = document.sections(&mut self.remarks);
        let json = std::str::from_utf8(base).ok();
        let merged = json.and_then(|json| overlay::merge(json, &sections, &mut self.remarks));
        self.given = merged.map_or_else(|| base.to_vec(), String::into_bytes);
        (line, RrPairText::Whole(&self.given))
    }
}

/// Whether a section with this title begins a document after another one; text that people may have put after
/// the last section does not.
fn begins(title: &str) -> bool {
    !matches!(
        SectionName::of(title),
        SectionName::Other | SectionName::Signature
    )
}
