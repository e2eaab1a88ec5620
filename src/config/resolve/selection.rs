//! Resolves which part of a capture to use, and refuses flags that contradict each other.

use std::env;

use crate::cli;
use crate::config::{Selection, Shard, Speed, Timing, TopicGlobs};
use crate::error::Error;

/// The names of the variables of `--shard auto`: Kubernetes sets the first in an Indexed Job and counts from
/// 0; the author of the job sets the second.
const INDEX: &str = "JOB_COMPLETION_INDEX";
const SHARDS: &str = "KREPLAY_SHARDS";

pub(super) fn resolve_selection(args: &cli::SelectionArguments) -> Result<Selection, Error> {
    let topics = TopicGlobs::parse(&args.topics)
        .map_err(|why| Error::config(format!("`--topics`: {why}")))?;
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from.is_not_before(to)
    {
        return Err(Error::Config {
            message: format!("`--from {from}` is not before `--to {to}`: no time is between them"),
            hint: Some("`--to` is exclusive".into()),
        });
    }
    let shard = args.shard.as_deref().map(|text| shard(text, variable));
    Ok(Selection {
        topics,
        clock: args.clock.unwrap_or_default(),
        from: args.from,
        to: args.to,
        skip: args.skip,
        limit: args.limit,
        sample: args.sample,
        shard: shard.transpose()?,
        longest_pause: None,
    })
}

/// Finds a `--clock` without effect: its user expects a rhythm or a window. `speed` is that of the replay;
/// `None` if nothing is sent.
///
/// # Errors
/// Returns [`Error::Config`], which names the flags that go by a clock.
pub(super) fn check_clock(
    args: &cli::SelectionArguments,
    speed: Option<Speed>,
) -> Result<(), Error> {
    let has_rhythm = matches!(speed, Some(Speed::Factor(_)));
    let is_used = has_rhythm || args.from.is_some() || args.to.is_some();
    let Some(clock) = args.clock.filter(|_| !is_used) else {
        return Ok(());
    };
    let (flags, hint) = match speed {
        Some(_) => (
            "a `--speed` such as `1x`, `--from` and `--to`",
            "`--speed 1x` keeps the rhythm of these times; `--from TIME` and `--to TIME` choose records by them",
        ),
        None => (
            "`--from` and `--to`",
            "`--from TIME` and `--to TIME` choose records by these times",
        ),
    };
    let clock = clock.name();
    Err(Error::Config {
        message: format!("`--clock {clock}` is for {flags}, and none of them is given"),
        hint: Some(hint.into()),
    })
}

/// Gives a shard the pauses that its replay cuts: those in which no machine has records.
pub(super) fn share_pauses(selection: &mut Selection, timing: &Timing) {
    if selection.shard.is_some() {
        selection.longest_pause = timing.max_gap;
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

fn shard(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, Error> {
    if text != "auto" {
        let shard: Result<Shard, String> = text.parse();
        return shard.map_err(|why| Error::config(format!("`--shard {text}`: {why}")));
    }
    let number = |name: &str| {
        let wrong = |what: String| Error::Config {
            message: format!("`--shard auto` reads {name}, {what}"),
            hint: Some(format!(
                "{INDEX} counts from 0, and Kubernetes sets it in an Indexed Job; set {SHARDS} to the \
                 number of its completions"
            )),
        };
        let text = variable(name).ok_or_else(|| wrong("which is not set".into()))?;
        let number: Result<u64, _> = text.parse();
        number.map_err(|_| wrong(format!("and `{text}` is not a number")))
    };
    let (index, of) = (number(INDEX)?, number(SHARDS)?);
    Shard::new(index.saturating_add(1), of).map_err(|why| {
        let message = format!("`--shard auto` with {INDEX}={index} and {SHARDS}={of}: {why}");
        Error::config(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Clock;

    fn auto(index: Option<&str>, of: Option<&str>) -> Result<String, String> {
        let variable = |name: &str| match name {
            INDEX => index.map(String::from),
            _ => of.map(String::from),
        };
        let shard = shard("auto", variable).map(|shard| shard.to_string());
        shard.map_err(|error| error.to_string())
    }

    #[test]
    fn a_clock_is_for_a_speed_or_a_window() {
        let given = |from: Option<&str>| cli::SelectionArguments {
            clock: Some(Clock::Record),
            from: from.map(|text| text.parse().expect("a moment")),
            ..cli::SelectionArguments::default()
        };
        let (max, factor) = (Some(Speed::Max), Some(Speed::Factor(1.0)));
        for (args, speed) in [
            (cli::SelectionArguments::default(), max),
            (given(None), factor),
            (given(Some("+5m")), max),
            (given(Some("+5m")), None),
        ] {
            assert_eq!(check_clock(&args, speed), Ok(()));
        }
        for (speed, flags) in [
            (max, "a `--speed` such as `1x`, `--from` and `--to`"),
            (None, "`--from` and `--to`"),
        ] {
            let error = check_clock(&given(None), speed).expect_err("nothing goes by it");
            let said = format!("`--clock record` is for {flags}, and none of them is given");
            assert_eq!((error.to_string(), error.exit().code()), (said, 2));
        }
    }

    #[test]
    fn a_machine_of_an_indexed_job_knows_its_shard() {
        assert_eq!(auto(Some("0"), Some("4")), Ok("1/4".into()));
        assert_eq!(auto(Some("3"), Some("4")), Ok("4/4".into()));
        for (index, of, expected) in [
            (
                None,
                Some("4"),
                "reads JOB_COMPLETION_INDEX, which is not set",
            ),
            (Some("0"), None, "reads KREPLAY_SHARDS, which is not set"),
            (
                Some("0"),
                Some("four"),
                "reads KREPLAY_SHARDS, and `four` is not a number",
            ),
            (Some("4"), Some("4"), "shard 5/4 does not exist"),
            (Some("0"), Some("0"), "0 is not a number of shards"),
        ] {
            let why = auto(index, of).expect_err(expected);
            assert!(why.contains(expected), "{why}");
        }
    }
}
