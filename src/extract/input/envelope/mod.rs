//! RRPairs inside other JSON, as stores of logs return them: one text then holds many. A profile says where
//! they are (`rrpair`); without that, kreplay recognises an export of Speedscale's BYOC by its content, so
//! that every profile reads it. What is found is an ordinary RRPair: filters, paths and `inspect` do not see
//! the envelope.

mod otlp;
mod seek;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::memmem;

use crate::config::BuiltInProfile;
use crate::error::Error;
use crate::extract::profile::Profile;
use crate::extract::profile::path::{Path, PathStep};

/// The beginning of an export of logs (OTLP, `LogsData` in protobuf's JSON mapping).
const EXPORT: &str = "\"resourceLogs\"";
/// Members that distinguish an RRPair from other logs.
const MEMBERS: [&str; 2] = ["\"msgType\"", "\"l7protocol\""];

/// Where a text holds its RRPairs.
#[derive(Debug)]
pub(in crate::extract) struct Envelope {
    /// The first of these that leads anywhere is used.
    paths: Vec<Vec<PathStep>>,
    chosen_by: ChosenBy,
}

/// Who says where RRPairs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChosenBy {
    Profile,
    Content,
}

/// What a text holds.
#[derive(Debug)]
pub(in crate::extract) enum EnvelopeContents<'t> {
    /// It is an RRPair, as far as it shows.
    Itself,
    Within {
        nodes: Vec<EnvelopeNode<'t>>,
        /// Why the text could not be read to its end.
        damage: Option<serde_json::Error>,
    },
}

/// A node that should hold an RRPair.
#[derive(Debug)]
pub(in crate::extract) struct EnvelopeNode<'t> {
    json: &'t str,
    chosen_by: ChosenBy,
    /// The number of line ends in the text before it.
    pub(in crate::extract) lines: u64,
}

impl Envelope {
    /// # Errors
    /// Returns [`Error::Config`] for a path that does not parse, or that is a query.
    pub(in crate::extract) fn of(profile: &Profile) -> Result<Self, Error> {
        let (candidates, chosen_by) = match profile.rrpair.0.is_empty() {
            // An export has its RRPairs where the profile of exports says.
            true => (
                Profile::built_in(BuiltInProfile::Byoc).rrpair,
                ChosenBy::Content,
            ),
            false => (profile.rrpair.clone(), ChosenBy::Profile),
        };
        let texts = candidates.0.iter().map(|candidate| &*candidate.path);
        let steps = |text: &str| {
            let bad = |why: &str| {
                let place = profile.written.place("rrpair", text);
                Error::config(format!("{place}: {why}"))
            };
            let path = Path::parse(text).map_err(|e| bad(&e.to_string()))?;
            let steps = path.steps().map(<[PathStep]>::to_vec);
            steps.ok_or_else(|| bad("a path to an RRPair can have only names, indexes and `*`"))
        };
        let paths = texts.map(steps).collect::<Result<_, _>>()?;
        Ok(Self { paths, chosen_by })
    }

    /// What `text` holds. A text that is damaged before its first RRPair is returned as it is.
    pub(in crate::extract) fn contents<'t>(&self, text: &'t str) -> EnvelopeContents<'t> {
        if self.chosen_by == ChosenBy::Content && !is_export(text.as_bytes()) {
            return EnvelopeContents::Itself;
        }
        let mut damage = None;
        for path in &self.paths {
            let (found, end) = seek::nodes(text, path);
            damage = end.err();
            let is_rrpair = |json: &&str| self.chosen_by == ChosenBy::Profile || has_members(json);
            if !found.iter().any(is_rrpair) {
                continue;
            }
            let nodes = self.placed(text, &found);
            return EnvelopeContents::Within { nodes, damage };
        }
        match (self.chosen_by, damage) {
            (ChosenBy::Profile, None) => EnvelopeContents::Within {
                nodes: Vec::new(),
                damage: None,
            },
            _ => EnvelopeContents::Itself,
        }
    }

    /// Calls `read` for each RRPair of `text`; reports nothing about a text that holds none.
    pub(in crate::extract) fn for_each(&self, text: &str, mut read: impl FnMut(&str)) {
        match self.contents(text) {
            EnvelopeContents::Itself => read(text),
            EnvelopeContents::Within { nodes, .. } => {
                let rrpairs = nodes.iter().filter_map(EnvelopeNode::rrpair);
                rrpairs.for_each(|rrpair| read(&rrpair));
            }
        }
    }

    fn placed<'t>(&self, text: &'t str, found: &[&'t str]) -> Vec<EnvelopeNode<'t>> {
        let (mut at, mut lines) = (0, 0);
        let place = |json: &&'t str| {
            // Nodes are parts of the text, in its order.
            let start = json.as_ptr().addr() - text.as_ptr().addr();
            lines += memchr::memchr_iter(b'\n', &text.as_bytes()[at..start]).count() as u64;
            at = start;
            let chosen_by = self.chosen_by;
            EnvelopeNode {
                json,
                chosen_by,
                lines,
            }
        };
        found.iter().map(place).collect()
    }
}

impl<'t> EnvelopeNode<'t> {
    /// The RRPair's text; `None` if the node holds none.
    pub(in crate::extract) fn rrpair(&self) -> Option<Cow<'t, str>> {
        let object = otlp::object(self.json)?;
        let is_rrpair = self.chosen_by == ChosenBy::Profile || has_members(&object);
        is_rrpair.then_some(object)
    }
}

/// Whether a text begins like an export of logs.
pub(in crate::extract) fn is_export(text: &[u8]) -> bool {
    let inside = text.trim_ascii_start().strip_prefix(b"{");
    inside.is_some_and(|inside| inside.trim_ascii_start().starts_with(EXPORT.as_bytes()))
}

/// Whether `json` names a member that only RRPairs have, even inside a string.
pub(in crate::extract) fn has_members(json: &str) -> bool {
    let has = |name: &str| memmem::find(json.as_bytes(), name.as_bytes()).is_some();
    let escaped = |name: &str| has(&name.replace('"', "\\\""));
    MEMBERS.iter().any(|name| has(name) || escaped(name))
}
