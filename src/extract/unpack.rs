//! gzip and zstd, told by their first bytes and never by a name. Apart because it is the one home
//! of both crates.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;

/// gzip's magic number and its only compression method (RFC 1952, 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b, 8];
/// The magic number of a zstd frame (RFC 8878, 3.1.1).
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// That of a skippable frame, behind its first byte (RFC 8878, 3.1.2); pzstd begins with one.
const ZSTD_SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];

/// What `reader` gives, unpacked where it is packed: several gzip members or zstd frames are one
/// stream. Packed data that breaks off is an error of kind `UnexpectedEof`, which nothing else is.
///
/// # Errors
/// The reader's.
pub(super) fn unpacked<R: Read + Send + 'static>(
    mut reader: R,
) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(ZSTD.len());
    reader
        .by_ref()
        .take(ZSTD.len() as u64)
        .read_to_end(&mut head)?;
    let skippable = head[..].get(1..) == Some(ZSTD_SKIPPABLE) && matches!(head[0], 0x50..=0x5f);
    let (is_gzip, is_zstd) = (head.starts_with(GZIP), head.starts_with(ZSTD) || skippable);
    let whole = io::Cursor::new(head).chain(reader);
    Ok(match (is_gzip, is_zstd) {
        (true, _) => Box::new(MultiGzDecoder::new(io::BufReader::with_capacity(
            128 << 10,
            whole,
        ))),
        (_, true) => Box::new(zstd::Decoder::new(whole)?),
        _ => Box::new(whole),
    })
}
