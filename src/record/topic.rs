//! What a topic is called in a capture, by its name or by its id, and which names Kafka accepts.

use std::fmt;

use super::uuid::Uuid;

/// The most partitions that kreplay creates a topic with (librdkafka, RD_KAFKAP_PARTITIONS_MAX).
pub(crate) const MOST_CREATED_PARTITIONS: i32 = 100_000;

/// The topic that a record was captured from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum CapturedTopic {
    Name(String),
    /// Fetch v13 and later carry only the id (KIP-516).
    Id(TopicId),
}

impl fmt::Display for CapturedTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A topic's id (KIP-516), a UUID. Captures write it as base64, people as Kafka's tools print it
/// (URL-safe base64 without padding) or hyphenated: all of them are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TopicId(Uuid);

impl TopicId {
    /// Reads any of the spellings; `None` for any other text, and for the zero id, which means "no
    /// id".
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let id = Uuid::parse(text)?;
        (id != Uuid::NIL).then_some(Self(id))
    }
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.kafka())
    }
}

/// Why a text cannot be a topic's name (Apache Kafka, `Topic.validate`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameFault {
    Empty,
    TooLong,
    /// `.` and `..`, which are folders.
    Dots,
    Character,
}

impl NameFault {
    /// Kafka's `Topic.MAX_NAME_LENGTH`.
    const LONGEST: usize = 249;

    /// What is wrong with `name`; `None` if Kafka accepts it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        match name {
            "" => Some(Self::Empty),
            "." | ".." => Some(Self::Dots),
            name if name.len() > Self::LONGEST => Some(Self::TooLong),
            name if !name.bytes().all(is_allowed) => Some(Self::Character),
            _ => None,
        }
    }
}

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a topic's name is not empty",
            Self::TooLong => "a topic's name has at most 249 characters",
            Self::Dots => "no topic is called `.` or `..`",
            Self::Character => "a topic's name has only ASCII letters, digits, `.`, `_` and `-`",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_id_is_shown_as_kafkas_tools_show_it_and_zero_is_none() {
        // Its bytes in base64, with both characters in which the alphabets differ.
        let kafka = "mgwtRnhK__sQERITFBUWFw";
        for text in [
            "9a0c2d46-784a-fffb-1011-121314151617",
            "mgwtRnhK//sQERITFBUWFw==",
            kafka,
        ] {
            let id = TopicId::parse(text).map(|id| id.to_string());
            assert_eq!(id.as_deref(), Some(kafka), "{text}");
        }
        assert_eq!(TopicId::parse("AAAAAAAAAAAAAAAAAAAAAA"), None);
        assert_eq!(TopicId::parse("00000000-0000-0000-0000-000000000000"), None);
    }

    #[test]
    fn a_topics_name_follows_kafkas_rules() {
        let (longest, longer) = ("a".repeat(249), "a".repeat(250));
        for name in ["orders", "a.b_c-D9", "...", "_", &longest] {
            assert_eq!(NameFault::of(name), None, "{name}");
        }
        for (name, fault) in [
            ("", NameFault::Empty),
            (".", NameFault::Dots),
            ("..", NameFault::Dots),
            (longer.as_str(), NameFault::TooLong),
            ("a b", NameFault::Character),
            ("a/b", NameFault::Character),
            ("ördrar", NameFault::Character),
            ("a\0", NameFault::Character),
        ] {
            assert_eq!(NameFault::of(name), Some(fault), "{name}");
        }
    }

    #[test]
    fn a_zero_topic_id_means_none() {
        for text in [
            "",
            "orders",
            "AAAAAAAAAAAAAAAAAAAAAA==",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(TopicId::parse(text), None, "{text}");
        }
    }
}
