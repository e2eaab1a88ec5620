//! Says why a broker refused a batch or a record, as far as the error code and the records show it.

use crate::produce::delivery::refusals::{Cause, RefusedRecord};
use crate::produce::routing::acceptance::now_ms;
use crate::produce::session::open::Session;
use crate::record::select::known_timestamp_ms;
use crate::report::rendering::figures::count;

/// Why a record is not sent if its topic or partition has not come back by the end.
pub(super) const ABSENT_AT_THE_END: &str =
    "the cluster's metadata does not contain it, and the run ended before it came back";

impl Session<'_> {
    /// Says why a broker may have refused a batch, as far as its error code and the records show it.
    pub(super) fn batch_words(&self, batch: &[RefusedRecord]) -> String {
        let records = count(batch.len() as u64, "record");
        let Some(first) = batch.first() else {
            return String::new();
        };
        let refused = match first.cause {
            Cause::Record | Cause::Neighbour | Cause::Absent => "as invalid",
            Cause::Timestamp => "for the time",
            Cause::TooLarge => {
                let bytes: usize = batch.iter().map(|r| r.bytes).sum();
                return format!(
                    "it was in a batch of {records} and {bytes} bytes that is too large for the topic"
                );
            }
        };
        let what = format!(
            "it was in a batch of {records} that the broker refused {refused} for at least one of them"
        );
        let keyless = |r: &&RefusedRecord| r.record.record().key.is_none();
        match (first.cause, batch.iter().find(keyless)) {
            (Cause::Timestamp, _) => what,
            (_, None) => format!("{what}; each of them has a key"),
            (_, Some(keyless_one)) => {
                let place = self.job.counters.place(keyless_one.record.record().origin);
                let (n, has) = match batch.iter().filter(keyless).count() {
                    1 => (1, "has no key, which a compacted topic requires"),
                    n => (
                        n,
                        "have no key, which a compacted topic requires, the first",
                    ),
                };
                format!("{what}; {n} of them {has}: {place}")
            }
        }
    }

    /// Says why a broker refuses a record, as far as its error code and the record show it.
    pub(super) fn culprit_words(&self, culprit: &RefusedRecord, topic: &str) -> String {
        let record = culprit.record.record();
        let (has_key, timestamp) = (record.key.is_some(), known_timestamp_ms(record));
        let bytes = culprit.bytes;
        match culprit.cause {
            Cause::Record | Cause::Neighbour if !has_key => {
                "the broker refuses the record as invalid; it has no key, which a compacted topic requires".into()
            }
            Cause::Record | Cause::Neighbour => "the broker refuses the record as invalid".into(),
            Cause::Timestamp => {
                let days = timestamp.map(|ms| (now_ms() - ms) / 86_400_000);
                let days = days.map_or(String::new(), |days| format!(", {days} days old"));
                format!("the broker refuses the record's time{days}")
            }
            Cause::TooLarge => self.deliveries.too_large(topic, bytes),
            Cause::Absent => ABSENT_AT_THE_END.into(),
        }
    }
}
