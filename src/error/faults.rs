//! What an error says about topics, partitions, rights and groups of the cluster, in words.

use std::fmt;

use crate::config::nearest;
use crate::host::visible::visible;
use crate::report::rendering::figures::count;

/// A right that Kafka's access control lists grant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Right {
    /// `Write` on topics, at least one.
    Write {
        /// Their names.
        topics: Vec<String>,
    },
    /// `Read` on topics, one at least.
    Read {
        /// Their names.
        topics: Vec<String>,
    },
    /// `IdempotentWrite` on the cluster.
    IdempotentWrite,
}

/// Why kreplay cannot wait for a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupFault {
    /// The cluster does not describe the group, for this reason.
    Unseen(String),
    /// The group commits no offsets.
    OfAnotherKind,
}

impl GroupFault {
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Unseen(_) => "`--wait-group` needs the right to describe the group",
            Self::OfAnotherKind => "give `--wait-group` a group that commits offsets",
        }
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, group: &str) -> fmt::Result {
        let group = visible(group);
        match self {
            Self::Unseen(reason) => {
                write!(
                    f,
                    "the cluster did not describe the group `{group}`: {reason}"
                )
            }
            Self::OfAnotherKind => write!(
                f,
                "`{group}` is not a consumer group but a group of another kind, such as a share group"
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
    /// How many partitions the capture shows; 0 if it names none.
    pub captured_partitions: u32,
    /// The topic of the destination with the most similar name, if one is similar.
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
    /// The captured ones that it lacks, ascending, at least one.
    pub missing: Vec<i32>,
    /// `input:line` of the first record of one of them.
    pub place: String,
}

/// How many topics and partitions an error names one by one.
pub(super) const MOST_NAMED: usize = 50;

/// Lists `items` up to a limit, and says how many more there are.
pub(super) fn listed<T>(
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

pub(super) fn write_topics_missing(
    f: &mut fmt::Formatter<'_>,
    topics: &[MissingTopic],
    brokers: &str,
) -> fmt::Result {
    if let [MissingTopic { name, nearest, .. }] = topics {
        let text = format!("topic `{}` does not exist on {brokers}", visible(name));
        let nearest = nearest.as_deref().map(visible);
        return f.write_str(&nearest::with_nearest(text, nearest.as_deref()));
    }
    write!(f, "{} topics do not exist on {brokers}: ", topics.len())?;
    listed(f, topics, ", ", |f, topic| {
        let nearest = topic.nearest.as_deref().map(visible);
        let name = format!("`{}`", visible(&topic.name));
        f.write_str(&nearest::with_nearest(name, nearest.as_deref()))
    })
}

pub(super) fn write_outputs_missing(
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

pub(super) fn missing_topics_hint(topics: &[MissingTopic]) -> String {
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

pub(super) fn write_right_missing(
    f: &mut fmt::Formatter<'_>,
    right: &Right,
    brokers: &str,
) -> fmt::Result {
    let (action, operation, topics) = match right {
        Right::IdempotentWrite => {
            return write!(
                f,
                "the user may not write to {brokers}: the right `IdempotentWrite` on the cluster is missing"
            );
        }
        Right::Write { topics } => ("write to", "Write", topics),
        Right::Read { topics } => ("read from", "Read", topics),
    };
    let noun = if topics.len() == 1 { "topic" } else { "topics" };
    write!(
        f,
        "the user may not {action} {brokers}: the right `{operation}` on {noun} "
    )?;
    listed(f, topics, ", ", |f, topic| {
        write!(f, "`{}`", visible(topic))
    })?;
    f.write_str(" is missing")
}

pub(super) fn right_hint(right: &Right) -> String {
    match right {
        Right::IdempotentWrite => "an administrator can grant it; `--no-idempotence` does without \
                                   it, but records may then be in the log twice or out of order"
            .into(),
        Right::Write { .. } => {
            "an administrator can grant it (`kafka-acls --add --operation Write`)".into()
        }
        Right::Read { .. } => {
            "an administrator grants it (`kafka-acls --add --operation Read`); no consumer group is joined".into()
        }
    }
}

pub(super) fn write_partitions_missing(
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

/// What records show of a topic's partitions: there may be more than those that were read from.
pub(super) fn partitions_up_to(partitions: u32) -> String {
    match partitions {
        0 | 1 => "partition 0".into(),
        more => format!("partitions up to {}", more - 1),
    }
}

/// Names in backticks.
pub(crate) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names
        .iter()
        .map(|name| format!("`{}`", visible(name)))
        .collect();
    quoted.join(", ")
}
