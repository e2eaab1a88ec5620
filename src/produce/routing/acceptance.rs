//! What a topic's settings say about a record before it is sent: a record that the brokers would refuse, or
//! delete at once, is left out alone, because a refused batch takes all its records along.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How far the clocks of this machine and of a broker may differ. A time closer to a limit is left to the
/// broker's judgement.
const CLOCKS_APART_MS: i64 = 60_000;

/// The settings of a topic by which records are refused or deleted; times in milliseconds. `None` if there is
/// no limit, or if the cluster does not report it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::produce) struct TopicRules {
    /// `cleanup.policy` has `compact`: every record needs a key.
    is_compacted: bool,
    /// `message.timestamp.before.max.ms`.
    before_max_ms: Option<i64>,
    /// `message.timestamp.after.max.ms`.
    after_max_ms: Option<i64>,
    /// `retention.ms`, if `cleanup.policy` has `delete`.
    retention_ms: Option<i64>,
}

/// Why a topic refuses a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum Objection {
    NoKey,
    TooEarly {
        timestamp_ms: i64,
        limit_ms: i64,
    },
    TooLate {
        timestamp_ms: i64,
        limit_ms: i64,
    },
    /// The brokers would accept the record and delete it at the next check of their logs.
    Expired {
        timestamp_ms: i64,
        limit_ms: i64,
    },
}

impl TopicRules {
    /// Reads the settings of a topic.
    pub(in crate::produce) fn of(settings: &[(String, String)]) -> Self {
        let get = |name: &str| {
            let found = settings.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        let limit = |name| {
            let number = get(name).and_then(|value| value.parse::<i64>().ok());
            number.filter(|ms| (0..i64::MAX).contains(ms))
        };
        let policy = get("cleanup.policy").unwrap_or_default();
        let has_policy = |name| policy.split(',').any(|policy| policy.trim() == name);
        let is_compacted = has_policy("compact");
        // With LogAppendTime, brokers do not use the captured time.
        if get("message.timestamp.type") == Some("LogAppendTime") {
            return Self {
                is_compacted,
                ..Self::default()
            };
        }
        // Before Apache Kafka 3.6, one setting limited both sides (KIP-937).
        let both = limit("message.timestamp.difference.max.ms");
        Self {
            is_compacted,
            before_max_ms: limit("message.timestamp.before.max.ms").or(both),
            after_max_ms: limit("message.timestamp.after.max.ms").or(both),
            retention_ms: limit("retention.ms").filter(|_| has_policy("delete")),
        }
    }

    /// The objection to a record with this time; `None` is the time of sending.
    pub(in crate::produce) fn objection(
        &self,
        key: Option<&[u8]>,
        timestamp_ms: Option<i64>,
        now_ms: i64,
    ) -> Option<Objection> {
        if self.is_compacted && key.is_none() {
            return Some(Objection::NoKey);
        }
        let timestamp_ms = timestamp_ms?;
        let age = now_ms.saturating_sub(timestamp_ms);
        let broken = |limit: Option<i64>, distance: i64| {
            limit.filter(|limit| distance.saturating_sub(CLOCKS_APART_MS) > *limit)
        };
        if let Some(limit_ms) = broken(self.before_max_ms, age) {
            return Some(Objection::TooEarly {
                timestamp_ms,
                limit_ms,
            });
        }
        if let Some(limit_ms) = broken(self.after_max_ms, age.saturating_neg()) {
            return Some(Objection::TooLate {
                timestamp_ms,
                limit_ms,
            });
        }
        let limit_ms = broken(self.retention_ms, age)?;
        Some(Objection::Expired {
            timestamp_ms,
            limit_ms,
        })
    }

    /// How long records are kept, if that depends on their time.
    pub(in crate::produce) fn keeps_ms(&self) -> Option<i64> {
        self.retention_ms
    }

    /// Whether the topic would delete a record with this time at once.
    pub(in crate::produce) fn expires(&self, timestamp_ms: i64, now_ms: i64) -> Option<Objection> {
        let only = Self {
            retention_ms: self.retention_ms,
            ..Self::default()
        };
        only.objection(None, Some(timestamp_ms), now_ms)
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey => f.write_str(
                "the record has no key, which a compacted topic (`cleanup.policy`) requires",
            ),
            Self::TooEarly {
                timestamp_ms,
                limit_ms,
            } => write!(
                f,
                "the record's time {} is earlier than the topic's \
                 message.timestamp.before.max.ms of {limit_ms} allows",
                time(*timestamp_ms),
            ),
            Self::TooLate {
                timestamp_ms,
                limit_ms,
            } => write!(
                f,
                "the record's time {} is later than the topic's \
                 message.timestamp.after.max.ms of {limit_ms} allows",
                time(*timestamp_ms),
            ),
            Self::Expired {
                timestamp_ms,
                limit_ms,
            } => write!(
                f,
                "the record's time {} is older than the topic's retention.ms of {limit_ms}: the \
                 brokers would delete it at once",
                time(*timestamp_ms),
            ),
        }
    }
}

/// The time now, in milliseconds since 1970.
pub(in crate::produce) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.unwrap_or(Duration::ZERO).as_millis();
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// As RFC 3339; a number of milliseconds outside the calendar, such as one of microseconds, stays a number.
fn time(ms: i64) -> String {
    let known = jiff::Timestamp::from_millisecond(ms);
    known.map_or_else(|_| format!("{ms} (ms)"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27T00:00:00Z.
    const NOW: i64 = 1_795_737_600_000;
    const DAY: i64 = 86_400_000;

    fn rules(settings: &[(&str, &str)]) -> TopicRules {
        let owned = settings.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        TopicRules::of(&owned.collect::<Vec<_>>())
    }

    /// What a topic says about a keyed record of that age.
    fn said(settings: &[(&str, &str)], age: i64) -> String {
        let objection = rules(settings).objection(Some(b"k"), Some(NOW - age), NOW);
        let words = objection.map(|objection| objection.to_string());
        let setting = words.as_deref().and_then(|words| {
            let words = words.split_whitespace();
            let mut settings = words.filter(|word| word.contains(".ms"));
            settings.next().map(str::to_owned)
        });
        setting.unwrap_or_default()
    }

    #[test]
    fn a_compacted_topic_takes_no_record_without_a_key() {
        for (policy, refused) in [
            ("compact", true),
            ("compact,delete", true),
            ("delete, compact", true),
            ("delete", false),
        ] {
            let rules = rules(&[("cleanup.policy", policy)]);
            let objection = rules.objection(None, None, NOW);
            assert_eq!(objection == Some(Objection::NoKey), refused, "{policy}");
            assert_eq!(rules.objection(Some(b""), None, NOW), None, "{policy}");
        }
    }

    #[test]
    fn timestamps_beyond_a_topics_limits_are_named_with_the_setting() {
        let before = [("message.timestamp.before.max.ms", "3600000")];
        let after = [("message.timestamp.after.max.ms", "3600000")];
        let delete = [("cleanup.policy", "delete"), ("retention.ms", "604800000")];
        let both = [("message.timestamp.difference.max.ms", "3600000")];
        let append = [
            before[0],
            delete[0],
            delete[1],
            ("message.timestamp.type", "LogAppendTime"),
        ];
        let compact = [("cleanup.policy", "compact"), ("retention.ms", "604800000")];
        let for_ever = [("cleanup.policy", "delete"), ("retention.ms", "-1")];
        let no_limit = [("message.timestamp.before.max.ms", "9223372036854775807")];
        for (settings, age, setting) in [
            (&before[..], 2 * DAY, "message.timestamp.before.max.ms"),
            (&before, 1_800_000, ""),
            // Half a minute beyond the limit: clocks may differ.
            (&before, 3_630_000, ""),
            (&after, -2 * DAY, "message.timestamp.after.max.ms"),
            (&after, 2 * DAY, ""),
            (&both, 2 * DAY, "message.timestamp.before.max.ms"),
            (&both, -2 * DAY, "message.timestamp.after.max.ms"),
            (&delete, 8 * DAY, "retention.ms"),
            (&delete, 6 * DAY, ""),
            (&append, 900 * DAY, ""),
            (&compact, 900 * DAY, ""),
            (&for_ever, 900 * DAY, ""),
            (&no_limit, NOW, ""),
        ] {
            assert_eq!(said(settings, age), setting, "{settings:?} {age}");
        }
    }

    #[test]
    fn the_send_time_as_timestamp_is_never_refused() {
        let strict = rules(&[("message.timestamp.before.max.ms", "0")]);
        assert_eq!(strict.objection(Some(b"k"), None, NOW), None);
    }

    #[test]
    fn a_time_in_microseconds_is_named_as_it_is() {
        let after = rules(&[("message.timestamp.after.max.ms", "3600000")]);
        let objection = after.objection(Some(b"k"), Some(NOW * 1000), NOW);
        assert_eq!(
            objection.map(|objection| objection.to_string()).as_deref(),
            Some(
                "the record's time 1795737600000000 (ms) is later than the topic's \
                 message.timestamp.after.max.ms of 3600000 allows"
            )
        );
    }
}
