//! What counts as the same, and what is compared.

use std::path::{Path, PathBuf};

use super::source::{ReadFor, settle_source};
use crate::cli;
use crate::config::{
    ComparedSource, ComparisonRules, Depth, Excuse, Excused, HeaderRule, InputKind, NewMembers,
};
use crate::error::Error;
use crate::record::NameFault;

/// The sources of both sides.
///
/// # Errors
/// [`Error::Config`] as for one source; also when both are stdin.
pub(super) fn settle_sides(
    sides: [PathBuf; 2],
    kind: Option<InputKind>,
    speedctl: &cli::SpeedctlArguments,
) -> Result<[ComparedSource; 2], Error> {
    if sides.iter().all(|side| side == Path::new("-")) {
        return Err(Error::config("`-` (stdin) can be read only once"));
    }
    // What only a snapshot has a use for is refused when neither side is one.
    let is_snapshot = |side: &PathBuf| side.to_string_lossy().starts_with("snapshot:");
    let has_snapshot = sides.iter().any(is_snapshot);
    let settle = |side: PathBuf| {
        if let Some(topic) = side.to_str().and_then(|text| text.strip_prefix("topic:")) {
            return settle_topic(topic);
        }
        let speedctl = match is_snapshot(&side) || !has_snapshot {
            true => speedctl.clone(),
            false => cli::SpeedctlArguments {
                via: None,
                print_command: false,
                ..speedctl.clone()
            },
        };
        let source = cli::SourceArguments {
            sources: vec![side],
            kind,
            speedctl,
        };
        settle_source(source, ReadFor::Looking).map(ComparedSource::Source)
    };
    let [expected, observed] = sides;
    Ok([settle(expected)?, settle(observed)?])
}

fn settle_topic(name: &str) -> Result<ComparedSource, Error> {
    match NameFault::of(name) {
        None => Ok(ComparedSource::Topic(name.to_owned())),
        Some(fault) => Err(Error::config(format!("`topic:{name}`: {fault}"))),
    }
}

pub(super) fn settle_comparison(
    args: cli::ComparisonArguments,
    reordered: Excuse,
) -> ComparisonRules {
    ComparisonRules {
        ignore: args.ignore,
        members: match args.allow_new {
            true => NewMembers::Allowed,
            false => NewMembers::Differ,
        },
        headers: match args.expect_headers {
            true => HeaderRule::Compared,
            false => HeaderRule::Ignored,
        },
        depth: match (args.expect_count, args.expect_last) {
            (true, _) => Depth::Counts,
            (false, true) => Depth::Last,
            (false, false) => Depth::Records,
        },
        excused: Excused {
            repeated: match args.allow_repeated {
                true => Excuse::Allowed,
                false => Excuse::Differs,
            },
            reordered,
        },
        differences: args.expect_diff,
    }
}
