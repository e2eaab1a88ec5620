//! Where records go and what they get: partitions, topics, times, headers.

pub(crate) mod contents;
pub(crate) mod partitions;

use crate::harness::kafka::Kafka;
use crate::harness::topics::create;
use crate::harness::verdict::readback::{LoggedRecord, read};

/// Creates orders and payments with this many partitions under a prefix; returns the value for `--map`.
fn shop(kafka: &Kafka, prefix: &str, orders: i32, payments: i32) -> String {
    for (name, partitions) in [("orders", orders), ("payments", payments)] {
        let topic = format!("{prefix}-{name}");
        create(&kafka.brokers(), &topic, partitions, &[]).expect("a topic");
    }
    format!("*={prefix}-{{topic}}")
}

fn seen(kafka: &Kafka, topic: &str) -> Vec<LoggedRecord> {
    read(&kafka.brokers(), topic).expect("the topic is readable")
}
