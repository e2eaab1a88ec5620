//! The lines about topics and rejects.

use std::fmt;

use crate::error::Error;
use crate::host::visible::visible;
use crate::report::rendering::figures::{HumanBytes, count, counted, records};
use crate::report::{Placement, Report, TopicReport};

/// How many topics are shown one by one; the rest is summed up, so that the report fits on one screen.
pub(super) const MOST_TOPICS: usize = 10;

/// What changed in the topics during the run, a line for each change.
pub(super) fn write_changes(f: &mut fmt::Formatter<'_>, topics: &[TopicReport]) -> fmt::Result {
    let grown = topics.iter().filter_map(|topic| {
        let (name, has) = (visible(&topic.name), topic.partitions_at_end?);
        let had = topic.partitions;
        Some(format!(
            "{name} has {has} partitions at the end, up from {had}: the new ones got no records"
        ))
    });
    let lowered = topics.iter().filter_map(|topic| {
        let (name, (had, has)) = (visible(&topic.name), topic.lowered_limit?);
        Some(format!(
            "{name} has a max.message.bytes of {has} at the end and had {had}"
        ))
    });
    let changes: Vec<String> = grown.chain(lowered).collect();
    for (i, change) in changes.iter().take(MOST_TOPICS).enumerate() {
        let head = if i == 0 { "changed" } else { "" };
        writeln!(f, "{head:<10} {change}")?;
    }
    match changes.len().checked_sub(MOST_TOPICS) {
        None | Some(0) => Ok(()),
        Some(more) => writeln!(f, "           and {more} more changes"),
    }
}

impl Report {
    pub(super) fn write_rejects(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(rejects) = self.rejects.as_ref().filter(|rejects| rejects.records > 0) else {
            return Ok(());
        };
        let (n, file) = (records(rejects.records), visible(&rejects.file));
        write!(f, "rejects    {n} in {file}: ")?;
        let is_refused = |failure: &Error| matches!(failure, Error::SameCluster { .. });
        match &self.resume {
            _ if self.failures.iter().any(is_refused) => {
                writeln!(f, "`kreplay replay {file}` sends them to another cluster")?;
            }
            Some(_) => writeln!(f, "the same command with `--resume` tries them again")?,
            None => writeln!(
                f,
                "`kreplay replay {file}` with the same destination sends what is not in the log"
            )?,
        }
        match self.source.complete {
            true => Ok(()),
            false => f.write_str("           records that were not read yet are not among them\n"),
        }
    }

    pub(super) fn write_topics(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.topics[..self.topics.len().min(MOST_TOPICS)];
        let width = shown
            .iter()
            .map(|topic| visible(&topic.name).chars().count())
            .max()
            .unwrap_or(0);
        for (i, topic) in shown.iter().enumerate() {
            let head = if i == 0 { "sent to" } else { "" };
            writeln!(
                f,
                "{head:<10} {:<width$}  {}, {}, {}",
                visible(&topic.name),
                count(u64::from(topic.partitions), "partition"),
                records(topic.delivered),
                HumanBytes(topic.bytes),
            )?;
        }
        if self.topics.len() > shown.len() {
            writeln!(
                f,
                "           and {} more topics",
                self.topics.len() - shown.len()
            )?;
        }
        write_changes(f, &self.topics)?;
        let Placement {
            kept,
            by_key,
            spread,
        } = self.placement;
        if by_key + spread == 0 {
            return Ok(());
        }
        let parts = [
            (kept, "in their captured partition"),
            (by_key, "by key"),
            (spread, "without a key or by the client's choice"),
        ];
        writeln!(f, "placed     {}", counted(&parts))
    }
}
