//! From what was typed to what it means: defaults, environment, kcat's config file and cross-checks.
//! Everything that can be told wrong before anything runs is told here.

use std::path::{Path, PathBuf};

use super::properties;
use super::properties::security::TokenSupply;
use super::properties::{Properties, PropertyFile, SettledProperties};
use super::property_names::PropertyPlaces;
use super::small_file;
use super::{
    Aborted, CapturedCluster, Cluster, Config, Delivery, Destination, Duplicates, EmptySource,
    Extraction, GivenNames, Idempotence, Input, MissingTopics, Output, Overrides, Partition,
    ProfileChoice, RecordLines, Reordered, ReportForm, Snapshot, SnapshotAction, Source, Task,
    Timestamps, TokenSource, TopicNames, Uncertain, Verbosity, Via, View, When,
};
use crate::cli;
use crate::error::Error;
use crate::record::TopicId;

/// The profiles that need no file.
const BUILT_IN: [&str; 3] = ["fetch", "produce", "byoc"];

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
                let inputs = settle_inputs(args.files)?;
                (Source::Csv(inputs), args.extraction, args.sending)
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
                let extraction = cli::Extraction {
                    naming: args.naming,
                    ..cli::Extraction::default()
                };
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
        // A file that the user names is kept from harm also where a rehearsal does not read it.
        let properties = PropertyFile::choose(destination.property_file.clone()).location();
        let read_for_flags = properties.into_iter().chain(profile_file(&extraction));
        Ok(Self {
            task: Task::Replay,
            read_for_flags: read_for_flags.collect(),
            extraction: settle_extraction(extraction)?,
            destination: settle_destination(destination)?,
            empty: settle_empty(delivery.allow_empty),
            delivery: settle_delivery(delivery),
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
        let config = Self::printing(Task::Extract, source, extraction, output);
        Ok(Self {
            empty: settle_empty(args.allow_empty),
            ..config
        })
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
        let config = Self::printing(Task::Inspect(view), source, extraction, output);
        Ok(Self {
            empty: settle_empty(args.allow_empty),
            ..config
        })
    }

    /// Printing a command or records needs no destination.
    fn printing(task: Task, source: Source, extraction: Extraction, output: Output) -> Self {
        let destination = Destination {
            cluster: Cluster::Rehearsal,
            properties: Vec::new(),
            unused_properties: Vec::new(),
            property_places: PropertyPlaces::default(),
            idempotence: Idempotence::On,
            token: None,
            topics: TopicNames::Mapped(Vec::new()),
            partition: Partition::Auto,
            timestamps: Timestamps::Now,
            headers: Vec::new(),
            captured_cluster: CapturedCluster::Refuse,
            missing_topics: MissingTopics::Refuse,
        };
        Self {
            task,
            source,
            destination,
            delivery: Delivery::default(),
            read_for_flags: profile_file_of(&extraction.profile).into_iter().collect(),
            extraction,
            empty: EmptySource::Fails,
            output,
        }
    }
}

fn settle_delivery(args: cli::Delivery) -> Delivery {
    Delivery {
        rejects: args.rejects,
        journal: args.resume,
        on_refused: args.on_refused,
        give_up_after: args.give_up_after,
        reordered: match args.allow_reordered {
            true => Reordered::Allowed,
            false => Reordered::Fails,
        },
    }
}

fn settle_empty(allowed: bool) -> EmptySource {
    match allowed {
        true => EmptySource::Allowed,
        false => EmptySource::Fails,
    }
}

/// The file of `--profile`, where it is one.
fn profile_file(args: &cli::Extraction) -> Option<(String, PathBuf)> {
    let name = args.profile.as_ref();
    let name = name.filter(|name| !BUILT_IN.contains(&name.as_str()))?;
    Some(("--profile".into(), name.into()))
}

fn profile_file_of(profile: &ProfileChoice) -> Option<(String, PathBuf)> {
    match profile {
        ProfileChoice::File { name, .. } => Some(("--profile".into(), name.into())),
        ProfileChoice::BuiltIn(_) => None,
    }
}

fn settle_extraction(args: cli::Extraction) -> Result<Extraction, Error> {
    let profile = match args.profile {
        None => ProfileChoice::BuiltIn("fetch".into()),
        Some(name) if BUILT_IN.contains(&name.as_str()) => ProfileChoice::BuiltIn(name),
        Some(name) => {
            let text = small_file::read_text(Path::new(&name)).map_err(|e| Error::Config {
                message: format!("cannot read the profile {name}: {e}"),
                hint: Some("the built-in profiles are `fetch`, `produce` and `byoc`".into()),
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
        header_encoding: args.header_encoding,
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
        topic_ids: settle_naming(&args.naming.topic_id)?,
    })
}

/// The names given to ids, each id once whatever the notation.
fn settle_naming(given: &[(String, String)]) -> Result<GivenNames, Error> {
    let mut names: Vec<(TopicId, String)> = Vec::new();
    for (text, name) in given {
        let id = TopicId::parse(text)
            .ok_or_else(|| Error::config(format!("`{text}` is no topic id")))?;
        match names.iter().find(|(known, _)| *known == id) {
            Some((_, first)) if first != name => {
                let message =
                    format!("`--topic-id` gives `{id}` two names: `{first}` and `{name}`");
                return Err(Error::config(message));
            }
            Some(_) => {}
            None => names.push((id, name.clone())),
        }
    }
    Ok(GivenNames::of(names))
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

/// Where OAUTHBEARER tokens come from; the mechanism follows from it.
fn settle_token(
    command: Option<String>,
    file: Option<PathBuf>,
    properties: &mut Properties,
) -> Result<Option<TokenSource>, Error> {
    let (flag, source) = match (command, file) {
        (Some(command), _) => ("--oauth-command", TokenSource::Command(command)),
        (None, Some(file)) => ("--oauth-file", TokenSource::File(file)),
        (None, None) => return Ok(None),
    };
    let set = |name| properties::value(properties, name);
    let mechanism = set("sasl.mechanism");
    if let Some(other) = mechanism.filter(|name| *name != "OAUTHBEARER") {
        let message = format!("`{flag}` gives tokens, which the mechanism `{other}` does not use");
        return Err(Error::config(message));
    }
    let by_itself = |name, value: &str| set(name).is_some_and(|is| is.eq_ignore_ascii_case(value));
    for (name, value) in [
        ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("sasl.oauthbearer.method", "oidc"),
    ] {
        if by_itself(name, value) {
            let message = format!("`{flag}` and `{name}={value}` both give tokens: choose one");
            return Err(Error::config(message));
        }
    }
    let protocol = set("security.protocol").map(str::to_owned);
    if mechanism.is_none() {
        properties.push(("sasl.mechanism".into(), "OAUTHBEARER".into()));
    }
    if protocol.is_none() {
        properties.push(("security.protocol".into(), "SASL_SSL".into()));
    }
    Ok(Some(source))
}

/// The file of properties; a rehearsal must not depend on what a cluster needs.
fn property_file(args: &cli::Destination) -> PropertyFile {
    match args.rehearse {
        true => PropertyFile::None,
        false => PropertyFile::choose(args.property_file.clone()),
    }
}

fn is_bootstrap(key: &str) -> bool {
    key == "bootstrap.servers" || key == "metadata.broker.list"
}

/// The brokers of the flag or, without it, of the properties, once what is said of both makes sense.
fn settle_cluster(
    flag: Option<String>,
    properties: &Properties,
    token: Option<&TokenSource>,
) -> Result<Cluster, Error> {
    let named = properties.iter().rev().find(|(key, _)| is_bootstrap(key));
    let brokers = flag.or_else(|| named.map(|(_, brokers)| brokers.clone()));
    let Some(brokers) = brokers.filter(|brokers| !brokers.trim().is_empty()) else {
        let similar = properties.iter().map(|(key, _)| key);
        let looks_like_it = |key: &&String| {
            key.starts_with("bootstrap") || key.contains("broker.list") || key.contains("brokers")
        };
        let mut similar = similar.filter(looks_like_it);
        return Err(Error::Config {
            message: "no brokers are named".into(),
            hint: Some(similar.next().map_or_else(
                || "say `-b HOST:PORT`, set KREPLAY_BROKERS, or try `--rehearse`".into(),
                |key| {
                    format!("`{key}` is not the property that names them: `bootstrap.servers` is")
                },
            )),
        });
    };
    properties::brokers::check(&brokers)?;
    let tokens = match token {
        Some(_) => TokenSupply::Flag,
        None => TokenSupply::Properties,
    };
    properties::security::check(properties, tokens)?;
    Ok(Cluster::Brokers(brokers))
}

/// Refuses a FROM that is given twice: the second one would have no effect.
fn check_renamings(map: &[(String, String)]) -> Result<(), Error> {
    for (index, (from, to)) in map.iter().enumerate() {
        if let Some((_, first)) = map[..index].iter().find(|(earlier, _)| earlier == from) {
            return Err(Error::Config {
                message: format!("`--map {from}={first}` and `--map {from}={to}` rename one topic"),
                hint: Some("a captured topic goes to one topic of the destination".into()),
            });
        }
    }
    Ok(())
}

fn settle_destination(args: cli::Destination) -> Result<Destination, Error> {
    check_renamings(&args.map)?;
    let idempotence = match args.no_idempotence {
        true => Idempotence::Off,
        false => Idempotence::On,
    };
    let file = property_file(&args);
    let SettledProperties {
        mut properties,
        unused: unused_properties,
        places: property_places,
    } = properties::settle(&file, args.property, idempotence, args.partition)?;
    let token = settle_token(args.oauth_command, args.oauth_file, &mut properties)?;
    let cluster = match args.rehearse {
        true => Cluster::Rehearsal,
        false => settle_cluster(args.brokers, &properties, token.as_ref())?,
    };
    properties.retain(|(key, _)| !is_bootstrap(key));
    Ok(Destination {
        cluster,
        properties,
        unused_properties,
        property_places,
        idempotence,
        token,
        topics: args
            .topic
            .map_or(TopicNames::Mapped(args.map), TopicNames::One),
        partition: args.partition,
        timestamps: args.timestamps,
        headers: args.header,
        captured_cluster: match args.yes {
            true => CapturedCluster::Allow,
            false => CapturedCluster::Refuse,
        },
        missing_topics: match args.create_topics || args.rehearse {
            true => MissingTopics::Create,
            false => MissingTopics::Refuse,
        },
    })
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
    fn what_was_said_last_is_what_is_looked_at() {
        let words = [
            "-b",
            "x:1",
            "-X",
            "acks=1",
            "-X",
            "request.required.acks=all",
        ];
        let settled = config(&words).expect("the last word keeps the promise");
        let expected = ("request.required.acks".to_string(), "all".to_string());
        assert_eq!(settled.destination.properties, [expected]);
        let words = [
            "-b",
            "x:1",
            "-X",
            "request.required.acks=all",
            "-X",
            "acks=1",
        ];
        let error = config(&words).expect_err("the last word breaks it");
        assert!(
            error.to_string().starts_with("`acks=1` would break"),
            "{error}"
        );
    }

    #[test]
    fn one_topic_id_has_one_name() {
        let (base64, uuid) = (
            "F6sC8x-GQPaI5g9Nn7Nhwg",
            "17ab02f3-1f86-40f6-88e6-0f4d9fb361c2",
        );
        let given = |first: &str, second: &str| {
            let (first, second) = (format!("{base64}={first}"), format!("{uuid}={second}"));
            config(&["-b", "x:1", "--topic-id", &first, "--topic-id", &second])
        };
        let error = given("orders", "payments").expect_err("two names");
        let said = format!("`--topic-id` gives `{base64}` two names: `orders` and `payments`");
        assert_eq!((error.to_string(), error.exit().code()), (said, 2));
        let same = given("orders", "orders").expect("one name").extraction;
        assert_eq!(same.topic_ids.iter().count(), 1);
    }

    #[test]
    fn two_renamings_of_one_topic_are_refused() {
        let error = config(&["-b", "x:1", "--map", "a=b", "--map", "c=d", "--map", "a=e"]);
        let error = error.expect_err("`a` is renamed twice");
        let said = "`--map a=b` and `--map a=e` rename one topic";
        assert_eq!((error.to_string().as_str(), error.exit().code()), (said, 2));
        let twice = ["-b", "x:1", "--map", "*=b", "--map", "*=c"];
        assert!(config(&twice).is_err());
        assert!(config(&["-b", "x:1", "--map", "a=c", "--map", "b=c"]).is_ok());
    }

    #[test]
    fn a_run_without_brokers_says_what_to_do() {
        let error = config(&[]).expect_err("no brokers");
        assert_eq!(error.to_string(), "no brokers are named");
    }
}
