//! Resolves what counts as the same, and what to compare.

use std::path::{Path, PathBuf};

use super::source::{ReadFor, resolve_source};
use crate::cli;
use crate::config::{
    BuiltInProfile, Cluster, ComparedSource, ComparisonRules, Config, Depth, Excuse, Excused,
    ExpectationSource, HeaderRule, InputKind, NewMembers, OutputExpectation, ProfileChoice, Source,
    Via,
};
use crate::error::Error;
use crate::record::NameFault;
use crate::record::select::Selection;

/// The sources of both sides.
///
/// # Errors
/// Returns [`Error::Config`] as for a single source, and also if both are stdin.
pub(super) fn resolve_sides(
    sides: [PathBuf; 2],
    kind: Option<InputKind>,
    speedctl: &cli::SpeedctlArguments,
) -> Result<[ComparedSource; 2], Error> {
    if sides.iter().all(|side| side == Path::new("-")) {
        return Err(Error::config("`-` (stdin) can be read only once"));
    }
    // Flags for snapshots are refused if neither side is one.
    let is_snapshot = |side: &PathBuf| side.to_string_lossy().starts_with("snapshot:");
    let has_snapshot = sides.iter().any(is_snapshot);
    let resolve = |side: PathBuf| {
        if let Some(topic) = side.to_str().and_then(|text| text.strip_prefix("topic:")) {
            return resolve_topic(topic);
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
        resolve_source(source, ReadFor::Looking).map(ComparedSource::Source)
    };
    let [expected, observed] = sides;
    Ok([resolve(expected)?, resolve(observed)?])
}

/// What kreplay expects of the output of a replay of `source`; `None` if it expects nothing.
///
/// # Errors
/// Returns [`Error::Config`] for flags that make no sense together.
pub(super) fn resolve_expectation(
    args: cli::ExpectationArguments,
    reordered: Excuse,
    speedctl: &cli::SpeedctlArguments,
) -> Result<Option<OutputExpectation>, Error> {
    let rules = resolve_comparison(args.comparison, reordered);
    let source = match (args.expect, args.expect_from) {
        (_, Some(path)) => {
            let source = cli::SourceArguments {
                sources: vec![path],
                kind: None,
                speedctl: cli::SpeedctlArguments {
                    via: None,
                    print_command: false,
                    ..speedctl.clone()
                },
            };
            ExpectationSource::Other(resolve_source(source, ReadFor::Looking)?)
        }
        (true, None) => ExpectationSource::Capture,
        (false, None) => {
            let excused = Excused {
                reordered,
                ..Excused::default()
            };
            let none = ComparisonRules {
                excused,
                ..ComparisonRules::default()
            };
            let asks = args.learn.is_some() || args.noise.is_some() || args.correlate.is_some();
            return match rules == none && !asks {
                true => Ok(None),
                false => Err(Error::Config {
                    message: "a comparison is configured, but nothing is compared".into(),
                    hint: Some("`--expect` or `--expect-from` compares the output".into()),
                }),
            };
        }
    };
    Ok(Some(OutputExpectation {
        source,
        rules,
        learn: args.learn,
        noise: args.noise,
        correlate: args.correlate,
        quiet: args.expect_quiet,
        limit: args.expect_timeout,
    }))
}

/// Refuses what a run with an expectation cannot do: a run that sends a part of the capture, or sends it
/// twice, produces other output than the capture has, and a rehearsal produces none.
///
/// # Errors
/// Returns [`Error::Config`], which names the flag.
pub(super) fn check_expectation(config: &mut Config) -> Result<(), Error> {
    let Some(expectation) = &config.expected else {
        return Ok(());
    };
    let refuse = |flag: &str, why: &str| {
        let flag = format!("`{flag}` cannot be used with `--expect`: {why}");
        Err(Error::config(flag))
    };
    if config.destination.cluster == Cluster::Rehearsal {
        return refuse("--rehearse", "no service reads the broker of a rehearsal");
    }
    if config.delivery.journal.is_some() {
        return refuse(
            "--resume",
            "a part of the output was written during an earlier run",
        );
    }
    if config.repetition.reads_again() {
        return refuse(
            "--loop",
            "several passes produce more output than the capture has",
        );
    }
    if !matches!(expectation.source, ExpectationSource::Capture) {
        return Ok(());
    }
    if config.repetition.sends_for.is_some() {
        return refuse("--for", "a part of the capture produces different output");
    }
    let only_topics = Selection {
        topics: config.extraction.selection.topics.clone(),
        clock: config.extraction.selection.clock,
        ..Selection::default()
    };
    if config.extraction.selection != only_topics {
        return Err(Error::Config {
            message:
                "a part of the capture is selected, but `--expect` expects the output of all of it"
                    .into(),
            hint: Some("name the output of that part with `--expect-from SOURCE`".into()),
        });
    }
    if config.extraction.profile == ProfileChoice::BuiltIn(BuiltInProfile::Produce) {
        return refuse(
            "--profile produce",
            "the expected records would be those that are sent",
        );
    }
    if let Source::Snapshot(snapshot) = &mut config.source {
        match snapshot.via {
            Via::Csv => {
                return refuse("--via csv", "a CSV has no Produce requests");
            }
            Via::Auto | Via::Raw => snapshot.via = Via::Raw,
        }
    }
    Ok(())
}

fn resolve_topic(name: &str) -> Result<ComparedSource, Error> {
    match NameFault::of(name) {
        None => Ok(ComparedSource::Topic(name.to_owned())),
        Some(fault) => Err(Error::config(format!("`topic:{name}`: {fault}"))),
    }
}

pub(super) fn resolve_comparison(
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
