//! The user's own paths that match nothing in the whole input: they are most likely misspelt. kreplay reads
//! the beginning of the input again to propose the path that was meant.

use super::outline::Outline;
use crate::config::nearest;
use crate::config::nearest::distance;
use crate::config::{Input, Overrides};
use crate::extract::input::encoding::open;
use crate::extract::input::encoding::open::Opened;
use crate::extract::input::envelope::Envelope;
use crate::extract::input::framing::{Framer, RrPairText};
use crate::extract::profile::filter::Filter;
use crate::extract::profile::path::{Path, PathStep, jsonpath_text};
use crate::extract::rrpair::engine::Engine;
use crate::extract::rrpair::sources::FieldSource;
use crate::extract::rrpair::walk::found::LineFindings;
use crate::record::Batch;

/// How much is read again: enough for every kind of RRPair, and done in a moment.
const MOST_RRPAIRS: u64 = 2000;
const MOST_BYTES: usize = 16 << 20;
/// The cost of one step more or less; a step with another name costs as much as the names differ.
const STEP: usize = 100;

/// A flag with its path.
pub(in crate::extract) type Flag<'a> = (&'static str, &'a str);

/// The flags whose paths have matched nothing; `matched` is parallel to `sources`.
pub(in crate::extract) fn unmatched<'a>(
    overrides: &'a Overrides,
    sources: &[FieldSource],
    matched: &[bool],
) -> Vec<Flag<'a>> {
    let matched = |name: &str| {
        let mut paths = sources.iter().zip(matched);
        paths.any(|(source, matched)| source.name == name && *matched)
    };
    let flags = overrides.by_flag().into_iter();
    flags
        .filter_map(|(flag, path)| Some((flag, path?)))
        .filter(|(flag, _)| !matched(flag))
        .collect()
}

/// The paths at the beginning of the input, by whether the filter passes their RRPairs.
#[derive(Debug, Default)]
pub(in crate::extract) struct Beginning {
    passing: Outline,
    left_out: Outline,
}

impl Beginning {
    /// Reads the beginning. An input that can be read only once, or is damaged, yields nothing.
    pub(in crate::extract) fn of(
        inputs: &[Input],
        envelope: &Envelope,
        engine: &Engine,
        filter: &Filter,
    ) -> Self {
        let mut beginning = Self::default();
        let (mut rrpairs, mut bytes) = (0, 0);
        let mut found = engine.found();
        let again = inputs.iter().filter(|input| open::is_regular_file(input));
        for input in again {
            let Ok(Opened { reader, .. }) = open::open(input) else {
                continue;
            };
            let mut texts = Framer::new(reader);
            loop {
                while let Some((_, text)) = texts.next_buffered() {
                    bytes += beginning.add(text, envelope, engine, filter, &mut found);
                    rrpairs += 1;
                    if rrpairs == MOST_RRPAIRS || bytes > MOST_BYTES {
                        return beginning;
                    }
                }
                if !matches!(texts.refill(), Ok(true)) {
                    break;
                }
            }
            if let Some((_, text)) = texts.remainder() {
                bytes += beginning.add(text, envelope, engine, filter, &mut found);
            }
        }
        beginning
    }

    fn add(
        &mut self,
        text: RrPairText<'_>,
        envelope: &Envelope,
        engine: &Engine,
        filter: &Filter,
        found: &mut LineFindings,
    ) -> usize {
        let RrPairText::Whole(bytes) = text else {
            return 0;
        };
        if let Ok(text) = std::str::from_utf8(bytes) {
            envelope.for_each(text, |rrpair| {
                if engine.read(rrpair, &mut Batch::default(), found).is_ok() {
                    match filter.matches(&found.filtered_on) {
                        true => self.passing.add(rrpair),
                        false => self.left_out.add(rrpair),
                    }
                }
            });
        }
        bytes.len()
    }

    /// The message about a flag whose path matches nothing.
    pub(in crate::extract) fn explain(&self, (flag, path): Flag<'_>) -> String {
        let text = format!("`--{flag} {path}` matches nothing");
        // A path from the record's node may be anywhere in the document.
        let below = path.strip_prefix('@').map(|rest| format!("${rest}"));
        let Some(wanted) = Path::parse(below.as_deref().unwrap_or(path))
            .ok()
            .and_then(|path| path.steps().map(any_element))
        else {
            return text;
        };
        let fits = |steps: &[PathStep]| match below {
            Some(_) => any_element(steps).ends_with(&wanted),
            None => any_element(steps) == wanted,
        };
        let mut is_left_out = false;
        self.left_out.for_each(|steps| is_left_out |= fits(steps));
        if is_left_out {
            return format!("{text}: it occurs only in RRPairs that the filter leaves out");
        }
        let mut nearest = Nearest::to(&wanted);
        self.passing.for_each(|steps| {
            let steps_from = match below {
                Some(_) => steps.len().saturating_sub(wanted.len()),
                None => 0,
            };
            nearest.look_at(&steps[steps_from..], || jsonpath_text(steps));
        });
        nearest.append_to(text)
    }
}

/// The message about a flag whose path is not the header of any column of a CSV, and whether a column is near.
pub(in crate::extract) fn explain_column(
    (flag, path): Flag<'_>,
    headers: &[String],
) -> (String, Nearness) {
    let text = format!("`--{flag} {path}` is not the header of any column");
    let steps = |path: &str| Some(any_element(Path::parse(path).ok()?.steps()?));
    let Some(wanted) = steps(path) else {
        return (text, Nearness::None);
    };
    let mut nearest = Nearest::to(&wanted);
    for header in headers {
        if let Some(steps) = steps(header.trim()) {
            nearest.look_at(&steps, || header.trim().into());
        }
    }
    let nearness = match nearest.found {
        Some(_) => Nearness::Some,
        None => Nearness::None,
    };
    (nearest.append_to(text), nearness)
}

/// Whether something is near a path that matches nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Nearness {
    Some,
    None,
}

/// The path that is nearest to one that matches nothing, if any is near.
struct Nearest<'a> {
    wanted: &'a [PathStep],
    /// Its distance and its text.
    found: Option<(usize, String)>,
}

impl<'a> Nearest<'a> {
    /// Begins the search for what is nearest to `wanted`.
    fn to(wanted: &'a [PathStep]) -> Self {
        let found = None;
        Self { wanted, found }
    }

    fn look_at(&mut self, steps: &[PathStep], text: impl FnOnce() -> String) {
        let distance = path_distance(self.wanted, &any_element(steps));
        let least = self.found.as_ref().map(|(least, _)| *least);
        if least.is_none_or(|least| distance < least) && distance <= self.wanted.len() * STEP / 2 {
            self.found = Some((distance, text()));
        }
    }

    fn append_to(self, text: String) -> String {
        let found = self.found.as_ref().map(|(_, text)| text.as_str());
        nearest::with_nearest(text, found)
    }
}

/// The steps with a wildcard in place of certain elements.
fn any_element(steps: &[PathStep]) -> Vec<PathStep> {
    let any = |step: &PathStep| match step {
        PathStep::Index(_) | PathStep::Each => PathStep::Each,
        PathStep::Name(name) => PathStep::Name(name.clone()),
    };
    steps.iter().map(any).collect()
}

fn path_distance(a: &[PathStep], b: &[PathStep]) -> usize {
    distance(a, b, STEP, |a, b| match (a, b) {
        (PathStep::Name(a), PathStep::Name(b)) => {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            let differing = distance(&a, &b, 1, |a, b| usize::from(!a.eq_ignore_ascii_case(b)));
            let by_case = usize::from(a != b);
            STEP.min(by_case + differing * STEP / a.len().max(b.len()).max(1))
        }
        (a, b) => usize::from(a != b) * STEP,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_path_is_explained_by_what_occurs() {
        let mut beginning = Beginning::default();
        beginning.passing.add(
            r#"{"kafka":{"records":[{"valueString":"v","keyString":"k"}],"name":"t"},"ts":"x"}"#,
        );
        beginning.left_out.add(r#"{"http":{"req":{"body":"b"}}}"#);
        for (path, expected) in [
            (
                "$.kafka.records[*].valuestring",
                " (did you mean `$.kafka.records[*].valueString`?)",
            ),
            (
                "kafka.record.0.value",
                " (did you mean `$.kafka.records[*].valueString`?)",
            ),
            (
                "@.keyStrin",
                " (did you mean `$.kafka.records[*].keyString`?)",
            ),
            (
                "$.http.req.body",
                ": it occurs only in RRPairs that the filter leaves out",
            ),
            ("$.nothing.like.it[*].at.all", ""),
            ("$..value", ""),
        ] {
            assert_eq!(
                beginning.explain(("value", path)),
                format!("`--value {path}` matches nothing{expected}")
            );
        }
    }
}
