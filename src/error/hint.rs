//! What the user can do about an error.

use super::Error;
use super::faults::{missing_topics_hint, right_hint};

/// What to do about original timestamps that a topic would not keep.
pub(super) const EXPIRED_HINT: &str = "`--timestamps shift` keeps their distances and begins now; `now` gives \
     each record the time of sending; or give the topic a longer `retention.ms`";

impl Error {
    /// What the user can do about it, if anything.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config { hint, .. } => hint.clone(),
            Self::NoValueColumn { columns, .. } if columns.iter().any(|c| c.starts_with('{')) => {
                Some(
                    "this looks like JSON: without `--as csv`, kreplay decides by the content"
                        .into(),
                )
            }
            Self::NoValueColumn { .. } => Some(
                "the header of a value column ends in `valueString`, `valueBytes`, \
                 `valueBase64` or `value`"
                    .into(),
            ),
            Self::NoTopic { .. } => Some("name the destination's topic with `-t TOPIC`".into()),
            Self::TopicsMissing { topics, .. } => Some(missing_topics_hint(topics)),
            Self::OutputsMissing { .. } => Some(
                "kreplay only reads this topic; if it has another name on the cluster, give that name with \
                 `--map FROM=TO`"
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
                Some("this is a defect of kreplay: please report it with the command".into())
            }
            Self::Unreachable { hint, .. } | Self::NothingFound { hint, .. } => hint.clone(),
            Self::SeveralKinds { .. } => Some("replay each kind in a separate run".into()),
            Self::OtherFormat { input, unpack, .. } => unpack_hint(input, unpack),
            Self::NoneInIt { wanted, what, .. } => none_in_it_hint(wanted, what),
            Self::GaveUp { .. } => Some(
                "a longer `--give-up-after` waits longer; `--rejects FILE` keeps what is not delivered"
                    .into(),
            ),
            Self::GroupUnusable { fault, .. } => Some(fault.hint().into()),
            Self::SameCluster { .. } => {
                Some("`--yes` sends anyway; its topics then have the records twice".into())
            }
            Self::TopicRefused { reason, action, .. } if reason.contains("authorization") => {
                let right = if *action == "read" { "read" } else { "write" };
                Some(format!("the user needs the rights to describe and to {right} it"))
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

/// The command that passes kreplay the content of a compressed input.
pub(super) fn unpack_hint(input: &str, unpack: &[&str]) -> Option<String> {
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

pub(super) fn none_in_it_hint(wanted: &str, what: &str) -> Option<String> {
    let hint = match (wanted, what) {
        ("record lines", _) => "`kcat -C -J` and `kreplay extract` print record lines",
        ("RRPairs", "JSON") => "`--value PATH` with `--filter ''` reads any JSON",
        (_, "JSON") => {
            "`kcat -C -J` prints record lines; `--value PATH` with `--filter ''` reads any JSON"
        }
        ("RRPairs or record lines", _) => {
            "`kcat -C -J` prints record lines; `--as csv` reads any CSV"
        }
        _ => return None,
    };
    Some(hint.into())
}
