//! A plan that asks a cluster: missing topics and partitions, the captured cluster, no cluster at all.

use super::{SourceRecord, every, lines, plan, run};
use crate::harness::run::{Run, report};
use crate::harness::verdict::readback::count;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use serde_json::{Value, json};

/// A cluster with these topics and numbers of partitions.
fn mock(topics: &[(&str, i32)]) -> MockCluster<'static, DefaultProducerContext> {
    let mock = MockCluster::new(1).expect("a mock cluster");
    for (topic, partitions) in topics {
        mock.create_topic(topic, *partitions, 1).expect("a topic");
    }
    mock
}

#[test]
fn a_missing_topic_is_forecast_with_its_exit_code_and_not_created() {
    let mock = mock(&[("orders", 4)]);
    let brokers = mock.bootstrap_servers();
    let mut records = every(100, 20);
    records.push(SourceRecord {
        topic: "ordes",
        ..records[0].clone()
    });
    let text = lines(&records);
    let flags = ["-b", &brokers, "--rate", "10"];
    let planned = plan(&text, &flags, 3);
    let said = format!(
        "a replay would not begin: topic `ordes` does not exist on {brokers} (did you mean `orders`?)"
    );
    assert_eq!(planned["verdict"], said);
    assert_eq!(
        planned["destination"],
        json!({ "brokers": brokers, "assumed": null })
    );
    let states: Vec<_> = planned["topics"]
        .as_array()
        .expect("an array")
        .iter()
        .collect();
    assert_eq!(
        (&states[0]["state"], &states[0]["partitions"]),
        (&"present".into(), &4.into())
    );
    assert_eq!(
        (&states[1]["state"], &states[1]["records"]),
        (&"missing".into(), &1.into())
    );
    assert_eq!(planned["schedule"]["duration_s"], 2.0);
    // If kreplay may create it, nothing is missing, and nothing is created either.
    let planned = plan(&text, &[&flags[..], &["--create-topics"]].concat(), 0);
    assert_eq!(planned["topics"][1]["state"], "created");
    plan(&text, &flags, 3);
    assert_eq!(count(&brokers, "orders"), Ok(0), "nothing is sent");
}

/// An address that is not a loopback address, and at which nothing answers.
const ELSEWHERE: &str = "224.0.0.1:19092";

#[test]
fn the_captured_cluster_is_refused_as_a_replay_refuses_it() {
    let mock = mock(&[("orders", 1)]);
    let brokers = format!("{ELSEWHERE},{}", mock.bootstrap_servers());
    let captured = lines(&every(0, 3))
        .lines()
        .fold(String::new(), |all, line| {
            let mut line: Value = serde_json::from_str(line).expect("JSON");
            line["captured_from"] = json!([{ "broker": ELSEWHERE }]);
            all + &format!("{line}\n")
        });
    let flags = ["-b", &brokers];
    let planned = plan(&captured, &flags, 3);
    assert_eq!(planned["ledger"]["to_send"], 3, "the forecast is whole");
    let replayed = run("replay", &captured, &flags);
    assert_eq!(replayed.code, 3, "{replayed:#?}");
    assert_eq!(planned["errors"], report(&replayed)["errors"]);
    plan(&captured, &[&flags[..], &["--yes"]].concat(), 0);
    assert_eq!(count(&mock.bootstrap_servers(), "orders"), Ok(0));
}

#[test]
fn too_few_partitions_displace_records_or_are_missing() {
    let mock = mock(&[("orders", 2)]);
    let brokers = mock.bootstrap_servers();
    let of = |partition, key: Option<&str>| SourceRecord {
        partition: Some(partition),
        key: key.map(str::to_owned),
        offset: None,
        ..every(0, 1)[0].clone()
    };
    // "21" has the murmur2 hash -973932308 (Apache Kafka's UtilsTest): positive, modulo 2, that is 0.
    let text = lines(&[
        of(0, None),
        of(1, Some("k")),
        of(5, Some("21")),
        of(3, None),
    ]);
    let planned = plan(&text, &["-b", &brokers], 1);
    let topic = &planned["topics"][0];
    assert_eq!(
        (&topic["displaced"], &topic["records"]),
        (&2.into(), &4.into())
    );
    let said = format!(
        "a replay would deliver all 4 records to {brokers}: 2 in another partition than the captured one"
    );
    assert_eq!(planned["verdict"], said);
    let records: u64 = topic["per_partition"][0]["records"]
        .as_u64()
        .expect("a number");
    assert!(records >= 2, "those of partition 0 and of key 21: {topic}");
    // With the user's choice of placement by key, nothing is displaced.
    plan(&text, &["-b", &brokers, "--partition", "key"], 0);
    let kept = plan(&text, &["-b", &brokers, "--partition", "keep"], 3);
    assert_eq!(kept["topics"][0]["missing_partitions"], json!([3, 5]));
    assert_eq!(kept["ledger"]["unsent"], 2);
    assert_eq!(count(&brokers, "orders"), Ok(0), "nothing is sent");
}

#[test]
fn a_plan_asks_for_no_producer_id_and_a_replay_does() {
    let cluster = mock(&[("orders", 1)]);
    let refusal = RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &[refusal; 4]);
    let brokers = cluster.bootstrap_servers();
    let text = lines(&every(0, 3));
    let flags = ["-b", &brokers, "-X", "enable.idempotence=true"];
    plan(&text, &flags, 0);
    let replayed = run("replay", &text, &flags);
    assert_eq!(
        replayed.code, 3,
        "the refusal is still there: {replayed:#?}"
    );
}

#[test]
fn an_unreachable_cluster_ends_the_plan_with_that_error_alone() {
    let text = lines(&every(0, 3));
    let planned = plan(&text, &["-b", "127.0.0.1:1"], 3);
    assert_eq!(
        planned["destination"],
        json!({ "brokers": "127.0.0.1:1", "assumed": null })
    );
    let said = "no broker of 127.0.0.1:1 could be used: connection refused";
    assert_eq!(planned["errors"], json!([said]));
    let output = Run::new(["plan", "-", "-b", "127.0.0.1:1"])
        .stdin(text)
        .output();
    let said = format!("kreplay: {said}\n");
    let shown = (output.code, output.stdout.as_str(), output.stderr.as_str());
    assert_eq!(shown, (3, "", said.as_str()));
}
