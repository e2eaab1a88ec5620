//! Checks what comes of delivered records: whether two sets of records are the same (`compare/`), and whether
//! a consumer group has read what was sent (`group/`).

pub(crate) mod compare;
pub(crate) mod group;
