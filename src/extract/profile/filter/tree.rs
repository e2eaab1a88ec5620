//! Leaves joined by AND and OR: the same shape for what was typed and for what is evaluated.

/// A tree without needless levels: no `All` directly in an `All`, no `Any` directly in an `Any`,
/// none with fewer than two branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tree<T> {
    All(Vec<Self>),
    Any(Vec<Self>),
    Leaf(T),
}

impl<T> Tree<T> {
    /// Joins branches by AND; `first` alone is itself.
    pub(super) fn all(first: Self, more: Vec<Self>) -> Self {
        if more.is_empty() {
            return first;
        }
        let mut branches = Vec::with_capacity(1 + more.len());
        for branch in std::iter::once(first).chain(more) {
            match branch {
                Self::All(inner) => branches.extend(inner),
                other => branches.push(other),
            }
        }
        Self::All(branches)
    }

    /// Joins branches by OR; `first` alone is itself.
    pub(super) fn any(first: Self, more: Vec<Self>) -> Self {
        if more.is_empty() {
            return first;
        }
        let mut branches = Vec::with_capacity(1 + more.len());
        for branch in std::iter::once(first).chain(more) {
            match branch {
                Self::Any(inner) => branches.extend(inner),
                other => branches.push(other),
            }
        }
        Self::Any(branches)
    }

    pub(super) fn holds(&self, leaf: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::All(branches) => branches.iter().all(|branch| branch.holds(leaf)),
            Self::Any(branches) => branches.iter().any(|branch| branch.holds(leaf)),
            Self::Leaf(it) => leaf(it),
        }
    }

    /// The same tree with other leaves, from left to right; the first error ends it.
    pub(super) fn try_map<U, E>(
        &self,
        leaf: &mut impl FnMut(&T) -> Result<U, E>,
    ) -> Result<Tree<U>, E> {
        Ok(match self {
            Self::All(branches) => Tree::All(
                branches
                    .iter()
                    .map(|branch| branch.try_map(leaf))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Any(branches) => Tree::Any(
                branches
                    .iter()
                    .map(|branch| branch.try_map(leaf))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Leaf(it) => Tree::Leaf(leaf(it)?),
        })
    }
}
