//! Files that people write by hand, such as property files and profiles. They are read whole, with a limit,
//! because a device or a pipe may never end.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::report::rendering::figures::whole_mib;

/// The most bytes in such a file: the longest built-in profile has 6,000.
const MOST_BYTES: usize = 1 << 20;

/// UTF-8's byte order mark, which editors and PowerShell put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// `bytes` without the byte order mark that they may begin with.
pub(crate) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// Removes the byte order mark that `bytes` may begin with.
pub(crate) fn unmark(bytes: &mut Vec<u8>) {
    bytes.drain(..bytes.len() - unmarked(bytes).len());
}

/// Reads all of the file at `path`, without a byte order mark.
///
/// # Errors
/// Returns the system's error, or an error if the file holds more than [`MOST_BYTES`].
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    read_up_to(MOST_BYTES, path)
}

fn read_up_to(most: usize, path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut file = File::open(path)?.take(most as u64 + 1);
    file.read_to_end(&mut bytes)?;
    match bytes.len() > most {
        false => {
            unmark(&mut bytes);
            Ok(bytes)
        }
        true => Err(io::Error::other(format!(
            "it is larger than {}",
            whole_mib(most as u64)
        ))),
    }
}

/// Reads all of the file at `path` as text.
///
/// # Errors
/// Fails as [`read`] does, and for bytes that are not UTF-8.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    read_text_up_to(MOST_BYTES, path)
}

/// Reads the file at `path`, of at most `most` bytes, as text.
///
/// # Errors
/// Fails as [`read_text`] does.
pub(crate) fn read_text_up_to(most: usize, path: &Path) -> io::Result<String> {
    String::from_utf8(read_up_to(most, path)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_loses_one_byte_order_mark_at_its_beginning() {
        let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
        let path = folder.path().join("f");
        for (content, expected) in [
            ("", ""),
            ("\u{feff}", ""),
            ("\u{feff}a=b\n", "a=b\n"),
            ("a=\u{feff}b\n", "a=\u{feff}b\n"),
            ("\u{feff}\u{feff}a", "\u{feff}a"),
        ] {
            std::fs::write(&path, content).expect("the folder is writable");
            assert_eq!(read(&path).expect("a file"), expected.as_bytes());
            assert_eq!(read_text(&path).expect("a file"), expected);
        }
    }
}
