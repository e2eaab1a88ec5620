//! Applies the sections of a Markdown RRPair to its JSON. The format's description ("RRPair Markdown Format
//! Specification") calls the JSON the base and lets the other sections override it; most of what current
//! files show in a section is not in the base at all.
//!
//! A section replaces what the base says about the same thing; if it says the same in other words (JSON with
//! more blanks, a time with fewer zeros), the words of the base stay. A section that kreplay does not
//! understand gets a remark, and the base stays.

mod body;
mod http;
mod members;
mod metadata;
mod section;
mod signature;
#[cfg(test)]
mod tests;

use self::members::OverlayMembers;
pub(super) use self::section::{Section, SectionName, is_fence};

use crate::extract::input::framing::text::Remark;

/// A base with the sections applied so far.
struct Overlay<'a> {
    base: OverlayMembers<'a>,
    remarks: &'a mut Vec<Remark>,
}

/// `json` with `sections` applied; `None` if nothing changes, or if `json` is damaged.
pub(super) fn merge(
    json: &str,
    sections: &[Section<'_>],
    remarks: &mut Vec<Remark>,
) -> Option<String> {
    let base = OverlayMembers::parse(json)?;
    let mut overlay = Overlay { base, remarks };
    for section in sections {
        match section.name {
            SectionName::Request | SectionName::Response => overlay.lay_message(section),
            SectionName::Signature => overlay.lay_signature(section),
            SectionName::Metadata => overlay.lay_metadata(section),
            SectionName::Internal => overlay.look_at_internal(section),
            SectionName::Other => overlay.remark_on_unknown(section),
        }
    }
    let base = overlay.base;
    base.is_changed().then(|| base.write())
}

impl Overlay<'_> {
    fn remark(&mut self, line: u64, why: impl Into<String>) {
        let why = why.into();
        self.remarks.push(Remark { line, why });
    }

    /// Says `what` is wrong with a section that cannot be read.
    fn remark_on(&mut self, section: &Section<'_>, line: u64, what: &str) {
        self.remark(line, format!("`### {} ###`: {what}", section.title));
    }

    /// Remarks on a section that no documentation describes.
    fn remark_on_unknown(&mut self, section: &Section<'_>) {
        if section.plain_lines().next().is_some() {
            let what = "kreplay does not know this section and leaves it out";
            self.remark_on(section, section.line, what);
        }
    }

    fn look_at_internal(&mut self, section: &Section<'_>) {
        let mut lines = section.plain_lines();
        if let Some((line, _)) = lines.find(|(_, line)| !line.starts_with("json:")) {
            self.remark_on(section, line, "expected only `json: ` here");
        }
    }
}
