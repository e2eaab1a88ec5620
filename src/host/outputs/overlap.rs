//! Checks whether a run would write something that it reads, or write something twice. It compares files by
//! device and inode, which sees through links, hard links and redirections.

use std::fs::{self, File, Metadata};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Component, Path, PathBuf};

use super::open::target;
use crate::error::Error;

/// Something that the run reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InputFile {
    Stdin,
    /// An input.
    Input(PathBuf),
    /// A file that another flag names, such as `-F`.
    Flag(String, PathBuf),
}

/// What a run reads and writes.
#[derive(Debug, Default)]
pub(crate) struct Overlap {
    pub(crate) reads: Vec<InputFile>,
    /// Folders whose files the run reads.
    pub(crate) folders: Vec<PathBuf>,
    /// Files, by the flags that name them.
    pub(crate) writes: Vec<(&'static str, PathBuf)>,
}

/// What identifies a file.
#[derive(Debug, PartialEq, Eq)]
enum FileKey {
    File {
        device: u64,
        inode: u64,
    },
    /// A file that does not exist yet.
    New(PathBuf),
}

impl FileKey {
    fn of_path(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) => Self::of_metadata(&metadata),
            Err(_) => target(path).ok().map(Self::New),
        }
    }

    /// `None` for a stream that belongs to somebody else: a terminal, a pipe.
    fn of_stream(stream: BorrowedFd<'_>) -> Option<Self> {
        let file = File::from(stream.try_clone_to_owned().ok()?);
        let metadata = file.metadata().ok()?;
        let key = Self::of_metadata(&metadata);
        key.filter(|_| metadata.is_file())
    }

    /// `None` for devices: reading and writing `/dev/null` destroys nothing.
    fn of_metadata(metadata: &Metadata) -> Option<Self> {
        let file = || Self::File {
            device: metadata.dev(),
            inode: metadata.ino(),
        };
        (!metadata.file_type().is_char_device()).then(file)
    }
}

impl Overlap {
    /// Checks that the run writes nothing that it reads, and nothing twice.
    ///
    /// # Errors
    /// Returns [`Error::Config`], which names both.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let reads: Vec<(FileKey, &InputFile)> = self
            .reads
            .iter()
            .filter_map(|read| Some((key(read)?, read)))
            .collect();
        let streams = [
            ("stdout", FileKey::of_stream(std::io::stdout().as_fd())),
            ("stderr", FileKey::of_stream(std::io::stderr().as_fd())),
        ];
        let files: Vec<(&str, &Path, Option<FileKey>)> = self
            .writes
            .iter()
            .map(|(flag, path)| (*flag, path.as_path(), FileKey::of_path(path)))
            .collect();
        let same = |key: &Option<FileKey>, other: &Option<FileKey>| key.is_some() && key == other;
        for (i, (flag, path, key)) in files.iter().enumerate() {
            let is_it = |(read, _): &&(FileKey, &InputFile)| key.as_ref() == Some(read);
            if let Some((_, read)) = reads.iter().find(is_it) {
                return Err(would_write_over(flag, path, read));
            }
            self.check_outside(flag, path)?;
            if let Some((other, ..)) = files[..i].iter().find(|(.., other)| same(key, other)) {
                return Err(one_file(other, flag));
            }
            let shared = streams.iter().find(|(_, stream)| same(key, stream));
            if let Some((stream, _)) = shared.filter(|_| !is_stream(path)) {
                return Err(one_file(flag, stream));
            }
        }
        for (stream, key) in &streams {
            let read = reads.iter().find(|(read, _)| key.as_ref() == Some(read));
            if let Some((_, read)) = read {
                return Err(Error::config(format!(
                    "{stream} goes to {}, which this run reads",
                    words(read)
                )));
            }
        }
        Ok(())
    }

    /// Checks that a file is outside of the input folders: a file in one would be read the next time, if
    /// not this time.
    fn check_outside(&self, flag: &str, path: &Path) -> Result<(), Error> {
        let Ok(path_found) = target(path) else {
            return Ok(());
        };
        for folder in &self.folders {
            let below = fs::canonicalize(folder)
                .ok()
                .and_then(|folder| Some(path_found.strip_prefix(folder).ok()?.to_path_buf()));
            if below.is_some_and(|below| !is_hidden(&below)) {
                return Err(Error::Config {
                    message: format!(
                        "`{flag} {}` is in the folder {}, which this run reads",
                        path.display(),
                        folder.display()
                    ),
                    hint: Some(
                        "choose a file elsewhere, or one whose name begins with a dot".into(),
                    ),
                });
            }
        }
        Ok(())
    }
}

fn key(read: &InputFile) -> Option<FileKey> {
    match read {
        InputFile::Stdin => FileKey::of_stream(std::io::stdin().as_fd()),
        InputFile::Input(path) | InputFile::Flag(_, path) => FileKey::of_path(path),
    }
}

fn words(read: &InputFile) -> String {
    match read {
        InputFile::Stdin => "the file on stdin".into(),
        InputFile::Input(path) => path.display().to_string(),
        InputFile::Flag(flag, path) => format!("the file of `{flag}`, {}", path.display()),
    }
}

fn would_write_over(flag: &str, path: &Path, read: &InputFile) -> Error {
    let path_words = path.display();
    let what = match read {
        InputFile::Input(input) if input == path => "an input of this run".into(),
        InputFile::Input(input) => format!("{}, an input of this run,", input.display()),
        InputFile::Stdin => "the file on stdin".into(),
        InputFile::Flag(other, _) => format!("the file of `{other}`"),
    };
    Error::config(format!(
        "`{flag} {path_words}` is {what} and would be overwritten"
    ))
}

fn one_file(one: &str, other: &str) -> Error {
    let other = match other {
        "stdout" | "stderr" => other.to_string(),
        flag => format!("`{flag}`"),
    };
    Error::config(format!("`{one}` and {other} name the same file"))
}

/// Whether a path names one of the run's own streams, so that sharing it is intended.
pub(super) fn is_stream(path: &Path) -> bool {
    let starts = ["/dev/fd/", "/proc/self/fd/"];
    path == Path::new("/dev/stdout")
        || path == Path::new("/dev/stderr")
        || starts.iter().any(|start| path.starts_with(start))
}

/// Whether a path is hidden: kreplay does not read hidden files and folders.
fn is_hidden(below: &Path) -> bool {
    let mut names = below.components();
    names.any(
        |name| matches!(name, Component::Normal(name) if name.as_encoded_bytes().starts_with(b".")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_of_a_folder_are_not_inputs() {
        for (path, hidden) in [
            ("a/b", false),
            (".a", true),
            ("a/.b/c", true),
            ("a.b", false),
        ] {
            assert_eq!(is_hidden(Path::new(path)), hidden, "{path}");
        }
    }
}
