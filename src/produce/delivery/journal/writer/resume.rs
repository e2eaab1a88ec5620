//! Checks what a resumed run must find unchanged: the destination, its topics and the records.

use super::{ANOTHER, JournalWriter, signed};
use crate::cluster::native::topic_ids::FoundTopic;
use crate::error::Error;
use crate::report::Resume;
use crate::report::rendering::figures::count;

impl JournalWriter {
    /// Notes what the cluster says about topics that records are delivered to.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for a topic that is not the one that earlier runs have delivered to: their
    /// records are gone.
    pub(in crate::produce) fn meet(
        &mut self,
        found: Vec<(String, FoundTopic)>,
    ) -> Result<(), Error> {
        for (topic, found) in found {
            let known = self.state.topics.get(&topic);
            let now = match (known, found) {
                (_, FoundTopic::Unknown) | (None, FoundTopic::Missing) => continue,
                (Some(_), FoundTopic::Missing) => "has been deleted since".into(),
                (None, FoundTopic::Id(id)) => {
                    self.next.topics.insert(topic, id.to_string());
                    continue;
                }
                (Some(known), FoundTopic::Id(id)) if *known == id.to_string() => continue,
                (Some(known), FoundTopic::Id(id)) => format!(
                    "has been deleted and created again since (its id was `{known}` and is now `{id}`)"
                ),
            };
            let journal = self.path.display();
            return Err(Error::Config {
                message: format!("the journal {journal} cannot be used: topic `{topic}` {now}"),
                hint: Some(format!("what was delivered to it is gone: {ANOTHER}")),
            });
        }
        Ok(())
    }

    pub(super) fn other_input(&mut self) -> Error {
        self.is_refuted = true;
        let records = self.state.read.last().map_or(0, |last| last.0);
        let first = match records {
            1 => "first record differs".into(),
            n => format!("first {} differ", count(n, "record")),
        };
        let journal = self.path.display();
        Error::Config {
            message: format!("the journal {journal} belongs to another input: the {first}"),
            hint: Some(ANOTHER.into()),
        }
    }

    /// Notes that the source has ended.
    ///
    /// # Errors
    /// Fails as [`JournalWriter::observe`] does.
    pub(in crate::produce) fn observe_end(&mut self) -> Result<(), Error> {
        if self.checksum.confirmed() < u64::MAX {
            return Err(self.other_input());
        }
        let end = signed(self.checksum.records());
        if self
            .state
            .uncertain
            .ends()
            .is_some_and(|(_, last)| last >= end)
        {
            // This occurs with a damaged journal: no records follow the last one.
            self.next.not_written.push((end, i64::MAX));
        }
        Ok(())
    }

    /// The topics whose ids the journal has.
    pub(in crate::produce) fn topics(&self) -> Vec<&str> {
        self.state.topics.keys().map(String::as_str).collect()
    }

    /// What the report says about the journal.
    pub(in crate::produce) fn resume(&self, skipped: u64) -> Resume {
        Resume {
            journal: self.path.display().to_string(),
            skipped,
            may_repeat: self.may_repeat,
            uncertain: match self.file.is_stuck() {
                true => None,
                false => self.state.count_uncertain(),
            },
        }
    }
}
