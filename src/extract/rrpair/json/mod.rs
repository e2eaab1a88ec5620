//! JSON as RRPairs hold it. serde_json reads it; what serde_json refuses although it is JSON (RFC 8259),
//! strings with half of a surrogate pair and numbers beyond every `f64`, is read leniently: node by node,
//! so that it only matters where somebody asks for just that string or number.
//!
//! kreplay has no JSON reader of its own: one bought at most 5 % of the CPU of a replay (bench/README.md).

pub(crate) mod document;
mod halves;
mod lenient;
pub(super) mod text;
mod values;

pub(in crate::extract) use self::document::document;
pub(in crate::extract) use self::lenient::{INSIDE, LenientNode};
pub(in crate::extract) use self::text::{JsonText, text};
