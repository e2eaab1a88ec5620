//! Replaces a whole file, such as a report: writes the new one beside it under a name that nobody can guess,
//! and then renames it, so that the old one stays whole until everything is written.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind, Read as _, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::open::{OWNER_ONLY, append, permitted};
use super::overlap::is_stream;
use crate::host::console::stderr;

/// How often a full pipe is tried again.
const TRY_EVERY: Duration = Duration::from_millis(5);

/// What a file must hold to be replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replaced {
    /// What such a file begins with.
    pub(crate) begin: &'static [u8],
    /// What such a file is called.
    pub(crate) name: &'static str,
}

/// Checks that `path` can be written and holds nothing that must stay.
///
/// # Errors
/// Returns the system's error, or an error if the file holds something other than `replaced`.
pub(crate) fn check_replaceable(path: &Path, replaced: Replaced) -> io::Result<()> {
    if is_stream(path) {
        return Ok(());
    }
    let path = permitted(path)?;
    match fs::metadata(&path) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let (_, beside) = make_beside(&path)?;
            fs::remove_file(beside)
        }
        Err(e) => Err(e),
        // Its reader would take the closing of the file for the end.
        Ok(metadata) if metadata.file_type().is_fifo() => Ok(()),
        Ok(metadata) if metadata.is_file() => {
            // Opened without truncating, only to see whether it may be written.
            OpenOptions::new().append(true).open(&path)?;
            check_content(&path, replaced)
        }
        Ok(_) => append(&path, || false).map(|_| ()),
    }
}

fn check_content(path: &Path, replaced: Replaced) -> io::Result<()> {
    let mut begin = Vec::new();
    let most = replaced.begin.len() as u64;
    File::open(path)?.take(most).read_to_end(&mut begin)?;
    match begin.is_empty() || begin == replaced.begin {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "it does not hold {}",
            replaced.name
        ))),
    }
}

/// Puts `bytes` at `path`: replaces a regular file, and writes into anything else.
///
/// # Errors
/// Fails as [`check_replaceable`] does; the old content is then unchanged, unless nothing could be created
/// beside it.
pub(crate) fn replace(path: &Path, replaced: Replaced, bytes: &[u8]) -> io::Result<()> {
    if is_stream(path) {
        return write_to_stream(path, bytes);
    }
    let path = permitted(path)?;
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => {
            check_content(&path, replaced)?;
            let moved = put_beside(&path, bytes, Some(&metadata));
            match moved.as_ref().map_err(io::Error::kind) {
                // The folder takes no new file, or the file is a mount of its own.
                Err(
                    ErrorKind::PermissionDenied
                    | ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::ResourceBusy,
                ) => write_in_place(&path, bytes),
                _ => moved,
            }
        }
        Ok(_) => write_slowly(append(&path, || false)?, bytes),
        Err(_) => put_beside(&path, bytes, None),
    }
}

fn put_beside(path: &Path, bytes: &[u8], before: Option<&fs::Metadata>) -> io::Result<()> {
    let (mut file, beside) = make_beside(path)?;
    let written = file.write_all(bytes).and_then(|()| {
        if let Some(before) = before {
            file.set_permissions(before.permissions())?;
        }
        // A disk may say only now that it is full.
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    if written.is_err() {
        // What is reported is the failure to write.
        _ = fs::remove_file(&beside);
    }
    written
}

fn make_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // The hasher's keys are random.
    let random = RandomState::new().build_hasher().finish();
    let beside = folder.join(format!(".kreplay-{random:016x}"));
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(OWNER_ONLY);
    Ok((options.open(&beside)?, beside))
}

fn write_in_place(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Writes to a stream through its own descriptor: another descriptor of the same file would begin at its
/// start.
fn write_to_stream(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let number = path.file_name().and_then(|name| name.to_str());
    match number {
        Some("stdout" | "1") => {
            let mut out = io::stdout().lock();
            out.write_all(bytes)?;
            out.flush()
        }
        Some("stderr" | "2") => stderr().write(bytes),
        _ => write_slowly(append(path, || false)?, bytes),
    }
}

/// Writes to a descriptor that does not block, as fast as its reader takes data.
fn write_slowly(mut file: File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => thread::sleep(TRY_EVERY),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const REPORT: Replaced = Replaced {
        begin: b"{\"kreplay\":",
        name: "a report of kreplay",
    };

    #[test]
    fn a_report_replaces_only_an_earlier_report() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (report, link) = (folder.path().join("report"), folder.path().join("link"));
        fs::write(&report, "").expect("a file");
        symlink(&report, &link).expect("a link");
        for text in ["{\"kreplay\":1}", "{\"kreplay\":2}"] {
            check_replaceable(&link, REPORT).expect("it may be written");
            replace(&link, REPORT, text.as_bytes()).expect("it is written");
            assert_eq!(fs::read_to_string(&report).expect("it is there"), text);
        }
        assert!(link.is_symlink(), "a link stays one");
        let mode = fs::Permissions::from_mode(0o640);
        fs::set_permissions(&report, mode.clone()).expect("it is ours");
        replace(&report, REPORT, b"{}").expect("it is written");
        let found = fs::metadata(&report).expect("it is there").permissions();
        assert_eq!(found.mode() & 0o777, mode.mode());
        let error = replace(&report, REPORT, b"x").expect_err("it is no report any more");
        let why = "it does not hold a report of kreplay";
        assert_eq!(error.to_string(), why);
        assert_eq!(fs::read(&report).expect("it is there"), b"{}");
        let names = fs::read_dir(folder.path()).expect("it is a folder");
        assert_eq!(names.count(), 2, "nothing is left beside them");
    }
}
