//! Noise: parts of values that differ from run to run of one version of a service, such as ids and times.
//! `learn.rs` learns them, and this file accepts them: each at its path, in its topic, and as long as it is
//! of the kind that was learned.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

use super::terms::{NoisePart, NoiseRule, OwnHeader, blank, leaf_mut};
use crate::report::NoiseKind;

/// A value at a consistent path, by the number of its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdSeen {
    rule: u32,
    hash: u64,
}

impl IdSeen {
    fn of(rule: u32, value: &Value) -> Self {
        let mut hasher = DefaultHasher::new();
        value.to_string().hash(&mut hasher);
        Self {
            rule,
            hash: hasher.finish(),
        }
    }
}

/// The value of a header as one of the kinds of noise: a number, a text, or nothing.
pub(super) fn header_value(value: Option<&[u8]>) -> Value {
    let Some(bytes) = value else {
        return Value::Null;
    };
    let text = String::from_utf8_lossy(bytes);
    let number = serde_json::from_str(&text).ok().map(Value::Number);
    number.unwrap_or_else(|| Value::String(text.into_owned()))
}

/// `headers` without the noise of `topic`, and the ids that were there.
pub(super) fn without_header_noise<'a>(
    rules: &[NoiseRule],
    topic: &str,
    headers: &'a [OwnHeader],
) -> (Cow<'a, [OwnHeader]>, Vec<IdSeen>) {
    let (mut left, mut ids) = (Cow::Borrowed(headers), Vec::new());
    for (number, rule) in (0..).zip(rules).filter(|(_, rule)| rule.topic == topic) {
        let NoisePart::Header(noisy) = &rule.part else {
            continue;
        };
        for (index, (name, value)) in headers.iter().enumerate() {
            let value = header_value(value.as_deref());
            if **name != *noisy.as_bytes() || !rule.kind.matches(&value) {
                continue;
            }
            if rule.is_consistent {
                ids.push(IdSeen::of(number, &value));
            }
            left.to_mut()[index].1 = Some(format!("\0{}", rule.kind.name()).into_bytes().into());
        }
    }
    (left, ids)
}

/// Takes the noise of `topic` out of `value`, and returns the ids that were there.
pub(super) fn take_noise(rules: &[NoiseRule], topic: &str, value: &mut Value) -> Vec<IdSeen> {
    let mut ids = Vec::new();
    for (number, rule) in (0..).zip(rules).filter(|(_, rule)| rule.topic == topic) {
        let NoisePart::Value(part) = &rule.part else {
            continue;
        };
        // The last ones first, so that removing one does not move another.
        let mut found = part.find(value);
        found.sort_unstable();
        for steps in found.iter().rev() {
            let Some(leaf) = leaf_mut(value, steps) else {
                continue;
            };
            if !rule.kind.matches(leaf) {
                continue;
            }
            if rule.is_consistent {
                ids.push(IdSeen::of(number, leaf));
            }
            match rule.kind {
                NoiseKind::Any => blank(value, steps),
                kind => *leaf = Value::String(format!("\0{}", kind.name())),
            }
        }
    }
    ids
}

/// Which new value each old one has, for the paths whose ids are consistent. A UUID is the same wherever it
/// is, any other value only at its path.
#[derive(Default)]
pub(super) struct IdMapping(HashMap<(Option<u32>, u64), u64>);

impl IdMapping {
    /// The rule whose id in a pair has another new value than it had before.
    pub(super) fn broken(
        &mut self,
        rules: &[NoiseRule],
        old: &[IdSeen],
        new: &[IdSeen],
    ) -> Option<usize> {
        for (old, new) in old.iter().zip(new) {
            let rule = rules.get(old.rule as usize)?;
            let scope = (rule.kind != NoiseKind::Uuid).then_some(old.rule);
            let known = self.0.entry((scope, old.hash)).or_insert(new.hash);
            if *known != new.hash {
                return Some(old.rule as usize);
            }
        }
        None
    }
}
