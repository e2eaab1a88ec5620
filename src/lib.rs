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
//! | **The command line** | |
//! | what a flag means | `cli/`, then `config/resolve/`, which has a file for each group of flags |
//! | librdkafka's properties, their aliases, and property files | `config/properties/mod.rs`, `config/property_names.rs`, `config/properties/file.rs` |
//! | which properties the producer gets by default | `produce/connection/client/settings.rs` |
//! | which brokers, TLS and SASL settings are refused before anything is tried | `config/properties/brokers.rs`, `config/properties/security.rs` |
//! | warnings about TLS checks that are switched off | `unchecked` in `config/properties/security.rs` |
//! | which values are secret, and how they are hidden | `Secrets` in `config/properties/mod.rs` |
//! | the exit codes, and which one wins | `ExitCode` in `error/exit_code.rs`, the reasons `exit_code` in `report/ledger/exit.rs`; of an error `exit` in `error/mod.rs` |
//! | the text of errors and their hints | `error/display.rs`, `error/hint.rs` |
//! | which files a run may write, and how | `overlap` in `run/program/uses.rs`, `host/outputs/` |
//! | how the halves of a command meet, and how a signal reaches them | `Driver` in `run/driver.rs` (for all commands), then `run/replay/mod.rs`, `run/extract/mod.rs`, `run/inspect/mod.rs` |
//! | what a program that links kreplay gets | `records` in `run/extract/records.rs`, `replay` in `run/program/mod.rs`, the end of this file |
//! | how control characters of others are escaped | `visible` in `host/visible.rs` |
//! | what goes to stdout, and what a closed or full stdout changes | `product` in `run/show/mod.rs` |
//! | notes on stderr, `-q` and `-v` | `note` in `host/console/mod.rs` |
//! | what happens when nobody reads stderr | `host/console/stderr.rs` |
//! | how child processes (speedctl, the token command) are started and ended | `host/process/` |
//! | OAUTHBEARER tokens | `cluster/token/mod.rs` (renewal), `cluster/token/command.rs`, `cluster/token/read.rs` |
//! | **Reading** | |
//! | how speedctl is run, and `--print-command` | `Speedctl` in `extract/input/speedctl/mod.rs`, `command_line` in `extract/source/snapshot/mod.rs` |
//! | when a snapshot's CSV is given up for the RRPairs | `loses` in `extract/csv/rows/losses.rs`, `read_extracted` in `extract/source/snapshot/csv.rs` |
//! | which files are read | `extract/input/files.rs` |
//! | what an input is (RRPairs, a CSV, record lines) | `tell` in `extract/input/kind.rs`, `extract/input/members.rs`, `extract/input/encoding/magic.rs`; `--as` in `extract/input/encoding/opener.rs` |
//! | which flags are refused for one kind of source (`--filter` of a CSV, `--send-unknown`) | `extract/source/check.rs` |
//! | how RRPairs are framed: lines, arrays, Markdown | `extract/input/framing/mod.rs` |
//! | the sections of a Markdown RRPair | `extract/input/framing/markdown/mod.rs`, `extract/input/framing/markdown/overlay/` |
//! | where RRPairs are inside other JSON (BYOC, Elasticsearch, Loki) | `extract/input/envelope/`, `rrpair` in `extract/profile/profiles/byoc.toml` |
//! | how an RRPair becomes records | `extract/profile/profiles/` (where things are), `extract/rrpair/walk/pass.rs` (the pass), `extract/rrpair/walk/node.rs` (what a node becomes), `extract/keep/collect/mod.rs` (what is kept) |
//! | profiles, paths and `--filter` | `extract/profile/mod.rs`, `extract/profile/path/mod.rs`, `extract/profile/filter/` |
//! | how fields are joined by the array elements that their paths share | `shared` in `extract/rrpair/automaton/mod.rs` |
//! | which nodes a query matches | `extract/profile/query/` |
//! | why a path matches nothing | `explain` in `extract/census/unmatched.rs` |
//! | how keys, values and headers are decoded | `extract/rrpair/walk/node.rs`, `extract/rrpair/headers/` |
//! | a record's own timestamp | `timestamp_ms` in `extract/rrpair/fields.rs` (captured), `kept_timestamp_ms` in `produce/schedule/shift.rs` (sent) |
//! | when a record was captured | `extract/profile/capture.rs`, `record/batch/captured.rs` |
//! | which records are duplicates | `try_claim` in `extract/keep/deduplicator/mod.rs`, `extract/keep/deduplicator/seen.rs` |
//! | Produce requests that wrote nothing of their own | `wrote_nothing` in `extract/keep/deduplicator/retries.rs` |
//! | aborted transactions and markers | `extract/keep/aborted.rs` |
//! | what a topic is called that the capture knows by its id | `extract/keep/topic_ids.rs` (the capture's word), `extract/keep/identities.rs` (`--topic-id`) |
//! | how a CSV row becomes a record | `extract/csv/columns/mod.rs`, `extract/csv/rows/mod.rs` |
//! | which part of a capture is selected | `config/resolve/selection.rs`, `record/select/` (which records), `select` in `extract/keep/sink.rs` (where they are left out) |
//! | how several machines keep one time | `WholeCapture` in `record/select/whole.rs` (what each knows of the others), `produce/schedule/timeline.rs` |
//! | redacted values and date placeholders | `record/substitutes.rs` (what they are), `extract/keep/sink.rs` (counted), `produce/session/pass/substitutes.rs` (refused, resolved) |
//! | record lines, read and written | `record/lines/`, `extract/source/records.rs`, `run/extract/print.rs` |
//! | lines of kcat and other tools | `record/lines/foreign/` |
//! | what a run says that finds nothing | `nothing_found` in `report/rendering/nothing.rs` |
//! | what `kreplay inspect` shows | `run/inspect/`, `extract/census/mod.rs`, `extract/census/outline/` (paths), `report/inspection/` |
//! | **Sending** | |
//! | what waits between the halves | `record/channel.rs`, `record/batch/mod.rs` |
//! | bounds of memory | `CHANNEL` in `run/driver.rs` (the channel), `produce/delivery/budget.rs` (in flight), `produce/order/window/mod.rs` (waiting for order), `extract/keep/deduplicator/seen.rs` (duplicates); the table in `docs/guarantees.md` |
//! | in which order records are sent | `produce/order/` |
//! | what is checked before the first record | `produce/connection/preflight.rs` (brokers), `produce/routing/checks.rs` (topics, partitions), `produce/routing/originals.rs` (original timestamps) |
//! | the guard against the captured cluster | `ClusterComparison` in `cluster/guard.rs`, asked by `check_shared` in `produce/routing/route/guard.rs` |
//! | where a record goes | `produce/routing/placement/renamings.rs` (the topic), `produce/routing/placement/partition.rs` (the partition), both pure; then `produce/routing/route/mod.rs` |
//! | which topics are created, and with how many partitions | `produce/routing/placement/captured.rs`, `produce/connection/creation.rs` |
//! | what is opened once, and what each pass of `--loop` does | `produce/session/open.rs`, `produce/session/pass/mod.rs` |
//! | due times, speed and pauses | `Timeline` in `produce/schedule/timeline.rs` |
//! | rates and ramps | `produce/schedule/rate.rs`, `produce/schedule/ramp.rs`; the slowest wins in `next` in `produce/schedule/mod.rs` |
//! | what the sending thread waits for | `produce/session/pass/turn.rs`, `produce/session/wait.rs` |
//! | how a record is sent (with `--header`) and its delivery counted | `produce/session/send.rs`, `answer` in `produce/delivery/answers.rs`, `produce/delivery/counts.rs` |
//! | how much may be in flight, and where its bytes are | `produce/delivery/budget.rs`, `record/batch/in_flight.rs` |
//! | what a signal does to a run | `host/signals.rs`, `produce/session/drain.rs` |
//! | what a run says whose process was stopped, or whose machine slept | `produce/session/watches/pause.rs` |
//! | what a run reports in which a thread panics | `contain` in `produce/session/pass/mod.rs`, `produce/session/outcome.rs` |
//! | a record that waits for longer than `message.timeout.ms` | `produce/delivery/ages.rs`, `produce/session/recovery/renewal.rs` |
//! | a silent cluster, and when it is given up (`--give-up-after`) | `look` in `produce/session/watches/stall.rs`, `cluster/reasons.rs` (why it is silent) |
//! | a batch that a broker refuses for one of its records | `produce/delivery/refusals.rs` (which one), `produce/session/recovery/isolation.rs` (the others) |
//! | a topic or partition that is missing in the middle of a run | `produce/session/recovery/reappearance.rs`, `produce/session/recovery/absence.rs` (for how long) |
//! | rejects | `produce/delivery/rejects.rs`; their lines `write_reject` in `record/lines/write.rs` |
//! | the journal of `--resume` | `produce/delivery/journal/writer/mod.rs`, its file `produce/delivery/journal/file.rs`, its lines `produce/delivery/journal/line.rs` |
//! | what `kreplay plan` forecasts | `run/plan.rs`, `produce/plan/` (with `produce/schedule/`, `produce/order/` and `produce/routing/placement/`), `report/plan/` |
//! | the broker of a rehearsal | `rehearsal_broker` in `produce/connection/client/mod.rs`, `cluster/native/client/mock.rs` |
//! | **Verifying** | |
//! | how a topic is read | `cluster/reader.rs`, `cluster/native/fetch.rs`; as a side of a comparison `run/compare/topic.rs` |
//! | whether a consumer group has read what was sent | `verify/group/mod.rs` (the verdict), `verify/group/sent.rs` (send times), `verify/group/observer/mod.rs` (the watch), `produce/session/watches/groups.rs`; shown by `report/groups/` |
//! | how the lag of a group is held, and the capacity of its service | `produce/schedule/lag.rs` (the rate), `verify/group/capacity.rs` (what was measured), `report/groups/capacity.rs`; all pure |
//! | what counts as the same when records are compared | `verify/compare/content.rs` (values), `verify/compare/group/mod.rs` (pairs), `verify/compare/difference.rs` (changes), then `run/compare/`; shown by `report/comparison/` |
//! | the expectation of `--expect` | `extract/source/expected.rs` (read beside what is replayed), `run/replay/expected/` (noted, observed, compared), `report/comparison/expected.rs` |
//! | noise between runs (`--learn`, `--noise`) | `verify/compare/noise.rs`, `report/comparison/noise.rs` (kinds), `run/replay/expected/noise.rs` (the file) |
//! | response times (`--correlate`) | `run/replay/expected/correlation.rs` |
//! | **Reporting** | |
//! | the outcomes of a record, and the check that the counts balance | `Outcome` in `report/ledger/outcome.rs`, `report/ledger/mod.rs` |
//! | what the report says: text, JSON, problems | `report/rendering/text/mod.rs`, `report/rendering/json.rs`, `report/ledger/problems.rs`; speeds and lateness `report/pacing/` |
//! | how counts, sizes and times are written | `report/rendering/figures.rs` |
//! | progress | `run/replay/progress.rs`, `run/replay/status.rs` |
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
