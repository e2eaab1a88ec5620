//! What framing returns: texts, and what is missing. This file is separate because every format
//! returns the same.

use super::lines::SourceLine;

/// The text of one RRPair.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::extract) enum RrPairText<'a> {
    /// From its first to its last byte; it may still not be JSON.
    Whole(&'a [u8]),
    /// Longer than [`LONGEST_LINE`](super::window::LONGEST_LINE), and skipped.
    TooLong,
    /// So damaged that its end is unknown, and why.
    Broken(String),
}

impl<'a> From<SourceLine<'a>> for RrPairText<'a> {
    fn from(line: SourceLine<'a>) -> Self {
        match line {
            SourceLine::Whole(bytes) => Self::Whole(bytes),
            SourceLine::TooLong => Self::TooLong,
        }
    }
}

/// A part of a text that was not understood and was left out.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::extract) struct Remark {
    pub(in crate::extract) line: u64,
    pub(in crate::extract) why: String,
}

/// What is missing at the end of an input.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::extract) struct Unfinished {
    pub(in crate::extract) line: u64,
    pub(in crate::extract) why: String,
    /// Whether there was more that could not be separated; otherwise the input is cut off.
    pub(in crate::extract) lost: bool,
}

impl Unfinished {
    pub(super) fn cut_off(line: u64, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
            lost: false,
        }
    }
}
