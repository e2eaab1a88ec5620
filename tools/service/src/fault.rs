//! What the service can do wrong. Each fault is one that a new version of a service could have.

use clap::ValueEnum;

/// A fault to plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlantedFault {
    /// It reads one partition only up to its first records, as many as `--every` says.
    Stuck,
    /// It ends without notice after this many records, once, and comes back after two seconds.
    Crash,
    /// It reads and never commits.
    NeverCommits,
    /// A member of the value is another one.
    WrongValue,
    /// A record is left out.
    MissingRecord,
    /// A record is written twice.
    Duplicated,
    /// A record is written after the next one of its key.
    Reordered,
    /// A record is written in a transaction that is aborted, and then again in one that is not.
    Aborted,
    /// Every value has an id and a time of its own.
    OtherIds,
}
