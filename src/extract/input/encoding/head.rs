//! The first bytes of an input, which show its packing and its encoding.

use std::io::{self, Read};

/// The longest magic number (zstd's), which is longer than a byte order mark.
const LENGTH: u64 = 4;

/// The first bytes, as many as show a packing or an encoding; fewer only at the end of the input.
///
/// # Errors
/// Returns the reader's error.
pub(in crate::extract) fn head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    reader.take(LENGTH).read_to_end(&mut head)?;
    Ok(head)
}
