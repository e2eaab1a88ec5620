//! A client of librdkafka, a producer or a consumer. It is our own and not the rdkafka crate's, which turns
//! error codes into an enum wherever it meets them (see `code.rs`).

mod error_buffer;
mod mock;

use std::ffi::{CString, c_int, c_void};
use std::sync::Once;
use std::time::Duration;
use std::{mem, ptr};

use rdkafka::bindings as c;
use rdkafka::config::ClientConfig;
use rdkafka::error::KafkaError;

pub(super) use self::error_buffer::ErrorBuffer;
pub(crate) use self::mock::MockBrokers;
use super::ffi::code::Code;
use super::ffi::owned::{Owned, text};
use super::ffi::raw;
use super::metadata::Metadata;
use super::produce::event;
use super::produce::event::Event;

/// A client with its queue of events. It ends with its last owner, which may take as long as librdkafka's
/// threads need to notice it; records that it still holds are silently given up.
pub(crate) struct Client {
    // Before the client, to which the queue belongs: fields are dropped in this order.
    queue: Owned<c::rd_kafka_queue_t>,
    native: Owned<c::rd_kafka_t>,
}

// SAFETY: "The librdkafka API is completely thread safe" (librdkafka's INTRODUCTION.md, "Threads and
// callbacks"), handles of clients and queues included; there are no callbacks.
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

impl Client {
    /// Creates a producer with these settings; it knows nothing about the brokers yet.
    ///
    /// # Errors
    /// Returns an error if librdkafka does not accept a property, or all of them together.
    pub(crate) fn new(config: &ClientConfig) -> Result<Self, KafkaError> {
        Self::of_kind(config, c::rd_kafka_type_t::RD_KAFKA_PRODUCER)
    }

    /// Creates a consumer with these settings, which must not name a group: see [`super::FetchQueue`].
    ///
    /// # Errors
    /// Fails as [`Client::new`] does.
    pub(crate) fn consumer(config: &ClientConfig) -> Result<Self, KafkaError> {
        Self::of_kind(config, c::rd_kafka_type_t::RD_KAFKA_CONSUMER)
    }

    fn of_kind(config: &ClientConfig, kind: c::rd_kafka_type_t) -> Result<Self, KafkaError> {
        leave_openssl_alone_at_exit();
        let mut config = config.clone();
        let level = config.log_level as c_int;
        // The log comes as events, like everything else.
        config.set("log.queue", "true");
        let settings = config.create_native_config()?;
        let mut reason = ErrorBuffer::default();
        let events = c::RD_KAFKA_EVENT_DR
            | c::RD_KAFKA_EVENT_ERROR
            | c::RD_KAFKA_EVENT_STATS
            // Otherwise librdkafka would make tokens of its own.
            | c::RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH;
        // SAFETY: the settings live through the calls; the reason is written within its length.
        let native = unsafe {
            c::rd_kafka_conf_set_events(settings.ptr(), events);
            let native = c::rd_kafka_new(kind, settings.ptr(), reason.start(), reason.size());
            Owned::new(native, c::rd_kafka_destroy)
        };
        let Some(native) = native else {
            return Err(KafkaError::ClientCreation(reason.text()));
        };
        // The client owns them now, since it was created.
        mem::forget(settings);
        // SAFETY: the client lives through the calls. Its main queue is there from the beginning, and
        // this reference to it is ours.
        let queue = unsafe {
            c::rd_kafka_set_log_level(native.ptr(), level);
            let queue = c::rd_kafka_queue_get_main(native.ptr());
            Owned::new(queue, c::rd_kafka_queue_destroy)
        };
        let queue = queue.ok_or_else(|| KafkaError::ClientCreation("it has no queue".into()))?;
        // SAFETY: both live through the call. It fails only if the log goes to no queue.
        unsafe { raw::rd_kafka_set_log_queue(native.ptr(), queue.ptr()) };
        Ok(Self { queue, native })
    }

    pub(super) fn native(&self) -> *mut c::rd_kafka_t {
        self.native.ptr()
    }

    /// Waits up to `limit` for the next event and passes it on, or all deliveries that come with it.
    pub(crate) fn poll(&self, limit: Duration, take: impl FnMut(Event<'_>)) {
        // SAFETY: the queue lives through the call, and the event that it returns is ours.
        let event = unsafe {
            let event = c::rd_kafka_queue_poll(self.queue.ptr(), whole_ms(limit));
            Owned::new(event, c::rd_kafka_event_destroy)
        };
        if let Some(event) = event {
            event::read(&event, take);
        }
    }

    /// What the cluster says about its brokers.
    ///
    /// # Errors
    /// Returns an error if none of them answers in time.
    pub(crate) fn brokers(&self, limit: Duration) -> Result<Metadata, Code> {
        // The empty name is not the name of a topic.
        self.metadata("", limit)
    }

    /// What the cluster says about its brokers and about `topic`.
    ///
    /// # Errors
    /// Returns an error if no broker answers in time, or if librdkafka does not accept the name.
    pub(crate) fn metadata(&self, topic: &str, limit: Duration) -> Result<Metadata, Code> {
        let name = CString::new(topic).map_err(|_| Code::INVALID_ARGUMENT)?;
        // SAFETY: the client and the name live through the call; a null configuration is the default.
        let topic = unsafe {
            let topic = c::rd_kafka_topic_new(self.native(), name.as_ptr(), ptr::null_mut());
            Owned::new(topic, c::rd_kafka_topic_destroy)
        };
        let topic = topic.ok_or(Code::INVALID_ARGUMENT)?;
        self.ask_metadata(Some(&topic), limit)
    }

    /// What the cluster says about its brokers and about all topics.
    ///
    /// # Errors
    /// Returns an error if no broker answers in time.
    pub(crate) fn topics(&self, limit: Duration) -> Result<Metadata, Code> {
        self.ask_metadata(None, limit)
    }

    /// Asks about one topic, or about all.
    fn ask_metadata(
        &self,
        topic: Option<&Owned<c::rd_kafka_topic_t>>,
        limit: Duration,
    ) -> Result<Metadata, Code> {
        let mut metadata = ptr::null();
        // SAFETY: client and topic live through the call; a null topic means none. Without an error, the call
        // returns metadata, which is copied and then freed.
        unsafe {
            let code = raw::rd_kafka_metadata(
                self.native(),
                i32::from(topic.is_none()),
                topic.map_or(ptr::null_mut(), Owned::ptr),
                &raw mut metadata,
                whole_ms(limit),
            );
            let code = Code::from_raw(code);
            if code.is_error() || metadata.is_null() {
                return Err(code);
            }
            let copy = Metadata::copy(metadata);
            c::rd_kafka_metadata_destroy(metadata);
            Ok(copy)
        }
    }

    /// The cluster's id; `None` if it has none, or does not name it in time.
    pub(crate) fn cluster_id(&self, limit: Duration) -> Option<String> {
        // SAFETY: the client lives through the call. The text is ours, and is freed with the deallocator of
        // the library that allocated it (librdkafka.h, rd_kafka_clusterid).
        unsafe {
            let id = c::rd_kafka_clusterid(self.native(), whole_ms(limit));
            let copy = (!id.is_null()).then(|| text(id));
            c::rd_kafka_mem_free(self.native(), id.cast::<c_void>());
            copy
        }
    }

    /// Why the producer cannot continue; `None` as long as it can.
    pub(crate) fn fatal_error(&self) -> Option<(Code, String)> {
        let mut reason = ErrorBuffer::default();
        // SAFETY: the client lives through the call; the reason is written within its length.
        let code =
            unsafe { raw::rd_kafka_fatal_error(self.native(), reason.start(), reason.size()) };
        let code = Code::from_raw(code);
        code.is_error().then(|| (code, reason.text()))
    }

    /// Sends what is queued without lingering and waits up to `limit` for all deliveries, which another
    /// thread receives from [`Client::poll`].
    pub(crate) fn flush(&self, limit: Duration) {
        // SAFETY: the client lives through the call. The result is not used: deliveries are counted.
        unsafe { raw::rd_kafka_flush(self.native(), whole_ms(limit)) };
    }

    /// Gives up what librdkafka holds, including what a broker has not answered. librdkafka reports each
    /// record. This call does not wait for that: one of librdkafka's threads may hang while it looks up a
    /// host name. It never purges only the queue: librdkafka would send what was in flight again, under a new
    /// epoch, if its connection is lost.
    pub(crate) fn purge(&self) {
        let what = c::RD_KAFKA_PURGE_F_QUEUE | c::RD_KAFKA_PURGE_F_INFLIGHT;
        // SAFETY: the client lives through the call. It cannot fail for a producer with these flags.
        unsafe { raw::rd_kafka_purge(self.native(), what | c::RD_KAFKA_PURGE_F_NON_BLOCKING) };
    }

    /// Sends nothing more to the first `partitions` partitions of a topic; records in flight still get their
    /// answers.
    pub(crate) fn pause(&self, topic: &str, partitions: i32) {
        let Ok(topic) = CString::new(topic) else {
            return;
        };
        // SAFETY: the list is ours, and holds a copy of the name. The client and the list live through
        // the call, which fails for partitions that it does not know: nothing is sent to them.
        // librdkafka.h, rd_kafka_pause_partitions.
        unsafe {
            let list = c::rd_kafka_topic_partition_list_new(partitions);
            let Some(list) = Owned::new(list, c::rd_kafka_topic_partition_list_destroy) else {
                return;
            };
            c::rd_kafka_topic_partition_list_add_range(
                list.ptr(),
                topic.as_ptr(),
                0,
                partitions - 1,
            );
            raw::rd_kafka_pause_partitions(self.native(), list.ptr());
        }
    }

    /// Gives the client a token for SASL OAUTHBEARER.
    ///
    /// # Errors
    /// Returns librdkafka's reason for not accepting it.
    pub(crate) fn set_token(&self, token: &Token) -> Result<(), String> {
        let text = |text: &str| CString::new(text).map_err(|_| "it holds a NUL".to_string());
        let (value, principal) = (text(&token.text)?, text(&token.principal)?);
        let mut reason = ErrorBuffer::default();
        // SAFETY: the texts live through the call, which copies them; there are no extensions, and the
        // reason is written within its length.
        let code = unsafe {
            raw::rd_kafka_oauthbearer_set_token(
                self.native(),
                value.as_ptr(),
                token.expires_ms,
                principal.as_ptr(),
                ptr::null_mut(),
                0,
                reason.start(),
                reason.size(),
            )
        };
        match Code::from_raw(code).is_error() {
            true => Err(reason.text()),
            false => Ok(()),
        }
    }
}

/// A token and what librdkafka needs to know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    /// Milliseconds since 1970.
    pub(crate) expires_ms: i64,
    pub(crate) principal: String,
}

/// Milliseconds in the type that librdkafka takes.
pub(super) fn whole_ms(limit: Duration) -> c_int {
    c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX)
}

/// Keeps OpenSSL from cleaning up when the process ends: a run that ends at once does not wait for
/// librdkafka's threads, which may be inside OpenSSL at that moment.
fn leave_openssl_alone_at_exit() {
    /// openssl/crypto.h, OPENSSL_INIT_NO_ATEXIT.
    const NO_ATEXIT: u64 = 0x0008_0000;
    static ONCE: Once = Once::new();
    unsafe extern "C" {
        // openssl/crypto.h of OpenSSL 3.
        fn OPENSSL_init_crypto(options: u64, settings: *const c_void) -> c_int;
    }
    ONCE.call_once(|| {
        // SAFETY: it may be called at any time, and the first call decides; null settings are the
        // default. It fails only without memory, and OpenSSL then says so when it is used.
        unsafe { OPENSSL_init_crypto(NO_ATEXIT, ptr::null()) };
    });
}
