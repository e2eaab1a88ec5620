//! The functions of librdkafka that return or take an error code, declared with an integer instead of
//! the bindings' Rust enum (see `code.rs`). A C enum is an `int` to both sides of a call.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use rdkafka::bindings as c;

// Signatures: librdkafka.h and rdkafka_mock.h of librdkafka 2.12.1.
unsafe extern "C" {
    pub(in crate::cluster::native) fn rd_kafka_err2str(code: c_int) -> *const c_char;
    pub(in crate::cluster::native) fn rd_kafka_error_code(
        error: *const c::rd_kafka_error_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_event_error(
        event: *mut c::rd_kafka_event_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_topic_result_error(
        result: *const c::rd_kafka_topic_result_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_list_groups(
        client: *mut c::rd_kafka_t,
        group: *const c_char,
        list: *mut *const c::rd_kafka_group_list,
        limit_ms: c_int,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_ConsumerGroupDescription_state(
        group: *const c::rd_kafka_ConsumerGroupDescription_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_ConfigResource_error(
        resource: *const c::rd_kafka_ConfigResource_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_AdminOptions_set_request_timeout(
        options: *mut c::rd_kafka_AdminOptions_t,
        timeout_ms: c_int,
        reason: *mut c_char,
        reason_size: usize,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_AdminOptions_set_broker(
        options: *mut c::rd_kafka_AdminOptions_t,
        broker: i32,
        reason: *mut c_char,
        reason_size: usize,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_set_log_queue(
        client: *mut c::rd_kafka_t,
        queue: *mut c::rd_kafka_queue_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_metadata(
        client: *mut c::rd_kafka_t,
        all_topics: c_int,
        only_topic: *mut c::rd_kafka_topic_t,
        metadata: *mut *const c::rd_kafka_metadata,
        timeout_ms: c_int,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_fatal_error(
        client: *mut c::rd_kafka_t,
        reason: *mut c_char,
        reason_size: usize,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_last_error() -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_message_headers(
        message: *const c::rd_kafka_message_t,
        headers: *mut *mut c::rd_kafka_headers_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_header_get_all(
        headers: *const c::rd_kafka_headers_t,
        index: usize,
        name: *mut *const c_char,
        value: *mut *const c_void,
        size: *mut usize,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_get_watermark_offsets(
        client: *mut c::rd_kafka_t,
        topic: *const c_char,
        partition: i32,
        low: *mut i64,
        high: *mut i64,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_flush(
        client: *mut c::rd_kafka_t,
        timeout_ms: c_int,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_pause_partitions(
        client: *mut c::rd_kafka_t,
        partitions: *mut c::rd_kafka_topic_partition_list_t,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_purge(
        client: *mut c::rd_kafka_t,
        flags: c_int,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_oauthbearer_set_token(
        client: *mut c::rd_kafka_t,
        token: *const c_char,
        lifetime_ms: i64,
        principal: *const c_char,
        extensions: *mut *const c_char,
        extension_size: usize,
        reason: *mut c_char,
        reason_size: usize,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_header_add(
        headers: *mut c::rd_kafka_headers_t,
        name: *const c_char,
        name_size: isize,
        value: *const c_void,
        value_size: isize,
    ) -> c_int;
    pub(in crate::cluster::native) fn rd_kafka_mock_topic_create(
        mock: *mut c::rd_kafka_mock_cluster_t,
        topic: *const c_char,
        partitions: c_int,
        replicas: c_int,
    ) -> c_int;
}

/// The error code at `field`, a field that the bindings declare as an enum.
///
/// # Safety
/// `field` must point to an initialised field of librdkafka's that is still alive.
pub(in crate::cluster::native) unsafe fn code_at(field: *const c::rd_kafka_resp_err_t) -> c_int {
    // SAFETY: as the caller promises; the enum is `repr(i32)`, so that an integer of its size and
    // alignment is read, and never as the enum.
    unsafe { ptr::read(field.cast::<c_int>()) }
}
