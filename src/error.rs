//! What ends a run, in words, and the exit codes of the program. A bad record is never an error
//! here: it is counted and named in the report.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::nearest;
use crate::host::visible::visible;
use crate::report::rendering::figures::count;

/// The column that speedctl adds to every CSV.
pub(crate) const UUID_COLUMN: &str = "RRPair UUID";

/// How the program ends, as documented in docs/report.md; by rising gravity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExitCode {
    /// Everything found was delivered, or left out on purpose and counted.
    Success,
    /// The replay ran; some records failed or are unreadable.
    Incomplete,
    /// Usage or configuration.
    Usage,
    /// Kafka said no, or was silent for too long.
    Kafka,
    /// The source failed or is incomplete.
    Source,
    /// Ended by SIGTERM, SIGHUP or SIGQUIT.
    Terminated,
    /// Ended by SIGINT.
    Interrupted,
    /// The ledger does not balance: a defect of kreplay.
    Defect,
}

impl ExitCode {
    /// The exit code of a run with several reasons for one: the gravest wins.
    #[must_use]
    pub fn gravest(reasons: impl IntoIterator<Item = Self>) -> Self {
        reasons.into_iter().max().unwrap_or(Self::Success)
    }

    /// The process's exit status.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Incomplete => 1,
            Self::Usage => 2,
            Self::Kafka => 3,
            Self::Source => 4,
            Self::Defect => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(exit: ExitCode) -> Self {
        Self::from(exit.code())
    }
}

/// A right that Kafka's access control lists give.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Right {
    /// `Write` on topics, one at least.
    Write {
        /// Their names.
        topics: Vec<String>,
    },
    /// `IdempotentWrite` on the cluster.
    IdempotentWrite,
}

/// Why a consumer group cannot be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupFault {
    /// The cluster does not describe it, for this reason.
    Unseen(String),
    /// It commits no offsets.
    OfAnotherKind,
}

impl GroupFault {
    fn hint(&self) -> &'static str {
        match self {
            Self::Unseen(_) => "`--wait-group` needs the right to describe the group",
            Self::OfAnotherKind => "`--wait-group` needs a group that commits offsets",
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, group: &str) -> fmt::Result {
        let group = visible(group);
        match self {
            Self::Unseen(reason) => {
                write!(
                    f,
                    "the cluster does not describe the group `{group}`: {reason}"
                )
            }
            Self::OfAnotherKind => write!(
                f,
                "`{group}` is not a consumer group, but one of another kind, such as a share group"
            ),
        }
    }
}

/// A topic that the destination does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingTopic {
    /// Its name.
    pub name: String,
    /// How many partitions the capture shows; 0 when it names none.
    pub captured_partitions: u32,
    /// The topic of the destination with the most similar name, where one is similar.
    pub nearest: Option<String>,
}

/// Captured partitions that a topic of the destination does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingPartitions {
    /// The destination's topic.
    pub topic: String,
    /// How many partitions it has.
    pub partitions: i32,
    /// The captured ones that it lacks, rising, one at least.
    pub missing: Vec<i32>,
    /// `input:line` of the first record of one of them.
    pub place: String,
}

/// Why a run ended before its time, or did not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Flags, environment or config files that make no sense.
    Config {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A record holds a text that data-loss prevention has replaced, which the user does not want sent.
    Redacted {
        /// The first one found.
        place: String,
    },
    /// A CSV in which no column holds values.
    NoValueColumn {
        /// The CSV's name.
        input: String,
        /// The columns it has.
        columns: Vec<String>,
    },
    /// A record whose topic neither the capture nor a flag names.
    NoTopic {
        /// `input:line` of the record.
        place: String,
    },
    /// There is no OAUTHBEARER token to authenticate with.
    NoToken {
        /// Why not; without anything that could be part of one.
        reason: String,
    },
    /// No broker answered in time.
    Unreachable {
        /// The bootstrap servers.
        brokers: String,
        /// The cause, as far as it shows.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The destination is the cluster that the records were captured from.
    SameCluster {
        /// The bootstrap servers.
        brokers: String,
        /// What both have, in words.
        shared: String,
    },
    /// Topics that the destination does not have.
    TopicsMissing {
        /// All that are known to be missing, one at least.
        topics: Vec<MissingTopic>,
        /// The bootstrap servers.
        brokers: String,
    },
    /// Topics to read that the cluster does not have.
    OutputsMissing {
        /// Their names there.
        topics: Vec<String>,
        /// The cluster.
        brokers: String,
    },
    /// Partitions that the destination's topics do not have, with `--partition keep`.
    PartitionsMissing {
        /// All that are known to be missing, by topic, one at least.
        topics: Vec<MissingPartitions>,
    },
    /// The cluster refused something about a topic.
    TopicRefused {
        /// Its name.
        topic: String,
        /// What was asked of the cluster.
        action: &'static str,
        /// The cluster's answer.
        reason: String,
    },
    /// The user has no right to do what sending needs.
    RightMissing {
        /// The right.
        right: Right,
        /// The bootstrap servers.
        brokers: String,
    },
    /// The original times are older than what a topic keeps.
    OriginalsExpired {
        /// How old they are, and what the topic keeps.
        message: String,
    },
    /// No record was acknowledged for too long.
    GaveUp {
        /// How long, as it was asked for.
        after: Duration,
        /// What is known of the cause.
        reason: String,
    },
    /// A consumer group cannot be waited for.
    GroupUnusable {
        /// Its name.
        group: String,
        /// Why.
        fault: GroupFault,
    },
    /// The producer cannot go on (librdkafka's fatal errors).
    ProducerFatal {
        /// librdkafka's words.
        reason: String,
    },
    /// speedctl could not be started.
    SpeedctlNotStarted {
        /// The program as it was given or looked for.
        program: PathBuf,
        /// Why not.
        reason: String,
    },
    /// speedctl ran and did not do its job.
    SpeedctlFailed {
        /// What it was doing: `extract data`, `pull snapshot`.
        action: &'static str,
        /// How it failed.
        how: String,
        /// The end of what it wrote to stderr.
        stderr: String,
    },
    /// An input that cannot be opened or read.
    Unreadable {
        /// The input, with the line where it is known.
        place: String,
        /// Why not.
        reason: String,
    },
    /// Inputs of several kinds in one run.
    SeveralKinds {
        /// An input and what it is.
        first: (String, &'static str),
        /// Another one that is something else.
        second: (String, &'static str),
    },
    /// An input in a format that kreplay does not read.
    OtherFormat {
        /// The input.
        input: String,
        /// What it is.
        what: &'static str,
        /// The command that writes its content to stdout.
        unpack: Vec<&'static str>,
    },
    /// An input that holds nothing of what is read.
    NoneInIt {
        /// The input.
        input: String,
        /// What is read.
        wanted: &'static str,
        /// What it is instead.
        what: &'static str,
    },
    /// An input that ends in the middle of a line or row.
    CutOff {
        /// The input and line.
        place: String,
        /// What the end looks like.
        why: String,
    },
    /// A source that was read to its end and has no record.
    NothingFound {
        /// What is there instead.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Records that cannot be read, in a program that takes records one by one.
    RecordsUnreadable {
        /// How many.
        count: u64,
        /// `input:line` of the first.
        place: String,
        /// Why it cannot be read.
        why: String,
    },
    /// Something takes no more; not for a reader of stdout that has closed the pipe.
    CannotWrite {
        /// What it is.
        what: &'static str,
        /// The system's words.
        reason: String,
    },
    /// A file of `--report-file` that could not be written once the run was over.
    ReportUnwritten {
        /// The file.
        file: String,
        /// The system's words.
        reason: String,
    },
    /// The two sides of the ledger differ, or a thread of kreplay ended in a panic.
    Defect {
        /// What was seen.
        what: String,
    },
}

/// What to do about original timestamps that a topic would not keep.
const EXPIRED_HINT: &str = "`--timestamps shift` keeps their distances and begins now, `now` gives each the time of \
     sending; or give the topic a longer `retention.ms`";

impl Error {
    /// A configuration error without a hint.
    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self::Config {
            message: message.into(),
            hint: None,
        }
    }

    /// The exit code that this error asks for.
    #[must_use]
    pub fn exit(&self) -> ExitCode {
        match self {
            Self::Config { .. }
            | Self::NoValueColumn { .. }
            | Self::NoTopic { .. }
            | Self::SeveralKinds { .. } => ExitCode::Usage,
            Self::NoToken { .. }
            | Self::Unreachable { .. }
            | Self::SameCluster { .. }
            | Self::GaveUp { .. }
            | Self::GroupUnusable { .. }
            | Self::TopicsMissing { .. }
            | Self::OutputsMissing { .. }
            | Self::PartitionsMissing { .. }
            | Self::OriginalsExpired { .. }
            | Self::RightMissing { .. }
            | Self::TopicRefused { .. } => ExitCode::Kafka,
            Self::ProducerFatal { .. }
            | Self::CannotWrite { .. }
            | Self::ReportUnwritten { .. }
            | Self::Redacted { .. }
            | Self::NothingFound { .. }
            | Self::RecordsUnreadable { .. }
            | Self::NoneInIt { .. } => ExitCode::Incomplete,
            Self::SpeedctlNotStarted { .. }
            | Self::SpeedctlFailed { .. }
            | Self::Unreadable { .. }
            | Self::OtherFormat { .. }
            | Self::CutOff { .. } => ExitCode::Source,
            Self::Defect { .. } => ExitCode::Defect,
        }
    }

    /// What the user can do about it, where something can be done.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config { hint, .. } => hint.clone(),
            Self::NoValueColumn { columns, .. } if columns.iter().any(|c| c.starts_with('{')) => {
                Some(
                    "this looks like JSON: without `--as csv` its content decides what it is"
                        .into(),
                )
            }
            Self::NoValueColumn { .. } => Some(
                "a value column is headed by a path that ends in `valueString`, `valueBytes`, \
                 `valueBase64` or `value`"
                    .into(),
            ),
            Self::NoTopic { .. } => Some("name the destination's topic with `-t TOPIC`".into()),
            Self::TopicsMissing { topics, .. } => Some(missing_topics_hint(topics)),
            Self::OutputsMissing { .. } => Some(
                "kreplay only reads it; with `--expect`, `--map FROM=TO` says what it is called there"
                    .into(),
            ),
            Self::RightMissing { right, .. } => Some(right_hint(right)),
            Self::PartitionsMissing { .. } => {
                Some("use `--partition auto` to place such records by key".into())
            }
            Self::SpeedctlNotStarted { .. } => Some(
                "install speedctl, or name it with `--speedctl PATH` or KREPLAY_SPEEDCTL".into(),
            ),
            Self::Defect { .. } => {
                Some("this is a defect of kreplay: please report it with the command used".into())
            }
            Self::Unreachable { hint, .. } | Self::NothingFound { hint, .. } => hint.clone(),
            Self::SeveralKinds { .. } => Some("replay each kind in a run of its own".into()),
            Self::OtherFormat { input, unpack, .. } => unpack_hint(input, unpack),
            Self::NoneInIt { wanted, what, .. } => none_in_it_hint(wanted, what),
            Self::GaveUp { .. } => Some(
                "`--give-up-after` waits longer; `--rejects FILE` keeps what is not delivered"
                    .into(),
            ),
            Self::GroupUnusable { fault, .. } => Some(fault.hint().into()),
            Self::SameCluster { .. } => {
                Some("`--yes` sends all the same; its topics then have the records twice".into())
            }
            Self::TopicRefused { reason, .. } if reason.contains("authorization") => {
                Some("the user needs the rights to describe and to write it".into())
            }
            Self::OriginalsExpired { .. } => Some(EXPIRED_HINT.into()),
            Self::Redacted { .. } => {
                Some("`kreplay inspect` counts them by topic; `--topics` leaves topics out".into())
            }
            Self::NoToken { .. }
            | Self::TopicRefused { .. }
            | Self::ProducerFatal { .. }
            | Self::SpeedctlFailed { .. }
            | Self::Unreadable { .. }
            | Self::CutOff { .. }
            | Self::RecordsUnreadable { .. }
            | Self::CannotWrite { .. }
            | Self::ReportUnwritten { .. } => None,
        }
    }
}

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
            Self::NoToken { reason } => write!(f, "there is no token: {reason}"),
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
    /// What is wrong with an input; names in it are those of others.
    fn write_of_input(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
                "the inputs are of several kinds: {} is {}, {} is {}",
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
                "{} holds no {}: it is other {what}",
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

/// What gives kreplay the content of a packed input.
fn unpack_hint(input: &str, unpack: &[&str]) -> Option<String> {
    let (first, others) = unpack.split_first()?;
    let others: String = others.iter().map(|other| format!(" | {other}")).collect();
    Some(match input {
        "stdin" => format!("put `{first}{others}` before kreplay in the pipe"),
        file => {
            let file = shell_words::quote(file);
            format!("unpack it, or use a pipe: `{first} {file}{others} | kreplay ... -`")
        }
    })
}

fn none_in_it_hint(wanted: &str, what: &str) -> Option<String> {
    let hint = match (wanted, what) {
        ("record lines", _) => {
            "`kcat -C` prints record lines with `-J`; `kreplay extract` prints them of a capture"
        }
        ("RRPairs", "JSON") => "`--value PATH` with `--filter ''` reads any JSON",
        (_, "JSON") => {
            "`kcat -C` prints record lines with `-J`; `--value PATH` with `--filter ''` reads any JSON"
        }
        ("RRPairs or record lines", _) => {
            "`kcat -C` prints record lines with `-J`; `--as csv` reads any CSV"
        }
        _ => return None,
    };
    Some(hint.into())
}

fn without_article(noun: &str) -> &str {
    noun.strip_prefix("a ").unwrap_or(noun)
}

/// The columns are named where the file is one of speedctl: another one may begin with a password.
fn write_no_value_column(
    f: &mut fmt::Formatter<'_>,
    input: &str,
    columns: &[String],
) -> fmt::Result {
    let input = visible(input);
    match columns.iter().any(|column| column == UUID_COLUMN) {
        true => write!(f, "{input} has no value column, only {}", quoted(columns)),
        false => write!(
            f,
            "{input} has no value column, and no `{UUID_COLUMN}` as every CSV of speedctl has"
        ),
    }
}

fn write_unwritten(f: &mut fmt::Formatter<'_>, file: &str, reason: &str) -> fmt::Result {
    write!(f, "cannot write the report to {}: {reason}", visible(file))
}

fn write_gave_up(f: &mut fmt::Formatter<'_>, after: Duration, reason: &str) -> fmt::Result {
    let after = humantime::format_duration(after);
    write!(
        f,
        "gave up: no record was acknowledged for {after}: {reason}"
    )
}

/// Topics and partitions that an error names one by one.
const MOST_NAMED: usize = 50;

/// All of `items` up to a limit, and how many more there are.
fn listed<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    between: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (i, item) in items.iter().take(MOST_NAMED).enumerate() {
        f.write_str(if i > 0 { between } else { "" })?;
        write(f, item)?;
    }
    match items.len().saturating_sub(MOST_NAMED) {
        0 => Ok(()),
        more => write!(f, "{between}and {more} more"),
    }
}

fn write_topics_missing(
    f: &mut fmt::Formatter<'_>,
    topics: &[MissingTopic],
    brokers: &str,
) -> fmt::Result {
    if let [MissingTopic { name, nearest, .. }] = topics {
        let text = format!("topic `{}` does not exist on {brokers}", visible(name));
        return f.write_str(&nearest::with_nearest(text, nearest.as_deref()));
    }
    write!(f, "{} topics do not exist on {brokers}: ", topics.len())?;
    listed(f, topics, ", ", |f, topic| match &topic.nearest {
        Some(nearest) => {
            let name = visible(&topic.name);
            write!(f, "`{name}` (nearest to it is `{nearest}`)")
        }
        None => write!(f, "`{}`", visible(&topic.name)),
    })
}

fn write_outputs_missing(
    f: &mut fmt::Formatter<'_>,
    topics: &[String],
    brokers: &str,
) -> fmt::Result {
    match topics {
        [topic] => write!(f, "topic `{}` does not exist on {brokers}", visible(topic)),
        _ => write!(
            f,
            "{} topics do not exist on {brokers}: {}",
            topics.len(),
            quoted(topics)
        ),
    }
}

fn missing_topics_hint(topics: &[MissingTopic]) -> String {
    match topics {
        [topic] => {
            let shown = match topic.captured_partitions {
                0 => String::new(),
                captured => format!(" (the capture shows {})", partitions_up_to(captured)),
            };
            format!("create it, or let kreplay do so with `--create-topics`{shown}")
        }
        _ => {
            "create them, or let kreplay do so with `--create-topics`; `--map FROM=TO` sends to a \
              topic of another name"
                .into()
        }
    }
}

fn write_right_missing(f: &mut fmt::Formatter<'_>, right: &Right, brokers: &str) -> fmt::Result {
    write!(f, "the user may not write to {brokers}: ")?;
    match right {
        Right::IdempotentWrite => {
            f.write_str("the right `IdempotentWrite` on the cluster is missing")
        }
        Right::Write { topics } => {
            let noun = if topics.len() == 1 { "topic" } else { "topics" };
            write!(f, "the right `Write` on {noun} ")?;
            listed(f, topics, ", ", |f, topic| {
                write!(f, "`{}`", visible(topic))
            })?;
            f.write_str(" is missing")
        }
    }
}

fn right_hint(right: &Right) -> String {
    match right {
        Right::IdempotentWrite => {
            "an administrator grants it; `--no-idempotence` does without, and \
                                   what is delivered may then be there twice or out of order"
                .into()
        }
        Right::Write { .. } => {
            "an administrator grants it (`kafka-acls --add --operation Write`)".into()
        }
    }
}

fn write_partitions_missing(
    f: &mut fmt::Formatter<'_>,
    topics: &[MissingPartitions],
) -> fmt::Result {
    listed(f, topics, "; ", |f, topic| {
        let MissingPartitions {
            topic,
            partitions,
            missing,
            place,
        } = topic;
        let noun = if missing.len() == 1 {
            "partition"
        } else {
            "partitions"
        };
        let (place, topic) = (visible(place), visible(topic));
        write!(f, "{place}: topic `{topic}` has no {noun} ")?;
        listed(f, missing, ", ", |f, partition| write!(f, "{partition}"))?;
        let there = count(u64::from(partitions.unsigned_abs()), "partition");
        write!(f, ", only {there}")
    })
}

fn write_speedctl(
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

impl std::error::Error for Error {}

/// The system's words without the number behind them.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}

/// Names in backticks.
pub(crate) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", visible(name)))
        .collect();
    quoted.join(", ")
}

/// What records tell of a topic's partitions: there may be more than those that were read from.
fn partitions_up_to(partitions: u32) -> String {
    match partitions {
        0 | 1 => "partition 0".into(),
        more => format!("partitions up to {}", more - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_code_is_the_documented_one() {
        let codes = [
            (ExitCode::Success, 0),
            (ExitCode::Incomplete, 1),
            (ExitCode::Usage, 2),
            (ExitCode::Kafka, 3),
            (ExitCode::Source, 4),
            (ExitCode::Defect, 70),
            (ExitCode::Interrupted, 130),
            (ExitCode::Terminated, 143),
        ];
        for (exit, code) in codes {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }

    #[test]
    fn a_missing_topic_reads_as_the_manual_shows_it() {
        let error = missing(&[("orders", 6, None)]);
        assert_eq!(
            error.to_string(),
            "topic `orders` does not exist on localhost:9092"
        );
        let hint = "create it, or let kreplay do so with `--create-topics` (the capture shows partitions up to 5)";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }
    fn missing(topics: &[(&str, u32, Option<&str>)]) -> Error {
        let topics = topics.iter().map(|(name, captured, nearest)| MissingTopic {
            name: (*name).into(),
            captured_partitions: *captured,
            nearest: nearest.map(str::to_owned),
        });
        Error::TopicsMissing {
            topics: topics.collect(),
            brokers: "localhost:9092".into(),
        }
    }

    #[test]
    fn all_missing_topics_are_named_at_once_with_similar_names() {
        let one = missing(&[("ordes", 0, Some("orders"))]);
        let said = "topic `ordes` does not exist on localhost:9092; nearest to it is `orders`";
        assert_eq!(one.to_string(), said);
        let hint = "create it, or let kreplay do so with `--create-topics`";
        assert_eq!(one.hint().as_deref(), Some(hint));
        let two = missing(&[("ordes", 0, Some("orders")), ("x", 1, None)]);
        let said =
            "2 topics do not exist on localhost:9092: `ordes` (nearest to it is `orders`), `x`";
        assert_eq!(two.to_string(), said);
        let many = missing(&[("t", 1, None); 53]).to_string();
        assert!(many.ends_with(", `t`, and 3 more"), "{many}");
    }

    #[test]
    fn a_missing_acl_is_named_by_kafkas_own_term() {
        let error = |right| Error::RightMissing {
            right,
            brokers: "b:1".into(),
        };
        let topics = vec!["a".to_string(), "b".into()];
        let write = error(Right::Write { topics });
        let said = "the user may not write to b:1: the right `Write` on topics `a`, `b` is missing";
        assert_eq!((write.to_string().as_str(), write.exit().code()), (said, 3));
        let cluster = error(Right::IdempotentWrite);
        let said =
            "the user may not write to b:1: the right `IdempotentWrite` on the cluster is missing";
        assert_eq!(cluster.to_string(), said);
        let hint = cluster.hint().unwrap_or_default();
        assert!(hint.contains("`--no-idempotence`"), "{hint}");
    }

    #[test]
    fn missing_partitions_are_grouped_by_topic() {
        let of = |topic: &str, missing: &[i32]| MissingPartitions {
            topic: topic.into(),
            partitions: 1,
            missing: missing.into(),
            place: "a:3".into(),
        };
        let topics = vec![of("o", &[2, 5]), of("p", &[1])];
        let said = "a:3: topic `o` has no partitions 2, 5, only 1 partition; a:3: topic `p` has no \
                    partition 1, only 1 partition";
        assert_eq!(Error::PartitionsMissing { topics }.to_string(), said);
    }
}
