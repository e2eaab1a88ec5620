//! Which records are replayed: each once, and none that its application was not given. Whatever is
//! left out is counted.

use super::aborted::Given;
use super::identities::Identities;
use super::seen::{Seen, Verdict};
use crate::config::{AbortedRecords, Duplicates, Extraction};
use crate::record::{CapturedTopic, Record};
use crate::report::Tally;

/// The rules of a run, and what was seen under them.
#[derive(Debug)]
pub(in crate::extract) struct Admission {
    duplicates: Duplicates,
    aborted: AbortedRecords,
    seen: Seen,
    pub(in crate::extract) identities: Identities,
}

impl Admission {
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
            seen: Seen::default(),
            identities: Identities::new(topic_ids),
        }
    }

    /// Everything was read: what was withheld until now is so for good, and what has no name, too.
    pub(in crate::extract) fn finish(&self, tally: &mut Tally) {
        let withheld = self.seen.withheld_count();
        tally.found += withheld;
        tally.aborted += withheld;
        self.identities.finish(tally);
    }

    /// Whether a record is to be replayed; it is counted as found here, or at the end.
    pub(in crate::extract) fn admit(
        &mut self,
        topic: Option<&CapturedTopic>,
        record: &Record,
        was_given: Given,
        tally: &mut Tally,
    ) -> bool {
        let was_given = match self.aborted {
            AbortedRecords::Keep => Given::Yes,
            AbortedRecords::LeaveOut => was_given,
        };
        let identity = (self.duplicates == Duplicates::LeaveOut)
            .then(|| Some((topic?, record.partition?, record.offset?)))
            .flatten();
        let verdict = match (identity, was_given) {
            (Some((topic, partition, offset)), Given::Yes) => {
                self.seen.given(topic, partition, offset)
            }
            (Some((topic, partition, offset)), Given::No) => {
                self.seen.withheld(topic, partition, offset)
            }
            (None, Given::Yes) => Verdict::First,
            (None, Given::No) => {
                tally.found += 1;
                tally.aborted += 1;
                return false;
            }
        };
        match verdict {
            Verdict::First => tally.found += 1,
            Verdict::Duplicate => {
                tally.found += 1;
                tally.duplicates += 1;
            }
            Verdict::Withheld => {}
            Verdict::GivenAfterAll => {
                tally.found += 2;
                tally.duplicates += 1;
            }
        }
        let is_admitted = matches!(verdict, Verdict::First | Verdict::GivenAfterAll);
        if is_admitted && let Some(CapturedTopic::Id(id)) = topic {
            tally.unresolved.add(*id);
        }
        is_admitted
    }
}
