//! The server properties and command lines of one KRaft node.
//!
//! This file does not handle processes: faults change processes, and features change properties.

use std::fmt::Write as _;
use std::path::Path;

use super::{KafkaOptions, Ports};

/// 16 bytes in URL-safe base64, as `StorageTool random-uuid` prints; brokers of different tests
/// never meet, so one id serves all of them.
const CLUSTER_ID: &str = "a3JlcGxheS10ZXN0LTAwMQ";

/// Tiered compilation stops early and the collector is serial: the broker starts sooner and leaves the
/// other core to the tests. SIGTERM and SIGINT still end it in order.
const JVM: [&str; 3] = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
];

/// Warnings and errors go to the log, so that a failed start can say why.
const LOG_LEVEL: &str = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";

/// A node among the controllers of its cluster.
#[derive(Clone, Debug)]
pub(super) struct Quorum {
    /// `node.id`, from 1 on.
    pub(super) node: usize,
    /// `controller.quorum.voters`.
    pub(super) voters: String,
}

impl Quorum {
    /// The only node.
    pub(super) fn alone(ports: &Ports) -> Self {
        Self::of(std::slice::from_ref(ports)).remove(0)
    }

    /// One for each of these nodes.
    pub(super) fn of(nodes: &[Ports]) -> Vec<Self> {
        let voters = (1..).zip(nodes);
        let voters = voters.map(|(id, ports)| format!("{id}@127.0.0.1:{}", ports.controller));
        let voters = voters.collect::<Vec<String>>().join(",");
        let node = |node| Self {
            node,
            voters: voters.clone(),
        };
        (1..=nodes.len()).map(node).collect()
    }
}

/// Writes the text of `server.properties`.
pub(super) fn render(
    options: &KafkaOptions,
    ports: &Ports,
    quorum: &Quorum,
    folder: &Path,
) -> String {
    let mut properties = defaults(options, ports, quorum, folder);
    for (name, value) in &options.properties {
        properties.retain(|(known, _)| known != name);
        properties.push((name.clone(), value.clone()));
    }
    properties
        .iter()
        .fold(String::new(), |mut text, (name, value)| {
            writeln!(text, "{name}={value}").expect("writing to a string cannot fail");
            text
        })
}

fn defaults(
    options: &KafkaOptions,
    ports: &Ports,
    quorum: &Quorum,
    folder: &Path,
) -> Vec<(String, String)> {
    let Ports {
        plaintext,
        controller,
        listeners,
    } = ports;
    let mut bound = format!("PLAINTEXT://127.0.0.1:{plaintext}");
    let mut advertised = bound.clone();
    for (name, port) in listeners {
        bound += &format!(",{name}://127.0.0.1:{port}");
        let elsewhere = options.advertised.iter().find(|(known, _)| known == name);
        let port = elsewhere.map_or(port, |(_, port)| port);
        advertised += &format!(",{name}://127.0.0.1:{port}");
    }
    let mut protocols = String::from("CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT");
    for (name, protocol) in &options.listeners {
        protocols += &format!(",{name}:{protocol}");
    }
    let all = format!("{bound},CONTROLLER://127.0.0.1:{controller}");
    let node = quorum.node.to_string();
    let data = folder.join("data").display().to_string();
    let pairs: [(&str, &str); 19] = [
        ("process.roles", "broker,controller"),
        ("node.id", &node),
        ("controller.quorum.voters", &quorum.voters),
        ("listeners", &all),
        ("advertised.listeners", &advertised),
        ("controller.listener.names", "CONTROLLER"),
        ("inter.broker.listener.name", "PLAINTEXT"),
        ("listener.security.protocol.map", &protocols),
        ("log.dirs", &data),
        ("auto.create.topics.enable", "false"),
        ("offsets.topic.replication.factor", "1"),
        ("transaction.state.log.replication.factor", "1"),
        ("transaction.state.log.min.isr", "1"),
        ("share.coordinator.state.topic.replication.factor", "1"),
        ("share.coordinator.state.topic.min.isr", "1"),
        ("group.initial.rebalance.delay.ms", "0"),
        // The default of 50 partitions each costs a second when the first group or transaction appears.
        ("offsets.topic.num.partitions", "1"),
        ("transaction.state.log.num.partitions", "1"),
        ("share.coordinator.state.topic.num.partitions", "1"),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// The command that prepares the data folder for the first start.
pub(super) fn format_command(
    options: &KafkaOptions,
    libs: &Path,
    properties: &Path,
) -> Vec<String> {
    let mut command = java(libs, "-Xmx256m", "kafka.tools.StorageTool", properties);
    command.extend(["format", "-t", CLUSTER_ID, "-c"].map(str::to_owned));
    command.push(properties.display().to_string());
    command.extend(options.format_args.iter().cloned());
    command
}

/// The command that runs the server.
pub(super) fn start_command(options: &KafkaOptions, libs: &Path, properties: &Path) -> Vec<String> {
    let heap = format!("-Xmx{}m", options.heap_mb.unwrap_or(512));
    let mut command = java(libs, &heap, "kafka.Kafka", properties);
    command.push(properties.display().to_string());
    command
}

/// The command that runs the server after its first start.
///
/// The controller keeps a killed broker registered for `broker.session.timeout.ms`, 9 s by default, and
/// turns its successor away until then. Only restarts shorten it, so that no busy machine fences the others.
pub(super) fn restart_command(
    options: &KafkaOptions,
    libs: &Path,
    properties: &Path,
) -> Vec<String> {
    let mut command = start_command(options, libs, properties);
    for property in [
        "broker.session.timeout.ms=1500",
        "broker.heartbeat.interval.ms=500",
    ] {
        command.extend(["--override".to_owned(), property.to_owned()]);
    }
    command
}

fn java(libs: &Path, heap: &str, class: &str, properties: &Path) -> Vec<String> {
    let mut command = vec!["java".to_owned(), heap.to_owned(), LOG_LEVEL.to_owned()];
    // Kafka unpacks its native libraries there, and leaves them when it is killed.
    let folder = properties.parent().unwrap_or(properties);
    command.push(format!("-Djava.io.tmpdir={}", folder.display()));
    command.extend(JVM.map(str::to_owned));
    command.extend([
        "-cp".to_owned(),
        format!("{}/*", libs.display()),
        class.to_owned(),
    ]);
    command
}
