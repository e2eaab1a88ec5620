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
//! | **Commands** | |
//! | which commands there are | `Command` in `cli/commands/mod.rs` |
//! | the former commands `raw`, `csv` and `records` | `from_cli` in `config/resolve/mod.rs` |
//! | `--help`, `--version` (`-V`), no arguments, and words that are not flags | `typed` in `cli/mod.rs` |
//! | `kreplay profile` | `built_in_text` in `extract/profile/mod.rs` |
//! | which profile `kreplay profile` prints without a name | `ProfileArguments` in `cli/commands/mod.rs` |
//! | `kreplay completions` | `completions` in `cli/mod.rs` |
//! | the functions of the library | `records` in `run/extract/records.rs`, `replay` in `run/program/mod.rs` |
//! | what the library says of records that cannot be read | `Records::end` in `run/extract/records.rs` |
//! | which versions of librdkafka and OpenSSL are linked | `linked_versions` in `cluster/native/ffi/owned.rs` |
//! | **Flags** | |
//! | which flags `kreplay replay` and `kreplay snapshot` take | `SendingArguments` in `cli/commands/replay.rs` |
//! | which flags `kreplay plan` takes | `PlanArguments` in `cli/commands/plan.rs` |
//! | which flags `kreplay extract` takes | `ExtractArguments` in `cli/commands/extract.rs` |
//! | which flags `kreplay inspect` takes, and which exclude `--paths` | `InspectArguments` in `cli/commands/inspect.rs` |
//! | which flags `kreplay compare` takes | `CompareArguments` in `cli/commands/compare.rs` |
//! | the flags for a source: their defaults and variables, and which exclude each other | `SpeedctlArguments` in `cli/source/mod.rs` (KREPLAY_SPEEDCTL); profiles and paths: `ExtractionArguments` in `cli/source/extraction.rs`; selection: `SelectionArguments` in `cli/source/selection.rs` |
//! | the flags for a destination: their defaults and variables, and which exclude each other | `ConnectionArguments` in `cli/destination.rs` (KREPLAY_BROKERS); topics and partitions: `DestinationArguments` there |
//! | the flags for speed and time: their defaults, and which exclude each other | `TimingArguments` in `cli/timing.rs` |
//! | the flags for delivery, `--loop` and groups: their defaults, and which exclude each other | `DeliveryArguments` in `cli/delivery.rs`; `--loop` and `--for`: `RepetitionArguments` there; groups: `GroupArguments` there |
//! | the flags for comparisons and `--expect`: their defaults, and which exclude each other | `ExpectationArguments` in `cli/comparison.rs` |
//! | the flags for reports and progress: their defaults, and which exclude each other | `OutputArguments` in `cli/output.rs` |
//! | which flags `-h` shows, and which only `--help` | `ExtractionArguments` in `cli/source/extraction.rs`, by `hide_short_help`; likewise in the other files of `cli/` |
//! | what the flags of a replay mean together | `replaying` in `config/resolve/mod.rs`; one group of flags each: the files in `config/resolve/` |
//! | how a duration (`5s`, `1m 30s`) is read from a flag, and where `0s` is one | `duration` in `cli/values.rs`, `duration_or_zero` there |
//! | how `KEY=VALUE`, `FROM=TO` and `ID=NAME` are split | `pair` in `cli/values.rs`; `--map`: `renaming` there; `--topic-id`: `naming` there |
//! | which names of topics are illegal, and how long one may be | `NameFault::of` in `record/topic.rs` |
//! | "did you mean": which known name is nearest to a misspelt one | `nearest` in `config/nearest.rs` |
//! | **Brokers and properties** | |
//! | `--brokers` (`-b`), KREPLAY_BROKERS, and what names the brokers without them (bootstrap.servers) | `resolve_cluster` in `config/resolve/destination.rs`; the variable: `ConnectionArguments` in `cli/destination.rs` |
//! | which addresses of brokers are refused (port, IPv6, `user@`) | `check_one` in `config/properties/brokers.rs` |
//! | which property file is read (`-F`, `-F none`, KCAT_CONFIG, kcat's own `~/.config/kcat.conf`) | `choose` in `config/properties/file.rs`; none in a rehearsal: `property_file` in `config/resolve/destination.rs` |
//! | how the lines of a property file are read (comments, UTF-16) | `parse` in `config/properties/file.rs` |
//! | how large a property file or a profile may be | `MOST_BYTES` in `config/small_file.rs` |
//! | which value of a property wins: `-X` or `-F`, the same name twice, an alias | `last_words` in `config/property_names.rs`; `-X` after the file: `resolve` in `config/properties/mod.rs` |
//! | which properties are refused because they break the promise (acks, retries, max.in.flight, enable.idempotence, transactional.id) | `check_promise` in `config/properties/mod.rs` |
//! | `--no-idempotence`: what it allows, and what it changes | `check_promise` in `config/properties/mod.rs`; for the producer: `settings` in `produce/connection/client/settings.rs` |
//! | which properties would have no effect (partitioner, log_level, those of consumers) | `check_obeyed` in `config/property_names.rs` |
//! | which properties are those of consumers (group.id) | `is_of_consumers` in `config/property_names.rs`; in a file they are left out: `take_consumers` there, and named: `note_settings` in `run/replay/mod.rs` |
//! | a property or a value that librdkafka refuses | `refused_setting` in `cluster/settings.rs` |
//! | plugins (plugin.library.paths), of a file and in a rehearsal | `check_plugins` in `config/properties/file.rs` |
//! | which properties the producer gets by default: acks, retries, compression, linger.ms, partitioner (murmur2), queue sizes, topic.metadata.propagation.max.ms | `settings` in `produce/connection/client/settings.rs` |
//! | which properties every client gets by default: client.id, reconnect backoff, keepalive, CA certificates, auto-creation of topics | `CONNECTION` in `cluster/settings.rs` |
//! | which TLS and SASL settings are refused before anything is tried (no password, Kerberos, OIDC, Java keystores) | `check` in `config/properties/security.rs` |
//! | a certificate, key or keystore that does not open | `explain` in `config/properties/security.rs` |
//! | warnings about TLS checks that are switched off (`tls_unchecked`) | `unchecked` in `config/properties/security.rs` |
//! | which values are secret, and how they are hidden (passwords) | `is_secret` in `config/properties/mod.rs`, hidden by `Secrets` there; those of `--speedctl-arg`: `shown_line` in `extract/input/speedctl/mod.rs` |
//! | OAUTHBEARER tokens: when they are renewed, also after a failure | `until_renewal` in `cluster/token/mod.rs` |
//! | what a token is and when it expires, also one that does not say it (`--oauth-command`, `--oauth-file`) | `read` in `cluster/token/read.rs` |
//! | `--oauth-command`: its environment, its time limit, and how much it may print | `run` in `cluster/token/command.rs` |
//! | which settings `--oauth-command` and `--oauth-file` imply, and which they exclude | `resolve_token` in `config/resolve/destination.rs` |
//! | **Exit codes and errors** | |
//! | the exit codes: their numbers, and which one wins | `gravest` in `error/exit_code.rs`, the numbers in `code` there |
//! | why a replay gets its exit code, all reasons together | `Report::exit` in `report/mod.rs` |
//! | why `kreplay extract` and `kreplay plan` get their exit code | `exit` in `report/printout.rs` (extract), `PlanReport::exit` in `report/plan/mod.rs` |
//! | why `kreplay inspect` gets its exit code | `Inspection::exit` in `report/inspection/mod.rs`; with `--paths`: `PathList::exit` in `report/inspection/path_list.rs` |
//! | why `kreplay compare` gets its exit code | `exit` in `report/comparison/mod.rs` |
//! | the exit code of records that are missing, and of counts that do not balance | `Ledger::exit` in `report/ledger/mod.rs` |
//! | the exit code of an error | `Error::exit` in `error/mod.rs` |
//! | the exit code of a signal: 130 or 143 | `Signal::exit` in `report/ledger/exit.rs` |
//! | when a signal decides the exit code, for every command | `counting_signal` in `run/driver.rs` |
//! | which problems make a run fail (exit code 1) | `is_lossy` in `report/ledger/problems.rs`, asked by `Problems::exit` there |
//! | `--allow-reordered`: records out of order are not a failure | `Reordered::exit` in `report/mod.rs`; in a comparison: `differing` in `report/comparison/counts.rs` |
//! | `--allow-empty`, and the message of a run that finds nothing (an empty source, a filter that passes nothing) | `nothing_found` in `report/rendering/nothing.rs`; of `inspect --paths`: `no_path_found` there |
//! | the text of an error | `fmt` in `error/display.rs` |
//! | the hint of an error | `hint` in `error/hint.rs` |
//! | the text about missing topics, partitions, groups and rights | `write_topics_missing` in `error/faults.rs` |
//! | how an error is shown (`kreplay:`, `hint:`), and how long it may be | `failure` in `run/show/mod.rs`, foreign lines in `own_lines` there |
//! | whether a run that ends with an error has a report | `conclude` in `run/replay/mod.rs` |
//! | when the page is left out because the error says everything | `says_all` in `run/show/mod.rs` |
//! | **Output and progress** | |
//! | `--report`: what goes to stdout in which form | `in_form` in `run/show/mod.rs` |
//! | what `-q` leaves out of a report, a plan or an inspection: nothing | `in_form` in `run/show/mod.rs` |
//! | what `--report none` still shows of a run that fails | `print_report` in `run/show/mod.rs`; of the other commands: `show_result` there |
//! | what `kreplay extract` says on stderr, also with `-q` | `show_printout` in `run/show/mod.rs`; the text: `fmt` in `report/printout.rs` |
//! | what a closed or full stdout changes | `print` in `run/show/mod.rs` |
//! | a closed or full stdout while `kreplay extract` prints, and when lines are flushed | `print_all` in `run/extract/print.rs` |
//! | `--report-file`: which file it may replace | `check_content` in `host/outputs/replace.rs`; what counts as an earlier report: `REPORT` in `run/show/mod.rs` |
//! | how a report file is replaced as a whole | `replace` in `host/outputs/replace.rs` |
//! | which files a run refuses to write because it reads them or writes them twice | `check` in `host/outputs/overlap.rs`; which files those are: `overlap` in `run/program/uses.rs` |
//! | links, owners and rights of the files that a run writes (who can read them) | `open_or_create` in `host/outputs/open.rs` |
//! | `--quiet` (`-q`), `--verbose` (`-v`): which notes are shown on stderr | `note` in `host/console/mod.rs` |
//! | what `-v` adds: skipped files, commands that run | `skip` in `extract/source/rrpairs.rs`; commands: `start` in `extract/source/snapshot/command.rs` |
//! | which lines of librdkafka's log are shown | `log` in `produce/connection/context.rs` |
//! | what happens when nobody reads stderr | `add` in `host/console/stderr.rs` |
//! | progress: what it says, and what a narrow terminal leaves out | `line` in `run/replay/status.rs` |
//! | `--progress`: whether progress is a bar, lines or nothing | `Progress::new` in `run/replay/progress.rs` |
//! | how often progress is drawn | `LINE_EVERY` in `run/replay/progress.rs` (lines), `TICK` in `run/driver.rs` (the bar) |
//! | the time that is left (ETA) | `status` in `run/replay/progress.rs`; of a timed replay: `eta` in `produce/schedule/forecast.rs`; when there is none: `forecast` in `produce/schedule/turns.rs` |
//! | how control characters in foreign names are escaped | `is_obeyed` in `host/visible.rs` |
//! | how counts, sizes and times are written | `HumanCount` in `report/rendering/figures.rs`, sizes in `HumanBytes` there; times: `span` in `report/rendering/figures.rs` |
//! | **Signals and processes** | |
//! | Ctrl-C and SIGTERM: what the first and the second signal do to a command | `wait` in `run/driver.rs` |
//! | a second Ctrl-C or SIGTERM: how records in flight are given up | `wait` in `produce/session/drain.rs` |
//! | which signals end a run: SIGQUIT, SIGHUP (not under `nohup`), and a third Ctrl-C | `listen` in `host/signals.rs` |
//! | how long deliveries are waited for after a signal (10 s, 3 s and 2 s) | `run` in `produce/session/drain.rs` |
//! | a disk or a pipe that hangs at the end | `patience` in `host/control.rs`; lines of a file: `wait_or_fail` in `host/outputs/lines.rs`; the journal: `Disk::wait_for` in `produce/delivery/journal/disk.rs` |
//! | how programs that kreplay starts are ended (speedctl, the token command; `kill -9`) | `end` in `host/process/mod.rs`; also when kreplay is killed: `WATCH` in `host/process/group.rs` |
//! | how extraction and its receiver meet, in every command | `Driver` in `run/driver.rs` |
//! | a run of `kreplay replay`, from its beginning to its report | `replay` in `run/replay/mod.rs` |
//! | a run of `kreplay plan` or `kreplay extract` | `plan` in `run/plan.rs`, `extract` in `run/extract/mod.rs` |
//! | a run of `kreplay inspect` or `kreplay compare` | `run` in `run/inspect/mod.rs`, `run` in `run/compare/mod.rs` |
//! | **Reading: sources and snapshots** | |
//! | what a SOURCE may be (`snapshot:ID`), and which sources and flags exclude each other | `resolve_source` in `config/resolve/source.rs` |
//! | `-`: standard input (stdin) as a source | `Input::from` in `config/reading/source.rs`; named twice: `resolve_inputs` in `config/resolve/source.rs` |
//! | `--via`, `--print-command` and `--as` where they do not fit the source | `check_snapshot_flags` in `config/resolve/source.rs`, `--as` in `resolve_source` there |
//! | `--via`: whether a snapshot is read as a CSV or as RRPairs | `way` in `extract/source/snapshot/mod.rs`; the default of each command: `resolve_snapshot` in `config/resolve/source.rs` |
//! | when a snapshot's CSV is given up for the RRPairs (`--via auto`) | `loses` in `extract/csv/rows/losses.rs`; until when it can be: `take_back` in `record/channel.rs` |
//! | which ids of a snapshot are refused | `check_id` in `extract/source/snapshot/command.rs` |
//! | what speedctl is asked for: paths and the filter | `extract_data` in `extract/source/snapshot/command.rs`; the paths: `generated_paths` in `extract/csv/columns/paths.rs` |
//! | `--print-command`: which command is printed | `command_line` in `extract/source/snapshot/mod.rs`; the quoting: `Speedctl::command_line` in `extract/input/speedctl/mod.rs`; that nothing else runs: `run` in `run/mod.rs` |
//! | `--speedctl`, KREPLAY_SPEEDCTL, `--speedctl-arg`: which program runs, with which arguments | `find` in `extract/input/speedctl/mod.rs`; the variable: `SpeedctlArguments` in `cli/source/mod.rs` |
//! | `--speedctl-timeout`: when speedctl counts as hung, or writes too much to stderr | `silence` in `extract/input/speedctl/pump.rs` |
//! | a speedctl that exits with an error | `Ended::well` in `extract/input/speedctl/mod.rs` |
//! | whether speedctl's CSV is on stdout or in a file, and a speedctl that prints no CSV | `named_csv` in `extract/source/snapshot/csv.rs` |
//! | where the RRPairs are that speedctl pulls (`raw.jsonl`), and whether they are new | `pulled` in `extract/source/snapshot/pulled.rs` |
//! | a speedctl that fails while its CSV is read | `read_extracted` in `extract/source/snapshot/csv.rs` |
//! | **Reading: files and what they are** | |
//! | which files of a folder are read (hidden ones, links) | `list` in `extract/input/files.rs` |
//! | in which order the files of a folder are read (by the time in a name) | `add_folder` in `extract/input/files.rs` |
//! | which files of a folder are skipped because of what they hold | `of_folder` in `extract/input/encoding/opener.rs`; which of them are named without `-v`: `read_opening` in `extract/source/rrpairs.rs` |
//! | gzip and zstd: how they are recognised and unpacked, and bytes after their end | `Packing::of` in `extract/input/encoding/unpack.rs` |
//! | formats that are refused by name (zip, xz, bzip2, lz4, tar), and data that is packed twice | `format` in `extract/input/encoding/magic.rs`; the command that unpacks them: `unpack_hint` in `error/hint.rs` |
//! | UTF-16 | `ByteOrder::of` in `extract/input/encoding/utf16.rs` |
//! | a byte order mark (BOM) | `unmarked` in `config/small_file.rs`; of an input: `decoded` in `extract/input/encoding/utf16.rs`; of a CSV appended to another: `kind_of` in `extract/csv/rows/mod.rs` |
//! | bytes that are not UTF-8 in an RRPair | `text_of` in `extract/source/rrpairs.rs` |
//! | what an input is: RRPairs, a CSV or record lines, also after damage | `detect` in `extract/input/kind.rs`; by which columns a CSV is recognised: `is_header` there |
//! | which members make JSON an RRPair or a record line | `is_rrpair` in `extract/input/members.rs`, `is_record` there |
//! | `--as`, and sources of several kinds | `agree` in `extract/input/encoding/opener.rs` |
//! | an input that is neither RRPairs, a CSV nor record lines | `Opener::unless` in `extract/input/encoding/opener.rs` |
//! | any JSON, read with the user's own paths | `Opener::open` in `extract/input/encoding/opener.rs` |
//! | which flags are refused for a kind of source (`--filter` of a CSV) | `check_kind` in `extract/source/check.rs` |
//! | **Reading: RRPairs in a file** | |
//! | how RRPairs are separated: lines, arrays, indented JSON, Markdown | `detect` in `extract/input/framing/format.rs` |
//! | what ends a line of an input | `LineReader::next_place` in `extract/input/framing/lines.rs` |
//! | what separates RRPairs in an array, and those that follow each other on a line | `step_inside` in `extract/input/framing/values.rs` |
//! | how long a line may be, and that a longer one is skipped | `LineReader::place` in `extract/input/framing/lines.rs`; the limit: `LONGEST_LINE` in `extract/input/framing/window.rs` |
//! | how long an RRPair in an array or in indented JSON may be | `ValueReader::found` in `extract/input/framing/values.rs` |
//! | the sections of a Markdown RRPair, and which are unread (`section_unread`) | `merge` in `extract/input/framing/markdown/overlay/mod.rs` |
//! | REQUEST and RESPONSE of a Markdown RRPair | `lay_message` in `extract/input/framing/markdown/overlay/http.rs` |
//! | a body in a Markdown RRPair (`bodyBase64`) | `lay` in `extract/input/framing/markdown/overlay/body.rs` |
//! | METADATA and SIGNATURE of a Markdown RRPair | `lay_metadata` in `extract/input/framing/markdown/overlay/metadata.rs`, `lay_signature` in `extract/input/framing/markdown/overlay/signature.rs` |
//! | where a Markdown document ends | `ends_before` in `extract/input/framing/markdown/document.rs` |
//! | where RRPairs are inside other JSON (BYOC, Elasticsearch, Loki, OTLP) | `contents` in `extract/input/envelope/mod.rs`; typed values of OTLP: `object` in `extract/input/envelope/otlp.rs`; for the profile `byoc`: `extract/profile/profiles/byoc.toml` |
//! | JSON without an RRPair (`no_rrpair`) | `Collector::read` in `extract/keep/collect/mod.rs` |
//! | damaged RRPairs, and RRPairs that are cut off (truncated) | `read_last_text` in `extract/source/rrpairs.rs`; the text: `bad_text` in `extract/keep/collect/faults.rs` |
//! | which inputs are still read after one is damaged or cannot be opened | `InputFailures::take` in `extract/context.rs` |
//! | **Reading: CSV and record lines** | |
//! | where a CSV row ends: quotes, line ends, blank lines, the last row | `advance` in `extract/csv/mod.rs`; when a row from stdin goes on: `read` there |
//! | the longest CSV row, and text behind a closing quote | `LONGEST_ROW` in `extract/input/tail.rs` |
//! | which columns of a CSV hold which field | `record_columns` in `extract/csv/columns/mod.rs` |
//! | whether the columns of a CSV are enough, or too many | `check` in `extract/csv/header.rs`, `check_width` there; where no topic is needed: `topics_of_rows` in `extract/context.rs` |
//! | columns of a CSV that kreplay does not know, beside a field that it knows | `check_doubts` in `extract/csv/rows/losses.rs`; which they are: `unknown_member` in `extract/csv/columns/mod.rs` |
//! | what a CSV cannot carry of a record (`headers_lost`, `transactional`) | `check_doubts` in `extract/csv/rows/losses.rs` |
//! | which CSV rows show that there is a further record or partition (sentinels, `lost_by_csv`) | `watch_sentinels` in `extract/csv/rows/losses.rs` |
//! | what no column of a CSV would show (`loss_unseen`) | `unseen` in `extract/csv/columns/mod.rs` |
//! | how a CSV row becomes a record: empty cells, missing cells, markers, ids | `read_record` in `extract/csv/rows/mod.rs`; the bytes of a cell: `fields` in `extract/csv/rows/cells.rs` |
//! | a CSV header that comes again (`header_again`) | `kind_of` in `extract/csv/rows/mod.rs` |
//! | how a record line becomes a record, and bytes in it that are not UTF-8 | `read` in `record/lines/read.rs` |
//! | which members a record line may have, of kreplay or `kcat -J` (`ts`, `payload`) | `read_member` in `record/lines/fields.rs` |
//! | base64 (`key_base64`), null and headers in a record line, also the flat ones of `kcat -J` | `BytesSeed` in `record/lines/parts.rs` |
//! | lines of kcat itself (`% Reached end`) | `read` in `extract/source/records.rs` |
//! | a record line that is damaged or cut off (truncated) | `read_input` in `extract/source/by_line.rs` |
//! | record lines that are indented or in a list (`jq .`) | `begins_indented` in `extract/input/framing/mod.rs` |
//! | how a record line is written, what it leaves out, also a reject | `push_record` in `record/lines/write.rs` |
//! | lines of other tools (rpk, kt, kaf, kafkactl, Kafdrop, AKHQ, Redpanda Console, kafka-ui, AWS Lambda) | `read_foreign` in `record/lines/foreign/mod.rs`; how each is recognised and read: `FORMATS` in `record/lines/foreign/formats.rs` |
//! | `--send-unknown`: rejects whose delivery is not certain | `read` in `extract/source/records.rs`; for which sources: `Uncertain::check` in `config/reading/source.rs` |
//! | **Extraction: profiles, paths and filters** | |
//! | `--profile`: where the fields of a record are | `chosen` in `extract/profile/mod.rs`; the built-in paths: `extract/profile/profiles/` |
//! | whether `--profile` names a built-in profile or a file | `resolve_profile` in `config/resolve/extraction.rs`; the names: `BuiltInProfile` in `config/reading/extraction.rs` |
//! | which of several spellings of a field wins, and a path that gives two values | `FieldSet::claim` in `extract/rrpair/fields.rs` |
//! | the user's own paths: `--record`, `--value` (`--path`), `--key`, `--headers`, `--timestamp`, `--topic-path`, `--partition-path`, `--offset-path` | `with` in `extract/profile/overrides.rs`; which nodes are records then: `sources` in `extract/rrpair/sources.rs` |
//! | how a path is written, JSONPath or dotted (`a.0.b`) | `Path::parse` in `extract/profile/path/mod.rs` |
//! | which nodes a query matches (filters, slices, `..`) | `add_by` in `extract/profile/query/mod.rs`; what it may cost: `Evaluation` in `extract/profile/query/evaluation.rs` |
//! | comparisons, `match` and `search` in a JSONPath | `holds` in `extract/profile/query/compare.rs` |
//! | which JSONPath queries are refused | `check` in `extract/profile/query/well_typed.rs` |
//! | nodes that a path matches twice, and their order | `plan_for` in `extract/rrpair/engine.rs` |
//! | how fields are joined by the array elements that their paths share | `shared` in `extract/rrpair/automaton/mod.rs` |
//! | why a path matches nothing, and the nearest path | `explain` in `extract/census/unmatched.rs` |
//! | where `path_unmatched` is reported | `name_unmatched` in `extract/keep/collect/naming.rs`; of a CSV: `name_unmatched` in `extract/csv/rows/losses.rs` |
//! | `--filter`: which RRPairs pass (IS, CONTAINS, REGEX, absent members, `header[NAME]`, `timerange`) | `holds` in `extract/profile/filter/eval.rs` |
//! | the grammar of `--filter`: AND, OR, parentheses, quotes | `parse` in `extract/profile/filter/parse.rs` |
//! | how a fault in a filter is shown (caret) | `rendered` in `extract/profile/filter/error.rs` |
//! | the keywords of `--filter`, and those that are refused or unknown | `KEYWORDS` in `extract/profile/filter/criterion.rs`; those that only speedctl knows: `way` in `extract/source/snapshot/mod.rs` |
//! | `--filter` of JSON bodies (`req_json`, `resp_json`) and of `text` | `JsonKey::texts` in `extract/profile/filter/body/mod.rs`; a whole body (`reqbodyjson`): `holds` in `extract/profile/filter/eval.rs` |
//! | `--filter` by XPath (`req_xpath`, `req_soapxpath`): namespaces, SOAP | `soap_roots` in `extract/profile/filter/body/xpath/eval.rs`; which part of XPath: `parse` in `extract/profile/filter/body/xpath/parse.rs` |
//! | which filter applies: the profile's own, the user's or an empty one (`--filter ''`) | `chosen` in `extract/profile/mod.rs`; the user's: `with` in `extract/profile/overrides.rs`; the default: `extract/profile/profiles/fetch.toml` |
//! | RRPairs that the filter leaves out: their counts (`filtered`), and topic names in their Metadata | `read_rrpair` in `extract/keep/collect/mod.rs`, counted in `count_filtered` there |
//! | how a UUID or a topic's id is spelt, and which spellings are equal | `Uuid::parse` in `record/uuid.rs` |
//! | **Extraction: the fields of a record** | |
//! | `--value-encoding`, `--key-encoding`: how keys and values are decoded | `text_field` in `extract/rrpair/walk/node.rs` |
//! | members named `...Bytes`, `...Base64` or `value`, and what `auto` makes of them | `resolve` in `extract/profile/candidates.rs`; `value` in a built-in profile: `extract/profile/profiles/fetch.toml` |
//! | a value that is empty or null | `visit_unit` in `extract/rrpair/walk/visit.rs`; an empty text: `text_field` in `extract/rrpair/walk/node.rs` |
//! | a record without a value: a tombstone or not (`value_unknown`) | `LineFindings::error` in `extract/rrpair/walk/found.rs` |
//! | a key, value or header that cannot be read (`unreadable`) | `LineFindings::error` in `extract/rrpair/walk/found.rs` |
//! | members of a record that the profile does not know (`member_unknown`) | `name_unknown_members` in `extract/keep/collect/naming.rs` |
//! | `--header-encoding`: how headers are decoded | `bytes_of` in `extract/rrpair/headers/text.rs` |
//! | headers as `{key, value}`, and headers without a name or a value | `visit_map` in `extract/rrpair/headers/object.rs` |
//! | headers as an object of names, with one or several values | `visit_map` in `extract/rrpair/headers/mod.rs`; several values: `visit_seq` in `extract/rrpair/headers/values.rs` |
//! | which timestamps are none (-1, 0) | `known_timestamp_ms` in `record/select/clock.rs`; as a capture writes them: `captured_timestamp_ms` there |
//! | a record's own timestamp, as it was captured (RFC 3339, LogAppendTime, base and delta) | `timestamp_ms` in `extract/rrpair/fields.rs` |
//! | a record's offset, as it was captured | `FieldSet::offset` in `extract/rrpair/fields.rs`; -1: `known` in `record/offsets.rs` |
//! | a captured partition that is left out | `keep` in `extract/keep/collect/mod.rs` |
//! | a captured partition that is no number, and integers that are strings | `number_field` in `extract/rrpair/walk/node.rs` |
//! | when a record was captured (`captured`: its `ts` and `duration`) | `captured_ns` in `extract/profile/capture.rs`; for a Produce: `extract/profile/profiles/produce.toml` |
//! | which parts of an RRPair become records, and control markers (`control`) | `keep` in `extract/keep/collect/mod.rs`; how a marker is recognised: `from_name` in `extract/rrpair/fields.rs` |
//! | how many records and topics one RRPair may hold | `has_room` in `extract/rrpair/walk/scopes.rs` |
//! | **Extraction: duplicates, transactions, ids and redacted values** | |
//! | duplicates (`duplicates`), `--keep-duplicates`: what counts as the same record | `try_claim` in `extract/keep/deduplicator/mod.rs`; whether it was seen before: `given` in `extract/keep/deduplicator/seen.rs` |
//! | duplicates in record lines: all are sent | `read` in `extract/source/records.rs` |
//! | which copy of a record is sent | `given` in `extract/keep/deduplicator/seen.rs` |
//! | duplicates in different passes of `--loop`: all are sent | `Collector::new` in `extract/keep/collect/mod.rs` |
//! | Produce requests that wrote nothing of their own (retries) | `wrote_nothing` in `extract/keep/deduplicator/retries.rs` |
//! | who leaves out Produce requests that were sent again: `--expect` and `kreplay compare` | `written` in `extract/source/expecting.rs`, `comparing` in `config/resolve/mod.rs` |
//! | which records are of aborted transactions (`aborted`) | `given` in `extract/keep/aborted.rs` |
//! | `--with-aborted`, and that records of aborted transactions are left out without it | `try_claim` in `extract/keep/deduplicator/mod.rs` |
//! | a topic that is known by its id: how the capture names it | `name` in `extract/keep/topic_ids.rs`; records that wait for the name: `PendingTopicIds` in `extract/keep/pending.rs` |
//! | `--topic-id`: names for ids | `TopicIdNames::name` in `config/reading/extraction.rs`, asked by `name` in `extract/keep/identities.rs` and, for RRPairs, by `known` in `extract/keep/topic_ids.rs`; two names for one id: `resolve_naming` in `config/resolve/extraction.rs` |
//! | a `--topic-id` whose id does not occur (`topic_id_unmatched`) | `finish` in `extract/keep/identities.rs`; before the first record: `first_look` in `produce/session/pass/look.rs` |
//! | ids that stay without a name, and names under which the same batches occur (`occurs_as`) | `UnresolvedIds::all` in `report/ledger/unresolved.rs`; the same batches: `names` in `extract/keep/identities.rs` |
//! | redacted values (REDACTED-) and date placeholders: what counts as one (`redacted`, `date_placeholder`) | `is_redacted` in `record/substitutes.rs`; counted in `count_substitutes` in `extract/keep/sink.rs` |
//! | **Selection** | |
//! | `--skip`, `--limit`, and in which order records are selected by all flags | `choose` in `record/select/mod.rs` |
//! | records that are not selected (`unselected`) | `count` in `record/select/mod.rs`; the line: `fmt` in `report/ledger/unselected.rs` |
//! | flags of selection that contradict each other (a `--to` before `--from`) | `resolve_selection` in `config/resolve/selection.rs` |
//! | `--limit`: where reading stops | `select` in `extract/keep/sink.rs`; when that is enough: `has_enough` in `record/select/mod.rs` |
//! | `--topics`: which topics are taken, and globs that match nothing (`topics_unmatched`) | `takes` in `record/select/globs.rs`, `unmatched` there; a topic known only by its id: `choose` in `extract/keep/sink.rs` |
//! | `--from`, `--to`: which times are taken (`+5m`, records without a time) | `window` in `record/select/mod.rs`; `+5m`: `Moment` in `record/select/moment.rs` |
//! | a window of `--from` and `--to` outside the capture (`window_outside`) | `outside` in `record/select/mod.rs`; its exit code: `nothing_found` in `report/rendering/nothing.rs` |
//! | `--sample`: which keys are taken (`1/10`) | `has_key` in `record/select/shard.rs`; records without a key: `Selector::sample` in `record/select/mod.rs` |
//! | `--shard`: which machine has a record (`2/3`, KREPLAY_SHARDS) | `has` in `record/select/shard.rs`; what `auto` reads (JOB_COMPLETION_INDEX): `shard` in `config/resolve/selection.rs` |
//! | how several machines share one schedule | `WholeCapture` in `record/select/whole.rs`; the due times: `pass_others` in `produce/schedule/timeline.rs`; with `--resume`: `share` in `produce/session/open.rs` |
//! | `--clock`: which time of a record counts | `Clock::time_ns` in `record/select/clock.rs` |
//! | `--clock` without a flag that goes by it is refused | `check_clock` in `config/resolve/selection.rs` |
//! | `--resolve-dates`: what date placeholders (`speedscale_date`) become | `resolve` in `record/substitutes.rs` |
//! | `--resolve-dates`: from which moment dates are counted | `job` in `run/replay/mod.rs` |
//! | date placeholders in rejects that were never sent: they stay | `Pass::next_batch` in `produce/session/pass/mod.rs` |
//! | `--fail-on-redacted`, and the refusal of date placeholders | `check` in `produce/session/pass/substitutes.rs` |
//! | redacted records among those that are read ahead of the first one | `Pass::look` in `produce/session/pass/look.rs` |
//! | **Inspecting** | |
//! | what `kreplay inspect` counts of topics, partitions, gaps (`gaps_uncounted`) and tombstones | `add` in `run/inspect/contents.rs` |
//! | how exact the number of different keys is | `estimate` in `run/inspect/distinct.rs` |
//! | which of several values is a percentile (nearest rank) | `nearest_rank` in `report/rendering/percentile.rs` |
//! | how exact the percentiles of sizes are | `percentile` in `run/inspect/sizes.rs` |
//! | what `kreplay inspect` counts of RRPairs: commands, brokers, clients, groups, isolation, and what a CSV would lose | `count` in `extract/census/mod.rs`, groups in `observe` there; how many names are kept: `NameCounts::add` in `report/inspection/census.rs` |
//! | the page of `kreplay inspect`, and how many topics and names it shows | `fmt` in `report/inspection/text.rs` |
//! | `--paths`: every path of a capture, and a sample of each | `list` in `extract/census/outline/mod.rs`; how many are kept: `OutlineBudget::take` in `extract/census/outline/tree.rs`; the samples: `sample_of` in `extract/census/outline/visit.rs` |
//! | `--paths`: which RRPairs are looked at | `inspecting` in `config/resolve/mod.rs` |
//! | `--paths`: the page and its JSON | `fmt` in `report/inspection/path_list.rs` |
//! | **Sending: before the first record** | |
//! | how much of the source is read before the first record is sent (look ahead) | `gate` in `run/replay/mod.rs`; how long a slow source is waited for: `look_ahead` in `record/channel.rs` |
//! | how much memory holds records between reading and sending (bounds) | `CHANNEL` in `run/driver.rs` |
//! | how much memory order, duplicates and records in flight take (bounds) | `MOST_BYTES` in `produce/order/batch.rs` (order), `MOST_BYTES` in `extract/keep/deduplicator/seen.rs` (duplicates), `InFlightBudget` in `produce/delivery/budget.rs` (in flight) |
//! | how many topics and partitions kreplay takes | `check_topics` in `produce/routing/placement/captured.rs`; partitions: `check_bound` in `produce/order/mod.rs` |
//! | how many brokers and headers kreplay takes | `check_broker_count` in `produce/connection/preflight.rs`; headers: `MOST_HEADERS` in `record/batch/mod.rs` |
//! | whether a cluster can be reached (DNS, advertised listeners), and how long that is tried | `check_reachable` in `produce/connection/preflight.rs`; for one answer: `CONNECT_LIMIT` in `produce/connection/client/mod.rs` |
//! | the text that says why a cluster cannot be used (wrong password, TLS on one side only) | `Reason::of` in `cluster/reasons.rs` |
//! | what is checked of all topics before the first record | `find_targets` in `produce/routing/checks.rs`, partitions in `check_partitions` there; which topics there are: `topic_states` in `produce/connection/topics.rs` |
//! | the topic of `-t`, and a topic that turns up later | `check_named_topic` in `produce/routing/route/mod.rs`, `target` there |
//! | whether the user may write to a topic (ACL) | `check_writing` in `produce/connection/topics.rs` |
//! | a right that is taken away in the middle of a run (ACL) | `forbidden` in `produce/session/open.rs` |
//! | IdempotentWrite, and fatal errors of the producer | `fatal_error` in `produce/connection/client/mod.rs` |
//! | the guard: when the cluster counts as the one that was captured (also at `localhost`) | `shared` in `cluster/guard.rs` |
//! | the guard: kreplay refuses to send to the captured cluster, `--yes` allows it | `check_shared` in `produce/routing/route/guard.rs`, `--yes` in `compare` there |
//! | which brokers and cluster ids a capture shows | `captured_from` in `extract/census/mod.rs`; of a CSV: `note_broker` in `extract/csv/rows/mod.rs` |
//! | `--create-topics`: whether missing topics are created or refused | `MissingTopicFate::of` in `produce/routing/placement/missing.rs`; what the flags say: `missing_topics` in `config/resolve/destination.rs` |
//! | how a topic is created, and how long that is waited for (replication) | `create_topics` in `produce/connection/creation.rs`; the replication: `create_topic` in `cluster/native/admin/mod.rs` |
//! | `--create-partitions-up-to`: how many partitions a created topic gets | `partitions_to_create` in `produce/routing/placement/captured.rs`; when that is refused: `check_count` there, and beyond `MOST_CREATED_PARTITIONS` in `record/topic.rs`; more of them later: `grow` in `produce/routing/route/mod.rs` |
//! | `--rehearse`: the brokers of a rehearsal, and the properties that a rehearsal ignores | `settings` in `produce/connection/client/settings.rs`; that topics are always created: `missing_topics` in `config/resolve/destination.rs` |
//! | the line that says where records go, and which groups read there | `destination` in `produce/connection/announce.rs`, the groups in `look` there |
//! | warnings about a topic's settings (LogAppendTime, min.insync.replicas, no right to DescribeConfigs) | `look_at` in `produce/routing/warnings.rs`; settings that the cluster does not show: `ask_for_settings` in `produce/connection/topics.rs` |
//! | **Sending: topic, partition, time and order** | |
//! | `--topic` (`-t`), `--map`: which topic a record goes to | `destination` in `produce/routing/placement/renamings.rs` |
//! | a FROM of `--map` that is given twice | `check_renamings` in `config/resolve/destination.rs` |
//! | a FROM of `--map` that matches nothing (`map_unmatched`) | `Renamings::check` in `produce/routing/placement/renamings.rs`; at the end: `name_unmatched` there |
//! | a record without a topic, or with an id that nobody named (`topic_unknown`) | `Renamings::why_unplaceable` in `produce/routing/placement/renamings.rs`; of a CSV without a topic's column: `check` in `extract/csv/header.rs` |
//! | `--partition`: which partition a record goes to (auto, keep, key, any), also without a key | `TopicPartitions::choose` in `produce/routing/placement/partition.rs` |
//! | how a key gives a partition (murmur2, as in Java) | `murmur2_partition` in `cluster/native/produce/mod.rs` |
//! | a partition that the topic lacks (`--partition keep`) | `check_partitions` in `produce/routing/checks.rs`; after the first record: `partition` in `produce/routing/route/mod.rs` |
//! | how placements are counted (kept, by key, spread) | `count_placement` in `produce/delivery/counts.rs` |
//! | `--timestamps`: which time a record is sent with | `kept_timestamp_ms` in `produce/schedule/shift.rs` |
//! | a record that has no time to keep (`timestamp_lost`) | `timestamp_ms` in `produce/session/send.rs`; in a plan: `timestamp_ms` in `produce/plan/forecast/record.rs` |
//! | original timestamps that are too old for the topic (retention.ms) end the run | `OriginalTimes::check` in `produce/routing/originals.rs`; which are too old: `expires` in `produce/routing/acceptance.rs` |
//! | `--header`: headers that are added | `hand_over` in `produce/session/send.rs` |
//! | null keys, null values (tombstones), empty values and headers: what Kafka is given | `arguments` in `cluster/native/produce/mod.rs` |
//! | records that a topic does not take: compacted and no key, timestamp too old or too new (message.timestamp.before.max.ms) | `objection` in `produce/routing/acceptance.rs`; whether that ends the run: `objection` in `produce/session/send.rs` |
//! | how large a record and a batch may be (max.message.bytes, message.max.bytes, batch.size) | `for_limit` in `produce/routing/sizes.rs` |
//! | a large record whose topic does not show its limit (max.message.bytes) | `offer_larger` in `produce/session/recovery/isolation/limits.rs` |
//! | a topic that changes during a replay: its partitions (`partitions_at_end`), its largest record | `count_partitions_again` in `produce/routing/route/targets.rs`, `learn_limit` in `produce/session/recovery/isolation/limits.rs` |
//! | in which order records of a partition are sent | `in_order` in `produce/order/slots.rs`; what leaves the window: `take_first` in `produce/order/window/release.rs` |
//! | `--keep-duplicates`: records are sent in the order in which they were captured | `job` in `run/replay/mod.rs` |
//! | in which order records of different partitions are sent | `in_order` in `produce/order/by_time.rs` |
//! | how long a record waits for earlier ones (0.2 s) | `is_due` in `produce/order/window/mod.rs` |
//! | which records count as out of order (`out_of_order`) | `send` in `produce/order/partitions.rs`; sent again after a refusal: `delivered` in `produce/delivery/refusals.rs` |
//! | partitions that take turns | `gathers` in `produce/order/window/mod.rs`; whose turn it is: `next_partition` in `produce/order/gathered.rs` |
//! | input files that are given in the wrong order | `better_order` in `produce/order/files.rs` |
//! | **Sending: speed, pauses and passes** | |
//! | `--speed`: due times | `due` in `produce/schedule/timeline.rs`; how `1x` and `max` are read: `speed` in `cli/timing.rs` |
//! | times that jump or run back, and records without a time (`time_jump`, `time_back`, `untimed`, clamped) | `due` in `produce/schedule/timeline.rs`, `offset` there; the note about a jump: `name_oddity` in `produce/session/pass/turn.rs` |
//! | a timed replay of a source without any time | `check_times` in `produce/schedule/turns.rs` |
//! | `--max-gap`: pauses that are cut | `cut_pause` in `produce/schedule/timeline.rs` |
//! | flags of time that contradict each other (`--ramp`, `--max-gap`) | `check` in `config/sending/timing.rs` |
//! | `--rate`, `--byte-rate`: rates, and how large a burst is | `Rate` in `produce/schedule/rate.rs`; how `5k/s` and `20MiB` are read: `per_second` in `cli/timing.rs`; which bytes count: `size` in `record/batch/mod.rs` |
//! | which of speed, rates and lag wins; a late record, a machine that slept | `Scheduler::next` in `produce/schedule/mod.rs` |
//! | `--ramp`: how speed and rates grow | `steady` in `produce/schedule/ramp.rs` |
//! | `--start-at`: the beginning | `await_start` in `produce/session/pass/turn.rs`; a time that has passed: `from_flags` in `config/sending/timing.rs`; how it is written: `moment` in `cli/timing.rs` |
//! | `--loop`: whether there is another pass | `Passes::begin` in `run/replay/mod.rs`; how N is read: `passes` in `cli/delivery.rs` |
//! | `--loop`: which sources can be read again | `resolve_repetition` in `config/resolve/repetition.rs` |
//! | `--loop`: when the next pass begins | `end_pass` in `produce/schedule/timeline.rs` |
//! | `--loop`: a pass that sends nothing | `run` in `produce/session/mod.rs` |
//! | `--loop`: how passes are counted | `Session::pass` in `produce/session/pass/mod.rs` |
//! | `--for`: when sending ends, also in a plan | `SendingEnd::is_over` in `produce/schedule/forecast.rs` |
//! | records that were read and not sent when a run or its `--for` ended (`unsent`) | `leave_rest` in `produce/session/pass/batch.rs` |
//! | what the sending thread waits for | `await_turn` in `produce/session/pass/turn.rs`; how it waits: `Waiter::wait` in `produce/session/wait.rs` |
//! | how much may be in flight, and when that grows or shrinks | `next_window` in `produce/delivery/budget.rs` |
//! | the most that may be in flight: 24 MiB, and 8 MiB with a journal | `deliveries_of` in `produce/connection/client/mod.rs`, by `InFlightBudget` in `produce/delivery/budget.rs` |
//! | how many producers and connections a replay has (`ulimit -n`) | `with_room` in `produce/connection/client/producers.rs` |
//! | **Sending: answers and failures** | |
//! | how the broker's answer, or its absence, decides the outcome of a record (`delivered`, `not_written`, `unknown`) | `Undelivered::outcome` in `produce/delivery/counts.rs`; what follows from it: `Account::fail` in `produce/delivery/answers.rs` |
//! | what an error code of a broker means for a batch | `Cause::of` in `produce/delivery/refusals.rs` |
//! | whether a failed record may be in the log (persisted) | `persisted` in `cluster/native/produce/event.rs` |
//! | a record that waits for longer than `message.timeout.ms` | `renew_when_overdue` in `produce/session/recovery/renewal.rs` |
//! | how long `message.timeout.ms` is by default | `limit_of` in `produce/connection/timeouts.rs` |
//! | how long a record has waited: the time of a stopped process does not count | `InFlightAges::look` in `produce/delivery/ages.rs` |
//! | a silent cluster, and when it is given up (`--give-up-after`) | `look` in `produce/session/watches/stall.rs`; the default: `DeliveryArguments` in `cli/delivery.rs`; the reason that is named: `why_silent` in `produce/delivery/mod.rs` |
//! | a batch that a broker refuses for one of its records: which one is to blame | `judge` in `produce/delivery/refusals.rs` |
//! | `--on-refused`: what happens to the other records of a refused batch (sent again, in halves) | `judge` in `produce/session/recovery/isolation/mod.rs` |
//! | the reason that those other records get | `batch_words` in `produce/session/recovery/isolation/words.rs` |
//! | a topic or partition that is missing or deleted in the middle of a run | `Absences::look` in `produce/session/recovery/absence.rs`; how it is looked for: `look_for` in `produce/session/recovery/reappearance.rs` |
//! | the end of a run: how long it waits for deliveries without a signal | `run` in `produce/session/drain.rs`, until `renew_when_overdue` in `produce/session/recovery/renewal.rs` (`message.timeout.ms`) or `look` in `produce/session/watches/stall.rs` (`--give-up-after`) |
//! | the end of a run: how records without an answer are counted | `Account::close` in `produce/delivery/answers.rs` |
//! | a process that was stopped | `note` in `produce/session/watches/pause.rs` |
//! | how much of a stopped time counts towards the limits on a silent cluster | `running_time` in `produce/delivery/ages.rs` |
//! | the report of a run in which a thread panics | `contain` in `produce/session/pass/mod.rs`; the thread that takes answers: `poll` in `produce/connection/client/producers.rs`; the counts then: `ReplayOutcome::panicked` in `produce/session/outcome.rs` |
//! | a panic elsewhere: what is shown of it | `report_panics` in `host/console/stderr.rs` |
//! | **Rejects and the journal** | |
//! | `--rejects`: which file is taken, and rejects of earlier runs in it | `check_former` in `produce/delivery/rejects.rs`; with `--resume`: `keep_rejects` in `produce/delivery/journal/rejects_file.rs` |
//! | which records go into the rejects | `is_reject` in `produce/delivery/rejects.rs`, by their outcome |
//! | which records are never sent, and rejected | `leave_rest` in `produce/session/pass/batch.rs` (at the end); those that a topic does not take: `withhold` in `produce/delivery/mod.rs`; those without a topic: `unplaceable` in `produce/session/send.rs` |
//! | `--resume`: which records are left out (`skipped`), and which may be sent twice (`may_repeat`, uncertain) | `has_delivered` in `produce/delivery/journal/writer/mod.rs`, the note in `note` there |
//! | the journal: what its lines say, cut and damaged ones | `read` in `produce/delivery/journal/line.rs` |
//! | the journal: when it is written, and in which steps | `announce` in `produce/session/pass/batch.rs`; the steps: `SLICE` in `produce/session/pass/mod.rs`; once records are answered: `update` in `produce/delivery/journal/writer/mod.rs` |
//! | the journal: how it is locked and replaced | `lock` in `produce/delivery/journal/file.rs` |
//! | the journal: whether it belongs to this replay (other flags, another selection) | `differs_from` in `produce/delivery/journal/identity.rs` |
//! | the journal: whether the source still has the same records | `Checksum` in `produce/delivery/journal/checksum.rs` |
//! | the journal: a topic that was deleted and made again | `meet` in `produce/delivery/journal/writer/resume.rs` |
//! | **Planning** | |
//! | what `kreplay plan` forecasts of a record: its partition (`missing_partitions`, `displaced`), refused (`too_large`, `no_key`, `expired`) | `plan_record` in `produce/plan/forecast/record.rs` |
//! | the hottest key of a plan | `hottest` in `produce/plan/keys.rs` |
//! | the hottest partition of a plan | `hottest_partition` in `report/plan/mod.rs` |
//! | when a planned record would go | `await_turn` in `produce/plan/forecast/mod.rs` |
//! | how far a plan reaches (`reach`: an endless `--loop`, `--for`) | `plan` in `produce/plan/forecast/mod.rs` |
//! | how long a planned replay would take | `outcome` in `produce/plan/forecast/summary.rs` |
//! | the busiest second and the busiest 10 ms of a plan (`peak_second`) | `peaks` in `produce/plan/peaks.rs` |
//! | redacted texts in a plan, which goes on after them | `plan_all` in `produce/plan/forecast/mod.rs` |
//! | which topics a plan assumes without a cluster | `find` in `produce/plan/topics.rs` |
//! | which partitions and settings a plan assumes for a topic | `PlannedTarget::new` in `produce/plan/target.rs`; the settings: `ASSUMED_SETTINGS` in `report/plan/mod.rs` |
//! | what a plan writes to the cluster: nothing | `without_idempotence` in `produce/plan/mod.rs` |
//! | a plan whose cluster does not answer or refuses | `run` in `produce/plan/mod.rs` |
//! | when a plan asks no cluster | `resolve_cluster` in `config/resolve/destination.rs` |
//! | the reasons against a planned replay: missing topics, missing rights, the captured cluster | `take_failures` in `produce/plan/topics.rs` |
//! | the page of a plan: the sentence at its head, its table of topics | `verdict` in `report/plan/text.rs` |
//! | **Comparing** | |
//! | what the sides of `kreplay compare` may be (`topic:NAME`, files, a snapshot) | `resolve_sides` in `config/resolve/comparison.rs` |
//! | how `kreplay compare` reads a topic: offsets, transactions, no consumer group | `read_all` in `run/compare/topic.rs`; the reader, without a group: `LogReader` in `cluster/reader.rs` |
//! | which records are compared with each other (topic and key) | `RecordComparison::add` in `verify/compare/mod.rs`; two topics of different names: `read_sides` in `run/compare/mod.rs` |
//! | how much memory a comparison takes, and when it is refused | `too_many` in `verify/compare/mod.rs` |
//! | which contents count as the same when records are compared | `hash` in `verify/compare/content.rs` |
//! | numbers that count as the same (1, 1.0 and 1e0) | `number_bits` in `verify/compare/content.rs` |
//! | the order of an object's members does not count, that of elements does | `hash_json` in `verify/compare/content.rs` |
//! | `--ignore`: which parts its paths match (`ignored_unmatched`) | `find` in `run/compare/ignored.rs` |
//! | `--ignore`: a member is taken out, an element of a list keeps its place | `blank` in `verify/compare/terms.rs` |
//! | `--allow-new`: members that the expectation lacks, and which changes are named | `differ` in `verify/compare/difference.rs` |
//! | which records are equal, repeated, reordered, missing or extra, also without a key | `matches` in `verify/compare/group/mod.rs`, reordered in `out_of_order` there |
//! | which two records are one record with changes | `pair` in `verify/compare/group/pairing.rs` |
//! | `--expect-count`, `--expect-last`: how closely records are compared | `RecordComparison::add` in `verify/compare/mod.rs` |
//! | `--expect-headers`: whether headers are compared | `ComparedContent::of` in `verify/compare/content.rs` |
//! | `--allow-repeated`: which differences count | `differing` in `report/comparison/counts.rs` |
//! | `--expect-diff`: where differences go, and how much of a value is shown | `add` in `run/compare/differences.rs` |
//! | how differences are shown, and how many | `MOST_SHOWN` in `report/comparison/counts.rs` |
//! | the page and the JSON of `kreplay compare` | `fmt` in `report/comparison/mod.rs`, `to_json` there |
//! | **Expecting a service's output** | |
//! | the expectation of `--expect`: what is taken from the capture | `written` in `extract/source/expecting.rs` |
//! | redacted texts in what is expected (`--fail-on-redacted`) | `expect_records` in `run/replay/expected/expectation.rs` |
//! | which flags exclude `--expect` | `check_expectation` in `config/resolve/comparison.rs` |
//! | `--expect` with a capture without Produce requests | `check_something` in `run/replay/expected/expectation.rs`; with a CSV: `check_kind` in `extract/source/expecting.rs` |
//! | what the output topics are called (`--map`, `-t`) | `output` in `run/replay/expected/expectation.rs` |
//! | topics that are not compared because the run sends to them (`not_compared`) | `compare` in `run/replay/expected/mod.rs` |
//! | output topics that are missing, may not be read or are deleted | `OutputTopics::check` in `run/replay/expected/outputs.rs`, `TopicPresence::check` there |
//! | from which offsets the output is read | `ends_of` in `run/replay/expected/outputs.rs` |
//! | whether uncommitted and aborted records of the output are read (read_uncommitted) | `isolation` in `run/replay/expected/expectation.rs`; when that changes: `choose_isolation` in `run/replay/expected/observer.rs` |
//! | `--expect-from`: which records are expected instead | `read_other` in `run/replay/expected/start.rs` |
//! | `--expect-quiet`, `--expect-timeout`: when the output is complete (open transactions) | `end` in `run/replay/expected/observer.rs`; from when that time counts: `replay` in `run/replay/mod.rs` |
//! | the verdict of `--expect`: same, differs, learned or incomplete | `verdict` in `report/comparison/expected.rs`; why it is incomplete: `why` in `run/replay/expected/end.rs` |
//! | `--learn`: which noise is learned | `NoiseLearner::add` in `verify/compare/learn.rs`; when the file is written: `learn` in `run/replay/expected/mod.rs` |
//! | which kind (time, UUID, number) learned noise has | `NoiseKind::of_change` in `report/comparison/noise.rs` |
//! | `--noise`: which noise is excused | `take_noise` in `verify/compare/noise.rs` |
//! | `--noise`: ids that must be replaced alike in the whole run | `IdMapping::broken` in `verify/compare/noise.rs` |
//! | the file of `--learn` and `--noise`: whether it may exist, and of which capture it is | `NoiseFile::check` in `run/replay/expected/noise.rs`, `check_new` there |
//! | `--correlate`: response times, and which input an output answers | `appeared` in `run/replay/expected/correlation.rs` |
//! | `--correlate`: what `key`, `header:NAME` and `value:PATH` are | `from_str` in `config/comparison.rs` |
//! | the lines about the output, answers and noise | `fmt` in `report/comparison/text.rs` |
//! | **Consumer groups and lag** | |
//! | `--wait-group`: when a consumer group is drained, progressing, stuck or blocked | `PartitionWatch::state` in `verify/group/mod.rs`; which records it has read: `SentIndex` in `verify/group/sent.rs` |
//! | the verdict on a consumer group as a whole (`no_such_group`, `no_members`) | `GroupWatch::verdict` in `verify/group/mod.rs`; its words: `GroupVerdict::name` in `report/groups/mod.rs` |
//! | how often a group's lag is polled | `observe` in `verify/group/observer/look.rs` |
//! | the lag of a group in records and in seconds, and its peak | `saw_committed` in `verify/group/mod.rs`, records in `lag` there |
//! | how long a group took after the last delivery (`drain_s`) | `GroupWatch::findings` in `verify/group/mod.rs` |
//! | how fast a group reads, and how often it commits (`rate_p10`, `commit_interval_s`) | `rates_within` in `verify/group/rates.rs`; the percentiles: `ConsumptionRates::of` in `report/groups/mod.rs` |
//! | groups that do not exist, may not be described or are share groups | `observe` in `produce/session/watches/groups.rs` |
//! | the members of a group, classic or KIP-848 | `members` in `cluster/native/admin/groups/membership.rs` |
//! | `--drain-timeout`: how long groups are waited for | `wait` in `verify/group/observer/mod.rs` |
//! | what else ends the wait for groups (Ctrl-C, a lost cluster) | `wait` in `produce/session/watches/groups.rs` |
//! | `--max-lag`: how the lag of a group is held, also before its first commit | `next_rate` in `produce/schedule/lag.rs`; which of several groups: `progress` in `verify/group/observer/state.rs` |
//! | the capacity of a service (`held_share`, `bounded_by`) | `capacity` in `verify/group/capacity.rs`; what else bounded it: `lag_control` in `produce/schedule/turns.rs` |
//! | whether a capacity is confirmed (`lag_grew`, `sent_too_little`) | `confirmation` in `verify/group/capacity.rs` |
//! | when the confirmation of a capacity begins, and at which rate | `is_time_to_confirm` in `produce/schedule/lag.rs`, `go_on` there |
//! | the lines about groups and capacity | `fmt` in `report/groups/text.rs` |
//! | the slowest partition of a group, and how precise times are (`resolution_s`) | `slowest` in `report/groups/mod.rs`, `resolution` there |
//! | **Reporting: the page** | |
//! | the outcomes of a record (`printed`, `unprinted`, `to_send`, `records`), and what each means for a run | `Outcome` in `report/ledger/outcome.rs` |
//! | the line `found` of the report | `fmt` in `report/ledger/mod.rs` |
//! | problems: their kinds and names | `ProblemKind` in `report/ledger/problems.rs`; their lines: `problems_text` in `report/rendering/text/problems.rs` |
//! | how a place is written (`raw.jsonl:3`) | `place` in `report/mod.rs` |
//! | which word is at the head of every page (interrupted, terminated, failed) | `RunEnding::of` in `report/rendering/headline.rs` |
//! | the first line of the report, and the line `rate` | `write_headline` in `report/rendering/text/stop.rs` |
//! | what the report says of the promise and the end: TLS not checked, no idempotence, resumed | `write_stop` in `report/rendering/text/stop.rs` |
//! | what the report says of the source: the lines `read`, `redacted` and `dates` | `write_source` in `report/rendering/text/source.rs`; its kind and whether it is complete: `source` in `extract/context.rs` |
//! | how many topics with redacted values are named | `MOST_REDACTED_TOPICS` in `report/rendering/text/source.rs`; how many are kept: `NameCounts::add` in `report/inspection/census.rs` |
//! | the lines `sent to` (how many topics), `placed` and `rejects` of the report | `write_topics` in `report/rendering/text/delivery.rs` |
//! | the order of the report's parts | `fmt` in `report/rendering/text/mod.rs` |
//! | **Reporting: JSON and measurements** | |
//! | the members of the report as JSON, and the version of its schema | `to_json` in `report/rendering/json.rs` |
//! | the members `ledger` and `timing` of the JSON | `to_json` in `report/ledger/mod.rs`, `to_json` in `report/pacing/json.rs` |
//! | the members `groups`, `capacity` and `series` of the JSON | `to_json` in `report/groups/json.rs`; `capacity` and `series`: `to_json` in `report/groups/capacity.rs` |
//! | the member `expected` of the JSON | `to_json` in `report/comparison/expected.rs` |
//! | the members `problems` and `topics` of the JSON | `problem_json` in `report/rendering/json.rs`, `topic_json` there |
//! | the members of the JSON of `kreplay plan` | `to_json` in `report/plan/json.rs` |
//! | the members of the JSON of `kreplay inspect` | `to_json` in `report/inspection/json.rs` |
//! | how numbers of the JSON are rounded | `round_ms` in `report/pacing/json.rs` |
//! | the numbers of each topic and partition | `topics` in `produce/session/outcome.rs`; counted in `DeliveryCounts` in `produce/delivery/counts.rs` |
//! | the counts `fetches`, `empty_fetches` and `skipped_files` | `read_rrpair` in `extract/keep/collect/mod.rs`; of a CSV: `Rows::read` in `extract/csv/rows/mod.rs`; files: `skip` in `extract/source/rrpairs.rs` |
//! | the member `drain` of the report (`given_up`, `unanswered`) | `run` in `produce/session/drain.rs` |
//! | elapsed time (`elapsed_s`), without the wait for groups | `replay` in `run/replay/mod.rs` |
//! | what limited the speed of a replay (`limited_by`) | `slowed_by` in `produce/schedule/turns.rs` |
//! | whether the cluster or what may be in flight limited it | `pacing` in `produce/session/outcome.rs` |
//! | the speed and the rates that were reached | `reached` in `produce/schedule/mod.rs` |
//! | lateness and response times (`lateness_ms`, `response_ms`) | `keep_time` in `produce/delivery/counts.rs` |
//! | latency (`latency_ms`), and its percentiles | `delivery` in `cluster/native/produce/event.rs`; counted: `DeliveryCounts::deliver` in `produce/delivery/counts.rs`; percentiles: `summary` in `produce/delivery/distribution.rs` |
//! | the lines `timing`, `lateness` and `gaps` | `fmt` in `report/pacing/text.rs` |
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
