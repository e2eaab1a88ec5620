//! The paths that kreplay asks speedctl for: one record of a Fetch, and sentinels that show that there is
//! more.

use crate::extract::profile::Encoding;
use crate::extract::profile::path::{PathStep, dotted_text};
use crate::extract::rrpair::automaton::{Group, Role, shared};
use crate::extract::rrpair::engine::Engine;
use crate::extract::rrpair::fields::Slot;
use crate::extract::rrpair::sources::FieldSource;

/// How many elements of a batch's attributes to ask for.
pub(super) const MOST_ATTRIBUTES: usize = 4;

/// The member in which every RRPair names the broker it was captured at, as Speedscale documents it.
pub(super) const BROKER: &str = "network_address";

/// The paths to ask speedctl for: all that a row can carry of one record, and sentinels.
pub(in crate::extract) fn generated_paths(engine: &Engine) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    let mut add = |path: String| {
        if !paths.contains(&path) {
            paths.push(path);
        }
    };
    for (source, slot, _, _) in record_fields(engine) {
        let first = dotted_text(&with_elements(source, None));
        match slot {
            Slot::Isolation
            | Slot::ProducerId
            | Slot::ProducerEpoch
            | Slot::Sequence
            | Slot::Crc => continue,
            Slot::Headers => add(format!("{first}.0.key")),
            Slot::Attributes => (0..MOST_ATTRIBUTES).for_each(|i| add(format!("{first}.{i}"))),
            _ => {}
        }
        match slot {
            // speedctl may print an object as its JSON, or nothing at all: kreplay asks for both.
            Slot::Headers => add(format!("{first}.0")),
            _ => add(first),
        }
    }
    for path in engine.capture_paths().all() {
        let steps = path.steps().filter(|steps| wildcards(steps).is_empty());
        steps
            .into_iter()
            .for_each(|steps| add(format!(".{}", dotted_text(steps))));
    }
    add(format!(".{BROKER}"));
    for item in items(engine) {
        for at in wildcards(item) {
            add(dotted_text(&with_elements(&item[..=at], Some(at))));
            for (source, slot, _, _) in record_fields(engine) {
                let nearest = shared(source, item) > at && wildcards(source).last() == Some(&at);
                let small = !matches!(
                    slot,
                    Slot::Value
                        | Slot::Key
                        | Slot::Headers
                        | Slot::Attributes
                        | Slot::ProducerId
                        | Slot::ProducerEpoch
                        | Slot::Sequence
                        | Slot::Crc
                );
                if nearest && small {
                    add(dotted_text(&with_elements(source, Some(at))));
                }
            }
        }
    }
    paths
}

/// The plain paths of a record's fields.
pub(super) fn record_fields(
    engine: &Engine,
) -> impl Iterator<Item = (&[PathStep], Slot, u8, Encoding)> {
    engine
        .sources()
        .iter()
        .filter_map(|FieldSource { path, role, .. }| match role {
            Role::Field {
                group: Group::Record,
                slot,
                rank,
                encoding,
                ..
            } => Some((path.steps()?, *slot, *rank, *encoding)),
            _ => None,
        })
}

/// The plain paths of records.
pub(super) fn items(engine: &Engine) -> impl Iterator<Item = &[PathStep]> {
    let is_record = |source: &&FieldSource| source.role == Role::Item(Group::Record);
    engine
        .sources()
        .iter()
        .filter(is_record)
        .filter_map(|source| source.path.steps())
}

pub(super) fn wildcards(steps: &[PathStep]) -> Vec<usize> {
    let all = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| **step == PathStep::Each);
    all.map(|(at, _)| at).collect()
}

/// Takes the first element of every array, or the second one of the array at `second`.
pub(super) fn with_elements(steps: &[PathStep], second: Option<usize>) -> Vec<PathStep> {
    let element = |(at, step): (usize, &PathStep)| match step {
        PathStep::Each => PathStep::Index(usize::from(second == Some(at))),
        step => step.clone(),
    };
    steps.iter().enumerate().map(element).collect()
}
