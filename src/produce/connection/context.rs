//! Handles librdkafka's events: its log, its errors, and the deliveries. This file is separate from
//! `delivery/`, because several producers share one account of deliveries.

use std::sync::Arc;

use crate::cluster::native::Event;
use crate::config::properties::Secrets;
use crate::host::console::Console;
use crate::produce::delivery::{Deliveries, Ending};

/// The facility of log lines about connections that fail (librdkafka, rd_kafka_broker_set_error).
const FAILURE: &str = "FAIL";

/// Where the events of one producer go.
#[derive(Clone)]
pub(in crate::produce) struct ProducerEvents {
    console: Console,
    deliveries: Arc<Deliveries>,
    secrets: Secrets,
}

impl ProducerEvents {
    pub(in crate::produce) fn new(
        console: Console,
        deliveries: Arc<Deliveries>,
        secrets: Secrets,
    ) -> Self {
        Self {
            console,
            deliveries,
            secrets,
        }
    }

    pub(in crate::produce) fn take(&self, event: Event<'_>) {
        match event {
            Event::Delivery(delivery) => self.deliveries.answer(&delivery),
            Event::Error { code, text } => {
                self.deliveries.client_error(code, &self.secrets.hide(text));
            }
            Event::Log {
                level,
                facility,
                text,
            } => self.log(level, facility, text),
        }
    }

    /// Notes that no more events will come, because the thread that takes them has panicked.
    pub(in crate::produce) fn polling_panicked(&self) {
        self.deliveries.end(Ending::PollingPanicked);
    }

    fn log(&self, level: i32, facility: &str, text: &str) {
        let text = self.secrets.hide(text);
        // The log says that a broker hung up, and in which state; the errors do not.
        if facility == FAILURE {
            self.deliveries.hung_up(&text);
        }
        let line = format!("librdkafka: {}: {facility}: {text}", severity(level));
        self.console.verbose(&line);
    }
}

/// The name of a syslog level (RFC 5424, section 6.2.1).
fn severity(level: i32) -> &'static str {
    match level {
        ..=2 => "critical",
        3 => "error",
        4 => "warning",
        5 => "notice",
        6 => "info",
        _ => "debug",
    }
}
