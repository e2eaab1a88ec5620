//! One request to the cluster and the wait for its answer.

use std::time::{Duration, Instant};

use rdkafka::bindings as c;

use crate::cluster::native::client::{Client, ErrorBuffer, whole_ms};
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::{Owned, text};
use crate::cluster::native::ffi::raw;
use crate::host::control::Control;

/// How often kreplay checks, while it waits for an answer, whether the run has to stop.
pub(super) const STEP: Duration = Duration::from_millis(20);

/// How long librdkafka itself waits for a group's coordinator: the longest limit that it takes
/// (rdkafka_admin.c). Once its limit has passed, librdkafka 2.12.1 has no valid request left to give to a
/// coordinator that can be reached again, and aborts the process
/// ([librdkafka#4605](https://github.com/confluentinc/librdkafka/issues/4605)). [`AdminRequest::poll`] ends the wait.
const COORDINATOR_LIMIT: Duration = Duration::from_secs(3600);

/// Why the cluster refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdminRefusal {
    pub(crate) code: Code,
    /// The cluster's words, or librdkafka's.
    pub(crate) text: String,
}

impl AdminRefusal {
    /// Creates a refusal from a code and the words that came with it, if any.
    pub(in crate::cluster::native) fn new(code: Code, words: String) -> Self {
        let text = match words.is_empty() {
            true => code.words(),
            false => words,
        };
        Self { code, text }
    }

    /// The refusal of a request that librdkafka does not accept.
    pub(in crate::cluster::native) fn unusable() -> Self {
        Self::new(Code::INVALID_ARGUMENT, String::new())
    }

    fn interrupted() -> Self {
        let text = "the run was interrupted before the cluster answered";
        Self::new(Code::TIMED_OUT, text.into())
    }
}

/// A request: where its answers arrive, and how long they may take.
pub(in crate::cluster::native) struct AdminRequest<'a> {
    client: &'a Client,
    control: &'a Control,
    queue: Owned<c::rd_kafka_queue_t>,
    options: Owned<c::rd_kafka_AdminOptions_t>,
    limit: Duration,
}

/// The answer to one request.
pub(in crate::cluster::native) type AdminResponse = Owned<c::rd_kafka_event_t>;

impl<'a> AdminRequest<'a> {
    /// Creates a request that ends early when `control` says that the run has to stop.
    ///
    /// # Errors
    /// Returns an error if librdkafka does not know this kind of request.
    pub(in crate::cluster::native) fn new(
        client: &'a Client,
        control: &'a Control,
        kind: c::rd_kafka_admin_op_t,
        limit: Duration,
    ) -> Result<Self, AdminRefusal> {
        // SAFETY: the client lives longer than the queue and the options, by the borrow; both are ours.
        let (queue, options) = unsafe {
            let queue = c::rd_kafka_queue_new(client.native());
            let options = c::rd_kafka_AdminOptions_new(client.native(), kind);
            (
                Owned::new(queue, c::rd_kafka_queue_destroy),
                Owned::new(options, c::rd_kafka_AdminOptions_destroy),
            )
        };
        let queue = queue.ok_or_else(AdminRefusal::unusable)?;
        let options = options.ok_or_else(AdminRefusal::unusable)?;
        let mut reason = ErrorBuffer::default();
        // SAFETY: the reason is written within its length; a refused limit leaves the default.
        unsafe {
            raw::rd_kafka_AdminOptions_set_request_timeout(
                options.ptr(),
                whole_ms(native_limit(kind, limit)),
                reason.start(),
                reason.size(),
            )
        };
        Ok(Self {
            client,
            control,
            queue,
            options,
            limit,
        })
    }

    /// Sends the request to this broker.
    pub(in crate::cluster::native) fn to_broker(&self, broker: i32) {
        let mut reason = ErrorBuffer::default();
        // SAFETY: the reason is written within its length; a refused broker leaves the default.
        unsafe {
            raw::rd_kafka_AdminOptions_set_broker(
                self.options.ptr(),
                broker,
                reason.start(),
                reason.size(),
            )
        };
    }

    /// Also asks what the user may do.
    pub(in crate::cluster::native) fn with_operations(&self) {
        // SAFETY: the options live through the call; an error is ours, and only says that this kind of
        // request has no such option.
        drop(unsafe {
            let error =
                c::rd_kafka_AdminOptions_set_include_authorized_operations(self.options.ptr(), 1);
            Owned::new(error, c::rd_kafka_error_destroy)
        });
    }

    /// Asks for what a reader of committed records sees.
    pub(in crate::cluster::native) fn read_committed(&self) {
        let level = c::rd_kafka_IsolationLevel_t::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED;
        // SAFETY: as in `with_operations`.
        drop(unsafe {
            let error = c::rd_kafka_AdminOptions_set_isolation_level(self.options.ptr(), level);
            Owned::new(error, c::rd_kafka_error_destroy)
        });
    }

    pub(in crate::cluster::native) fn native(&self) -> *mut c::rd_kafka_t {
        self.client.native()
    }

    pub(in crate::cluster::native) fn options(&self) -> *const c::rd_kafka_AdminOptions_t {
        self.options.ptr()
    }

    pub(in crate::cluster::native) fn queue(&self) -> *mut c::rd_kafka_queue_t {
        self.queue.ptr()
    }

    /// Waits for the next answer.
    ///
    /// # Errors
    /// Returns the cluster's reason for not answering, or a refusal if the answer takes too long or the run
    /// has to stop.
    pub(in crate::cluster::native) fn poll(&self) -> Result<AdminResponse, AdminRefusal> {
        // Where librdkafka has the same limit, it answers by itself once that has passed; the rest is time
        // for its answer to arrive.
        let patience = self.limit + Duration::from_millis(500);
        let started = Instant::now();
        let event = loop {
            // SAFETY: the queue is ours, and so is the event that it returns.
            let event = unsafe {
                let event = c::rd_kafka_queue_poll(self.queue.ptr(), whole_ms(STEP));
                Owned::new(event, c::rd_kafka_event_destroy)
            };
            match event {
                Some(event) => break event,
                None if self.control.is_stopping() => return Err(AdminRefusal::interrupted()),
                None if started.elapsed() > patience => {
                    return Err(AdminRefusal::new(Code::TIMED_OUT, String::new()));
                }
                None => {}
            }
        };
        // SAFETY: the event lives through both calls; its text is copied.
        let (code, words) = unsafe {
            (
                Code::from_raw(raw::rd_kafka_event_error(event.ptr())),
                text(c::rd_kafka_event_error_string(event.ptr())),
            )
        };
        match code.is_error() {
            true => Err(AdminRefusal::new(code, words)),
            false => Ok(event),
        }
    }
}

/// How long librdkafka itself may wait for the answer to a request of this `kind`, which kreplay waits for
/// up to `limit`.
fn native_limit(kind: c::rd_kafka_admin_op_t, limit: Duration) -> Duration {
    match kind {
        c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS
        | c::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS => COORDINATOR_LIMIT,
        _ => limit,
    }
}
