//! A record while its line is being read: its own fields, and those that it shares with the others
//! of its batch, partition and topic.

use crate::record::{Headers, Span};

/// A record in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) shared: Shared,
    pub(super) key: Option<Span>,
    pub(super) value: Option<Span>,
    pub(super) headers: Headers,
    pub(super) offset_delta: i64,
    pub(super) time_delta_ms: i64,
    pub(super) unknown_member: Option<String>,
    pub(super) trouble: Option<Trouble>,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No member that holds a value, but one that nobody knows.
    NoKnownValue(String),
    NotBase64,
    NotAString,
    /// A header without name or value, with a member that nobody knows.
    UnknownHeaderMember(String),
}

impl Trouble {
    pub(super) fn why(&self) -> String {
        match self {
            Self::NoKnownValue(name) => {
                format!("a record has none of the known value members, but one called `{name}`")
            }
            Self::NotBase64 => "a record's member should be base64 and is not".into(),
            Self::NotAString => "a record's key, value or header is not a string".into(),
            Self::UnknownHeaderMember(name) => {
                format!("a record's header has an unknown member called `{name}`")
            }
        }
    }
}

impl Draft {
    /// The record is unreadable; the first reason is kept.
    pub(super) fn trouble(&mut self, trouble: Trouble) {
        self.trouble.get_or_insert(trouble);
    }

    pub(super) fn troubled(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    /// The offset in its partition, counted from the batch's base.
    pub(super) fn offset(&self) -> Option<i64> {
        // The default is absent in protobuf's JSON mapping: no base offset means 0.
        self.shared
            .offset_base
            .unwrap_or(0)
            .checked_add(self.offset_delta)
    }

    /// Milliseconds since 1970; none where the capture tells no time.
    pub(super) fn timestamp_ms(&self) -> Option<i64> {
        // With LogAppendTime the broker's time stands in the batch alone (KIP-32).
        let time = match self.shared.attributes.has(Attributes::LOG_APPEND_TIME) {
            true => self.shared.time_max_ms,
            false => self.shared.time_base_ms?.checked_add(self.time_delta_ms),
        };
        // -1 is the protocol's "no timestamp".
        time.filter(|time| *time >= 0)
    }
}

/// Fields that stand once for several records.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shared {
    /// Indexes into the batch's topics.
    pub(super) topic: Option<u32>,
    pub(super) topic_id: Option<u32>,
    pub(super) partition: Option<i32>,
    pub(super) offset_base: Option<i64>,
    pub(super) time_base_ms: Option<i64>,
    pub(super) time_max_ms: Option<i64>,
    pub(super) attributes: Attributes,
}

impl Shared {
    /// Takes over what an outer scope tells and no inner one did.
    pub(super) fn join(&mut self, outer: &Self) {
        self.topic = self.topic.or(outer.topic);
        self.topic_id = self.topic_id.or(outer.topic_id);
        self.partition = self.partition.or(outer.partition);
        self.offset_base = self.offset_base.or(outer.offset_base);
        self.time_base_ms = self.time_base_ms.or(outer.time_base_ms);
        self.time_max_ms = self.time_max_ms.or(outer.time_max_ms);
        self.attributes = self.attributes.with(outer.attributes);
    }
}

/// A batch's attributes, as far as they change what becomes of its records; the bits of the
/// protocol's record batch (Kafka protocol guide, Record Batch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Attributes(u8);

impl Attributes {
    pub(super) const LOG_APPEND_TIME: Self = Self(1 << 3);
    pub(super) const TRANSACTIONAL: Self = Self(1 << 4);
    pub(super) const CONTROL: Self = Self(1 << 5);

    pub(super) fn from_bits(bits: i64) -> Self {
        Self((bits & 0x38) as u8)
    }

    /// By a part of the name: only `ATTRIBUTE_NO_COMPRESSION` is documented, the others are
    /// assumed to hold these words.
    pub(super) fn from_name(name: &str) -> Self {
        let words = [
            ("LOG_APPEND_TIME", Self::LOG_APPEND_TIME),
            ("TRANSACTIONAL", Self::TRANSACTIONAL),
            ("CONTROL", Self::CONTROL),
        ];
        let known = words.iter().filter(|(word, _)| name.contains(word));
        known.fold(Self::default(), |all, (_, one)| all.with(*one))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_from_names_and_from_bits() {
        assert!(Attributes::from_name("ATTRIBUTE_CONTROL").has(Attributes::CONTROL));
        assert!(Attributes::from_bits(48).has(Attributes::CONTROL));
        assert!(Attributes::from_bits(48).has(Attributes::TRANSACTIONAL));
        assert!(!Attributes::from_bits(2).has(Attributes::LOG_APPEND_TIME));
        assert_eq!(
            Attributes::from_name("ATTRIBUTE_NO_COMPRESSION"),
            Attributes::default()
        );
    }

    #[test]
    fn a_time_is_base_and_delta_unless_the_broker_appended_it() {
        let mut draft = Draft {
            time_delta_ms: -5,
            ..Draft::default()
        };
        assert_eq!(draft.timestamp_ms(), None);
        draft.shared.time_base_ms = Some(100);
        draft.shared.time_max_ms = Some(120);
        assert_eq!(draft.timestamp_ms(), Some(95));
        draft.shared.attributes = Attributes::LOG_APPEND_TIME;
        assert_eq!(draft.timestamp_ms(), Some(120));
        draft.shared.time_max_ms = Some(-1);
        assert_eq!(draft.timestamp_ms(), None);
    }
}
