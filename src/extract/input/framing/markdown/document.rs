//! Collects one RRPair as Markdown while its lines come in.

use std::ops::Range;

use super::overlay::{Section, SectionName, is_fence};
use crate::extract::input::framing::format::is_heading;
use crate::extract::input::framing::text::Remark;
use crate::extract::input::framing::window::LONGEST_LINE;

/// The text before the base on its line.
const LABEL: &[u8] = b"json:";

/// The lines of a document, and where its sections begin.
#[derive(Debug)]
pub(super) struct Document {
    text: Vec<u8>,
    starts: Vec<SectionStart>,
    base: Option<(u64, Range<usize>)>,
    /// Whether it is longer than kreplay reads of one RRPair; the text is then dropped.
    is_too_long: bool,
    /// Whether lines end as on Windows.
    has_returns: bool,
    /// Whether the parts of the section are between fences; `None` before its first line.
    is_fenced: Option<bool>,
    /// Whether a part of it is open, as far as fences show: a body may contain fences.
    is_open: bool,
    /// The kind of the last lines.
    last: SectionTail,
}

/// The kind of the last lines of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SectionTail {
    Fence,
    /// A blank line after a fence.
    Blank,
    Other,
}

/// Where a section begins.
#[derive(Debug)]
struct SectionStart {
    line: u64,
    title: String,
    /// Where in the text its content begins.
    at: usize,
}

/// The title of a heading.
pub(super) fn title(line: &[u8]) -> Option<&str> {
    let line = line.trim_ascii_end();
    let title = is_heading(line).then(|| &line[b"### ".len()..line.len() - b" ###".len()]);
    std::str::from_utf8(title?).ok()
}

impl Document {
    /// Begins a document with the heading `line`, which has this title.
    pub(super) fn begin(number: u64, line: &[u8], title: &str) -> Self {
        let mut document = Self {
            text: Vec::new(),
            starts: Vec::new(),
            base: None,
            is_too_long: false,
            has_returns: line.ends_with(b"\r"),
            is_fenced: None,
            is_open: false,
            last: SectionTail::Other,
        };
        document.begin_section(number, title);
        document
    }

    pub(super) fn begin_section(&mut self, line: u64, title: &str) {
        let (title, at) = (title.to_owned(), self.text.len());
        self.starts.push(SectionStart { line, title, at });
        (self.is_fenced, self.is_open, self.last) = (None, false, SectionTail::Other);
    }

    /// Whether a heading that comes now belongs to no part of the section.
    pub(super) fn is_between_parts(&self) -> bool {
        self.is_fenced != Some(true) || !self.is_open || self.last == SectionTail::Blank
    }

    /// Whether a heading with this title begins the next document. A heading like the first one of this
    /// document does so wherever it comes, so that a document that is cut off does not swallow another.
    pub(super) fn ends_before(&self, title: &str) -> bool {
        let name = SectionName::of(title);
        let is_first = self
            .starts
            .first()
            .is_some_and(|start| start.title == title);
        name != SectionName::Other && self.has(name) && (is_first || self.is_between_parts())
    }

    /// Whether nothing that follows can belong to it.
    pub(super) fn is_whole(&self) -> bool {
        let before = [
            SectionName::Request,
            SectionName::Response,
            SectionName::Metadata,
        ];
        self.base.is_some() && before.into_iter().all(|name| self.has(name))
    }

    pub(super) fn has_base(&self) -> bool {
        self.base.is_some()
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.is_too_long
    }

    pub(super) fn first_line(&self) -> u64 {
        self.starts.first().map_or(0, |start| start.line)
    }

    fn has(&self, name: SectionName) -> bool {
        self.starts
            .iter()
            .any(|start| SectionName::of(&start.title) == name)
    }

    fn is_internal(&self) -> bool {
        let last = self.starts.last();
        last.is_some_and(|start| SectionName::of(&start.title) == SectionName::Internal)
    }

    /// Adds a line of the section.
    pub(super) fn push(&mut self, number: u64, line: &[u8]) {
        let line = match line.strip_suffix(b"\r") {
            Some(line) if self.has_returns => line,
            _ => line,
        };
        self.look_for_fence(line);
        let start = self.text.len();
        if self.is_internal() && self.base.is_none() && line.starts_with(LABEL) {
            self.base = Some((number, start + LABEL.len()..start + line.len()));
        }
        if self.is_too_long || start + line.len() > LONGEST_LINE {
            return self.drop_text();
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
    }

    fn look_for_fence(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            if self.last == SectionTail::Fence {
                self.last = SectionTail::Blank;
            }
            return;
        }
        // The first one may name a language.
        let is_first = self.is_fenced.is_none() && line.starts_with(b"```");
        self.is_fenced.get_or_insert(is_first);
        let is_fence = is_first || is_fence(line);
        self.is_open ^= is_fence;
        self.last = match is_fence {
            true => SectionTail::Fence,
            false => SectionTail::Other,
        };
    }

    /// Notes a line that is longer than kreplay reads.
    pub(super) fn push_too_long(&mut self, number: u64) {
        if self.is_internal() {
            // Only the base can be that long in this section.
            self.base.get_or_insert((number, 0..0));
        }
        self.drop_text();
    }

    fn drop_text(&mut self) {
        self.is_too_long = true;
        self.text = Vec::new();
    }

    /// The base, and its line.
    pub(super) fn base(&self) -> Option<(u64, &[u8])> {
        let (line, base) = self.base.clone()?;
        Some((line, self.text[base].trim_ascii_start()))
    }

    /// All sections; those that are not text get a remark.
    pub(super) fn sections(&self, remarks: &mut Vec<Remark>) -> Vec<Section<'_>> {
        let ends = self.starts.iter().skip(1).map(|start| start.at);
        let ends = ends.chain([self.text.len()]);
        let mut sections = Vec::new();
        for (start, end) in self.starts.iter().zip(ends) {
            let (line, title) = (start.line, &start.title);
            match std::str::from_utf8(&self.text[start.at..end]) {
                Ok(content) => sections.push(Section {
                    name: SectionName::of(title),
                    line,
                    title,
                    content,
                }),
                Err(_) => remarks.push(Remark {
                    line,
                    why: format!("`### {title} ###`: it is not UTF-8"),
                }),
            }
        }
        sections
    }
}
