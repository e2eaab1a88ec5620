//! What is checked once records are delivered: whether two sets of records are the same (`compare/`), and
//! whether a consumer group has read what was sent (`group/`). Pure: what the cluster and the sources say
//! is brought by others.

pub(crate) mod compare;
