//! The exit code of a run with a report: the most severe of what ended it and of what it found.

use crate::error::{Error, ExitCode};

/// The signal that ended a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, which is what Ctrl-C sends.
    Interrupt,
    /// SIGTERM, or SIGHUP and SIGQUIT, which mean the same.
    Terminate,
}

impl Signal {
    fn exit(self) -> ExitCode {
        match self {
            Self::Interrupt => ExitCode::Interrupted,
            Self::Terminate => ExitCode::Terminated,
        }
    }
}

/// The exit code of a run: the most severe of what ended it and of what it `found`.
pub(in crate::report) fn exit_code(
    signal: Option<Signal>,
    failures: &[Error],
    found: impl IntoIterator<Item = ExitCode>,
) -> ExitCode {
    let ended = signal.map(Signal::exit).into_iter();
    let ended = ended.chain(failures.iter().map(Error::exit));
    ExitCode::gravest(ended.chain(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_reasons_the_gravest_gives_the_exit_code() {
        let text = || "no".to_owned();
        let failure = |code| match code {
            1 => Some(Error::NothingFound {
                why: text(),
                hint: None,
            }),
            2 => Some(Error::config("no")),
            3 => Some(Error::NoToken { reason: text() }),
            4 => Some(Error::CutOff {
                place: text(),
                why: text(),
            }),
            70 => Some(Error::Defect { what: text() }),
            _ => None,
        };
        let signal = |code| match code {
            130 => Some(Signal::Interrupt),
            143 => Some(Signal::Terminate),
            _ => None,
        };
        // From docs/report.md, the most severe last. A run knows one signal, the first.
        let rising = [0, 1, 2, 3, 4, 130, 70];
        for (i, graver) in rising.into_iter().enumerate() {
            for lesser in &rising[..=i] {
                let codes = [*lesser, graver];
                let failures: Vec<Error> = codes.into_iter().filter_map(failure).collect();
                let signal = codes.into_iter().find_map(signal);
                let exit = exit_code(signal, &failures, []);
                assert_eq!(exit.code(), graver, "{codes:?}");
            }
        }
        assert_eq!(exit_code(signal(143), &[], []).code(), 143);
        let lost = [ExitCode::Success, ExitCode::Incomplete];
        assert_eq!(exit_code(None, &[], lost).code(), 1);
        let failures: Vec<Error> = failure(4).into_iter().collect();
        assert_eq!(exit_code(None, &failures, lost).code(), 4);
    }
}
