//! JSON as RRPairs hold it. serde_json reads it. What serde_json refuses although it is JSON (RFC 8259),
//! strings with half of a surrogate pair and numbers beyond every `f64`, is read leniently: node by node, so
//! that it matters only if just that string or number is requested.
//!
//! kreplay has no JSON reader of its own: one saved at most 5 % of the CPU of a replay (bench/README.md).

pub(crate) mod document;
mod halves;
mod lenient;
pub(super) mod text;
mod values;

pub(in crate::extract) use self::document::document;
pub(in crate::extract) use self::lenient::{INSIDE, LenientNode};
pub(in crate::extract) use self::text::{JsonText, text};
