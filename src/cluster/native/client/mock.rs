//! The mock cluster that librdkafka keeps in the process, for rehearsals.

use std::ffi::CString;
use std::marker::PhantomData;
use std::thread;
use std::time::Duration;

use rdkafka::bindings as c;

use super::Client;
use crate::cluster::native::ffi::code::Code;
use crate::cluster::native::ffi::owned::text;
use crate::cluster::native::ffi::raw;

impl Client {
    /// The mock cluster inside this client, if its settings ask for one.
    pub(crate) fn mock(&self) -> Option<MockBrokers<'_>> {
        // SAFETY: the client lives through the call.
        let mock = unsafe { c::rd_kafka_handle_mock_cluster(self.native()) };
        (!mock.is_null()).then_some(MockBrokers {
            mock,
            client: PhantomData,
        })
    }
}

/// A mock cluster that belongs to a client.
pub(crate) struct MockBrokers<'a> {
    pub(super) mock: *mut c::rd_kafka_mock_cluster_t,
    pub(super) client: PhantomData<&'a Client>,
}

impl MockBrokers<'_> {
    pub(crate) fn bootstrap_servers(&self) -> String {
        // SAFETY: the mock cluster lives as long as its client, which is borrowed; so does the text.
        unsafe { text(c::rd_kafka_mock_cluster_bootstraps(self.mock)) }
    }

    /// Creates a topic with this many replicas of each partition; any of them becomes its leader.
    ///
    /// Returns the mock cluster's reason for refusing.
    /// The mock cluster's reason.
    pub(crate) fn create_topic(
        &self,
        name: &str,
        partitions: i32,
        replicas: i32,
    ) -> Result<(), Code> {
        let name = CString::new(name).map_err(|_| Code::INVALID_ARGUMENT)?;
        // SAFETY: the mock cluster lives as long as its client, which is borrowed; the name is copied.
        let code = unsafe {
            raw::rd_kafka_mock_topic_create(self.mock, name.as_ptr(), partitions, replicas)
        };
        let_it_wait();
        let code = Code::from_raw(code);
        match code.is_error() {
            true => Err(code),
            false => Ok(()),
        }
    }
}

/// Gives the thread of the mock cluster time to wait again. That thread answers a call before it empties the
/// pipe that wakes it (`rd_kafka_mock_cluster_io_poll`), so it notices a call that comes in between only a
/// second later. A caller that keeps the core busy would keep that thread from running. The kernel turns this
/// sleep into about 60 us.
fn let_it_wait() {
    thread::sleep(Duration::from_micros(1));
}
