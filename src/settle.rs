//! From what was typed to what it means: defaults, environment, kcat's config file and cross-checks.
//! Everything that can be told wrong before anything runs is told here.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli;
use crate::config::{
    Aborted, Cluster, Config, Delivery, Destination, Duplicates, Extraction, Input, MissingTopics,
    Output, Overrides, Partition, ProfileChoice, RecordLines, ReportForm, Snapshot, SnapshotAction,
    Source, Task, Timestamps, TopicNames, Uncertain, Verbosity, Via, View, When,
};
use crate::error::Error;

/// Properties whose other values would break the promise that what is called delivered is in the
/// log once and in order, with the values that keep it (librdkafka CONFIGURATION.md).
const PROMISED: [(&str, &[&str]); 8] = [
    ("enable.idempotence", &["true"]),
    ("acks", &["all", "-1"]),
    ("request.required.acks", &["all", "-1"]),
    ("max.in.flight", &["1", "2", "3", "4", "5"]),
    (
        "max.in.flight.requests.per.connection",
        &["1", "2", "3", "4", "5"],
    ),
    ("delivery.report.only.error", &["false"]),
    ("allow.auto.create.topics", &["false"]),
    ("transactional.id", &[]),
];

/// The filter that every RRPair passes.
const EVERYTHING: &str = "command CONTAINS \"\"";

impl Config {
    /// Settles what `cli` means; reads the environment and kcat's config file.
    ///
    /// # Errors
    /// [`Error::Config`] for what makes no sense.
    pub fn from_cli(cli: cli::Cli) -> Result<Self, Error> {
        let (source, extraction, sending) = match cli.command {
            cli::Command::Snapshot(args) if args.print_command => {
                return Self::printing_command(args);
            }
            cli::Command::Snapshot(args) => {
                let action = SnapshotAction::Replay;
                let snapshot = settle_snapshot(args.id, args.via, args.speedctl, action);
                (Source::Snapshot(snapshot), args.extraction, args.sending)
            }
            cli::Command::Csv(args) => {
                (Source::Csv(args.file.into()), args.extraction, args.sending)
            }
            cli::Command::Raw(args) => {
                let inputs = settle_inputs(args.paths)?;
                (Source::Raw(inputs), args.extraction, args.sending)
            }
            cli::Command::Records(args) => {
                let records = RecordLines {
                    inputs: settle_inputs(args.files)?,
                    uncertain: match args.send_unknown {
                        true => Uncertain::Send,
                        false => Uncertain::LeaveOut,
                    },
                };
                let extraction = cli::Extraction::default();
                (Source::Records(records), extraction, args.sending)
            }
            cli::Command::Extract(args) => return Self::extracting(args),
            cli::Command::Inspect(args) => return Self::inspecting(args),
            cli::Command::Profile(args) => return Self::showing_profile(args),
        };
        let cli::Sending {
            destination,
            delivery,
            output,
        } = sending;
        Ok(Self {
            task: Task::Replay,
            extraction: settle_extraction(extraction)?,
            destination: settle_destination(destination)?,
            delivery: settle_delivery(delivery, &source)?,
            output: settle_output(output),
            source,
        })
    }

    fn printing_command(args: cli::Snapshot) -> Result<Self, Error> {
        let action = SnapshotAction::PrintCommand;
        let snapshot = settle_snapshot(args.id, args.via, args.speedctl, action);
        let extraction = settle_extraction(args.extraction)?;
        let output = settle_output(args.sending.output);
        let source = Source::Snapshot(snapshot);
        Ok(Self::printing(Task::Replay, source, extraction, output))
    }

    fn extracting(args: cli::Extract) -> Result<Self, Error> {
        let output = quiet_output(ReportForm::Text, verbosity(args.quiet, args.verbose));
        let source = settle_sources(args.sources, args.speedctl)?;
        let extraction = settle_extraction(args.extraction)?;
        Ok(Self::printing(Task::Extract, source, extraction, output))
    }

    fn showing_profile(args: cli::Profile) -> Result<Self, Error> {
        let output = quiet_output(ReportForm::Text, Verbosity::Normal);
        let extraction = settle_extraction(cli::Extraction::default())?;
        let (task, source) = (Task::ShowProfile(args.name), Source::Raw(Vec::new()));
        Ok(Self::printing(task, source, extraction, output))
    }

    fn inspecting(args: cli::Inspect) -> Result<Self, Error> {
        let output = quiet_output(args.report, verbosity(args.quiet, args.verbose));
        let source = settle_sources(args.sources, args.speedctl)?;
        let mut extraction = settle_extraction(args.extraction)?;
        let view = match args.paths {
            true => View::Paths,
            false => View::Contents,
        };
        if view == View::Paths {
            // Who asks for paths looks for what the profile's filter leaves out, too.
            let filter = &mut extraction.overrides.filter;
            filter.get_or_insert_with(|| EVERYTHING.into());
        }
        Ok(Self::printing(
            Task::Inspect(view),
            source,
            extraction,
            output,
        ))
    }

    /// Printing a command or records needs no destination.
    fn printing(task: Task, source: Source, extraction: Extraction, output: Output) -> Self {
        let destination = Destination {
            cluster: Cluster::Rehearsal,
            properties: Vec::new(),
            topics: TopicNames::Mapped(Vec::new()),
            partition: Partition::Auto,
            timestamps: Timestamps::Now,
            headers: Vec::new(),
            missing_topics: MissingTopics::Refuse,
        };
        Self {
            task,
            source,
            extraction,
            destination,
            delivery: Delivery::default(),
            output,
        }
    }
}

fn settle_extraction(args: cli::Extraction) -> Result<Extraction, Error> {
    let profile = match args.profile {
        None => ProfileChoice::BuiltIn("fetch".into()),
        Some(name) if name == "fetch" || name == "produce" => ProfileChoice::BuiltIn(name),
        Some(name) => {
            let text = fs::read_to_string(&name).map_err(|e| Error::Config {
                message: format!("cannot read the profile {name}: {e}"),
                hint: Some("the built-in profiles are `fetch` and `produce`".into()),
            })?;
            ProfileChoice::File { name, text }
        }
    };
    let overrides = Overrides {
        filter: args.filter,
        record: args.record,
        value: args.value,
        key: args.key,
        headers: args.headers,
        timestamp: args.timestamp,
        topic: args.topic_path,
        partition: args.partition_path,
        offset: args.offset_path,
        value_encoding: args.value_encoding,
        key_encoding: args.key_encoding,
    };
    let duplicates = if args.keep_duplicates {
        Duplicates::Keep
    } else {
        Duplicates::LeaveOut
    };
    let aborted = if args.with_aborted {
        Aborted::Keep
    } else {
        Aborted::LeaveOut
    };
    Ok(Extraction {
        profile,
        overrides,
        duplicates,
        aborted,
    })
}

fn settle_inputs(paths: Vec<PathBuf>) -> Result<Vec<Input>, Error> {
    let inputs: Vec<Input> = paths.into_iter().map(Input::from).collect();
    let stdin = inputs.iter().filter(|input| **input == Input::Stdin);
    match stdin.count() {
        0 | 1 => Ok(inputs),
        _ => Err(Error::config("`-` (stdin) can be read only once")),
    }
}

/// Paths, or one snapshot by its id.
fn settle_sources(paths: Vec<PathBuf>, speedctl: cli::Speedctl) -> Result<Source, Error> {
    let id = |path: &PathBuf| Some(path.to_str()?.strip_prefix("snapshot:")?.to_string());
    let Some(id) = paths.iter().find_map(id) else {
        return Ok(Source::Raw(settle_inputs(paths)?));
    };
    match (paths.len(), id.as_str()) {
        (_, "") => Err(Error::config(
            "`snapshot:` is followed by the snapshot's id",
        )),
        (1, _) => {
            let action = SnapshotAction::Replay;
            let snapshot = settle_snapshot(id, Via::Raw, speedctl, action);
            Ok(Source::Snapshot(snapshot))
        }
        _ => Err(Error::config(format!(
            "`snapshot:{id}` cannot be read together with other sources"
        ))),
    }
}

fn settle_snapshot(
    id: String,
    via: Via,
    speedctl: cli::Speedctl,
    action: SnapshotAction,
) -> Snapshot {
    Snapshot {
        id,
        via,
        speedctl: speedctl.speedctl,
        arguments: speedctl.speedctl_arg,
        timeout: speedctl.speedctl_timeout,
        action,
    }
}

/// The output of a run that has no destination.
fn quiet_output(report: ReportForm, verbosity: Verbosity) -> Output {
    Output {
        report,
        report_file: None,
        progress: When::Never,
        verbosity,
    }
}

fn settle_delivery(args: cli::Delivery, source: &Source) -> Result<Delivery, Error> {
    let inputs: &[Input] = match source {
        Source::Raw(inputs) => inputs,
        Source::Records(records) => &records.inputs,
        Source::Csv(input) => std::slice::from_ref(input),
        Source::Snapshot(_) => &[],
    };
    let files = [("--rejects", &args.rejects), ("--resume", &args.resume)];
    for (flag, file) in files {
        let is_read = |input: &&Input| matches!((input, file), (Input::File(input), Some(file)) if is_same(input, file));
        if let Some(input) = inputs.iter().find(is_read) {
            return Err(Error::config(format!(
                "`{flag} {}` is an input of this run and would be written over",
                input.name()
            )));
        }
    }
    if let (Some(rejects), Some(journal)) = (&args.rejects, &args.resume)
        && (rejects == journal || is_same(rejects, journal))
    {
        return Err(Error::config("`--rejects` and `--resume` name one file"));
    }
    Ok(Delivery {
        rejects: args.rejects,
        journal: args.resume,
    })
}

/// Whether two paths lead to one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let file = |path: &Path| fs::canonicalize(path).ok();
    file(one).is_some_and(|one| Some(one) == file(other))
}

fn settle_output(args: cli::Output) -> Output {
    Output {
        report: args.report,
        report_file: args.report_file,
        progress: args.progress,
        verbosity: verbosity(args.quiet, args.verbose),
    }
}

fn verbosity(quiet: bool, verbose: bool) -> Verbosity {
    match (quiet, verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    }
}

fn settle_destination(args: cli::Destination) -> Result<Destination, Error> {
    let mut properties = read_properties(args.property_file)?;
    properties.extend(
        args.property
            .into_iter()
            .map(|(key, value)| (without_prefix(&key), value)),
    );
    check_promise(&properties)?;
    let is_bootstrap = |key: &str| key == "bootstrap.servers" || key == "metadata.broker.list";
    let named = properties.iter().rev().find(|(key, _)| is_bootstrap(key));
    let brokers = args
        .brokers
        .or_else(|| named.map(|(_, brokers)| brokers.clone()));
    properties.retain(|(key, _)| !is_bootstrap(key));
    let cluster = match (args.rehearse, brokers) {
        (true, _) => Cluster::Rehearsal,
        (false, Some(brokers)) if !brokers.trim().is_empty() => Cluster::Brokers(brokers),
        (false, _) => {
            return Err(Error::Config {
                message: "no brokers are named".into(),
                hint: Some("say `-b HOST:PORT`, set KREPLAY_BROKERS, or try `--rehearse`".into()),
            });
        }
    };
    Ok(Destination {
        cluster,
        properties,
        topics: args
            .topic
            .map_or(TopicNames::Mapped(args.map), TopicNames::One),
        partition: args.partition,
        timestamps: args.timestamps,
        headers: args.header,
        missing_topics: match args.create_topics || args.rehearse {
            true => MissingTopics::Create,
            false => MissingTopics::Refuse,
        },
    })
}

/// The properties of `-F`, else those of kcat's own file where there is one, as kcat does.
fn read_properties(file: Option<PathBuf>) -> Result<Vec<(String, String)>, Error> {
    if let Some(path) = file.or_else(|| std::env::var_os("KCAT_CONFIG").map(PathBuf::from)) {
        let text = fs::read_to_string(&path)
            .map_err(|e| Error::config(format!("cannot read {}: {e}", path.display())))?;
        return parse_properties(&path, &text);
    }
    let Some(home) = std::env::home_dir() else {
        return Ok(Vec::new());
    };
    let path = home.join(".config/kcat.conf");
    match fs::read_to_string(&path) {
        Ok(text) => parse_properties(&path, &text),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::config(format!(
            "cannot read {}: {e}",
            path.display()
        ))),
    }
}

fn parse_properties(path: &Path, text: &str) -> Result<Vec<(String, String)>, Error> {
    let mut properties = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line itself may hold a password and is not repeated.
        let Some((key, value)) = line.split_once('=') else {
            let place = format!("{}:{}", path.display(), i + 1);
            return Err(Error::config(format!("{place}: expected `KEY=VALUE`")));
        };
        properties.push((without_prefix(key.trim()), value.trim().to_string()));
    }
    Ok(properties)
}

/// kcat marks topic properties by a prefix; librdkafka finds them without.
fn without_prefix(key: &str) -> String {
    key.strip_prefix("topic.").unwrap_or(key).to_string()
}

fn check_promise(properties: &[(String, String)]) -> Result<(), Error> {
    for (key, value) in properties {
        let Some((_, allowed)) = PROMISED.iter().find(|(name, _)| name == key) else {
            continue;
        };
        if !allowed.contains(&value.trim().to_ascii_lowercase().as_str()) {
            return Err(Error::Config {
                message: format!(
                    "`{key}={value}` would break kreplay's promise that every record delivered is \
                     in the log once and in order"
                ),
                hint: Some(match allowed {
                    [] => format!("leave `{key}` out"),
                    [only] => format!("leave it out: kreplay sets `{key}={only}`"),
                    allowed => format!("values that keep it: {}", allowed.join(", ")),
                }),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn config(arguments: &[&str]) -> Result<Config, Error> {
        let arguments = [&["kreplay", "raw", "x.jsonl"], arguments].concat();
        Config::from_cli(cli::Cli::try_parse_from(arguments).expect("the flags are known"))
    }

    #[test]
    fn brokers_come_from_the_flag_before_a_property() {
        let settled = config(&["-b", "flag:1", "-X", "bootstrap.servers=property:1"]);
        let settled = settled.expect("this is a sound configuration").destination;
        assert_eq!(settled.cluster, Cluster::Brokers("flag:1".into()));
        assert_eq!(settled.properties, []);
        let settled = config(&["-X", "metadata.broker.list=property:1"]);
        let settled = settled.expect("this is a sound configuration").destination;
        assert_eq!(settled.cluster, Cluster::Brokers("property:1".into()));
    }

    #[test]
    fn a_property_that_breaks_the_promise_is_refused_and_named() {
        for property in [
            "acks=1",
            "enable.idempotence=false",
            "topic.acks=0",
            "max.in.flight=6",
            "transactional.id=x",
        ] {
            let error = config(&["-b", "x:1", "-X", property]).expect_err(property);
            let name = property.trim_start_matches("topic.");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("`{name}` would break")),
                "{error}"
            );
        }
        for property in [
            "acks=all",
            "acks=-1",
            "enable.idempotence=TRUE",
            "linger.ms=1",
        ] {
            assert!(config(&["-b", "x:1", "-X", property]).is_ok(), "{property}");
        }
    }

    #[test]
    fn a_property_file_is_read_as_kcat_reads_it() {
        let text = "# comment\n\nsasl.username=me\n topic.compression.type = lz4 \n";
        let read = parse_properties(Path::new("f"), text);
        let expected = [("sasl.username", "me"), ("compression.type", "lz4")];
        assert_eq!(
            read,
            Ok(expected.map(|(k, v)| (k.into(), v.into())).to_vec())
        );
        let error = parse_properties(Path::new("f"), "a=b\nhunter2\n").expect_err("no equals sign");
        assert_eq!(error.to_string(), "f:2: expected `KEY=VALUE`");
    }

    #[test]
    fn a_run_without_brokers_says_what_to_do() {
        let error = config(&[]).expect_err("no brokers");
        assert_eq!(error.to_string(), "no brokers are named");
    }
}
