//! Files that people write by hand, property files and profiles. They are read whole, and a device or a
//! pipe that never ends is no such file.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::report::rendering::figures::whole_mib;

/// Bytes of such a file: the longest built-in profile has 6,000.
const MOST_BYTES: usize = 1 << 20;

/// Reads all of the file at `path`.
///
/// # Errors
/// The system's, and one that says that there is more than such a file holds.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(MOST_BYTES, path)
}

fn read_up_to(most: usize, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(most as u64 + 1);
    file.read_to_end(&mut bytes)?;
    match bytes.len() > most {
        false => Ok(bytes),
        true => Err(io::Error::other(format!(
            "it is larger than {}",
            whole_mib(most as u64)
        ))),
    }
}

/// The same, as text.
///
/// # Errors
/// As of [`read`], and for bytes that are not UTF-8.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    read_text_up_to(MOST_BYTES, path)
}

/// The same, of a file that holds `most` bytes.
///
/// # Errors
/// As of [`read_text`].
pub(crate) fn read_text_up_to(most: usize, path: &Path) -> io::Result<String> {
    String::from_utf8(read_up_to(most, path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}
