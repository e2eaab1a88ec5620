//! Turns what the user typed into what it means: defaults, environment, kcat's config file and cross-checks.
//! Everything that can be refused before anything runs is refused here. Each group of flags has its own file.

mod comparison;
mod destination;
mod extraction;
mod output;
mod repetition;
mod selection;
mod source;

use std::time::SystemTime;

use self::comparison::{check_expectation, resolve_comparison, resolve_expectation, resolve_sides};
use self::destination::{WithoutBrokers, resolve_destination, resolve_reading};
use self::extraction::{profile_file, profile_file_of, resolve_built_in, resolve_extraction};
use self::output::{
    quiet_output, resolve_delivery, resolve_empty, resolve_output, resolve_substitutes, verbosity,
};
use self::repetition::resolve_repetition;
use self::selection::{check_clock, share_pauses};
use self::source::{ReadFor, resolve_snapshot, resolve_source, send_unknown};
use super::properties::PropertyFile;
use super::property_names::PropertyPlaces;
use super::{
    CapturedCluster, Cluster, ComparedSource, ComparedWith, Config, DeliveryPolicy, Destination,
    EmptySource, Excuse, Extraction, Idempotence, Inputs, MissingTopics, Output, PartitionChoice,
    Reordered, Repetition, ReportForm, RetriedRequests, Source, Task, Timestamps, Timing,
    TopicNames, Verbosity, View,
};
use crate::cli;
use crate::error::Error;

impl Config {
    /// Resolves what `cli` means; reads the environment and kcat's config file.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for what makes no sense.
    pub(crate) fn from_cli(cli: cli::Cli) -> Result<Self, Error> {
        match cli.command {
            cli::Command::Snapshot(args) => {
                let speedctl = args.speedctl.clone();
                let snapshot = resolve_snapshot(args.id, ReadFor::Sending, args.speedctl);
                let source = Source::Snapshot(snapshot);
                Self::replaying(source, args.extraction, args.sending, &speedctl)
            }
            cli::Command::Replay(args) => {
                let speedctl = args.source.speedctl.clone();
                let mut source = resolve_source(args.source, ReadFor::Sending)?;
                if args.send_unknown {
                    send_unknown(&mut source)?;
                }
                Self::replaying(source, args.extraction, args.sending, &speedctl)
            }
            cli::Command::Plan(args) => Self::planning(args),
            cli::Command::Extract(args) => Self::extracting(args),
            cli::Command::Inspect(args) => Self::inspecting(args),
            cli::Command::Compare(args) => Self::comparing(args),
            cli::Command::Profile(args) => {
                Self::showing(Task::ShowProfile(resolve_built_in(&args.name)?))
            }
            cli::Command::Completions(args) => Self::showing(Task::ShowCompletions(args.shell)),
            cli::Command::Former(_) => Err(Error::Config {
                message: "`raw`, `csv` and `records` are now a single command".into(),
                hint: Some("use `kreplay replay`: the content decides what a source is".into()),
            }),
        }
    }

    fn replaying(
        source: Source,
        extraction: cli::ExtractionArguments,
        sending: cli::SendingArguments,
        speedctl: &cli::SpeedctlArguments,
    ) -> Result<Self, Error> {
        let cli::SendingArguments {
            destination,
            timing,
            delivery,
            expectation,
            repetition,
            groups,
            output,
        } = sending;
        let output = resolve_output(output);
        check_clock(&extraction.selection, Some(timing.speed))?;
        if source.prints_command() {
            let extraction = resolve_extraction(extraction)?;
            return Ok(Self::printing(Task::Replay, source, extraction, output));
        }
        let reordered = match delivery.allow_reordered {
            true => Excuse::Allowed,
            false => Excuse::Differs,
        };
        let expected = resolve_expectation(expectation, reordered, speedctl)?;
        let clock = extraction.selection.clock.unwrap_or_default();
        let timing = Timing {
            max_lag: groups.max_lag,
            sends_for: repetition.sends_for,
            ..Timing::from_flags(timing, clock, SystemTime::now())?
        };
        // A file that the user names must not be overwritten even if a rehearsal does not read it.
        let properties =
            PropertyFile::choose(destination.connection.property_file.clone()).location();
        let read_for_flags = properties.into_iter().chain(profile_file(&extraction));
        let mut config = Self {
            task: Task::Replay,
            read_for_flags: read_for_flags.collect(),
            extraction: resolve_extraction(extraction)?,
            destination: resolve_destination(destination, WithoutBrokers::Refused)?,
            timing,
            empty: resolve_empty(delivery.allow_empty),
            delivery: resolve_delivery(delivery, groups),
            repetition: resolve_repetition(&repetition, &source)?,
            expected,
            output,
            source,
        };
        share_pauses(&mut config.extraction.selection, &config.timing);
        check_expectation(&mut config)?;
        Ok(config)
    }

    fn planning(args: cli::PlanArguments) -> Result<Self, Error> {
        let output = Output {
            report_file: args.report_file,
            progress: args.progress,
            ..quiet_output(args.report, verbosity(args.quiet, args.verbose))
        };
        check_clock(&args.extraction.selection, Some(args.timing.speed))?;
        let mut source = resolve_source(args.source, ReadFor::Sending)?;
        if args.send_unknown {
            send_unknown(&mut source)?;
        }
        let clock = args.extraction.selection.clock.unwrap_or_default();
        let timing = Timing::from_flags(args.timing, clock, SystemTime::now())?;
        let reordered = match args.allow_reordered {
            true => Reordered::Allowed,
            false => Reordered::Fails,
        };
        let mut extraction = resolve_extraction(args.extraction)?;
        share_pauses(&mut extraction.selection, &timing);
        Ok(Self {
            destination: resolve_destination(args.destination, WithoutBrokers::Assumed)?,
            timing,
            delivery: DeliveryPolicy {
                reordered,
                substitutes: resolve_substitutes(&args.substitutes),
                ..DeliveryPolicy::default()
            },
            repetition: resolve_repetition(&args.repetition, &source)?,
            empty: resolve_empty(args.allow_empty),
            ..Self::printing(Task::Plan, source, extraction, output)
        })
    }

    fn extracting(args: cli::ExtractArguments) -> Result<Self, Error> {
        let output = quiet_output(ReportForm::Text, verbosity(args.quiet, args.verbose));
        check_clock(&args.extraction.selection, None)?;
        let source = resolve_source(args.source, ReadFor::Looking)?;
        let extraction = resolve_extraction(args.extraction)?;
        let config = Self::printing(Task::Extract, source, extraction, output);
        Ok(Self {
            empty: resolve_empty(args.allow_empty),
            ..config
        })
    }

    fn comparing(args: cli::CompareArguments) -> Result<Self, Error> {
        let output = quiet_output(args.report, verbosity(args.quiet, args.verbose));
        check_clock(&args.extraction.selection, None)?;
        let sides = [args.expected, args.observed];
        let sides = resolve_sides(sides, args.kind, &args.speedctl)?;
        let is_topic = |side: &ComparedSource| matches!(side, ComparedSource::Topic(_));
        let destination = match sides.iter().any(is_topic) {
            true => Some(resolve_reading(args.connection)?),
            false => None,
        };
        let mut sources = sides.iter().filter_map(|side| match side {
            ComparedSource::Source(source) => Some(source.clone()),
            ComparedSource::Topic(_) => None,
        });
        let none = || Source::Inputs(Inputs::default());
        let source = sources.next().unwrap_or_else(none);
        let extraction = resolve_extraction(args.extraction)?;
        let reordered = match args.allow_reordered {
            true => Excuse::Allowed,
            false => Excuse::Differs,
        };
        let rules = resolve_comparison(args.comparison, reordered);
        let with = Box::new(ComparedWith { sides, rules });
        let extraction = Extraction {
            retried: RetriedRequests::LeaveOut,
            ..extraction
        };
        let config = Self::printing(Task::Compare(with), source, extraction, output);
        Ok(Self {
            empty: resolve_empty(args.allow_empty),
            destination: destination.unwrap_or_else(|| config.destination.clone()),
            ..config
        })
    }

    /// The configuration of a task that reads nothing.
    fn showing(task: Task) -> Result<Self, Error> {
        let output = quiet_output(ReportForm::Text, Verbosity::Normal);
        let extraction = resolve_extraction(cli::ExtractionArguments::default())?;
        let source = Source::Inputs(Inputs::default());
        Ok(Self::printing(task, source, extraction, output))
    }

    fn inspecting(args: cli::InspectArguments) -> Result<Self, Error> {
        let output = quiet_output(args.report, verbosity(args.quiet, args.verbose));
        check_clock(&args.extraction.selection, None)?;
        let source = resolve_source(args.source, ReadFor::Looking)?;
        let mut extraction = resolve_extraction(args.extraction)?;
        let view = match args.paths {
            true => View::Paths,
            false => View::Contents,
        };
        if view == View::Paths {
            // A user who asks for paths may be looking for what the profile's filter leaves out. An empty filter
            // leaves nothing out.
            extraction.overrides.filter.get_or_insert_default();
        }
        let config = Self::printing(Task::Inspect(view), source, extraction, output);
        Ok(Self {
            empty: resolve_empty(args.allow_empty),
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
            partition: PartitionChoice::Auto,
            timestamps: Timestamps::Now,
            headers: Vec::new(),
            captured_cluster: CapturedCluster::Refuse,
            missing_topics: MissingTopics::Refuse,
        };
        Self {
            task,
            source,
            destination,
            timing: Timing::default(),
            delivery: DeliveryPolicy::default(),
            repetition: Repetition::default(),
            expected: None,
            read_for_flags: profile_file_of(&extraction.profile).into_iter().collect(),
            extraction,
            empty: EmptySource::Fails,
            output,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn config(arguments: &[&str]) -> Result<Config, Error> {
        let arguments = [&["kreplay", "replay", "x.jsonl"], arguments].concat();
        Config::from_cli(cli::Cli::try_parse_from(arguments).expect("the flags are known"))
    }

    #[test]
    fn brokers_come_from_the_flag_before_a_property() {
        let resolved = config(&["-b", "flag:1", "-X", "bootstrap.servers=property:1"]);
        let resolved = resolved.expect("this is a sound configuration").destination;
        assert_eq!(resolved.cluster, Cluster::Brokers("flag:1".into()));
        assert_eq!(resolved.properties, []);
        let resolved = config(&["-X", "metadata.broker.list=property:1"]);
        let resolved = resolved.expect("this is a sound configuration").destination;
        assert_eq!(resolved.cluster, Cluster::Brokers("property:1".into()));
    }

    #[test]
    fn a_property_that_breaks_a_guarantee_is_refused_and_named() {
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
    fn the_last_value_of_a_property_is_the_one_checked() {
        let words = [
            "-b",
            "x:1",
            "-X",
            "acks=1",
            "-X",
            "request.required.acks=all",
        ];
        let resolved = config(&words).expect("the last word keeps the promise");
        let expected = ("request.required.acks".to_string(), "all".to_string());
        assert_eq!(resolved.destination.properties, [expected]);
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
        let said = "`--map a=b` and `--map a=e` rename the same topic";
        assert_eq!((error.to_string().as_str(), error.exit().code()), (said, 2));
        let twice = ["-b", "x:1", "--map", "*=b", "--map", "*=c"];
        assert!(config(&twice).is_err());
        assert!(config(&["-b", "x:1", "--map", "a=c", "--map", "b=c"]).is_ok());
    }

    #[test]
    fn a_run_without_brokers_says_how_to_name_them() {
        let error = config(&[]).expect_err("no brokers");
        assert_eq!(error.to_string(), "no brokers are named");
    }
}
