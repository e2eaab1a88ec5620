//! The exit codes of the program, as docs/report.md documents them.

/// How the program ends, as documented in docs/report.md; in order of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExitCode {
    /// Everything found was delivered, or left out on purpose and counted.
    Success,
    /// The replay ran; some records failed or are unreadable.
    Incomplete,
    /// Usage or configuration.
    Usage,
    /// The cluster refused something, or was silent for too long.
    Kafka,
    /// The source failed or is incomplete.
    Source,
    /// Ended by SIGTERM, SIGHUP or SIGQUIT.
    Terminated,
    /// Ended by SIGINT.
    Interrupted,
    /// The ledger does not balance: a defect of kreplay.
    Defect,
}

impl ExitCode {
    /// The exit code of a run with several reasons for one: the most severe wins.
    #[must_use]
    pub fn gravest(reasons: impl IntoIterator<Item = Self>) -> Self {
        reasons.into_iter().max().unwrap_or(Self::Success)
    }

    /// The process's exit status.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Incomplete => 1,
            Self::Usage => 2,
            Self::Kafka => 3,
            Self::Source => 4,
            Self::Defect => 70,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(exit: ExitCode) -> Self {
        Self::from(exit.code())
    }
}
