//! A broker that answers only questions for metadata, with any number of brokers. It is not a mock cluster:
//! librdkafka's has a socket for each of its brokers, and this one plays all of them.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Kafka's numbers of requests (protocol guide, Api Keys).
const METADATA: i16 = 3;
const API_VERSIONS: i16 = 18;
const UNSUPPORTED_VERSION: i16 = 35;

/// Begins to listen, for as long as the process lives, and returns the address.
pub(crate) fn cluster_of(brokers: i32) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().expect("it is bound");
    let metadata = metadata(brokers, address.port());
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let metadata = metadata.clone();
            // It ends with its connection.
            thread::spawn(move || serve(connection, &metadata).ok());
        }
    });
    address.to_string()
}

/// Metadata of version 1: brokers without racks, a controller, no topics.
fn metadata(brokers: i32, port: u16) -> Vec<u8> {
    let mut body = brokers.to_be_bytes().to_vec();
    for id in 0..brokers {
        let host = b"127.0.0.1";
        body.extend(id.to_be_bytes());
        body.extend(9_i16.to_be_bytes());
        body.extend(host);
        body.extend(i32::from(port).to_be_bytes());
        body.extend((-1_i16).to_be_bytes());
    }
    body.extend(0_i32.to_be_bytes());
    body.extend(0_i32.to_be_bytes());
    body
}

/// The lowest versions of the two requests, and of Produce, without which librdkafka asks nothing.
fn api_versions(version: i16) -> Vec<u8> {
    if version > 0 {
        return [&UNSUPPORTED_VERSION.to_be_bytes()[..], &0_i32.to_be_bytes()].concat();
    }
    let mut body = [&0_i16.to_be_bytes()[..], &3_i32.to_be_bytes()].concat();
    for (key, highest) in [(API_VERSIONS, 0_i16), (METADATA, 1), (0, 3)] {
        for number in [key, 0, highest] {
            body.extend(number.to_be_bytes());
        }
    }
    body
}

fn serve(mut connection: TcpStream, metadata: &[u8]) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        connection.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        connection.read_exact(&mut request)?;
        let number = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
        let body = match number(0) {
            API_VERSIONS => api_versions(number(2)),
            METADATA => metadata.to_vec(),
            _ => return Ok(()),
        };
        let size = u32::try_from(body.len() + 4).expect("it is some MB at most");
        connection.write_all(&[&size.to_be_bytes(), &request[4..8], &body[..]].concat())?;
    }
}
