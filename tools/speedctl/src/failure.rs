//! How a command fails, and what it says on stderr.

use std::io::{self, Write};

/// Why a command ends without its result: the exit code and what stderr says.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::with_code(1, message)
    }

    pub(crate) fn with_code(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(cause: io::Error) -> Self {
        Self::new(cause.to_string())
    }
}

/// Writes one line to stderr; a closed stderr does not matter here.
pub(crate) fn complain(line: &str) {
    writeln!(io::stderr(), "{line}").ok();
}
