//! The partitions of the output: how far each of them was read.

use std::collections::HashMap;

use super::outputs::OutputEnd;
use crate::cluster::native::offsets::LogEnd;
use crate::cluster::reader::{Isolation, LogReader};
use crate::error::Error;

/// A partition that is read.
pub(super) struct OutputPartition {
    /// Its index among the names.
    pub(super) input: u32,
    /// Where it ended before the run.
    pub(super) began: OutputEnd,
    /// The offset after the last record that came from it.
    pub(super) next: i64,
    /// The end that was reached; `None` as long as there may be more.
    pub(super) at_end: Option<i64>,
}

/// All partitions that are read.
#[derive(Default)]
pub(super) struct OutputPartitions {
    /// The partitions by topic and number.
    by_topic: HashMap<String, Vec<OutputPartition>>,
}

impl OutputPartitions {
    pub(super) fn insert(&mut self, topic: String, partitions: Vec<OutputPartition>) {
        self.by_topic.insert(topic, partitions);
    }

    pub(super) fn find(&mut self, topic: &str, number: i32) -> Option<&mut OutputPartition> {
        let number = usize::try_from(number).ok()?;
        self.by_topic.get_mut(topic)?.get_mut(number)
    }

    /// The topics that are read.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        self.by_topic.keys().map(String::as_str)
    }

    /// Calls `visit` for each partition, with its topic and number, up to the first error.
    ///
    /// # Errors
    /// Returns the error of `visit`.
    pub(super) fn each(
        &mut self,
        mut visit: impl FnMut(&str, i32, &mut OutputPartition) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for (topic, partitions) in &mut self.by_topic {
            for (number, partition) in (0..).zip(partitions) {
                visit(topic, number, partition)?;
            }
        }
        Ok(())
    }

    /// Where a partition was not read to its end, as far as the reader has reported that.
    pub(super) fn unread(&self) -> Option<String> {
        self.by_topic.iter().find_map(|(topic, partitions)| {
            let unread = (0..).zip(partitions).find(|(_, p)| p.at_end.is_none());
            unread.map(|(number, p): (i32, _)| format!("{topic} [{number}] @ {}", p.next))
        })
    }

    /// Asks the cluster for the ends of partitions that were not read to their ends: some may have nothing
    /// more.
    ///
    /// # Errors
    /// Returns an error if the cluster does not answer.
    pub(super) fn find_ends(
        &mut self,
        reader: &mut LogReader,
        isolation: Isolation,
    ) -> Result<(), Error> {
        let end = match isolation {
            Isolation::Committed => LogEnd::LastStable,
            Isolation::Uncommitted => LogEnd::High,
        };
        self.each(|topic, number, partition| {
            if partition.at_end.is_none() {
                let ends = reader.offsets(&[(topic.to_owned(), number)], end)?;
                let first = ends.first().copied();
                partition.at_end = first.filter(|end| *end <= partition.next);
            }
            Ok(())
        })
    }

    /// Where an open transaction hides what comes next.
    pub(super) fn hidden(&self, reader: &LogReader) -> Option<String> {
        self.by_topic.iter().find_map(|(topic, partitions)| {
            (0..).zip(partitions).find_map(|(number, partition)| {
                let at = partition.at_end?;
                let is_hidden = reader.high_watermark(topic, number) > at;
                is_hidden.then(|| format!("{topic} [{number}] @ {at}"))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(next: i64, at_end: Option<i64>) -> OutputPartition {
        OutputPartition {
            input: 0,
            began: OutputEnd { stable: 0, high: 0 },
            next,
            at_end,
        }
    }

    #[test]
    fn a_partition_that_was_not_read_to_its_end_is_named_with_what_comes_next() {
        let mut partitions = OutputPartitions::default();
        assert_eq!(partitions.unread(), None);
        partitions.insert(
            "invoices".into(),
            vec![partition(7, Some(7)), partition(5, None)],
        );
        assert_eq!(partitions.unread().as_deref(), Some("invoices [1] @ 5"));
        let second = partitions.find("invoices", 1).expect("it is there");
        second.at_end = Some(5);
        assert_eq!(partitions.unread(), None);
        assert!(partitions.find("invoices", 2).is_none());
        assert!(partitions.find("invoices", -1).is_none());
    }
}
