//! What becomes of a topic that the destination lacks.

use super::captured::{check_count, partitions_to_create};
use crate::config::MissingTopics;
use crate::error::Error;

/// What becomes of a topic that the destination lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MissingTopicFate {
    /// The run is refused.
    Refused,
    /// It is created with this many partitions.
    Created(i32),
    /// It is created once the captured partitions are known.
    Waits,
}

impl MissingTopicFate {
    /// Judges the missing topic called `topic`; `captured` is one more than its highest captured partition, and
    /// how many are in use. It is `None` before the capture is read.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for more partitions than the capture makes plausible.
    pub(crate) fn of(
        topic: &str,
        captured: Option<(i32, usize)>,
        missing_topics: MissingTopics,
    ) -> Result<Self, Error> {
        match (missing_topics, captured) {
            (MissingTopics::Refuse, _) => Ok(Self::Refused),
            (MissingTopics::Create { .. }, None) => Ok(Self::Waits),
            (MissingTopics::Create { .. }, Some((captured, in_use))) => {
                let partitions = partitions_to_create(captured);
                check_count(topic, partitions, in_use, missing_topics)?;
                Ok(Self::Created(partitions))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_topic_is_refused_or_created_with_the_captured_partitions() {
        let create = |most_partitions| MissingTopics::Create { most_partitions };
        for (captured, missing_topics, fate) in [
            (None, MissingTopics::Refuse, MissingTopicFate::Refused),
            (
                Some((3, 3)),
                MissingTopics::Refuse,
                MissingTopicFate::Refused,
            ),
            // Too many to be created, which nobody asks for.
            (
                Some((5000, 1)),
                MissingTopics::Refuse,
                MissingTopicFate::Refused,
            ),
            (None, create(None), MissingTopicFate::Waits),
            (Some((3, 3)), create(None), MissingTopicFate::Created(3)),
            (Some((0, 0)), create(None), MissingTopicFate::Created(1)),
            (
                Some((5000, 1)),
                create(Some(5000)),
                MissingTopicFate::Created(5000),
            ),
        ] {
            let found = MissingTopicFate::of("t", captured, missing_topics);
            assert_eq!(found, Ok(fate), "{captured:?} {missing_topics:?}");
        }
        let wrong = MissingTopicFate::of("t", Some((5000, 1)), create(None));
        let hint = wrong.expect_err("one number is wrong").hint();
        assert!(hint.is_some_and(|hint| hint.contains("--create-partitions-up-to 5000")));
    }
}
