//! The text of an error: lower case, no full stop, with names from outside escaped.

use std::fmt;
use std::time::Duration;

use super::faults::{
    quoted, write_outputs_missing, write_partitions_missing, write_right_missing,
    write_topics_missing,
};
use super::{Error, UUID_COLUMN};
use crate::host::visible::visible;
use crate::report::rendering::figures::count;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config { message, .. } | Self::OriginalsExpired { message } => {
                f.write_str(message)
            }
            Self::NoValueColumn { .. }
            | Self::NoTopic { .. }
            | Self::Unreadable { .. }
            | Self::SeveralKinds { .. }
            | Self::OtherFormat { .. }
            | Self::NoneInIt { .. }
            | Self::Redacted { .. }
            | Self::NothingFound { .. }
            | Self::RecordsUnreadable { .. }
            | Self::CutOff { .. } => self.write_of_input(f),
            Self::NoToken { reason } => write!(f, "could not get a token: {reason}"),
            Self::Unreachable {
                brokers, reason, ..
            } => {
                write!(f, "no broker of {brokers} could be used: {reason}")
            }
            Self::SameCluster { brokers, shared } => write!(
                f,
                "{brokers} is the cluster that the records were captured from: both have {shared}"
            ),
            Self::TopicsMissing { topics, brokers } => write_topics_missing(f, topics, brokers),
            Self::OutputsMissing { topics, brokers } => write_outputs_missing(f, topics, brokers),
            Self::RightMissing { right, brokers } => write_right_missing(f, right, brokers),
            Self::PartitionsMissing { topics } => write_partitions_missing(f, topics),
            Self::TopicRefused {
                topic,
                action,
                reason,
            } => {
                write!(f, "could not {action} topic `{}`: {reason}", visible(topic))
            }
            Self::GaveUp { after, reason } => write_gave_up(f, *after, reason),
            Self::GroupUnusable { group, fault } => fault.write(f, group),
            Self::ProducerFatal { reason } => write!(f, "the producer cannot go on: {reason}"),
            Self::SpeedctlNotStarted { program, reason } => {
                write!(
                    f,
                    "speedctl could not be started: `{}`: {reason}",
                    program.display()
                )
            }
            Self::SpeedctlFailed {
                action,
                how,
                stderr,
            } => write_speedctl(f, action, how, stderr),
            Self::CannotWrite { what, reason } => write!(f, "cannot write {what}: {reason}"),
            Self::ReportUnwritten { file, reason } => write_unwritten(f, file, reason),
            Self::Defect { what } => f.write_str(what),
        }
    }
}

impl Error {
    /// Says what is wrong with an input and escapes the names in it.
    pub(super) fn write_of_input(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValueColumn { input, columns } => write_no_value_column(f, input, columns),
            Self::NoTopic { place } => {
                write!(
                    f,
                    "{}: the capture does not name the record's topic",
                    visible(place)
                )
            }
            Self::Redacted { place } => write!(
                f,
                "{} holds a text that data-loss prevention has replaced (`REDACTED-...`), and `--fail-on-redacted` ends the run",
                visible(place)
            ),
            Self::Unreadable { place, reason } => {
                write!(f, "cannot read {}: {}", visible(place), visible(reason))
            }
            Self::SeveralKinds { first, second } => write!(
                f,
                "the inputs are of different kinds: {} is {}, {} is {}",
                visible(&first.0),
                first.1,
                visible(&second.0),
                second.1
            ),
            Self::OtherFormat { input, what, .. } => {
                write!(f, "cannot read {}: it is {what}", visible(input))
            }
            Self::NoneInIt {
                input,
                wanted,
                what,
            } => write!(
                f,
                "{} holds no {}: it is {what} of another kind",
                visible(input),
                without_article(wanted)
            ),
            Self::NothingFound { why, .. } => write!(f, "nothing was found: {}", visible(why)),
            Self::RecordsUnreadable {
                count: n,
                place,
                why,
            } => write!(
                f,
                "{} cannot be read, the first at {}: {}",
                count(*n, "record"),
                visible(place),
                visible(why)
            ),
            Self::CutOff { place, why } => write!(
                f,
                "{}: the input is cut off: {}",
                visible(place),
                visible(why)
            ),
            _ => Ok(()),
        }
    }
}

pub(super) fn without_article(noun: &str) -> &str {
    noun.strip_prefix("a ").unwrap_or(noun)
}

/// Names the columns only if the file is one of speedctl: another file may begin with a password.
pub(super) fn write_no_value_column(
    f: &mut fmt::Formatter<'_>,
    input: &str,
    columns: &[String],
) -> fmt::Result {
    let input = visible(input);
    match columns.iter().any(|column| column == UUID_COLUMN) {
        true => write!(f, "{input} has no value column, only {}", quoted(columns)),
        false => write!(
            f,
            "{input} has no value column, nor the column `{UUID_COLUMN}` that every CSV of speedctl has"
        ),
    }
}

pub(super) fn write_unwritten(f: &mut fmt::Formatter<'_>, file: &str, reason: &str) -> fmt::Result {
    write!(f, "cannot write the report to {}: {reason}", visible(file))
}

pub(super) fn write_gave_up(
    f: &mut fmt::Formatter<'_>,
    after: Duration,
    reason: &str,
) -> fmt::Result {
    let after = humantime::format_duration(after);
    write!(
        f,
        "gave up: no record was acknowledged for {after}: {reason}"
    )
}

pub(super) fn write_speedctl(
    f: &mut fmt::Formatter<'_>,
    action: &str,
    how: &str,
    stderr: &str,
) -> fmt::Result {
    write!(f, "`speedctl {action}` {how}")?;
    if stderr.is_empty() {
        return f.write_str(", and wrote nothing to stderr");
    }
    f.write_str("; the end of its stderr:")?;
    stderr
        .lines()
        .try_for_each(|line| write!(f, "\n    {line}"))
}
