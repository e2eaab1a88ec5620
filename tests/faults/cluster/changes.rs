//! A topic that changes in the middle of a replay: it gets more partitions, or a smaller limit.

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::cluster::broker::{numbered, read_log, start, wait_for};
use crate::harness::report::ledger::ledger;
use crate::harness::topics::block_on;
use crate::harness::verdict::{Evidence, verdict};
use crate::process::source::{Feeder, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[
    (
        "partitions_that_are_added_in_the_middle_are_named",
        Takes::Seconds,
        more_partitions,
    ),
    (
        "a_limit_that_is_lowered_in_the_middle_is_named_and_everything_delivered",
        Takes::Seconds,
        smaller_limit,
    ),
];

fn admin(brokers: &str) -> AdminClient<DefaultClientContext> {
    let client = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .create();
    client.expect("a Kafka client")
}

fn more_partitions() {
    const RECORDS: u64 = 2000;
    let kafka = start();
    let records = numbered(&kafka, "grown", 2);
    let (brokers, topic) = (kafka.brokers(), &records.topic);
    let mut run = replay(&brokers, &["replay", "-"]).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(RECORDS / 2);
    wait_for(&mut run, &brokers, topic, 1);
    let (client, options) = (admin(&brokers), AdminOptions::new());
    let wanted = NewPartitions::new(topic, 5);
    let grown = client.create_partitions([&wanted], &options);
    let grown = block_on(grown)
        .expect("an answer in time")
        .expect("an answer");
    assert!(grown.iter().all(Result::is_ok), "{grown:?}");
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "2000 = 2000 delivered");
    let found = &report["topics"][0];
    let partitions = (&found["partitions"], &found["partitions_at_end"]);
    assert_eq!(partitions, (&2.into(), &5.into()), "{report:#}");
    assert!(
        found.get("max_message_bytes_at_end").is_none(),
        "{report:#}"
    );
    let log = read_log(&brokers, topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}

fn smaller_limit() {
    const RECORDS: u64 = 4000;
    let kafka = start();
    let records = Numbered {
        bytes: 800,
        ..numbered(&kafka, "lowered", 1)
    };
    let (brokers, topic) = (kafka.brokers(), &records.topic);
    // Letters that do not compress; without compression the sizes follow from arithmetic.
    let args = [
        "replay",
        "-",
        "--allow-reordered",
        "-X",
        "compression.type=none",
    ];
    let mut run = replay(&brokers, &args).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    feeder.allow(100);
    wait_for(&mut run, &brokers, topic, 100);
    let (client, options) = (admin(&brokers), AdminOptions::new());
    let setting =
        AlterConfig::new(ResourceSpecifier::Topic(topic)).set("max.message.bytes", "100000");
    let altered = block_on(client.alter_configs([&setting], &options));
    let altered = altered.expect("an answer in time").expect("an answer");
    assert!(altered.iter().all(Result::is_ok), "{altered:?}");
    // Batches of 1 MB.
    feeder.allow(RECORDS);
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "4000 = 4000 delivered");
    // Kafka's default is 1 MiB and the 12 bytes before a batch.
    let said = format!(
        "kreplay: topic `{topic}` has a max.message.bytes of 100000 now, and had 1048588 when the run \
         began\n"
    );
    assert!(output.stderr.contains(&said), "{}", output.stderr);
    let found = &report["topics"][0];
    let limits = [
        &found["max_message_bytes"],
        &found["max_message_bytes_at_end"],
    ];
    assert_eq!(limits, [1_048_588, 100_000], "{report:#}");
    assert!(found.get("partitions_at_end").is_none(), "{report:#}");
    assert_eq!(
        read_log(&brokers, topic).ids(),
        (0..RECORDS).collect::<Vec<_>>()
    );
}
