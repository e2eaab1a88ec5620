//! Quotas of a broker, set by the request that librdkafka's admin client lacks: AlterClientQuotas
//! (KIP-546), written by hand.
//!
//! The request is built byte by byte, as those of `faults/acl.rs` are.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The request's API key.
const ALTER_CLIENT_QUOTAS: i16 = 49;

/// Lets producers of any client id write this many bytes a second to each broker.
pub(crate) fn limit_producers(broker: &str, bytes_a_second: f64) -> Result<(), String> {
    let answer = ask(broker, &request(bytes_a_second)).map_err(|why| format!("{broker}: {why}"))?;
    // The correlation id, the time of a throttle, the number of entries; then the entry's error.
    match answer.get(12..14) {
        Some([0, 0]) => Ok(()),
        _ => Err(format!("the quota is refused: {answer:?}")),
    }
}

/// Version 0: one entry, the default of all client ids, and one value for it.
fn request(bytes_a_second: f64) -> Vec<u8> {
    let string = |text: &str| {
        let length = i16::try_from(text.len()).expect("a short text");
        [&length.to_be_bytes(), text.as_bytes()].concat()
    };
    let parts: [&[u8]; 13] = [
        &ALTER_CLIENT_QUOTAS.to_be_bytes(),
        &0_i16.to_be_bytes(),
        &1_i32.to_be_bytes(),
        &string("kreplay-tests"),
        &1_i32.to_be_bytes(),
        &1_i32.to_be_bytes(),
        &string("client-id"),
        // No name is the default.
        &(-1_i16).to_be_bytes(),
        &1_i32.to_be_bytes(),
        &string("producer_byte_rate"),
        &bytes_a_second.to_be_bytes(),
        // The entry is neither removed nor only validated.
        &[0],
        &[0],
    ];
    parts.concat()
}

fn ask(broker: &str, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(broker)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = u32::try_from(request.len()).expect("a short request");
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(request)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u64::from(u32::from_be_bytes(length));
    let mut answer = Vec::new();
    stream.take(length).read_to_end(&mut answer)?;
    Ok(answer)
}
