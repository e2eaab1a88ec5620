//! A profile ready to read lines: its paths parsed and checked once, the plain ones compiled into an
//! automaton. A profile with a path that is not plain is read in two steps: `query/` finds the nodes that its
//! paths match in a line, and an automaton made of just these nodes reads them from the text. Both ways
//! therefore yield the same bytes.

use std::collections::HashSet;

use serde::de::Error as _;
use serde_json::Value;

use super::automaton::{Group, PathAutomaton, Pattern, Role};
use super::fields::{FieldSet, Slot};
use super::json;
use super::sources::{FieldSource, captured, sources};
use super::walk::Excess;
use super::walk::found::LineFindings;
use super::walk::pass;
use super::walk::pass::WalkError;
use crate::config::BuiltInProfile;
use crate::error::Error;
use crate::extract::profile::capture::CapturePaths;
use crate::extract::profile::filter::{Captured, Filter};
use crate::extract::profile::path::{Path, PathStep, QueryGivenUp, jsonpath_text};
use crate::extract::profile::{Candidates, Profile};
use crate::record::Batch;

/// A profile that can read lines.
#[derive(Debug)]
pub(in crate::extract) struct Engine {
    sources: Vec<FieldSource>,
    known: Option<Vec<String>>,
    /// `None` if a path is not plain.
    automaton: Option<PathAutomaton>,
    /// Members whose texts are captured: those that the filter reads, and others.
    captured: usize,
    capture: CapturePaths,
    /// Where the first of `capture` is among the captured members.
    first_of_capture: usize,
    pub(in crate::extract) partition_default: Option<i32>,
    pub(in crate::extract) offset_base_default: Option<i64>,
    /// Whether records have offsets of their own, and not only their batches.
    knows_offsets: bool,
}

/// Why a line was not read.
#[derive(Debug)]
pub(in crate::extract) enum RrPairError {
    Json(serde_json::Error),
    /// The path of a field matches several nodes for one record; the text names two.
    Ambiguous(String),
    /// The line holds more than kreplay reads of one RRPair.
    Excess(Excess),
}

impl Engine {
    /// Parses and compiles a profile, with the members that its filter reads.
    ///
    /// # Errors
    /// Returns [`Error::Config`], which shows the place in a path.
    pub(in crate::extract) fn of(profile: &Profile, filter: &Filter) -> Result<Self, Error> {
        Self::capturing(profile, filter, &[])
    }

    /// Like [`Engine::of`], but also captures `members`, after those of the filter and those for the time of
    /// the capture.
    ///
    /// # Errors
    /// Fails as [`Engine::of`] does.
    pub(in crate::extract) fn capturing(
        profile: &Profile,
        filter: &Filter,
        members: &[Path],
    ) -> Result<Self, Error> {
        let mut sources = sources(profile)?;
        let capture = CapturePaths::of(profile)?;
        sources.extend(captured(filter, capture.all().chain(members)));
        Ok(Self {
            capture,
            first_of_capture: filter.fields().len(),
            ..Self::compile(profile, sources)
        })
    }

    /// An engine that reads no records, only what the filter needs.
    pub(in crate::extract) fn of_filter(filter: &Filter) -> Self {
        Self::compile(&Profile::default(), captured(filter, &[]))
    }

    fn compile(profile: &Profile, sources: Vec<FieldSource>) -> Self {
        let known = profile
            .known
            .clone()
            .filter(|_| !profile.record.0.is_empty());
        let patterns: Option<Vec<Pattern>> = (0..)
            .zip(&sources)
            .map(|(number, source)| {
                let steps = source.path.steps()?.to_vec();
                Some(Pattern {
                    steps,
                    role: source.role,
                    source: number,
                    order: 0,
                    is_dotted: source.path.is_dotted(),
                })
            })
            .collect();
        let automaton = patterns.map(|patterns| PathAutomaton::of(&patterns, known.clone()));
        let is_captured = |source: &&FieldSource| matches!(source.role, Role::Filter(..));
        let captured = sources.iter().filter(is_captured).count();
        Self {
            sources,
            known,
            automaton,
            captured,
            capture: CapturePaths::default(),
            first_of_capture: 0,
            partition_default: profile.partition_default,
            offset_base_default: profile.offset_base_default,
            knows_offsets: !profile.offset_path.0.is_empty() || !profile.offset_delta.0.is_empty(),
        }
    }

    /// The offset of a record; the batch's offset alone would make all of its records one.
    pub(in crate::extract) fn record_offset(&self, fields: &FieldSet) -> Option<i64> {
        let offset = fields.offset(self.offset_base_default);
        offset.filter(|_| self.knows_offsets)
    }

    /// When the application received the records of the RRPair that `captured` belongs to, in nanoseconds
    /// since 1970.
    pub(in crate::extract) fn captured_ns(&self, captured: &Captured) -> Option<i64> {
        let text = |index| captured.texts(self.first_of_capture + index).first();
        self.capture
            .captured_ns(|index| text(index).map(String::as_str))
    }

    /// The paths to the time of an RRPair's capture.
    pub(in crate::extract) fn capture_paths(&self) -> &CapturePaths {
        &self.capture
    }

    /// Members of a record that say nothing about its fields, if the profile lists them.
    pub(in crate::extract) fn known(&self) -> Option<&[String]> {
        self.known.as_deref()
    }

    pub(in crate::extract) fn sources(&self) -> &[FieldSource] {
        &self.sources
    }

    /// A place for what lines hold.
    pub(in crate::extract) fn found(&self) -> LineFindings {
        LineFindings::new(self.sources.len(), self.captured)
    }

    /// Reads one RRPair: puts what it holds into `found`, and the bytes into `batch`.
    ///
    /// # Errors
    /// Returns why the line was not read; the batch is then unchanged.
    pub(in crate::extract) fn read(
        &self,
        line: &str,
        batch: &mut Batch,
        found: &mut LineFindings,
    ) -> Result<(), RrPairError> {
        let read = match &self.automaton {
            Some(automaton) => pass::read(line, automaton, batch, found),
            None => match json::document(line) {
                Ok(document) => match self.plan_for(&document) {
                    Ok(plan) => {
                        let read = pass::read(line, &plan, batch, found);
                        // The records were found in the order of the text; the query has its own order.
                        found.records.sort_by_key(|partial| partial.order);
                        read
                    }
                    Err(given_up) => Err(WalkError::Json(serde_json::Error::custom(given_up))),
                },
                Err(error) => Err(WalkError::Json(error)),
            },
        };
        read.map_err(|error| match error {
            WalkError::Json(error) => RrPairError::Json(error),
            WalkError::Excess(excess) => RrPairError::Excess(excess),
            WalkError::Ambiguous(slot) => RrPairError::Ambiguous(self.ambiguity(slot, line)),
        })
    }

    /// The automaton that reads the plain paths as usual and, of the other paths, only the nodes that they
    /// match in `document`.
    ///
    /// # Errors
    /// Returns an error if the paths match more than is kept.
    fn plan_for(&self, document: &Value) -> Result<PathAutomaton, QueryGivenUp> {
        let mut patterns = Vec::new();
        for (number, source) in (0..).zip(&self.sources) {
            let mut nodes = match source.path.steps() {
                Some(steps) => vec![steps.to_vec()],
                None => source.path.nodes(document)?,
            };
            if !matches!(source.role, Role::Item(_)) {
                // A field takes a node once, however often its path names it.
                let mut seen = HashSet::new();
                nodes.retain(|steps| seen.insert(steps.clone()));
            }
            for steps in nodes {
                patterns.push(Pattern {
                    steps,
                    role: source.role,
                    source: number,
                    order: patterns.len(),
                    is_dotted: source.path.is_dotted(),
                });
            }
        }
        Ok(PathAutomaton::of(&patterns, self.known.clone()))
    }

    /// Names two nodes that a path of `slot` matches for one record.
    fn ambiguity(&self, slot: Slot, line: &str) -> String {
        let document = json::document(line).unwrap_or_default();
        let of = |wanted: &dyn Fn(&Role) -> bool| {
            let sources = self.sources.iter().filter(|source| wanted(&source.role));
            sources
                .map(|source| (source, source.path.nodes(&document).unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        let records = of(&|role| *role == Role::Item(Group::Record));
        let records = records.iter().flat_map(|(_, nodes)| nodes);
        let fields = of(
            &|role| matches!(role, Role::Field { group: Group::Record, slot: known, .. } if *known == slot),
        );
        let pair = records.flat_map(|record| fields.iter().map(move |field| (record, field)));
        let mut named = pair.filter_map(|(record, (source, nodes))| {
            let mut own = nodes.iter().filter(|node| shares_elements(node, record));
            Some((source, own.next()?, own.next()?))
        });
        match named.next() {
            Some((source, a, b)) => format!(
                "{} `{}` matches more than one node for one record: `{}` and `{}`",
                source.name,
                source.path.text(),
                jsonpath_text(a),
                jsonpath_text(b),
            ),
            None => "a path matches more than one node for one record".into(),
        }
    }
}

/// Reads `line` by each of the built-in profiles, and by a query.
pub(in crate::extract) fn read_line(line: &str) {
    ENGINES.with(|engines| {
        for engine in engines {
            // It is irrelevant here whether the line can be read; nothing must panic.
            _ = engine.read(line, &mut Batch::default(), &mut engine.found());
        }
    });
}

thread_local! {
    /// The engines of [`read_line`], made once: that takes longer than a line does.
    static ENGINES: Vec<Engine> = {
        let query = Profile {
            value: Candidates::one("$..value"),
            ..Profile::default()
        };
        let built_in = BuiltInProfile::ALL.into_iter().map(Profile::built_in);
        let engine = |profile| Engine::of(&profile, &Filter::everything());
        let engines = built_in.chain([query]).map(engine);
        engines.map(|engine| engine.expect("they parse")).collect()
    };
}

/// Whether two nodes lie in the same elements of every array that both are in.
fn shares_elements(a: &[PathStep], b: &[PathStep]) -> bool {
    let parting = a.iter().zip(b).find(|(a, b)| a != b);
    !matches!(parting, Some((PathStep::Index(_), PathStep::Index(_))))
}

#[cfg(test)]
#[path = "engine_tests/mod.rs"]
mod tests;
