//! Opens a file for writing: creates new files exclusively and for their owner alone, and never waits for a
//! reader.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc::{O_NOCTTY, O_NOFOLLOW, O_NONBLOCK};
use nix::unistd::geteuid;

/// Readable and writable by the owner alone: it will hold captured data.
pub(super) const OWNER_ONLY: u32 = 0o600;
/// How long a FIFO may be without a reader: `cat fifo & kreplay ...` opens both ends at about the
/// same time.
const READER_LIMIT: Duration = Duration::from_secs(5);
/// How many links kreplay follows, as many as Linux does (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// Opens `path` for appending, and creates it if it does not exist. Waits a moment for the reader of a FIFO,
/// unless the run is `over`. Writes to anything but a regular file do not block.
///
/// # Errors
/// Returns the system's error, or an error for a FIFO that nobody reads.
pub(crate) fn append(path: &Path, over: impl Fn() -> bool) -> io::Result<File> {
    let started = Instant::now();
    let mut options = OpenOptions::new();
    let options = options.append(true).mode(OWNER_ONLY);
    loop {
        match open_or_create(options, path) {
            Err(e) if !is_without_reader(&e, path) => return Err(e),
            Err(_) if over() || started.elapsed() > READER_LIMIT => {
                return Err(io::Error::other("it is a FIFO that nobody reads"));
            }
            Err(_) => thread::sleep(Duration::from_millis(10)),
            Ok(file) => return Ok(file),
        }
    }
}

/// Opens `path`, or creates a regular file there. Creates a new file only if nothing exists, and never
/// through a link; follows a link to an existing file of the user's own. Does not wait for the other end of a
/// FIFO.
///
/// # Errors
/// Returns the system's error, or an error for a link that leads to nothing or to a file of another user.
pub(crate) fn open_or_create(options: &OpenOptions, path: &Path) -> io::Result<File> {
    let opened = |flags| {
        let mut options = options.clone();
        options.custom_flags(O_NONBLOCK | O_NOCTTY | flags);
        options
    };
    // With O_EXCL a link exists, wherever it leads (open(2)).
    match opened(O_NOFOLLOW).create_new(true).open(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    match opened(O_NOFOLLOW).open(path) {
        Err(e) if e.raw_os_error() == Some(Errno::ELOOP as i32) => {}
        found => return found,
    }
    let file = opened(0).open(path).map_err(through_link)?;
    check_owner(&file.metadata()?, geteuid().as_raw())?;
    Ok(file)
}

/// Where the file is, or would be created, that `path` leads to, under the rules of [`open_or_create`].
///
/// # Errors
/// Fails as [`open_or_create`] does.
pub(super) fn permitted(path: &Path) -> io::Result<PathBuf> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        let metadata = fs::metadata(path).map_err(through_link)?;
        check_owner(&metadata, geteuid().as_raw())?;
    }
    target(path)
}

fn through_link(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::NotFound => io::Error::other(
            "it is a link to a file that does not exist, and kreplay creates no file through a link",
        ),
        _ => error,
    }
}

/// Refuses files of other users: a user who can create links in a shared folder could lead a run to any file.
fn check_owner(metadata: &fs::Metadata, user: u32) -> io::Result<()> {
    match metadata.is_file() && metadata.uid() != user {
        true => Err(io::Error::other("it is a link to a file of another user")),
        false => Ok(()),
    }
}

/// Creates `path` for writing if it does not exist.
///
/// # Errors
/// Returns the system's error, also if the file exists.
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

/// Where a path leads, whether or not it exists: its folder without links, and what the last link names.
///
/// # Errors
/// Returns the system's error for a folder that does not exist.
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
    fn a_link_is_resolved_even_where_its_target_does_not_exist_yet() {
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
    fn a_link_is_followed_to_an_existing_file_and_never_creates_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        symlink("there", path("link")).expect("a link");
        let error = append(&path("link"), || false).expect_err("it leads to nothing");
        let said = "it is a link to a file that does not exist, and kreplay creates no file through a link";
        assert_eq!(error.to_string(), said);
        assert!(permitted(&path("link")).is_err() && !path("there").exists());
        fs::write(path("there"), "").expect("a file");
        assert!(append(&path("link"), || false).is_ok());
        assert!(permitted(&path("link")).is_ok_and(|found| found.ends_with("there")));
        symlink("/dev/null", path("device")).expect("a link");
        assert!(append(&path("device"), || false).is_ok());
    }

    #[test]
    fn a_link_to_a_file_of_another_user_is_not_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let own = folder.path().join("own");
        fs::write(&own, "").expect("a file");
        let own = fs::metadata(own).expect("it is there");
        assert!(check_owner(&own, own.uid()).is_ok());
        let error = check_owner(&own, own.uid() + 1).expect_err("somebody else");
        assert_eq!(error.to_string(), "it is a link to a file of another user");
        // A device is nobody's file.
        let device = fs::metadata("/dev/null").expect("there is one");
        assert!(check_owner(&device, device.uid() + 1).is_ok());
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
