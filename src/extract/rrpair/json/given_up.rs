//! That the quick reader has given up. Apart because every part of it may.

use std::fmt;

use serde::de;

/// The text has to be read by serde_json.
#[derive(Debug)]
pub(in crate::extract) struct GivenUp;

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the quick reader gave up")
    }
}

impl std::error::Error for GivenUp {}

impl de::Error for GivenUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

pub(super) type JsonResult<T> = Result<T, GivenUp>;
