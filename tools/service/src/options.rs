//! The command line of the service.

use clap::{Parser, ValueEnum};

use crate::fault::PlantedFault;

/// What the command line asks for.
#[derive(Debug, Clone, Parser)]
pub(crate) struct ServiceOptions {
    /// Bootstrap servers.
    #[arg(long)]
    pub(crate) brokers: String,
    /// The consumer group.
    #[arg(long)]
    pub(crate) group: String,
    /// The topic to read.
    #[arg(long)]
    pub(crate) from: String,
    /// The topic to write; without it, the service writes nothing.
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// The group's protocol: `consumer` is that of KIP-848.
    #[arg(long, value_enum, default_value_t = Protocol::Classic)]
    pub(crate) protocol: Protocol,
    /// Records a second that the service handles; by default, as many as it can.
    #[arg(long)]
    pub(crate) capacity: Option<f64>,
    /// Milliseconds between two commits.
    #[arg(long, default_value_t = 200)]
    pub(crate) commit_ms: u64,
    /// Write and commit in transactions, one for each commit.
    #[arg(long)]
    pub(crate) transactional: bool,
    /// Also give answers with ids an id in the header `trace`, instead of that of the record.
    #[arg(long)]
    pub(crate) set_trace: bool,
    /// What the service does wrong.
    #[arg(long, value_enum)]
    pub(crate) fault: Option<PlantedFault>,
    /// The record of its input at which the fault happens, and again after as many; with `stuck`, how many
    /// records of that partition are read.
    #[arg(long, default_value_t = 10)]
    pub(crate) every: u64,
    /// The partition that is `stuck`.
    #[arg(long, default_value_t = 0)]
    pub(crate) partition: i32,
}

/// How members of the group agree on who reads what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Classic,
    Consumer,
}
