//! What librdkafka's callbacks lead to: its log, its troubles, and the deliveries. Apart from
//! `delivery.rs`, because several producers share one account of deliveries.

use std::sync::Arc;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;

use super::delivery::Deliveries;
use crate::console::Console;
use crate::properties::Secrets;

/// The facility of log lines about connections that fail (librdkafka, rd_kafka_broker_set_error).
const FAILURE: &str = "FAIL";

/// The callbacks of one producer.
pub(super) struct Context {
    console: Console,
    deliveries: Arc<Deliveries>,
    secrets: Secrets,
}

impl Context {
    pub(super) fn new(console: Console, deliveries: Arc<Deliveries>, secrets: Secrets) -> Self {
        Self {
            console,
            deliveries,
            secrets,
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        // That a broker hung up, and in which state, is told here and not as an error.
        if facility == FAILURE {
            self.deliveries.hung_up(&self.secrets.hide(text));
        }
        self.console.verbose(
            &self
                .secrets
                .hide(&format!("librdkafka: {level:?}: {facility}: {text}")),
        );
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let reason = self.secrets.hide(reason);
        self.deliveries.trouble(error.rdkafka_error_code(), &reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, word: usize) {
        self.deliveries.answer(result, word);
    }
}
