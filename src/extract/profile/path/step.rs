//! The steps of plain paths and of the nodes that a query matches. This file is separate because paths contain
//! queries, and queries yield steps.

/// One step from a node to nodes below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PathStep {
    /// A member of an object.
    Name(String),
    /// An element of an array.
    Index(usize),
    /// Every member or element.
    Each,
}
