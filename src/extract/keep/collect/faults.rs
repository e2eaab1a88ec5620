//! Describes texts that are not RRPairs or cannot be read.

use crate::extract::keep::sink::Sink;
use crate::extract::rrpair::engine::RrPairError;
use crate::record::Origin;
use crate::report::ProblemKind;

/// An RRPair or a record line that cannot be read.
#[derive(Debug)]
pub(in crate::extract) struct BadText {
    pub(in crate::extract) why: String,
    /// Whether it is cut off rather than wrong.
    pub(in crate::extract) ends_early: bool,
}

impl BadText {
    pub(in crate::extract) fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ends_early: false,
        }
    }
}

pub(super) fn bad_text(error: RrPairError, text: &str, first: u64) -> BadText {
    let last_line = text.len() - text.rfind('\n').map_or(0, |at| at + 1);
    match error {
        RrPairError::Ambiguous(why) => BadText::new(why),
        RrPairError::Excess(excess) => BadText::new(excess.to_string()),
        RrPairError::Json(error) => BadText {
            why: json_error(&error, first),
            // serde_json calls a number that is cut off invalid.
            ends_early: error.is_eof() || error.column() >= last_line,
        },
    }
}

/// serde_json's words for a text that begins on line `first`; its own line number counts from there.
pub(super) fn json_error(error: &serde_json::Error, first: u64) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or_default();
    let line = match error.line() {
        0 | 1 => String::new(),
        line => format!(" of line {}", first + line as u64 - 1),
    };
    match error.is_eof() {
        true => format!("the JSON is cut off after {} bytes{line}", error.column()),
        false => format!("{words} at column {}{line}", error.column()),
    }
}

/// A log record, or a line, without the RRPair that the profile looks for.
pub(super) fn name_no_rrpair(origin: Origin, sink: &mut Sink<'_>) {
    let why = || "there is no RRPair where the profile looks for one".into();
    sink.tally.problems.add(ProblemKind::NoRrPair, origin, why);
}
