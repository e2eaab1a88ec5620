//! The key of a compared record, as far as it is kept.

use std::hash::{DefaultHasher, Hash, Hasher};

/// How many bytes of a key are kept. A hash of the rest distinguishes longer ones.
const LONGEST_KEY: usize = 1 << 10;

/// A key. Its beginning comes first, so that keys have the order of their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ComparedKey {
    /// With an ellipsis if it is cut.
    beginning: Box<[u8]>,
    /// The length and the hash of what is cut off.
    rest: Option<(usize, u64)>,
}

impl ComparedKey {
    pub(super) fn of(key: &[u8]) -> Self {
        let Some((beginning, rest)) = key.split_at_checked(LONGEST_KEY) else {
            let (beginning, rest) = (key.into(), None);
            return Self { beginning, rest };
        };
        let mut hasher = DefaultHasher::new();
        rest.hash(&mut hasher);
        Self {
            beginning: [beginning, "…".as_bytes()].concat().into(),
            rest: Some((rest.len(), hasher.finish())),
        }
    }

    pub(super) fn shown(&self) -> &[u8] {
        &self.beginning
    }

    /// Bytes of memory besides the key itself.
    pub(super) fn size(&self) -> usize {
        self.beginning.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_are_distinguished_and_not_kept() {
        let [one, other] =
            ["a", "b"].map(|end| ComparedKey::of(("k".repeat(1 << 20) + end).as_bytes()));
        assert_ne!(one, other);
        assert!(one.size() < 1100 && one.shown().ends_with("kk…".as_bytes()));
        assert_eq!(one, one.clone());
        let short = ComparedKey::of(&[b'k'; LONGEST_KEY - 1]);
        assert_eq!(short.shown(), [b'k'; LONGEST_KEY - 1]);
    }
}
