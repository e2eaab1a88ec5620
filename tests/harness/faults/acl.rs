//! Takes the right to write from a user, and gives it back, with two requests of the Kafka protocol.
//!
//! The requests are written byte by byte: the rdkafka crate has no call for them, and Kafka's own tool is not
//! among the jars of a broker.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What happens to the rule.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AclChange {
    /// The user may no longer write.
    Add,
    /// The user may write again.
    Remove,
}

/// Adds or removes the rule that denies `principal` to write to `topic`.
///
/// # Panics
/// Panics if the broker does not do so.
pub(crate) fn change(broker: &str, change: AclChange, principal: &str, topic: &str) {
    rule(broker, change, principal, topic, (WRITE, DENIED));
}

/// Lets `principal` write to `topic`, and nothing else: its settings stay unreadable.
///
/// # Panics
/// Panics if the broker does not do so.
pub(crate) fn allow_writing(broker: &str, principal: &str, topic: &str) {
    rule(broker, AclChange::Add, principal, topic, (WRITE, ALLOWED));
}

/// Lets `principal` see `topic`, and nothing else.
///
/// # Panics
/// Panics if the broker does not do so.
pub(crate) fn allow_describing(broker: &str, principal: &str, topic: &str) {
    rule(
        broker,
        AclChange::Add,
        principal,
        topic,
        (DESCRIBE, ALLOWED),
    );
}

/// Lets `principal` read `topic`, which includes that they see it.
///
/// # Panics
/// Panics if the broker does not do so.
#[allow(dead_code, reason = "each test file uses a part of it")]
pub(crate) fn allow_reading(broker: &str, principal: &str, topic: &str) {
    rule(broker, AclChange::Add, principal, topic, (READ, ALLOWED));
}

/// Operations, by the numbers of `org.apache.kafka.common.acl.AclOperation`.
const ALL: u8 = 2;
const READ: u8 = 3;
const WRITE: u8 = 4;
const DESCRIBE: u8 = 8;

const DENIED: u8 = 2;
const ALLOWED: u8 = 3;

fn rule(
    broker: &str,
    change: AclChange,
    principal: &str,
    topic: &str,
    (operation, permission): (u8, u8),
) {
    // Kafka protocol guide: CreateAcls and DeleteAcls, version 1. Both name the rule alike: a topic (2)
    // by its whole name (3), from everywhere, the operation, and whether it is allowed.
    let api_key: i16 = match change {
        AclChange::Add => 30,
        AclChange::Remove => 31,
    };
    let mut request = Vec::new();
    request.extend(api_key.to_be_bytes());
    request.extend(1_i16.to_be_bytes());
    request.extend(CORRELATION.to_be_bytes());
    put(&mut request, "kreplay-test");
    request.extend(1_i32.to_be_bytes());
    request.push(2);
    put(&mut request, topic);
    request.push(3);
    put(&mut request, principal);
    put(&mut request, "*");
    request.extend([operation, permission]);
    carry_out(broker, &request);
}

/// Adds the rule that allows `principal` everything with `topic`.
///
/// # Panics
/// Panics if the broker does not do so.
pub(crate) fn allow(broker: &str, principal: &str, topic: &str) {
    rule(broker, AclChange::Add, principal, topic, (ALL, ALLOWED));
}

fn carry_out(broker: &str, request: &[u8]) {
    let answer = ask(broker, request).expect("the broker answers");
    // The correlation id, the throttle time, how many results; the first of them begins with its error.
    let expected = [&CORRELATION.to_be_bytes()[..], &[0; 4], &[0, 0, 0, 1]].concat();
    assert_eq!(answer.get(..12), Some(&expected[..]), "{answer:?}");
    assert_eq!(answer.get(12..14), Some(&[0, 0][..]), "{answer:?}");
}

const CORRELATION: i32 = 7;

/// A string of the protocol: its length in two bytes, then its bytes.
fn put(request: &mut Vec<u8>, text: &str) {
    let length = i16::try_from(text.len()).expect("a short text");
    request.extend(length.to_be_bytes());
    request.extend(text.as_bytes());
}

/// Sends one request and reads its answer, each behind its length in four bytes.
fn ask(broker: &str, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(broker)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = u32::try_from(request.len()).expect("a short request");
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(request)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
