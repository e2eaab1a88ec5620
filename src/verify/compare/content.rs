//! The part of a record that is compared: its value, and its headers if the user asks for that.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Number, Value};

use super::noise::{IdSeen, take_noise, without_header_noise};
use super::terms::{OwnHeader, Rules, Subject, blank};
use crate::config::HeaderRule;

/// The most bytes of a value that is compared as JSON. Parsed, it takes up to 36 times as much memory; a
/// broker accepts 1 MiB by default (max.message.bytes).
pub(crate) const LONGEST_JSON: usize = 4 << 20;

/// The compared part of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComparedContent {
    /// `None` is a tombstone.
    pub(crate) value: Option<Box<[u8]>>,
    /// Empty unless headers are compared.
    pub(crate) headers: Box<[OwnHeader]>,
}

/// A value as it is compared.
#[derive(Debug, PartialEq)]
pub(super) enum ComparedValue<'a> {
    Tombstone,
    Json(Value),
    Bytes(&'a [u8]),
}

impl ComparedContent {
    pub(super) fn of(subject: &Subject<'_>, headers: HeaderRule) -> Self {
        let headers = match headers {
            HeaderRule::Compared => subject.headers,
            HeaderRule::Ignored => &[],
        };
        let own = |(name, value): &(&[u8], Option<&[u8]>)| ((*name).into(), value.map(Into::into));
        Self {
            value: subject.value.map(Into::into),
            headers: headers.iter().map(own).collect(),
        }
    }

    /// Bytes of memory.
    pub(super) fn size(&self) -> usize {
        let len = |bytes: &Option<Box<[u8]>>| bytes.as_ref().map_or(0, |bytes| bytes.len());
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| size_of::<OwnHeader>() + name.len() + len(value));
        size_of::<Self>() + len(&self.value) + headers.sum::<usize>()
    }

    /// The value in `topic` without what `rules` ignore and accept as noise, and the ids in that noise.
    pub(super) fn compared(&self, rules: &Rules, topic: &str) -> (ComparedValue<'_>, Vec<IdSeen>) {
        let Some(bytes) = &self.value else {
            return (ComparedValue::Tombstone, Vec::new());
        };
        let json = (bytes.len() <= LONGEST_JSON).then(|| serde_json::from_slice::<Value>(bytes));
        let Some(Ok(mut value)) = json else {
            return (ComparedValue::Bytes(bytes), Vec::new());
        };
        for ignore in &rules.ignore {
            // The last ones first, so that removing one does not move another.
            let mut found = ignore.find(&value);
            found.sort_unstable();
            for steps in found.iter().rev() {
                blank(&mut value, steps);
            }
        }
        let ids = take_noise(&rules.noise, topic, &mut value);
        (ComparedValue::Json(value), ids)
    }

    /// The headers in `topic` without what `rules` accept as noise, and the ids in that noise.
    pub(super) fn compared_headers(
        &self,
        rules: &Rules,
        topic: &str,
    ) -> (Cow<'_, [OwnHeader]>, Vec<IdSeen>) {
        without_header_noise(&rules.noise, topic, &self.headers)
    }

    /// A hash that is the same for contents that are equal by `rules`, except for members that may be new;
    /// with the ids in value and headers.
    pub(super) fn hash(&self, rules: &Rules, topic: &str) -> (u64, Vec<IdSeen>) {
        let mut hasher = DefaultHasher::new();
        let (value, mut ids) = self.compared(rules, topic);
        let (headers, header_ids) = self.compared_headers(rules, topic);
        ids.extend(header_ids);
        match value {
            ComparedValue::Tombstone => 0u8.hash(&mut hasher),
            ComparedValue::Bytes(bytes) => (1u8, bytes).hash(&mut hasher),
            ComparedValue::Json(value) => {
                2u8.hash(&mut hasher);
                hash_json(&value, &mut hasher);
            }
        }
        headers.hash(&mut hasher);
        (hasher.finish(), ids)
    }
}

/// Members have no order in JSON (RFC 8259, section 4).
fn hash_json(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::Null => 0u8.hash(hasher),
        Value::Bool(value) => (1u8, value).hash(hasher),
        Value::Number(number) => (2u8, number_bits(number)).hash(hasher),
        Value::String(text) => (3u8, text).hash(hasher),
        Value::Array(elements) => {
            (4u8, elements.len()).hash(hasher);
            elements
                .iter()
                .for_each(|element| hash_json(element, hasher));
        }
        Value::Object(members) => {
            (5u8, members.len()).hash(hasher);
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in members {
                name.hash(hasher);
                hash_json(value, hasher);
            }
        }
    }
}

/// A number by its value, not by its notation: `1`, `1.0` and `1e0` are one number. A number that does not
/// fit into an integer of 64 bits is compared as a double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NumberBits {
    Whole(i128),
    Double(u64),
}

pub(super) fn number_bits(number: &Number) -> NumberBits {
    /// From here on, not every whole number has a double of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if let Some(whole) = number.as_i64() {
        return NumberBits::Whole(whole.into());
    }
    if let Some(whole) = number.as_u64() {
        return NumberBits::Whole(whole.into());
    }
    let double = number.as_f64().unwrap_or(f64::NAN);
    if double.fract() == 0.0 && double.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole and at most 2^53"
        )]
        return NumberBits::Whole(double as i128);
    }
    NumberBits::Double(double.to_bits())
}
