//! kreplay replays captured Kafka traffic into Kafka: every record delivered, or named.
//!
//! kreplay is a program, and a test or a tool can do the same in its own process. [`records`] takes the arguments of
//! `kreplay extract` and returns the records of a capture; [`replay`] takes those of `kreplay replay` and returns the
//! report. `kreplay replay --help` explains the flags.
//!
//! ```
//! let records = kreplay::records(["fixtures/demo.jsonl"])?.collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(records.len(), 21);
//! assert!(records.iter().all(|record| record.topic.is_some()));
//! # Ok::<(), kreplay::Error>(())
//! ```
//!
//! A rehearsal needs no Kafka: brokers in the process take the records.
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
//! | **The command line and its settings** | |
//! | which commands there are, and which flags each takes | `Command` in `cli/commands/mod.rs`; the flags themselves, by subject: `cli/source/`, `cli/destination.rs`, `cli/timing.rs`, `cli/delivery.rs`, `cli/comparison.rs`, `cli/output.rs` |
//! | `--help`, `--version`, and words that are not flags | `typed` in `cli/mod.rs` |
//! | what the flags of a replay mean together | `replaying` in `config/resolve/mod.rs`; one group of flags each: the files in `config/resolve/` |
//! | `--brokers` (`-b`), KREPLAY_BROKERS, and what names the brokers without them | `resolve_cluster` in `config/resolve/destination.rs` |
//! | which addresses of brokers are refused | `check_one` in `config/properties/brokers.rs` |
//! | which property file is read (`-F`, kcat's own) | `choose` in `config/properties/file.rs` |
//! | which properties of `-X` are refused because they break the promise, and `--no-idempotence` | `check_promise` in `config/properties/mod.rs` |
//! | which properties librdkafka would not obey | `check_obeyed` in `config/property_names.rs`, which also knows their aliases |
//! | which properties the producer gets by default | `settings` in `produce/connection/client/settings.rs`; those of every client: `cluster/settings.rs` |
//! | which TLS and SASL settings are refused before anything is tried | `check` in `config/properties/security.rs` |
//! | warnings about TLS checks that are switched off | `unchecked` in `config/properties/security.rs` |
//! | which values are secret, and how they are hidden | `is_secret` in `config/properties/mod.rs`, hidden by `Secrets` there |
//! | OAUTHBEARER tokens: when they are renewed | `until_renewal` in `cluster/token/mod.rs` |
//! | what a token is and when it expires, `--oauth-file` | `read` in `cluster/token/read.rs` |
//! | `--oauth-command`: its environment and its limits | `run` in `cluster/token/command.rs` |
//! | **Output and the end of the program** | |
//! | the exit codes: which one wins | `gravest` in `error/exit_code.rs` |
//! | why a replay gets its exit code, all reasons together | `Report::exit` in `report/mod.rs`; the other commands: `report/printout.rs` (extract), `report/plan/mod.rs`, `report/inspection/mod.rs`, `report/comparison/mod.rs` |
//! | the exit code of records that are missing, and of counts that do not balance | `Ledger::exit` in `report/ledger/mod.rs` |
//! | the exit code of an error | `Error::exit` in `error/mod.rs` |
//! | the exit code of a signal (130, 143), and when a signal counts | `conclude` in `run/replay/mod.rs` |
//! | which problems make a run fail | `is_lossy` in `report/ledger/problems.rs`, asked by `Problems::exit` there |
//! | `--allow-reordered`: records out of order are not a failure | `Reordered::exit` in `report/mod.rs`; in a comparison `differing` in `report/comparison/counts.rs` |
//! | `--allow-empty`, and the message of a run that finds nothing | `nothing_found` in `report/rendering/nothing.rs` |
//! | the text of errors, and their hints | `fmt` in `error/display.rs`; hints: `error/hint.rs`; missing topics, partitions and rights: `error/faults.rs` |
//! | `--report`: what goes to stdout in which form | `in_form` in `run/show/mod.rs` |
//! | what a closed or full stdout changes | `print` in `run/show/mod.rs`; for the lines of extract `print_all` in `run/extract/print.rs` |
//! | `--report-file`: what it may replace, and how | `check_content` in `host/outputs/replace.rs`, `replace` in `host/outputs/replace.rs` |
//! | which files a run refuses to write because it reads them | `check` in `host/outputs/overlap.rs`; which files those are: `overlap` in `run/program/uses.rs` |
//! | links, owners and rights of the files that a run writes | `open_or_create` in `host/outputs/open.rs` |
//! | `--quiet` (`-q`), `--verbose` (`-v`): which notes are shown on stderr | `note` in `host/console/mod.rs`; librdkafka's log: `produce/connection/context.rs` |
//! | what happens when nobody reads stderr | `add` in `host/console/stderr.rs` |
//! | progress: what it says, and what a narrow terminal leaves out | `line` in `run/replay/status.rs` |
//! | `--progress`: whether progress is a bar, lines or nothing, and how often it is drawn | `Progress::new` in `run/replay/progress.rs` |
//! | the time that is left (ETA) | `status` in `run/replay/progress.rs`; of a timed replay `eta` in `produce/schedule/forecast.rs` |
//! | how control characters in foreign names are escaped | `is_obeyed` in `host/visible.rs` |
//! | how counts, sizes and times are written | `HumanCount` in `report/rendering/figures.rs` |
//! | Ctrl-C and SIGTERM: what the first and the second signal do | `wait` in `run/driver.rs`; what ends a process that hangs: `host/signals.rs` |
//! | how programs that kreplay starts are ended (speedctl, the token command) | `end` in `host/process/mod.rs`; also when kreplay is killed: `host/process/group.rs` |
//! | how extraction and its receiver meet, in every command | `Driver` in `run/driver.rs`; what each command does with it: `run/replay/mod.rs`, `run/extract/mod.rs`, `run/inspect/mod.rs`, `run/plan.rs`, `run/compare/mod.rs` |
//! | the functions of the library | `records` in `run/extract/records.rs`, `replay` in `run/program/mod.rs` |
//! | `kreplay profile`, `kreplay completions` | `built_in` in `extract/profile/mod.rs`, `completions` in `cli/mod.rs` |
//! | **Reading: snapshots and files** | |
//! | `--via`: whether a snapshot is read as a CSV or as RRPairs | `way` in `extract/source/snapshot/mod.rs` |
//! | when a snapshot's CSV is given up for the RRPairs | `loses` in `extract/csv/rows/losses.rs` |
//! | what a CSV cannot carry of a record | `check_doubts` in `extract/csv/rows/losses.rs`; in transactions, empty cells and ids: `extract/csv/rows/mod.rs` |
//! | what speedctl is asked for, `--print-command` | `extract_data` in `extract/source/snapshot/command.rs`; the paths: `extract/csv/columns/paths.rs`; the quoting: `extract/input/speedctl/mod.rs` |
//! | `--speedctl`, `--speedctl-arg`: which program runs, with which arguments | `find` in `extract/input/speedctl/mod.rs` |
//! | `--speedctl-timeout`: when speedctl counts as hung | `silence` in `extract/input/speedctl/pump.rs`; how its end is judged: `well` in `extract/input/speedctl/mod.rs` |
//! | which files of a folder are read (hidden ones, links) | `list` in `extract/input/files.rs`; in which order: `add_folder` there |
//! | gzip and zstd: how they are recognised | `Packing::of` in `extract/input/encoding/unpack.rs` |
//! | formats that are refused by name (zip, xz, lz4, tar) | `format` in `extract/input/encoding/magic.rs` |
//! | UTF-16 | `ByteOrder::of` in `extract/input/encoding/utf16.rs` |
//! | what an input is: RRPairs, a CSV or record lines | `detect` in `extract/input/kind.rs`; the names of members that show it: `extract/input/members.rs` |
//! | `--as`, and sources of several kinds | `agree` in `extract/input/encoding/opener.rs` |
//! | which flags are refused for a kind of source (`--filter` of a CSV) | `check_kind` in `extract/source/check.rs` |
//! | how RRPairs are separated: lines, arrays, indented JSON, Markdown | `detect` in `extract/input/framing/format.rs`; one form each: the files beside it; the longest line: `extract/input/framing/window.rs` |
//! | the sections of a Markdown RRPair | `merge` in `extract/input/framing/markdown/overlay/mod.rs`; where a document ends: `extract/input/framing/markdown/document.rs` |
//! | where RRPairs are inside other JSON (BYOC, Elasticsearch, Loki) | `contents` in `extract/input/envelope/mod.rs`; the path of BYOC: `extract/profile/profiles/byoc.toml` |
//! | the texts about damaged and cut off RRPairs | `bad_text` in `extract/keep/collect/faults.rs` |
//! | columns of a CSV that kreplay does not know, beside a field that it knows | `check_doubts` in `extract/csv/rows/losses.rs`; which they are: `extract/csv/columns/mod.rs` |
//! | which columns of a CSV hold which field | `record_columns` in `extract/csv/columns/mod.rs`; whether they are enough: `check` in `extract/csv/header.rs` |
//! | how a CSV row becomes a record | `read_record` in `extract/csv/rows/mod.rs` |
//! | how a record line is read, of kreplay or `kcat -J` | `read` in `record/lines/read.rs` |
//! | how a record line is written, also a reject | `push_record` in `record/lines/write.rs` |
//! | lines of other tools (rpk, kafkactl, AKHQ, Redpanda Console, kafka-ui, AWS Lambda) | `read_foreign` in `record/lines/foreign/mod.rs`; what each writes: `record/lines/foreign/formats.rs` |
//! | `--send-unknown`: rejects whose delivery is not certain | `read` in `extract/source/records.rs` |
//! | **Reading: from an RRPair to records** | |
//! | `--profile`: where the fields of a record are | `chosen` in `extract/profile/mod.rs`; the built-in paths: `extract/profile/profiles/` |
//! | the user's own paths: `--record`, `--value` (`--path`), `--key`, `--headers`, `--timestamp`, `--topic-path`, `--partition-path`, `--offset-path` | `with` in `extract/profile/overrides.rs` |
//! | how a path is written, JSONPath or dotted | `Path::parse` in `extract/profile/path/mod.rs` |
//! | which nodes a query matches (filters, slices, `..`) | `add_by` in `extract/profile/query/mod.rs`; what it may cost: `extract/profile/query/evaluation.rs` |
//! | why a path matches nothing | `explain` in `extract/census/unmatched.rs` |
//! | `--filter`: which RRPairs pass | `holds` in `extract/profile/filter/eval.rs`; the grammar: `extract/profile/filter/parse.rs`; the keywords: `extract/profile/filter/criterion.rs`; bodies and XPath: `extract/profile/filter/body/` |
//! | how fields are joined by the array elements that their paths share | `shared` in `extract/rrpair/automaton/mod.rs` |
//! | `--value-encoding`, `--key-encoding`: how keys and values are decoded | `text_field` in `extract/rrpair/walk/node.rs`; what `auto` makes of a name: `resolve` in `extract/profile/candidates.rs` |
//! | `--header-encoding`: how headers are decoded | `bytes_of` in `extract/rrpair/headers/text.rs`; headers as objects: `extract/rrpair/headers/object.rs` |
//! | a record's own timestamp, as it was captured | `timestamp_ms` in `extract/rrpair/fields.rs` |
//! | when a record was captured | `captured_ns` in `extract/profile/capture.rs` |
//! | which parts of an RRPair become records, and control markers | `keep` in `extract/keep/collect/mod.rs` |
//! | duplicates, `--keep-duplicates`: what counts as the same record | `try_claim` in `extract/keep/deduplicator/mod.rs` |
//! | which copy of a record is sent | `given` in `extract/keep/deduplicator/seen.rs` |
//! | Produce requests that wrote nothing of their own (retries) | `wrote_nothing` in `extract/keep/deduplicator/retries.rs` |
//! | `--with-aborted`: which records are of aborted transactions | `given` in `extract/keep/aborted.rs` |
//! | a topic that is known by its id: how the capture names it | `name` in `extract/keep/topic_ids.rs`; records that wait for the name: `extract/keep/pending.rs` |
//! | `--topic-id`: names for ids, and ids that stay without a name | `name` in `extract/keep/identities.rs`; the list of those: `report/ledger/unresolved.rs` |
//! | redacted values: what counts as one | `is_redacted` in `record/substitutes.rs`; counted in `extract/keep/sink.rs` |
//! | `--fail-on-redacted`, and the refusal of date placeholders | `check` in `produce/session/pass/substitutes.rs` |
//! | `--resolve-dates`: what a placeholder becomes | `resolve` in `record/substitutes.rs` |
//! | `--limit`: where reading stops | `select` in `extract/keep/sink.rs`; when that is enough: `record/select/mod.rs` |
//! | `--skip`, `--limit`, and in which order records are selected by all flags | `choose` in `record/select/mod.rs`; flags that contradict each other: `config/resolve/selection.rs` |
//! | `--topics`: which topics are taken | `takes` in `record/select/globs.rs` |
//! | `--from`, `--to`: which times are taken | `window` in `record/select/mod.rs`; what `+5m` is: `record/select/moment.rs` |
//! | `--sample`: which keys are taken | `has_key` in `record/select/shard.rs`; records without a key: `record/select/mod.rs` |
//! | `--shard`: which machine has a record | `has` in `record/select/shard.rs`; what `auto` reads: `shard` in `config/resolve/selection.rs` |
//! | how several machines share one schedule | `WholeCapture` in `record/select/whole.rs`; how the due times follow from it: `produce/schedule/timeline.rs` |
//! | what `kreplay inspect` counts of topics, partitions and gaps | `add` in `run/inspect/contents.rs`; RRPairs, commands and brokers: `extract/census/mod.rs`; the page: `report/inspection/text.rs` |
//! | `--paths`: every path of a capture | `list` in `extract/census/outline/mod.rs`; how many are kept: `extract/census/outline/tree.rs` |
//! | **Sending: before the first record** | |
//! | bounds of memory, and the records that wait between reading and sending | `CHANNEL` in `run/driver.rs` (between both), `produce/delivery/budget.rs` (in flight), `produce/order/batch.rs` (waiting for order), `extract/keep/deduplicator/seen.rs` (duplicates) |
//! | whether a cluster can be reached, and how long that is tried | `check_reachable` in `produce/connection/preflight.rs` |
//! | the text that says why a cluster cannot be used | `Reason::of` in `cluster/reasons.rs` |
//! | what is checked of all topics before the first record | `look` in `produce/routing/checks.rs`; which topics there are: `produce/connection/topics.rs` |
//! | whether the user may write to a topic | `check_writing` in `produce/connection/topics.rs` |
//! | the guard against the captured cluster, `--yes` | `shared` in `cluster/guard.rs`; where `--yes` is heeded: `compare` in `produce/routing/route/guard.rs` |
//! | `--create-topics`: whether topics are created | `make_targets` in `produce/routing/route/targets.rs`; what the flags say: `config/resolve/destination.rs`; how that is done: `produce/connection/creation.rs` |
//! | `--create-partitions-up-to`: how many partitions a created topic gets | `check_count` in `produce/routing/placement/captured.rs`, `partitions_to_create` in `produce/routing/placement/captured.rs` |
//! | `--rehearse`: the broker of a rehearsal, and the properties that a rehearsal ignores | `settings` in `produce/connection/client/settings.rs`; its topics: `produce/connection/creation.rs` |
//! | the line that says where records go, and which groups read there | `look` in `produce/connection/announce.rs` |
//! | warnings about a topic's settings | `look_at` in `produce/routing/warnings.rs` |
//! | **Sending: where, what and when** | |
//! | `--topic` (`-t`), `--map`: which topic a record goes to | `destination` in `produce/routing/placement/renamings.rs` |
//! | `--partition`: which partition a record goes to | `TopicPartitions::choose` in `produce/routing/placement/partition.rs` |
//! | `--timestamps`: which time a record is sent with | `kept_timestamp_ms` in `produce/schedule/shift.rs`; originals that are too old: `produce/routing/originals.rs` |
//! | `--header`: headers that are added | `hand_over` in `produce/session/send.rs` |
//! | records that a topic does not take (no key, too old) | `objection` in `produce/routing/acceptance.rs` |
//! | how large a record and a batch may be | `for_limit` in `produce/routing/sizes.rs` |
//! | a topic that changes during a replay: its partitions, its largest record | `count_partitions_again` in `produce/routing/route/targets.rs`, `learn_limit` in `produce/session/recovery/isolation/limits.rs` |
//! | in which order records of a partition are sent | `take_first` in `produce/order/window/release.rs`; how they are sorted: `produce/order/slots.rs`; how long one waits for others: `produce/order/window/mod.rs` |
//! | files in the wrong order | `better_order` in `produce/order/files.rs` |
//! | `--speed`: due times | `due` in `produce/schedule/timeline.rs` |
//! | `--max-gap`: pauses that are cut | `cut_pause` in `produce/schedule/timeline.rs`; flags of time that contradict each other: `config/sending/timing.rs` |
//! | `--clock`: which time of a record counts | `time_ns` in `produce/schedule/mod.rs`; for selection `choose` in `extract/keep/sink.rs` |
//! | `--rate`, `--byte-rate`: rates, and how large a burst is | `Rate` in `produce/schedule/rate.rs`; how `5k/s` and `20MiB` are read: `cli/timing.rs` |
//! | which of speed, rates and lag wins | `Scheduler::next` in `produce/schedule/mod.rs` |
//! | `--ramp`: how speed and rates grow | `steady` in `produce/schedule/ramp.rs` |
//! | `--start-at`: the beginning | `await_start` in `produce/session/pass/turn.rs` |
//! | `--loop`: whether there is another pass | `Passes::begin` in `run/replay/mod.rs`; which sources can be read again: `config/resolve/repetition.rs` |
//! | `--for`: when sending ends | `check_not_over` in `produce/session/open.rs` |
//! | what the sending thread waits for | `await_turn` in `produce/session/pass/turn.rs`; how it waits: `produce/session/wait.rs` |
//! | how much may be in flight | `next_window` in `produce/delivery/budget.rs` |
//! | **Sending: answers, failures and the end** | |
//! | how the broker's answer decides the outcome of a record | `answer` in `produce/delivery/answers.rs`; counted in `produce/delivery/counts.rs` |
//! | a record that waits for longer than `message.timeout.ms` | `renew_when_overdue` in `produce/session/recovery/renewal.rs`; how long it has waited: `produce/delivery/ages.rs` |
//! | a silent cluster, and when it is given up (`--give-up-after`) | `look` in `produce/session/watches/stall.rs` |
//! | a batch that a broker refuses for one of its records: which one is to blame | `judge` in `produce/delivery/refusals.rs` |
//! | `--on-refused`: what happens to the other records of a refused batch | `judge` in `produce/session/recovery/isolation/mod.rs` |
//! | a topic or partition that is missing in the middle of a run: how long it is waited for | `Absences::look` in `produce/session/recovery/absence.rs`; how it is looked for: `produce/session/recovery/reappearance.rs` |
//! | the end of a run: how long it waits for deliveries (after a signal 10 s, 3 s and 2 s) | `run` in `produce/session/drain.rs`; the limits without a signal: `produce/session/recovery/renewal.rs` (`message.timeout.ms`) and `produce/session/watches/stall.rs` (`--give-up-after`) |
//! | the end of a run: how records without an answer are counted | `Account::close` in `produce/delivery/mod.rs` |
//! | a process that was stopped, or a machine that slept | `note` in `produce/session/watches/pause.rs` |
//! | the report of a run in which a thread panics | `contain` in `produce/session/pass/mod.rs`; the counts then: `produce/session/outcome.rs` |
//! | `--rejects`: which file is taken, and rejects of earlier runs in it | `check_former` in `produce/delivery/rejects.rs` |
//! | `--resume`: what the journal's lines say, cut and damaged ones | `read` in `produce/delivery/journal/line.rs` |
//! | the journal: when it is written | `announce` in `produce/delivery/journal/writer/mod.rs` before records are sent, `update` there once they are answered |
//! | the journal: how it is locked and replaced | `lock` in `produce/delivery/journal/file.rs` |
//! | the journal: whether it belongs to this replay | `differs_from` in `produce/delivery/journal/identity.rs`; the records: `produce/delivery/journal/checksum.rs`; the topics: `produce/delivery/journal/writer/resume.rs` |
//! | **Planning** | |
//! | what `kreplay plan` forecasts of a record | `plan_record` in `produce/plan/forecast/record.rs`; the hottest key: `produce/plan/keys.rs` |
//! | when a planned record would go, and the busiest second of the plan | `await_turn` in `produce/plan/forecast/mod.rs`; the peaks: `produce/plan/peaks.rs` |
//! | the reasons against a planned replay | `take_failures` in `produce/plan/topics.rs`; the sentence at the head: `report/plan/text.rs` |
//! | **Verifying** | |
//! | how a topic is read, by which offsets and transactions | `read_all` in `run/compare/topic.rs`; the reader: `cluster/reader.rs` |
//! | `--wait-group`: whether a consumer group has read what was sent | `verdict` in `verify/group/mod.rs`; which records it has read: `verify/group/sent.rs`; when kreplay looks: `verify/group/observer/look.rs` |
//! | `--drain-timeout`: how long groups are waited for | `wait` in `verify/group/observer/mod.rs` |
//! | `--max-lag`: how the lag of a group is held | `next_rate` in `produce/schedule/lag.rs` |
//! | the capacity of a service | `capacity` in `verify/group/capacity.rs` |
//! | what counts as the same when records are compared | `compared` in `verify/compare/content.rs` (what is ignored and noise are taken out first) |
//! | `--ignore`: which parts its paths match | `find` in `run/compare/ignored.rs` |
//! | `--allow-new`: members that the expectation lacks, and which changes are named | `differ` in `verify/compare/difference.rs` |
//! | which records are equal, repeated, missing or extra | `matches` in `verify/compare/group/mod.rs`; which are one record with changes: `verify/compare/group/pairing.rs` |
//! | `--expect-count`, `--expect-last`: how closely records are compared | `RecordComparison::add` in `verify/compare/mod.rs` |
//! | `--expect-headers`: whether headers are compared | `ComparedContent::of` in `verify/compare/content.rs` |
//! | `--allow-repeated`: which differences count | `differing` in `report/comparison/counts.rs` |
//! | `--expect-diff`: where differences go | `add` in `run/compare/differences.rs` |
//! | the expectation of `--expect`: what is taken from the capture | `written` in `extract/source/expecting.rs`; which flags exclude it: `check_expectation` in `config/resolve/comparison.rs` |
//! | `--expect-from`, and from which offsets the output is read | `begin` in `run/replay/expected/start.rs` |
//! | `--expect-quiet`, `--expect-timeout`: when the output is complete | `end` in `run/replay/expected/observer.rs` |
//! | `--learn`: which noise is learned | `NoiseLearner::add` in `verify/compare/learn.rs` |
//! | which kind (time, UUID, number) learned noise has | `NoiseKind::of_change` in `report/comparison/noise.rs` |
//! | `--noise`: which noise is excused | `take_noise` in `verify/compare/noise.rs`; the file, and whose it is: `run/replay/expected/noise.rs` |
//! | `--correlate`: response times | `appeared` in `run/replay/expected/correlation.rs` |
//! | **Reporting** | |
//! | the outcomes of a record, and what each means for a run | `Outcome` in `report/ledger/outcome.rs` |
//! | problems: their kinds and names | `ProblemKind` in `report/ledger/problems.rs`; their lines: `report/rendering/text/problems.rs` |
//! | what the report says as text | `fmt` in `report/rendering/text/mod.rs`; its first line, and how the run ended: `report/rendering/text/stop.rs`; the source: `report/rendering/text/source.rs`; topics and rejects: `report/rendering/text/delivery.rs` |
//! | the members of the report as JSON | `to_json` in `report/rendering/json.rs` |
//! | what limited the speed of a replay | `slowed_by` in `produce/schedule/turns.rs` |
//! | lateness and response times | `keep_time` in `produce/delivery/counts.rs`; percentiles: `produce/delivery/distribution.rs`; the lines: `report/pacing/text.rs` |
//!
//! Imports run one way: `main -> lib -> run -> {extract, produce} -> cluster -> host -> config`; `record`, `report` and
//! `error` are leaves. `extract` and `produce` never name each other: they meet in `run/`.

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

/// The versions of the C libraries that kreplay is linked with, one per line.
#[must_use]
pub fn linked_versions() -> String {
    let [librdkafka, openssl] = crate::cluster::native::linked_versions();
    format!("librdkafka {librdkafka}\n{openssl}")
}

/// Passes `input` to one of the readers of foreign data and drops the result, for `fuzz/`. Returns `false` if no reader
/// has this name.
#[doc(hidden)]
#[must_use]
pub fn try_input(reader: &str, input: &[u8]) -> bool {
    match reader {
        "journal" => crate::produce::try_journal(input),
        reader => return crate::extract::try_input(reader, input),
    }
    true
}
