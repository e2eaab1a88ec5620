//! Finds, locks, lengthens and replaces the journal's file. This file is separate because it is about files
//! and other processes and does not concern records.
//!
//! The lock is on the file itself, so nothing is left behind. It outlives the replacing of the file: the new
//! file is locked before it gets the name, and a process that opened the old one finds out, once it has the
//! lock, that the name belongs to another file.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use super::line;
use crate::host::outputs::open_or_create;

/// How often to reopen a file that is replaced between opening and locking.
const MOST_TRIES: usize = 100;
/// Journals hold names from captured data and the user's paths: for their owner alone.
const MODE: u32 = 0o600;

/// Why a journal cannot be used.
#[derive(Debug)]
pub(super) enum JournalRefusal {
    NotRegular,
    /// The file has another name, which would keep the old content.
    HardLinked,
    InUse,
    NoJournal,
    Failed(io::Error),
}

impl From<io::Error> for JournalRefusal {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// An open, locked journal.
#[derive(Debug)]
pub(super) struct JournalFile {
    /// Its path without links.
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
    /// Whether the file may hold more than that: a line that was cut off.
    is_torn: bool,
}

impl JournalFile {
    /// Opens and locks the file at `path`, or creates it, and reads it. Follows a symbolic link to an
    /// existing file ([`open_or_create`]). Opens only a regular file: opening a pipe may wait for ever, and
    /// opening a device may do anything.
    ///
    /// # Errors
    /// Returns why the journal cannot be used; it is then left as it is.
    pub(super) fn open(path: &Path) -> Result<(Self, Vec<u8>), JournalRefusal> {
        for _ in 0..MOST_TRIES {
            if let Some(mut file) = lock(path)? {
                let mut text = Vec::new();
                Read::take(&file, 64).read_to_end(&mut text)?;
                if !text.is_empty() && !line::looks_like_a_journal(&text) {
                    return Err(JournalRefusal::NoJournal);
                }
                file.read_to_end(&mut text)?;
                let journal = Self {
                    path: fs::canonicalize(path)?,
                    file,
                    length: text.len() as u64,
                    is_torn: false,
                };
                return Ok((journal, text));
            }
        }
        Err(JournalRefusal::InUse)
    }

    /// Bytes of whole lines.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Makes the next line overwrite what comes after the first `length` bytes.
    pub(super) fn cut_off_at(&mut self, length: u64) {
        self.is_torn = length < self.length;
        self.length = length;
    }

    /// Adds a line. If it does not fit on the disk, its part is removed again, now or before the next one.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.length)?;
        }
        let written = self.file.write_all(line);
        match written {
            Ok(()) => self.length += line.len() as u64,
            Err(_) => self.is_torn = self.file.set_len(self.length).is_err(),
        }
        written
    }

    /// Replaces the file with one that holds `text`, in one step.
    ///
    /// # Errors
    /// Returns the system's error, or an error if the file no longer exists; then nothing has changed.
    pub(super) fn replace(&mut self, text: &[u8]) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let name = self.path.file_name().unwrap_or_default();
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        let mut new = tempfile::Builder::new();
        let new = new.prefix(&prefix).append(true);
        let mut new = new.tempfile_in(folder)?;
        let old = self.file.metadata()?;
        new.as_file().set_permissions(old.permissions())?;
        if new.as_file().metadata()?.uid() != old.uid() {
            // Only root can do this, and for others the file is theirs already.
            fchown(new.as_file(), Some(old.uid()), Some(old.gid())).ok();
        }
        new.write_all(text)?;
        new.as_file().try_lock().map_err(io::Error::from)?;
        if !is_same(&old, &fs::symlink_metadata(&self.path)?) {
            return Err(io::Error::other("another file has taken its place"));
        }
        self.file = new.persist(&self.path).map_err(|e| e.error)?;
        self.length = text.len() as u64;
        self.is_torn = false;
        Ok(())
    }
}

/// Opens and locks the file at `path`; `None` if it was replaced meanwhile.
fn lock(path: &Path) -> Result<Option<File>, JournalRefusal> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(JournalRefusal::NotRegular),
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
        Ok(_) | Err(_) => {}
    }
    let mut options = OpenOptions::new();
    let options = options.read(true).append(true).mode(MODE);
    // It may have become a pipe by now.
    let file = open_or_create(options, path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(JournalRefusal::NotRegular);
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalRefusal::InUse),
        Err(TryLockError::Error(e)) => return Err(e.into()),
    }
    let named = match fs::metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        named => named?,
    };
    if !is_same(&metadata, &named) {
        return Ok(None);
    }
    match named.nlink() > 1 {
        true => Err(JournalRefusal::HardLinked),
        false => Ok(Some(file)),
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a temporary folder")
    }

    #[test]
    fn the_lock_outlives_the_replacing_of_the_file() {
        let folder = folder();
        let path = folder.path().join("journal");
        let (mut journal, _) = JournalFile::open(&path).expect("it is new");
        // Opened before the replacement, and slow to lock.
        let slow = File::open(&path).expect("it is there");
        journal.replace(b"new\n").expect("the folder is writable");
        assert!(matches!(
            JournalFile::open(&path),
            Err(JournalRefusal::InUse)
        ));
        slow.try_lock().expect("nobody holds the old file any more");
        let (held, named) = (slow.metadata(), fs::metadata(&path));
        let (held, named) = (held.expect("it is open"), named.expect("it is there"));
        assert!(!is_same(&held, &named), "and so it is not used");
    }

    #[test]
    fn a_file_that_was_removed_or_replaced_is_not_replaced_again() {
        let folder = folder();
        let path = folder.path().join("journal");
        let (mut journal, _) = JournalFile::open(&path).expect("it is new");
        fs::remove_file(&path).expect("it is there");
        assert!(journal.replace(b"mine\n").is_err());
        fs::write(&path, "somebody else's").expect("the folder is writable");
        assert!(journal.replace(b"mine\n").is_err());
        let there = fs::read_to_string(&path).expect("it is there");
        assert_eq!(there, "somebody else's");
        let left = fs::read_dir(folder.path()).expect("it is there").count();
        assert_eq!(left, 1, "no temporary file is left");
    }

    #[test]
    fn a_replaced_file_keeps_its_mode_and_goes_on_growing() {
        let folder = folder();
        let path = folder.path().join("journal");
        let (mut journal, _) = JournalFile::open(&path).expect("it is new");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("it is ours");
        journal.replace(b"one\n").expect("the folder is writable");
        journal.append(b"two\n").expect("there is room");
        journal.cut_off_at(4);
        journal.append(b"three\n").expect("there is room");
        let there = fs::read_to_string(&path).expect("it is there");
        assert_eq!((there.as_str(), mode(&path)), ("one\nthree\n", 0o640));
    }
}
