//! Tests of the whole native module, against librdkafka's mock cluster: CONTRIBUTING runs them under
//! valgrind.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, c_char, c_int};
use std::io::Write as _;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use nix::libc;
use rdkafka::bindings as c;
use rdkafka::config::ClientConfig;

use super::*;
use crate::config::property_names::{ALIASES, CONSUMERS};
use crate::host::control::Control;
use crate::record::in_flight::NumberedBatch;
use crate::record::in_flight::Positions;
use crate::record::lines;
use crate::record::{Batch, Origin};

const TOPIC: &str = "orders";
/// The Produce request (Kafka protocol guide, "Api Keys").
const PRODUCE: i16 = 0;
/// The request that each idempotent producer sends once.
const INIT_PRODUCER_ID: i16 = 22;
/// A busy machine, or valgrind, needs only part of this time.
const LIMIT: Duration = Duration::from_secs(60);

unsafe extern "C" {
    // rdkafka_mock.h, with integers for the codes: the bindings' enum lacks some of these.
    fn rd_kafka_mock_push_request_errors_array(
        mock: *mut c::rd_kafka_mock_cluster_t,
        api_key: i16,
        count: usize,
        codes: *const c_int,
    );
    fn rd_kafka_mock_topic_set_error(
        mock: *mut c::rd_kafka_mock_cluster_t,
        topic: *const c_char,
        code: c_int,
    );
}

/// A client with its own mock cluster and a topic of one partition.
fn client() -> Arc<Client> {
    let mut config = ClientConfig::new();
    config.set("test.mock.num.brokers", "1");
    config.set("linger.ms", "0");
    let client = Client::new(&config).expect("a client");
    let mock = client.mock().expect("a mock cluster");
    mock.create_topic(TOPIC, 1, 1).expect("a topic");
    Arc::new(client)
}

fn native_mock(client: &Client) -> *mut c::rd_kafka_mock_cluster_t {
    // SAFETY: the client lives through the call.
    unsafe { c::rd_kafka_handle_mock_cluster(client.native()) }
}

/// A client with a mock cluster of this many brokers, which counts requests from now on.
fn counting_client(brokers: u32) -> Client {
    let mut config = ClientConfig::new();
    config.set("test.mock.num.brokers", brokers.to_string());
    let client = Client::new(&config).expect("a client");
    // SAFETY: the mock cluster lives as long as its client.
    unsafe { c::rd_kafka_mock_start_request_tracking(native_mock(&client)) };
    client
}

/// How many requests of a kind the mock cluster of `client` has received.
fn requests(client: &Client, api_key: i16) -> usize {
    let mut count = 0;
    // SAFETY: the mock cluster lives as long as its client. The list is ours with its elements, `count` of
    // them, and given back.
    unsafe {
        let list = c::rd_kafka_mock_get_requests(native_mock(client), &raw mut count);
        let keys = (0..count).map(|at| c::rd_kafka_mock_request_api_key(*list.add(at)));
        let alike = keys.filter(|key| *key == api_key).count();
        c::rd_kafka_mock_request_destroy_array(list, count);
        alike
    }
}

/// Replays record lines, given as topic, partition and offset, with values of 100 bytes.
fn replay(client: &Client, places: impl Iterator<Item = (String, u32, u32)>) -> crate::Report {
    let value = "x".repeat(100);
    let lines = places.map(|(topic, partition, offset)| {
        format!(
            r#"{{"topic":"{topic}","partition":{partition},"offset":{offset},"value":"{value}"}}"#
        )
    });
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    for line in lines {
        writeln!(file, "{line}").expect("the file takes it");
    }
    let brokers = client.mock().expect("a mock cluster").bootstrap_servers();
    let path = file.path().display().to_string();
    crate::replay([path.as_str(), "-b", &brokers, "-q"]).expect("a replay")
}

/// A batch of records with headers, one of them without a value.
fn batch(records: u64) -> Arc<InFlightBatch> {
    let mut batch = Batch::default();
    for line in 0..records {
        let origin = Origin { input: 0, line };
        let text =
            format!(r#"{{"key":"k{line}","value":"v{line}","headers":[["h","x"],["n",null]]}}"#);
        lines::read(text.as_bytes(), origin, &mut batch).expect("a record line");
    }
    let positions = Positions::From(0);
    InFlightBatch::new(NumberedBatch::new(batch, positions))
}

fn send(topic: &TopicHandle, batch: &Arc<InFlightBatch>) {
    for index in 0..batch.batch().records.len() {
        let record = InFlightRecord::new(batch, index);
        let outgoing = Outgoing {
            partition: 0,
            record,
            timestamp_ms: 0,
            headers: [(&b"h\0"[..], Some(&b"x"[..])), (b"", None)].into_iter(),
        };
        produce(topic, outgoing, || true).expect("librdkafka takes it");
    }
}

/// The result of each position, when all have one.
fn results(client: &Client, records: usize) -> BTreeMap<u64, Result<(), DeliveryFailure>> {
    let started = Instant::now();
    let mut results = BTreeMap::new();
    while results.len() < records {
        assert!(started.elapsed() < LIMIT, "{results:?}");
        client.poll(Duration::from_millis(50), |event| {
            if let Event::Delivery(delivery) = event {
                assert_eq!(delivery.topic, TOPIC);
                let twice = results.insert(delivery.record.position(), delivery.result);
                assert_eq!(twice, None, "a record is answered once");
            }
        });
    }
    results
}

#[test]
fn librdkafka_owns_a_share_of_a_batch_until_the_last_delivery() {
    let client = client();
    let topic = TopicHandle::new(&client, TOPIC).expect("a handle");
    let batch = batch(100);
    send(&topic, &batch);
    assert_eq!(Arc::strong_count(&batch), 101);
    let weak = Arc::downgrade(&batch);
    drop(batch);
    assert!(weak.upgrade().is_some(), "librdkafka holds it");
    let results = results(&client, 100);
    assert!(results.values().all(Result::is_ok), "{results:?}");
    assert!(weak.upgrade().is_none(), "nobody holds it any more");
}

#[test]
fn a_producer_that_ends_early_leaves_its_records_alive() {
    let client = client();
    let topic = TopicHandle::new(&client, TOPIC).expect("a handle");
    let batch = batch(10);
    send(&topic, &batch);
    let weak: Weak<InFlightBatch> = Arc::downgrade(&batch);
    drop((batch, topic, client));
    // A record that librdkafka never reported loses memory; it must not be freed too early.
    let still = weak.upgrade().expect("shares that nobody gave back");
    assert_eq!(still.batch().records.len(), 10);
}

#[test]
fn a_record_that_librdkafka_refuses_comes_back_at_once() {
    let client = client();
    let topic = TopicHandle::new(&client, TOPIC).expect("a handle");
    let batch = batch(1);
    let outgoing = Outgoing {
        // The topic has one, which librdkafka learns from this question.
        partition: 7,
        record: InFlightRecord::new(&batch, 0),
        timestamp_ms: 0,
        headers: [(&b"h"[..], None)].into_iter(),
    };
    client.metadata(TOPIC, LIMIT).expect("an answer");
    let refused = produce(&topic, outgoing, || false);
    assert!(refused.is_err());
    assert_eq!(Arc::strong_count(&batch), 1);
}

#[test]
fn unknown_error_codes_of_a_broker_arrive_unchanged() {
    // 120 is Kafka's TRANSACTION_ABORTABLE; 9999 belongs to nobody.
    for code in [120, 9999] {
        let client = client();
        let topic = TopicHandle::new(&client, TOPIC).expect("a handle");
        let codes = [code; 100];
        // SAFETY: the mock cluster lives as long as its client, and the codes through the call.
        unsafe {
            let mock = native_mock(&client);
            rd_kafka_mock_push_request_errors_array(mock, PRODUCE, codes.len(), codes.as_ptr());
        }
        let batch = batch(3);
        send(&topic, &batch);
        for (position, result) in results(&client, 3) {
            let failure = result.expect_err("the broker refuses all");
            assert_eq!(failure.code, Code::from_raw(code), "{position}");
            let words =
                format!("the broker answers with error code {code}, which kreplay does not know");
            assert_eq!(failure.code.words(), words);
        }
        assert_eq!(Arc::strong_count(&batch), 1);
    }
}

#[test]
fn unknown_error_codes_of_a_topic_arrive_unchanged() {
    let client = client();
    let name = CString::new(TOPIC).expect("no NUL");
    // SAFETY: the mock cluster lives as long as its client, and the name through the call.
    unsafe { rd_kafka_mock_topic_set_error(native_mock(&client), name.as_ptr(), 9999) };
    let metadata = client.metadata(TOPIC, LIMIT).expect("an answer");
    let codes: Vec<Code> = metadata.topics.iter().map(|topic| topic.code).collect();
    assert_eq!(codes, [Code::from_raw(9999)]);
    assert_eq!(metadata.brokers.len(), 1);
}

/// librdkafka's table of its properties: the cells of each row.
fn shown_properties() -> Vec<Vec<String>> {
    let (mut bytes, mut length) = (std::ptr::null_mut(), 0);
    // SAFETY: the stream writes to memory that is ours after it is closed; it is read within its length
    // and freed once.
    let text = unsafe {
        let stream = libc::open_memstream(&raw mut bytes, &raw mut length);
        assert!(!stream.is_null(), "there is memory");
        c::rd_kafka_conf_properties_show(stream.cast());
        libc::fclose(stream);
        let text = std::slice::from_raw_parts(bytes.cast::<u8>(), length).to_vec();
        libc::free(bytes.cast());
        String::from_utf8(text).expect("it is text")
    };
    let rows = text
        .lines()
        .map(|line| line.split('|').map(|cell| cell.trim().to_owned()).collect());
    let rows: Vec<Vec<String>> = rows.filter(|cells: &Vec<String>| cells.len() > 5).collect();
    assert!(rows.len() > 100, "{text}");
    rows
}

#[test]
fn all_aliases_of_librdkafka_are_known() {
    let rows = shown_properties();
    let of = |row: &Vec<String>| {
        let (_, aliased) = row.last()?.split_once("Alias for `")?;
        Some((row[0].clone(), aliased.split('`').next()?.to_owned()))
    };
    let shown: BTreeSet<(String, String)> = rows.iter().filter_map(of).collect();
    // This is also a property of its own: consumers read it as an alias, and producers do not.
    let shown = shown
        .into_iter()
        .filter(|(name, _)| name != "enable.auto.commit");
    let known = ALIASES.map(|(name, aliased)| (name.to_owned(), aliased.to_owned()));
    assert_eq!(shown.collect::<Vec<_>>(), known);
}

#[test]
fn all_properties_of_consumers_are_known() {
    let rows = shown_properties();
    let names = |row: &&Vec<String>| row[1] == "C";
    let shown: BTreeSet<&str> = rows
        .iter()
        .filter(names)
        .map(|row| row[0].as_str())
        .collect();
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), CONSUMERS);
}

/// librdkafka aborts the process if its own limit for a request has passed by the time it reaches the coordinator.
#[test]
fn a_coordinator_that_is_reached_after_a_request_has_timed_out_answers_the_next_one() {
    let client = counting_client(2);
    let mock = native_mock(&client);
    let name = CString::new(TOPIC).expect("no NUL");
    let set_delay = |ms| {
        // SAFETY: the mock cluster lives as long as its client.
        let code = unsafe { c::rd_kafka_mock_broker_set_rtt(mock, 2, ms) };
        assert_eq!(code as c_int, 0);
    };
    // SAFETY: as above; the texts are copied.
    let codes = unsafe {
        [
            c::rd_kafka_mock_topic_create(mock, name.as_ptr(), 1, 1),
            c::rd_kafka_mock_coordinator_set(mock, c"group".as_ptr(), c"billing".as_ptr(), 2),
        ]
    };
    assert!(codes.iter().all(|code| *code as c_int == 0), "{codes:?}");
    set_delay(2_000);
    let control = Control::default();
    let partitions = [(TOPIC.to_owned(), 0)];
    let ask = |limit| admin::offsets::committed(&client, &control, "billing", &partitions, limit);
    let refusal = ask(Duration::from_millis(100)).expect_err("the coordinator is slow");
    assert_eq!(refusal.code, Code::TIMED_OUT, "{refusal:?}");
    set_delay(0);
    let committed = ask(LIMIT).expect("the coordinator answers");
    assert_eq!(committed, [(TOPIC.to_owned(), 0, None)]);
}

#[test]
fn topic_names_that_librdkafka_refuses_are_an_error_and_not_a_panic() {
    let client = client();
    for name in ["a\0b".to_owned(), "x".repeat(40_000)] {
        let asked = client.metadata(&name, LIMIT);
        assert_eq!(asked, Err(Code::INVALID_ARGUMENT));
        assert!(TopicHandle::new(&client, &name).is_none());
    }
}

/// Counts requests, not time: each request costs as much as a hundred records.
#[test]
fn of_a_thousand_partitions_that_take_turns_each_is_written_in_two_requests_or_fewer() {
    let client = counting_client(4);
    let mock = client.mock().expect("a mock cluster");
    mock.create_topic(TOPIC, 1000, 1).expect("a topic");
    let rounds = (0..200).flat_map(|offset| (0..1000).map(move |p| (TOPIC.into(), p, offset)));
    let report = replay(&client, rounds);
    assert_eq!(report.ledger[crate::Outcome::Delivered], 200_000);
    // A request carries twice 24 KiB of each partition, and a waiting record takes up to 250 bytes: that
    // makes two requests. On a busy machine one may go out before all that belongs to it is handed over.
    let requests = requests(&client, PRODUCE);
    assert!((1000..3000).contains(&requests), "{requests}");
}

#[test]
fn many_topics_are_shared_out_to_several_producers_and_few_are_not() {
    for (topics, producers) in [(3, 1), (1200, 3)] {
        let client = counting_client(2);
        let mock = client.mock().expect("a mock cluster");
        let names: Vec<String> = (0..topics).map(|n| format!("topic-{n}")).collect();
        for name in &names {
            mock.create_topic(name, 1, 2).expect("a topic");
        }
        let records = (0..2).flat_map(|offset| names.iter().map(move |n| (n.clone(), 0, offset)));
        let report = replay(&client, records);
        assert_eq!(report.ledger[crate::Outcome::Delivered], 2 * topics);
        let in_order = |topic: &crate::TopicReport| {
            let [partition] = topic.per_partition.as_slice() else {
                return false;
            };
            (partition.first_offset, partition.last_offset) == (Some(0), Some(1))
        };
        assert_eq!(
            report.topics.iter().filter(|t| in_order(t)).count() as u64,
            topics
        );
        assert_eq!(requests(&client, INIT_PRODUCER_ID), producers);
    }
}
