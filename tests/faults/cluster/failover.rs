//! Three brokers that replicate: the leader dies, another one takes its place.

use std::thread;
use std::time::Duration;

use crate::cluster::broker::{read_log, wait_for};
use crate::harness::capture::seed::SeededRandom;
use crate::harness::kafka::cluster::KafkaCluster;
use crate::harness::report::ledger::ledger;
use crate::harness::topics::{create_replicated, unique};
use crate::harness::verdict::{Evidence, verdict};
use crate::process::source::{Feeder, Filling, Numbered};
use crate::{FaultTrial, Takes, replay, report_of};

pub(crate) const CASES: &[FaultTrial] = &[(
    "a_leader_that_is_killed_five_times_loses_and_repeats_nothing",
    Takes::Patience,
    leaders_killed,
)];

fn leaders_killed() {
    const RECORDS: u64 = 100_000;
    let mut random = SeededRandom::from_env();
    let cluster = KafkaCluster::start(3, &[]).expect("three nodes start");
    let brokers = cluster.brokers();
    let topic = unique("replicated");
    let two_in_sync = [("min.insync.replicas", "2")];
    create_replicated(&brokers, &topic, 24, 3, &two_in_sync).expect("a topic");
    let records = Numbered {
        topic,
        partitions: 24,
        bytes: 200,
        filling: Filling::Noise,
    };
    let topic = &records.topic;
    let mut run = replay(&brokers, &["replay", "-"]).stdin_open().spawn();
    let feeder = Feeder::new(&mut run, &records, RECORDS);
    for round in 1..=5 {
        let begun = RECORDS * (round - 1) * 20 / 100;
        feeder.allow(RECORDS * (10 + (round - 1) * 20) / 100);
        wait_for(&mut run, &brokers, topic, begun + 1);
        thread::sleep(random.time(Duration::ZERO..Duration::from_millis(100)));
        let leader = cluster.leader(topic, 0).expect("partition 0 has a leader");
        let leader = cluster.node(leader);
        leader.kill9().expect("the leader is there to be killed");
        // The other two go on while it is away.
        feeder.allow(RECORDS * round * 20 / 100);
        wait_for(&mut run, &brokers, topic, RECORDS * round * 20 / 100);
        leader.restart().expect("the leader starts again");
        cluster.wait_until_whole().expect("it follows again");
    }
    let output = run.wait();
    let report = report_of(&output, 0);
    assert_eq!(ledger(&report), "100000 = 100000 delivered");
    let log = read_log(&brokers, topic);
    verdict(&Evidence::new(0..RECORDS, &report, &log));
}
