//! The members of an RRPair that a filter reads, and what was found of them: the interface between the filter
//! and the code that reads the line.

#[cfg(test)]
use super::Filter;

/// How to capture a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaptureKind {
    /// A scalar: a string without its quotes and escapes, a number or truth value as its JSON.
    Text,
    /// The JSON text of the node.
    Json,
}

/// A member of an RRPair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldPath {
    /// How to capture it.
    pub(crate) kind: CaptureKind,
    pub(super) members: &'static [&'static str],
    pub(super) key: Option<String>,
}

impl FieldPath {
    /// The names of the members on the path, from the RRPair inwards.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        self.members.iter().copied().chain(self.key.as_deref())
    }
}

/// What was found in one RRPair: the texts of each of a filter's fields. Empty for a member that is absent or
/// null.
#[derive(Debug, Clone)]
pub(crate) struct Captured(Vec<Vec<String>>);

impl Captured {
    /// Empty, for the fields of `filter`.
    #[cfg(test)]
    pub(crate) fn nothing_of(filter: &Filter) -> Self {
        Self::with_room(filter.fields().len())
    }

    /// Empty, with room for this many members: those of [`super::Filter::fields`], and others after them that
    /// somebody else reads.
    pub(crate) fn with_room(members: usize) -> Self {
        Self(vec![Vec::new(); members])
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds what was found at the field of this index in [`super::Filter::fields`].
    pub(crate) fn add(&mut self, field: usize, text: &str) {
        self.0[field].push(text.to_string());
    }

    /// Forgets everything, for the next RRPair.
    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().for_each(Vec::clear);
    }

    pub(crate) fn texts(&self, field: usize) -> &[String] {
        &self.0[field]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_characters_is_one_name_of_the_path() {
        let path = FieldPath {
            kind: CaptureKind::Text,
            members: &["tags"],
            key: Some("it's a.b\\c\n".into()),
        };
        let members: Vec<&str> = path.members().collect();
        assert_eq!(members, ["tags", "it's a.b\\c\n"]);
    }
}
