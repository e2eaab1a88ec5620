//! How a run ended, in the word at the head of its page: one rule for the pages of all commands.

use std::fmt;

use crate::error::Error;
use crate::report::Signal;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum RunEnding {
    /// By a signal, whatever failed because of it.
    Signal(Signal),
    /// By a failure.
    Failure,
    /// When everything was done.
    Complete,
}

impl RunEnding {
    /// The ending of a run with this signal, if it counts, and these failures.
    pub(in crate::report) fn of(signal: Option<Signal>, failures: &[Error]) -> Self {
        match signal {
            Some(signal) => Self::Signal(signal),
            None if failures.iter().any(ends_a_run) => Self::Failure,
            None => Self::Complete,
        }
    }
}

impl Signal {
    /// What a page calls a run that this signal ended.
    pub(in crate::report) fn participle(self) -> &'static str {
        match self {
            Self::Interrupt => "interrupted",
            Self::Terminate => "terminated",
        }
    }
}

/// What the first line of a page begins with.
impl fmt::Display for RunEnding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "{}: ", signal.participle()),
            Self::Failure => f.write_str("failed: "),
            Self::Complete => Ok(()),
        }
    }
}

/// Whether a failure ended the run. A report that could not be written says nothing about the run.
pub(in crate::report) fn ends_a_run(failure: &Error) -> bool {
    !matches!(failure, Error::ReportUnwritten { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_named_before_a_failure_and_a_lost_report_file_is_not_a_failure_of_the_run() {
        let failed = Error::config("no");
        let unwritten = Error::ReportUnwritten {
            file: "report.json".into(),
            reason: "disk full".into(),
        };
        let both = [unwritten.clone(), failed.clone()];
        for (signal, failures, head) in [
            (None, &[][..], ""),
            (None, std::slice::from_ref(&unwritten), ""),
            (None, std::slice::from_ref(&failed), "failed: "),
            (None, &both, "failed: "),
            (Some(Signal::Interrupt), &[], "interrupted: "),
            (Some(Signal::Interrupt), &both, "interrupted: "),
            (Some(Signal::Terminate), &both, "terminated: "),
        ] {
            let ending = RunEnding::of(signal, failures);
            assert_eq!(ending.to_string(), head, "{signal:?} {failures:?}");
        }
    }
}
