//! Resolves where records go: to which cluster, how kreplay connects to it, and under which names.

use std::path::PathBuf;

use crate::cli;
use crate::config::properties;
use crate::config::properties::security::TokenSupply;
use crate::config::properties::{NoPlugins, Properties, PropertyFile, ResolvedProperties};
use crate::config::{
    CapturedCluster, Cluster, Destination, Idempotence, MissingTopics, TokenSource, TopicNames,
};
use crate::error::Error;

/// Where OAUTHBEARER tokens come from; the mechanism follows from it.
fn resolve_token(
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
        let message =
            format!("`{flag}` provides tokens, which the mechanism `{other}` does not use");
        return Err(Error::config(message));
    }
    let by_itself = |name, value: &str| set(name).is_some_and(|is| is.eq_ignore_ascii_case(value));
    for (name, value) in [
        ("enable.sasl.oauthbearer.unsecure.jwt", "true"),
        ("sasl.oauthbearer.method", "oidc"),
    ] {
        if by_itself(name, value) {
            let message = format!("`{flag}` and `{name}={value}` both provide tokens: choose one");
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

/// What a destination without brokers means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WithoutBrokers {
    /// kreplay refuses it: there is nowhere to send to.
    Refused,
    /// kreplay assumes the cluster, and asks nobody.
    Assumed,
}

/// The file of properties; a rehearsal must not depend on what a cluster needs.
fn property_file(args: &cli::DestinationArguments) -> PropertyFile {
    match args.rehearse {
        true => PropertyFile::None,
        false => PropertyFile::choose(args.connection.property_file.clone()),
    }
}

fn is_bootstrap(key: &str) -> bool {
    key == "bootstrap.servers" || key == "metadata.broker.list"
}

/// The brokers of the flag or, without it, of the properties, after both have been checked.
fn resolve_cluster(
    flag: Option<String>,
    properties: &Properties,
    token: Option<&TokenSource>,
    without: WithoutBrokers,
) -> Result<Cluster, Error> {
    let named = properties.iter().rev().find(|(key, _)| is_bootstrap(key));
    let brokers = flag.or_else(|| named.map(|(_, brokers)| brokers.clone()));
    let Some(brokers) = brokers.filter(|brokers| !brokers.trim().is_empty()) else {
        let similar = properties.iter().map(|(key, _)| key);
        let looks_like_it = |key: &&String| {
            key.starts_with("bootstrap") || key.contains("broker.list") || key.contains("brokers")
        };
        let mut similar = similar.filter(looks_like_it).peekable();
        if without == WithoutBrokers::Assumed && similar.peek().is_none() {
            return Ok(Cluster::Rehearsal);
        }
        return Err(Error::Config {
            message: "no brokers are named".into(),
            hint: Some(similar.next().map_or_else(
                || "give `-b HOST:PORT`, set KREPLAY_BROKERS, or try `--rehearse`".into(),
                |key| format!("`{key}` does not name them; the property is `bootstrap.servers`"),
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
                message: format!(
                    "`--map {from}={first}` and `--map {from}={to}` rename the same topic"
                ),
                hint: Some("each captured topic can go to one topic only".into()),
            });
        }
    }
    Ok(())
}

/// The cluster of a command that only reads topics.
pub(super) fn resolve_reading(connection: cli::ConnectionArguments) -> Result<Destination, Error> {
    resolve_destination(
        cli::DestinationArguments {
            connection,
            topic: None,
            map: Vec::new(),
            partition: cli::PartitionChoice::Auto,
            timestamps: cli::Timestamps::Now,
            header: Vec::new(),
            no_idempotence: false,
            create_topics: false,
            create_partitions_up_to: None,
            yes: false,
            rehearse: false,
        },
        WithoutBrokers::Refused,
    )
}

/// What to do about missing topics.
fn missing_topics(args: &cli::DestinationArguments) -> MissingTopics {
    match (args.rehearse, args.create_topics) {
        // In a rehearsal, nobody else has to live with the partitions.
        (true, _) => MissingTopics::Create {
            most_partitions: Some(i32::MAX),
        },
        (false, true) => MissingTopics::Create {
            most_partitions: args.create_partitions_up_to,
        },
        (false, false) => MissingTopics::Refuse,
    }
}

pub(super) fn resolve_destination(
    args: cli::DestinationArguments,
    without: WithoutBrokers,
) -> Result<Destination, Error> {
    check_renamings(&args.map)?;
    let missing_topics = missing_topics(&args);
    let idempotence = match args.no_idempotence {
        true => Idempotence::Off,
        false => Idempotence::On,
    };
    let file = property_file(&args);
    let ResolvedProperties {
        mut properties,
        unused: unused_properties,
        places: property_places,
    } = properties::resolve(&file, args.connection.property, idempotence, args.partition)?;
    if args.rehearse {
        properties::check_plugins(&properties, NoPlugins::InRehearsal)?;
    }
    let (command, token_file) = (args.connection.oauth_command, args.connection.oauth_file);
    let token = resolve_token(command, token_file, &mut properties)?;
    let cluster = match args.rehearse {
        true => Cluster::Rehearsal,
        false => resolve_cluster(
            args.connection.brokers,
            &properties,
            token.as_ref(),
            without,
        )?,
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
        missing_topics,
    })
}
