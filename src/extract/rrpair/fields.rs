//! The fields of a record while its line is being read: its own, and those that it takes over from the nodes
//! around it.

use crate::record::select::captured_timestamp_ms;
use crate::record::{Headers, NameFault, Span, offsets};

/// A place for one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Partition,
    Offset,
    OffsetDelta,
    OffsetBase,
    /// Milliseconds since 1970, as are the next three.
    Time,
    TimeDelta,
    TimeBase,
    TimeMax,
    ProducerId,
    ProducerEpoch,
    /// Of the first record of a batch.
    Sequence,
    /// Of the broker's answer; 0 means no error.
    ErrorCode,
    FirstOffset,
    Isolation,
    /// The batch's checksum.
    Crc,
    /// The batch's attributes as bits.
    Attributes,
    /// Indexes into the batch's topics.
    Topic,
    TopicId,
    Value,
    Key,
    Headers,
}

impl Slot {
    /// The name of the field for people.
    pub(in crate::extract) fn noun(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Key => "key",
            Self::Headers => "header",
            _ => "member",
        }
    }

    /// The integer in `text`. For a time this may also be RFC 3339, which becomes milliseconds, and for an error its
    /// name.
    pub(in crate::extract) fn number_of(self, text: &str) -> Option<i64> {
        let instant = || {
            text.parse::<jiff::Timestamp>()
                .ok()
                .map(jiff::Timestamp::as_millisecond)
        };
        let other = || match self {
            Self::Time => instant(),
            // An error by its name: only `NONE` is none (Kafka protocol guide, Error Codes).
            Self::ErrorCode => Some(if text.ends_with("NONE") { 0 } else { -1 }),
            _ => None,
        };
        text.parse().ok().or_else(other)
    }
}

/// All slots, by their numbers.
const ALL: [Slot; SLOTS] = [
    Slot::Partition,
    Slot::Offset,
    Slot::OffsetDelta,
    Slot::OffsetBase,
    Slot::Time,
    Slot::TimeDelta,
    Slot::TimeBase,
    Slot::TimeMax,
    Slot::ProducerId,
    Slot::ProducerEpoch,
    Slot::Sequence,
    Slot::ErrorCode,
    Slot::FirstOffset,
    Slot::Isolation,
    Slot::Crc,
    Slot::Attributes,
    Slot::Topic,
    Slot::TopicId,
    Slot::Value,
    Slot::Key,
    Slot::Headers,
];
/// Slots that hold a number.
const NUMBERS: usize = Slot::Topic as usize;
const SLOTS: usize = Slot::Headers as usize + 1;

/// A set of fields. Each remembers the rank of the path that it came from: of several spellings, the one with
/// the smaller rank stays.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::extract) struct FieldSet {
    /// Bits of the slots that are held.
    held: u32,
    ranks: [u8; SLOTS],
    /// Bits of slots that one path has set twice.
    twice: u32,
    numbers: [i64; NUMBERS],
    topics: [u32; 2],
    spans: [Option<Span>; 2],
    headers: Headers,
    /// What is wrong with a key, value or header; one fault is enough.
    bad: Option<Bad>,
}

/// What is wrong with a field that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Bad {
    NotBase64(Slot),
    NotAString(Slot),
    NoTopicName(NameFault),
    /// The member's number among the unknown names.
    UnknownHeaderMember(u8),
}

/// The result of claiming a slot for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum SlotClaim {
    /// The slot is free, or holds a spelling of a lower rank.
    Take,
    /// A spelling of a higher rank has it, or the same one: see [`FieldSet::join`].
    Leave,
}

impl FieldSet {
    /// Asks for a slot on behalf of a path of `rank`; with [`SlotClaim::Take`] it is then to be set.
    pub(in crate::extract) fn claim(&mut self, slot: Slot, rank: u8) -> SlotClaim {
        let bit = 1 << slot as u32;
        let by = &mut self.ranks[slot as usize];
        if self.held & bit == 0 || rank < *by {
            *by = rank;
            self.held |= bit;
            self.twice &= !bit;
            return SlotClaim::Take;
        }
        if rank == *by {
            self.twice |= bit;
        }
        SlotClaim::Leave
    }

    pub(in crate::extract) fn has(&self, slot: Slot) -> bool {
        self.held & 1 << slot as u32 != 0
    }

    pub(in crate::extract) fn is_empty(&self) -> bool {
        self.held == 0 && self.bad.is_none()
    }

    pub(in crate::extract) fn set_number(&mut self, slot: Slot, number: i64) {
        self.numbers[slot as usize] = number;
    }

    pub(in crate::extract) fn number(&self, slot: Slot) -> Option<i64> {
        self.has(slot).then(|| self.numbers[slot as usize])
    }

    /// Adds bits to the attributes, which may be a list.
    pub(in crate::extract) fn add_attributes(&mut self, attributes: Attributes) {
        self.held |= 1 << Slot::Attributes as u32;
        self.ranks[Slot::Attributes as usize] = 0;
        self.numbers[Slot::Attributes as usize] |= attributes.0;
    }

    pub(in crate::extract) fn attributes(&self) -> Attributes {
        Attributes(self.number(Slot::Attributes).unwrap_or(0))
    }

    pub(in crate::extract) fn set_topic(&mut self, slot: Slot, index: u32) {
        self.topics[slot as usize - Slot::Topic as usize] = index;
    }

    pub(in crate::extract) fn topic(&self, slot: Slot) -> Option<u32> {
        self.has(slot)
            .then(|| self.topics[slot as usize - Slot::Topic as usize])
    }

    /// Sets the bytes of `slot`; `None` is a null.
    pub(in crate::extract) fn set_bytes(&mut self, slot: Slot, bytes: Option<Span>) {
        self.spans[slot as usize - Slot::Value as usize] = bytes;
    }

    pub(in crate::extract) fn bytes(&self, slot: Slot) -> Option<Span> {
        self.spans[slot as usize - Slot::Value as usize]
    }

    pub(in crate::extract) fn set_headers(&mut self, headers: Headers) {
        self.headers = headers;
    }

    pub(in crate::extract) fn headers(&self) -> Headers {
        self.headers
    }

    /// Notes that an existing field cannot be read, so that a record with it cannot be read either.
    pub(in crate::extract) fn spoil(&mut self, bad: Bad) {
        self.bad.get_or_insert(bad);
    }

    pub(in crate::extract) fn bad(&self) -> Option<Bad> {
        self.bad
    }

    /// A slot that one path has set twice: a record cannot have both values.
    pub(in crate::extract) fn ambiguous(&self) -> Option<Slot> {
        let slot = self.twice.trailing_zeros() as usize;
        ALL.get(slot).copied()
    }

    /// Takes over what `outer` has and this lacks.
    pub(in crate::extract) fn join(&mut self, outer: &Self) {
        let mut missing = outer.held & !self.held;
        self.held |= missing;
        self.twice |= outer.twice & missing;
        self.bad = self.bad.or(outer.bad);
        while missing != 0 {
            let slot = missing.trailing_zeros() as usize;
            missing &= missing - 1;
            self.ranks[slot] = outer.ranks[slot];
            if slot < NUMBERS {
                self.numbers[slot] = outer.numbers[slot];
            } else if slot < Slot::Value as usize {
                self.topics[slot - NUMBERS] = outer.topics[slot - NUMBERS];
            } else if slot < Slot::Headers as usize {
                self.spans[slot - Slot::Value as usize] = outer.spans[slot - Slot::Value as usize];
            } else {
                self.headers = outer.headers;
            }
        }
    }

    /// The offset in its partition, if there is one.
    pub(in crate::extract) fn offset(&self, base_default: Option<i64>) -> Option<i64> {
        if let Some(offset) = self.number(Slot::Offset) {
            return offsets::known(offset);
        }
        let base = self.offset_base(base_default)?;
        base.checked_add(self.number(Slot::OffsetDelta).unwrap_or(0))
            .and_then(offsets::known)
    }

    /// The first offset of its batch, if there is one.
    pub(in crate::extract) fn offset_base(&self, default: Option<i64>) -> Option<i64> {
        self.number(Slot::OffsetBase)
            .or(default)
            .and_then(offsets::known)
    }

    /// Milliseconds since 1970; `None` if the capture contains no time.
    pub(in crate::extract) fn timestamp_ms(&self) -> Option<i64> {
        let time = if let Some(time) = self.number(Slot::Time) {
            Some(time)
        } else if self.attributes().has(Attributes::LOG_APPEND_TIME) {
            // The broker's time is only in the batch (KIP-32).
            self.number(Slot::TimeMax)
        } else {
            let delta = self.number(Slot::TimeDelta).unwrap_or(0);
            self.number(Slot::TimeBase)
                .and_then(|base| base.checked_add(delta))
        };
        time.and_then(captured_timestamp_ms)
    }
}

/// A batch's attributes, as far as they change the outcome of its records; the bits of the protocol's record
/// batch (Kafka protocol guide, Record Batch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::extract) struct Attributes(i64);

impl Attributes {
    pub(in crate::extract) const LOG_APPEND_TIME: Self = Self(1 << 3);
    pub(in crate::extract) const TRANSACTIONAL: Self = Self(1 << 4);
    pub(in crate::extract) const CONTROL: Self = Self(1 << 5);

    pub(in crate::extract) fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// Recognises attributes by a part of the name: only `ATTRIBUTE_NO_COMPRESSION` is documented; the others are
    /// assumed to contain these words.
    pub(in crate::extract) fn from_name(name: &str) -> Self {
        let words = [
            ("LOG_APPEND_TIME", Self::LOG_APPEND_TIME),
            ("TRANSACTIONAL", Self::TRANSACTIONAL),
            ("CONTROL", Self::CONTROL),
        ];
        let known = words.iter().filter(|(word, _)| name.contains(word));
        known.fold(Self::default(), |all, (_, one)| all.with(*one))
    }

    /// Reads a bit mask, a name, or a text with names in it.
    pub(in crate::extract) fn from_text(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::from_name(text), Self::from_bits)
    }

    pub(in crate::extract) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(in crate::extract) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_from_names_and_from_bits() {
        assert!(Attributes::from_text("ATTRIBUTE_CONTROL").has(Attributes::CONTROL));
        assert!(Attributes::from_text("48").has(Attributes::CONTROL));
        assert!(Attributes::from_bits(48).has(Attributes::TRANSACTIONAL));
        assert!(!Attributes::from_bits(2).has(Attributes::LOG_APPEND_TIME));
        assert_eq!(
            Attributes::from_text("ATTRIBUTE_NO_COMPRESSION"),
            Attributes::default()
        );
    }

    fn set(fields: &mut FieldSet, slot: Slot, number: i64) {
        assert_eq!(fields.claim(slot, 0), SlotClaim::Take);
        fields.set_number(slot, number);
    }

    #[test]
    fn a_time_is_base_and_delta_unless_the_broker_appended_it() {
        let mut fields = FieldSet::default();
        set(&mut fields, Slot::TimeDelta, -5);
        assert_eq!(fields.timestamp_ms(), None);
        set(&mut fields, Slot::TimeBase, 100);
        set(&mut fields, Slot::TimeMax, 120);
        assert_eq!(fields.timestamp_ms(), Some(95));
        fields.add_attributes(Attributes::LOG_APPEND_TIME);
        assert_eq!(fields.timestamp_ms(), Some(120));
        fields.set_number(Slot::TimeMax, -1);
        assert_eq!(fields.timestamp_ms(), None);
        set(&mut fields, Slot::Time, 7);
        assert_eq!(fields.timestamp_ms(), Some(7));
    }

    #[test]
    fn the_earlier_spelling_wins_and_a_repeated_one_is_reported() {
        let mut fields = FieldSet::default();
        assert_eq!(fields.claim(Slot::Partition, 1), SlotClaim::Take);
        assert_eq!(fields.claim(Slot::Partition, 2), SlotClaim::Leave);
        assert_eq!(fields.ambiguous(), None);
        assert_eq!(fields.claim(Slot::Partition, 1), SlotClaim::Leave);
        assert_eq!(fields.ambiguous(), Some(Slot::Partition));
        assert_eq!(fields.claim(Slot::Partition, 0), SlotClaim::Take);
        assert_eq!(fields.ambiguous(), None);
        assert!((0..).zip(ALL).all(|(number, slot)| slot as usize == number));
    }

    #[test]
    fn merging_fills_only_missing_fields() {
        let (mut inner, mut outer) = (FieldSet::default(), FieldSet::default());
        set(&mut inner, Slot::Partition, 3);
        set(&mut outer, Slot::Partition, 4);
        set(&mut outer, Slot::OffsetBase, 100);
        inner.join(&outer);
        assert_eq!(
            (inner.number(Slot::Partition), inner.offset(None)),
            (Some(3), Some(100))
        );
        assert_eq!(FieldSet::default().offset(Some(5)), Some(5));
        assert_eq!(FieldSet::default().offset(None), None);
    }
}
