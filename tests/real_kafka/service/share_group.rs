//! Creates a share group (KIP-932) with one request of the Kafka protocol.
//!
//! The request is written byte by byte: the rdkafka crate does not support such groups.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// How long a new coordinator may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Error codes that pass: the coordinator is being loaded, or is not known yet.
const PASSING: [i16; 3] = [14, 15, 16];

/// Lets a member join the share group `group` to read `topic`; it does nothing more.
///
/// # Panics
/// Panics if the broker refuses it.
pub(crate) fn join(broker: &str, group: &str, topic: &str) {
    let started = Instant::now();
    loop {
        let code = heartbeat(broker, group, topic);
        if code == 0 {
            return;
        }
        let is_passing = PASSING.contains(&code) && started.elapsed() < LIMIT;
        assert!(is_passing, "ShareGroupHeartbeat: error {code}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Sends the first heartbeat of a member; returns the broker's error code.
fn heartbeat(broker: &str, group: &str, topic: &str) -> i16 {
    // Kafka protocol guide: ShareGroupHeartbeat (76), version 1, with a request header of version 2.
    let mut request = Vec::new();
    request.extend(76_i16.to_be_bytes());
    request.extend(1_i16.to_be_bytes());
    request.extend(7_i32.to_be_bytes());
    request.extend(12_i16.to_be_bytes());
    request.extend(b"kreplay-test");
    request.push(0);
    put(&mut request, group);
    // The member's id is a UUID in Kafka's base64.
    put(&mut request, "AAAAAAAAQACAAAAAAAAAAQ");
    request.extend(0_i32.to_be_bytes());
    // No rack; one topic; no tagged fields.
    request.extend([0, 2]);
    put(&mut request, topic);
    request.push(0);
    let mut stream = TcpStream::connect(broker).expect("the broker listens");
    stream
        .set_read_timeout(Some(LIMIT))
        .expect("a limit above zero");
    let length = i32::try_from(request.len()).expect("a short request");
    let framed = [&length.to_be_bytes()[..], &request].concat();
    stream.write_all(&framed).expect("the broker reads");
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("the broker answers");
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer).expect("the whole answer");
    // The correlation id, no tagged fields, the throttle time; then the code.
    i16::from_be_bytes([answer[9], answer[10]])
}

/// A compact string of the protocol.
fn put(request: &mut Vec<u8>, text: &str) {
    let length = u8::try_from(text.len() + 1).expect("a short text");
    assert!(length < 128, "the length is one byte");
    request.push(length);
    request.extend(text.as_bytes());
}
