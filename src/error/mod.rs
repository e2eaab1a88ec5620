//! The errors that end a run, their texts, and the exit codes of the program. A bad record is never an error
//! here: it is counted and named in the report.

mod display;
mod exit_code;
mod faults;
mod hint;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use self::exit_code::ExitCode;
pub(crate) use self::faults::GroupFault;
pub(crate) use self::faults::quoted;
pub use self::faults::{MissingPartitions, MissingTopic, Right};

/// The column that speedctl adds to every CSV.
pub(crate) const UUID_COLUMN: &str = "RRPair UUID";

/// Why a run ended early, or did not begin.
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
    /// A record holds a text that data-loss prevention has replaced, and the user does not want to send it.
    Redacted {
        /// The first one found.
        place: String,
    },
    /// A CSV in which no column holds values.
    NoValueColumn {
        /// The CSV's name.
        input: String,
        /// The columns that it has.
        columns: Vec<String>,
    },
    /// A record whose topic neither the capture nor a flag names.
    NoTopic {
        /// `input:line` of the record.
        place: String,
    },
    /// kreplay has no OAUTHBEARER token to authenticate with.
    NoToken {
        /// The reason; it contains nothing that could be part of a token.
        reason: String,
    },
    /// No broker answered in time.
    Unreachable {
        /// The bootstrap servers.
        brokers: String,
        /// The cause, as far as it is known.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The destination is the cluster that the records were captured from.
    SameCluster {
        /// The bootstrap servers.
        brokers: String,
        /// What both have in common, in words.
        shared: String,
    },
    /// Topics that the destination does not have.
    TopicsMissing {
        /// All that are known to be missing, at least one.
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
        /// All that are known to be missing, by topic, at least one.
        topics: Vec<MissingPartitions>,
    },
    /// The cluster refused something about a topic.
    TopicRefused {
        /// Its name.
        topic: String,
        /// What kreplay asked the cluster to do.
        action: &'static str,
        /// The cluster's answer.
        reason: String,
    },
    /// The user lacks a right that sending needs.
    RightMissing {
        /// The right.
        right: Right,
        /// The bootstrap servers.
        brokers: String,
    },
    /// The original timestamps are older than what a topic keeps.
    OriginalsExpired {
        /// How old they are, and how long the topic keeps records.
        message: String,
    },
    /// No record was acknowledged for too long.
    GaveUp {
        /// How long, as the user set it.
        after: Duration,
        /// What is known about the cause.
        reason: String,
    },
    /// kreplay cannot wait for a consumer group.
    GroupUnusable {
        /// Its name.
        group: String,
        /// The reason.
        fault: GroupFault,
    },
    /// The producer cannot continue (librdkafka's fatal errors).
    ProducerFatal {
        /// librdkafka's words.
        reason: String,
    },
    /// speedctl could not be started.
    SpeedctlNotStarted {
        /// The program as it was given or searched for.
        program: PathBuf,
        /// The reason.
        reason: String,
    },
    /// speedctl ran and failed.
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
        /// The input, with the line if it is known.
        place: String,
        /// The reason.
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
    /// An input that holds nothing that kreplay could read.
    NoneInIt {
        /// The input.
        input: String,
        /// What kreplay reads from it.
        wanted: &'static str,
        /// What it holds instead.
        what: &'static str,
    },
    /// An input that ends in the middle of a line or row.
    CutOff {
        /// The input and line.
        place: String,
        /// What the end looks like.
        why: String,
    },
    /// A source that was read to its end and has no records.
    NothingFound {
        /// What it has instead.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Records that cannot be read, in a program that takes records one by one.
    RecordsUnreadable {
        /// The number of such records.
        count: u64,
        /// `input:line` of the first.
        place: String,
        /// Why it cannot be read.
        why: String,
    },
    /// An output that takes no more data; not for a reader of stdout that has closed the pipe.
    CannotWrite {
        /// The output.
        what: &'static str,
        /// The system's words.
        reason: String,
    },
    /// A file of `--report-file` that could not be written after the run.
    ReportUnwritten {
        /// The file.
        file: String,
        /// The system's words.
        reason: String,
    },
    /// The two sides of the ledger differ, or a thread of kreplay panicked.
    Defect {
        /// What kreplay found.
        what: String,
    },
}

impl Error {
    /// A configuration error without a hint.
    #[must_use]
    pub fn config(message: impl Into<String>) -> Self {
        Self::Config {
            message: message.into(),
            hint: None,
        }
    }

    /// The exit code for this error.
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
}

/// The system's words without the number after them.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
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
        let said = "topic `ordes` does not exist on localhost:9092 (did you mean `orders`?)";
        assert_eq!(one.to_string(), said);
        let hint = "create it, or let kreplay do so with `--create-topics`";
        assert_eq!(one.hint().as_deref(), Some(hint));
        let two = missing(&[("ordes", 0, Some("orders")), ("x", 1, None)]);
        let said = "2 topics do not exist on localhost:9092: `ordes` (did you mean `orders`?), `x`";
        assert_eq!(two.to_string(), said);
        // A cluster may name its topics as it likes.
        let forged = "orders\nkreplay: all is well";
        for topics in [
            &[("ordes", 0, Some(forged))][..],
            &[("ordes", 0, Some(forged)), ("x", 1, None)],
        ] {
            let shown = missing(topics).to_string();
            assert!(shown.contains(r"`orders\nkreplay: all is well`"), "{shown}");
        }
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
        let topics = vec!["a".to_string()];
        let read = error(Right::Read { topics });
        let said = "the user may not read from b:1: the right `Read` on topic `a` is missing";
        assert_eq!((read.to_string().as_str(), read.exit().code()), (said, 3));
        let hint = read.hint().unwrap_or_default();
        assert!(hint.contains("--operation Read"), "{hint}");
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
