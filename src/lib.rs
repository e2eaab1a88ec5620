//! kreplay replays captured Kafka traffic into Kafka: every record delivered, or named.
//!
//! It is a program; a test or a tool can do the same in its own process, by the same words. [`records`] takes the
//! arguments of `kreplay extract` and gives the records of a capture, [`replay`] takes those of `kreplay replay` and
//! gives the report. What each flag means is in the manual, `kreplay replay --help`.
//!
//! ```
//! let records = kreplay::records(["fixtures/demo.jsonl"])?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(records.len(), 21);
//! assert!(records.iter().all(|record| record.topic.is_some()));
//! # Ok::<(), kreplay::Error>(())
//! ```
//!
//! A rehearsal needs no Kafka: a broker in the process takes the records.
//!
//! ```
//! let report = kreplay::replay(["fixtures/demo.jsonl", "--rehearse"])?;
//! assert_eq!(report.ledger[kreplay::Outcome::Delivered], 21);
//! assert_eq!(report.exit(), kreplay::ExitCode::Success);
//! # Ok::<(), kreplay::Error>(())
//! ```
//!
//! # How it works
//!
//! ```text
//! speedctl | CSV | RRPairs | record lines                                       Kafka
//!       |  bytes                                                                  ^  batches
//!   extract --records--> bounded channel --records--> produce --(librdkafka)------+
//!       full: extraction waits                        |  deliveries
//!                                                     v
//!                                                  Report
//! ```
//!
//! # Where each behaviour is
//!
//! | question | file |
//! |---|---|
//! | what a flag means | `cli/`, then `config/resolve/`: a file for each group of flags; librdkafka's properties `config/properties/mod.rs`, their aliases `config/property_names.rs`, property files `config/properties/file.rs` |
//! | which brokers, TLS and SASL settings are refused before anything is tried | `config/properties/brokers.rs`, `config/properties/security.rs` |
//! | how speedctl is run, and when the CSV is given up for the RRPairs | `extract/input/speedctl/mod.rs`, `extract/source/snapshot/csv.rs` |
//! | which files are read | `extract/input/files.rs` |
//! | what an input is (RRPairs, a CSV, record lines) | `extract/input/kind.rs` (with `members.rs` and `magic.rs`), `--as` in `extract/input/encoding/opener.rs` |
//! | what is refused for one kind of source (`--filter` of a CSV, `--send-unknown`) | `extract/source/check.rs` |
//! | in which form RRPairs are | `extract/input/framing/mod.rs` |
//! | what a run says that has found nothing | `report/rendering/nothing.rs` |
//! | what happens when nobody reads stderr | `host/console/stderr.rs` |
//! | how text of others is shown without harm | `host/visible.rs` |
//! | how an RRPair becomes records | `extract/profile/profiles/` (where things are), `extract/rrpair/walk/pass.rs` and `extract/rrpair/walk/mod.rs` (the pass), `extract/keep/collect/mod.rs` (what is kept) |
//! | when a record was captured | `extract/profile/capture.rs`, `record/captured.rs` |
//! | which part of a capture is used | `cli/extraction/selection.rs`, `config/resolve/selection.rs`; `record/select/` (which records), `extract/keep/sink.rs` (where they are left out) |
//! | what the sections of a Markdown RRPair say | `extract/input/framing/markdown/mod.rs`, `extract/input/framing/markdown/overlay/` |
//! | where RRPairs are inside other JSON (BYOC, Elasticsearch, Loki) | `extract/input/envelope/`, `rrpair` in `extract/profile/profiles/byoc.toml` |
//! | what a topic is called that the capture knows by its id | `extract/keep/topic_ids.rs` (the capture's word), `extract/keep/identities.rs` (`--topic-id`) |
//! | how a CSV row becomes a record | `extract/csv/columns/mod.rs`, `extract/csv/rows/mod.rs` |
//! | what becomes of redacted texts and of dates to be resolved | `record/substitutes.rs` (what they are), `extract/keep/sink.rs` (counted), `produce/session/pass/substitutes.rs` (refused, resolved) |
//! | what a record line is, read and written | `record/lines/`, `extract/source/records.rs`, `run/extract/print.rs` |
//! | what `kreplay inspect` shows | `run/inspect/`, `extract/census/mod.rs`, `extract/census/outline/` (paths), `report/inspection/` |
//! | what counts as the same when records are compared | `verify/compare/` (`content.rs` values, `group.rs` pairs, `difference.rs` changes), then `run/compare/`; shown by `report/comparison/` |
//! | what `kreplay plan` forecasts | `run/plan.rs`, `produce/plan/` (with `schedule/`, `order/` and `routing/placement/`), `report/plan/` |
//! | how a topic is read | `cluster/reader.rs`, `cluster/native/fetch.rs`; as a side of a comparison `run/compare/topic.rs` |
//! | whether a consumer group has read what was sent | `verify/group/` (`mod.rs` what is known makes of it, `sent.rs` send times, `observer.rs` the watch), `produce/session/watches/groups.rs`; asked by `cluster/native/admin/offsets.rs`, shown by `report/groups/` |
//! | how the lag of a group is held, and what its service can do | `produce/schedule/lag.rs` (the rate), `verify/group/capacity.rs` (what was measured), `report/groups/capacity.rs`; both pure |
//! | what the service behind the topic is expected to write | `extract/source/expected.rs` (read beside what is replayed), `run/replay/expected/` (noted, observed, compared), `report/comparison/expected.rs` |
//! | what differs from run to run (`--learn`, `--noise`) | `verify/compare/noise.rs`, `report/comparison/noise.rs` (kinds), `run/replay/expected/noise.rs` (the file) |
//! | how long an answer takes (`--correlate`) | `run/replay/expected/correlation.rs` |
//! | which nodes a query matches | `extract/profile/query/` |
//! | why a path matches nothing | `extract/census/unmatched.rs` |
//! | how speedctl and the command for tokens are started, and ended with what they start | `host/process/` |
//! | what waits between the halves | `record/channel.rs`, `record/mod.rs` |
//! | in which order records are sent | `produce/order/` |
//! | what is looked at before the first record | `produce/connection/preflight.rs`, `produce/routing/checks.rs` |
//! | where a record goes | `produce/routing/placement/` (pure: `renamings.rs` the topic, `partition.rs` the partition), then `produce/routing/route.rs` |
//! | what is opened once, and what each reading of the source does | `produce/session/open.rs`, `produce/session/pass/mod.rs` |
//! | how a record is sent and its delivery counted | `produce/session/send.rs`, `produce/delivery/mod.rs`, `produce/delivery/counts.rs` |
//! | when a record goes, and what the sending thread waits for | `produce/schedule/` (pure), `produce/session/pass/turn.rs`, `produce/session/wait.rs`; flags `cli/timing.rs`, `config/timing.rs` |
//! | how much may be in flight, and where its bytes are | `produce/delivery/budget.rs`, `record/in_flight.rs` |
//! | what happens when a run is told to stop | `host/signals.rs`, `produce/session/drain.rs` |
//! | what a run says that was stopped by a signal or with its machine | `produce/session/watches/pause.rs` |
//! | what a run reports in which a thread panics | `contain` in `produce/session/pass/mod.rs`, `produce/session/outcome.rs`; tried in `run/replay/tests.rs` |
//! | what happens when a record waits for longer than `message.timeout.ms` | `produce/delivery/ages.rs`, `produce/session/recovery/renewal.rs` |
//! | what happens when the cluster is silent | `produce/session/watches/stall.rs`, `produce/connection/preflight.rs` |
//! | what happens when a broker refuses a batch for one of its records | `produce/delivery/refusals.rs` (which one), `produce/session/recovery/isolation.rs` (the others) |
//! | what becomes of records that are not delivered | `produce/delivery/rejects.rs` |
//! | which files a run may write, and how | `run/program/uses.rs`, `host/outputs/` |
//! | how the halves of a command meet, and how a signal reaches them | `run/driver.rs` (for all commands), then `run/replay/mod.rs`, `run/extract/mod.rs`, `run/inspect/mod.rs` |
//! | what a program that links kreplay gets | `run/extract/records.rs`, `run/program/mod.rs`, the end of this file |
//! | how a run goes on where another has ended | `produce/delivery/journal/` |
//! | what may become of a record, and the check that the counts balance | `report/ledger/outcome.rs`, `report/ledger/mod.rs` |
//! | the exit code, where several reasons apply | `report/ledger/exit.rs` (the reasons), `ExitCode` in `error/exit_code.rs` (their gravity) |
//! | how counts, sizes and times are written | `report/rendering/figures.rs` |
//! | what the report says | `report/` |
//!
//! Imports run one way: `main -> lib -> run -> {extract, produce} -> cluster -> host -> config`; `record`, `report` and
//! `error` are leaves. `extract` never names `produce`, nor `produce` it: `run/` is where they meet.

mod cli;
mod cluster;
mod config;
mod error;
mod extract;
mod host;
mod produce;
mod record;
mod report;
mod run;
mod verify;

pub use crate::error::{Error, ExitCode, MissingPartitions, MissingTopic, Right};
pub use crate::record::Origin;
pub use crate::report::{
    Achieved, Compared, ConsumptionRates, CorrelationReport, DestinationReport, Drain, Excused,
    ExcusedNoise, ExpectedReport, GroupReport, GroupVerdict, Latency, LearnedNoise, LearnedPath,
    Ledger, LedgerOf, NoiseKind, Outcome, OutcomeCounts, Pacing, PartitionDelivery, PartitionDrain,
    PartitionState, Placement, Problem, ProblemKind, Problems, RejectsReport, Reordered, Report,
    Resume, ShownDifference, Signal, SlowedBy, SourceReport, Tally, TopicReport, UnmatchedPath,
    UnresolvedId, UnresolvedIds, Unselected, WaitTimes,
};
pub use crate::run::extract::records::{CapturedRecord, Records, records};
pub use crate::run::program::replay;

#[doc(hidden)]
pub use crate::cli::flags_by_command;
#[doc(hidden)]
pub use crate::run::program::main;

/// The versions of the C libraries that kreplay is linked with, a line each.
#[must_use]
pub fn linked_versions() -> String {
    let [librdkafka, openssl] = crate::cluster::native::linked_versions();
    format!("librdkafka {librdkafka}\n{openssl}")
}

/// Gives `input` to one of the readers of what others have written; what it holds is dropped. For `fuzz/`.
/// `false` where no reader has this name.
#[doc(hidden)]
#[must_use]
pub fn try_input(reader: &str, input: &[u8]) -> bool {
    match reader {
        "journal" => crate::produce::try_journal(input),
        reader => return crate::extract::try_input(reader, input),
    }
    true
}
