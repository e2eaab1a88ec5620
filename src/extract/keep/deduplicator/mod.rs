//! Decides which records are replayed: each once, and none that its application did not receive. What is left
//! out is counted.

pub(in crate::extract) mod retries;
mod seen;

use self::seen::{CopyVerdict, SeenOffsets};
use super::aborted::Visibility;
use super::identities::Identities;
use crate::config::{AbortedRecords, Duplicates, Extraction};
use crate::error::Error;
use crate::record::{CapturedTopic, Record};
use crate::report::{Outcome, Tally};

/// The rules of a run, and what was seen under them.
#[derive(Debug)]
pub(in crate::extract) struct Deduplicator {
    duplicates: Duplicates,
    aborted: AbortedRecords,
    seen: SeenOffsets,
    pub(in crate::extract) identities: Identities,
}

impl Deduplicator {
    pub(in crate::extract) fn new(options: &Extraction) -> Self {
        let Extraction {
            duplicates,
            aborted,
            topic_ids,
            ..
        } = options;
        Self {
            duplicates: *duplicates,
            aborted: *aborted,
            seen: SeenOffsets::default(),
            identities: Identities::new(topic_ids),
        }
    }

    /// Checks that what is kept about records has not grown beyond its bound.
    ///
    /// # Errors
    /// Returns [`Error::Config`], which names the flag that needs none of it.
    pub(in crate::extract) fn check_bound(&self) -> Result<(), Error> {
        self.seen.check().map_err(|full| Error::Config {
            message: full.to_string(),
            hint: Some("`--keep-duplicates` does not look for copies and sends all of them".into()),
        })
    }

    /// Ends the reading: withheld records stay withheld, and ids without a name stay unnamed.
    pub(in crate::extract) fn finish(&self, tally: &mut Tally) {
        let withheld = self.seen.withheld_count();
        tally.found += withheld;
        tally.outcomes[Outcome::Aborted] += withheld;
        self.identities.finish(tally);
    }

    /// Whether a record is replayed; it is counted as found here, or at the end.
    pub(in crate::extract) fn try_claim(
        &mut self,
        topic: Option<&CapturedTopic>,
        record: &Record,
        visibility: Visibility,
        tally: &mut Tally,
    ) -> bool {
        let visibility = match self.aborted {
            AbortedRecords::Keep => Visibility::Visible,
            AbortedRecords::LeaveOut => visibility,
        };
        let identity = (self.duplicates == Duplicates::LeaveOut)
            .then(|| Some((topic?, record.partition?, record.offset?)))
            .flatten();
        let verdict = match (identity, visibility) {
            (Some((topic, partition, offset)), Visibility::Visible) => {
                self.seen.given(topic, partition, offset)
            }
            (Some((topic, partition, offset)), Visibility::Withheld) => {
                self.seen.withheld(topic, partition, offset)
            }
            (None, Visibility::Visible) => CopyVerdict::First,
            (None, Visibility::Withheld) => {
                tally.found += 1;
                tally.outcomes[Outcome::Aborted] += 1;
                return false;
            }
        };
        match verdict {
            CopyVerdict::First => tally.found += 1,
            CopyVerdict::Duplicate => {
                tally.found += 1;
                tally.outcomes[Outcome::Duplicate] += 1;
            }
            CopyVerdict::Withheld => {}
            CopyVerdict::GivenAfterAll => {
                tally.found += 2;
                tally.outcomes[Outcome::Duplicate] += 1;
            }
        }
        let is_claimed = matches!(verdict, CopyVerdict::First | CopyVerdict::GivenAfterAll);
        if is_claimed && let Some(CapturedTopic::Id(id)) = topic {
            tally.unresolved.add(*id);
        }
        is_claimed
    }
}
