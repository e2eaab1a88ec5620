//! Opening a file to write to: new ones are made exclusively and for their owner alone, and no open
//! waits for a reader.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::O_NONBLOCK;

/// Readable and writable by the owner alone: it will hold captured data.
pub(super) const OWNER_ONLY: u32 = 0o600;
/// How long a FIFO may be without a reader: `cat fifo & kreplay ...` opens both ends at about the
/// same time.
const READER_LIMIT: Duration = Duration::from_secs(5);
/// Links that are followed, as many as Linux does (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Opens `path` for appending, and makes it where there is none. Waits for the reader of a FIFO a
/// moment, unless the run is `over`. Writes to what is no regular file do not block.
///
/// # Errors
/// The system's; for a FIFO, that nobody reads it.
pub(crate) fn append(path: &Path, over: impl Fn() -> bool) -> io::Result<File> {
    let path = target(path)?;
    let started = Instant::now();
    loop {
        let mut options = OpenOptions::new();
        let options = options
            .append(true)
            .mode(OWNER_ONLY)
            .custom_flags(O_NONBLOCK);
        let opened = match options.clone().create_new(true).open(&path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => options.open(&path),
            made => made,
        };
        match opened {
            Err(e) if !is_without_reader(&e, &path) => return Err(e),
            Err(_) if over() || started.elapsed() > READER_LIMIT => {
                return Err(io::Error::other("it is a FIFO that nobody reads"));
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
            Ok(file) => return Ok(file),
        }
    }
}

/// Creates `path` for writing where nothing is yet.
///
/// # Errors
/// The system's; also that there is something already.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path)
}

fn is_without_reader(error: &io::Error, path: &Path) -> bool {
    let is_fifo = || fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo());
    error.raw_os_error() == Some(Errno::ENXIO as i32) && is_fifo()
}

/// Where a path leads whether or not there is something: its folder without links, and what the last
/// link names.
///
/// # Errors
/// The system's, for a folder that does not exist.
pub(super) fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        if let Ok(found) = fs::canonicalize(&path) {
            return Ok(found);
        }
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_path_buf(),
            _ => PathBuf::from("."),
        };
        match fs::read_link(&path) {
            Ok(link) => path = folder.join(link),
            Err(_) => {
                let name = path.file_name();
                let name = name.ok_or_else(|| io::Error::from(ErrorKind::InvalidFilename))?;
                return Ok(fs::canonicalize(&folder)?.join(name));
            }
        }
    }
    Err(Errno::ELOOP.into())
}

/// Whether an open file is a regular one.
pub(crate) fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_link_leads_to_what_it_names_also_where_there_is_nothing_yet() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().canonicalize().expect("it exists");
        let path = |name: &str| root.join(name);
        symlink("two", path("one")).expect("a link");
        symlink(path("three"), path("two")).expect("a link");
        assert_eq!(target(&path("one")).ok(), Some(path("three")));
        fs::write(path("three"), "").expect("a file");
        assert_eq!(target(&path("one")).ok(), Some(path("three")));
        symlink("round", path("round")).expect("a link");
        let error = target(&path("round")).expect_err("it leads nowhere");
        assert_eq!(error.raw_os_error(), Some(Errno::ELOOP as i32));
        assert!(target(&path("missing/file")).is_err());
    }

    #[test]
    fn a_new_file_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("new");
        append(&path, || false).expect("it can be made");
        let mode = fs::metadata(&path).expect("it is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}
