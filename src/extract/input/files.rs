//! The files that the arguments name. A folder means all files below it, in the order of the times in their
//! names: proxymock writes one RRPair per file, `<host>/<time>.json`, so that this is the order in which they
//! were captured whatever the host. A file whose name has no time, such as `<uuid>.json`, counts by the `ts`
//! of its first RRPair. Files without any time come first, by their paths.
//!
//! kreplay leaves out hidden files and folders, links to what is read anyway, and links out of the folder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::encoding::open;
use super::kind::Asked;
use crate::config::Input;
use crate::error::Error;

/// A file to read.
#[derive(Debug)]
pub(in crate::extract) struct FoundFile {
    pub(in crate::extract) input: Input,
    pub(in crate::extract) asked: Asked,
}

/// What the arguments name, in the order of reading.
#[derive(Debug, Default)]
pub(in crate::extract) struct Files {
    pub(in crate::extract) found: Vec<FoundFile>,
    /// Entries that are neither file nor folder.
    pub(in crate::extract) skipped: Vec<PathBuf>,
    /// Links that lead out of their folder.
    pub(in crate::extract) leading_out: Vec<PathBuf>,
    /// Folders without any file.
    pub(in crate::extract) empty: Vec<PathBuf>,
    /// Folders that cannot be listed.
    pub(in crate::extract) failures: Vec<Error>,
}

/// Finds the files of all `arguments`. A missing one is reported when it is opened.
pub(in crate::extract) fn find(arguments: &[Input]) -> Files {
    let mut files = Files::default();
    for argument in arguments {
        match argument {
            Input::File(path) if path.is_dir() => files.add_folder(path),
            _ => files.found.push(FoundFile {
                input: argument.clone(),
                asked: Asked::ByName,
            }),
        }
    }
    files
}

impl Files {
    fn add_folder(&mut self, root: &Path) {
        let mut listing = FolderListing::default();
        listing.folders.push((root.to_path_buf(), None));
        listing.root = fs::canonicalize(root).ok();
        // Links come last, so that a file is known by its own path and not by the path of a link.
        while let Some((folder, own)) = listing.next_folder() {
            if let Err(e) = listing.list(&folder, own) {
                self.failures.push(Error::Unreadable {
                    place: folder.display().to_string(),
                    reason: open::reason(&e),
                });
            }
        }
        listing.add_linked_files();
        if listing.files.is_empty() {
            self.empty.push(root.to_path_buf());
        }
        let mut files = listing.files;
        let time = |path: &Path| time_in_name(path).or_else(|| time_in_content(path));
        files.sort_by_cached_key(|path| (time(path), path.clone()));
        self.found.extend(files.into_iter().map(|path| FoundFile {
            input: Input::File(path),
            asked: Asked::InFolder,
        }));
        listing.leading_out.sort();
        self.leading_out.append(&mut listing.leading_out);
        listing.odd.sort();
        self.skipped.append(&mut listing.odd);
    }
}

/// What is below a folder.
#[derive(Debug, Default)]
struct FolderListing {
    /// The folder, by its own path.
    root: Option<PathBuf>,
    /// Folders still to list, and their own paths, if these are known.
    folders: Vec<(PathBuf, Option<PathBuf>)>,
    folder_links: Vec<PathBuf>,
    /// Folders listed, by their own paths, whatever link led there.
    listed: HashSet<PathBuf>,
    files: Vec<PathBuf>,
    file_links: Vec<PathBuf>,
    odd: Vec<PathBuf>,
    leading_out: Vec<PathBuf>,
}

impl FolderListing {
    /// Whether a link leads to something within the folder: the sender of a folder chooses its links, and
    /// must not choose which other files are read.
    fn is_within(&self, link: &Path) -> bool {
        let target = fs::canonicalize(link).ok();
        let root = self.root.as_deref();
        root.zip(target.as_deref())
            .is_some_and(|(root, target)| target.starts_with(root))
    }

    /// Lists a folder. Its own path is resolved only if a link led to it: resolving takes the system as many
    /// steps as the path has folders.
    fn list(&mut self, folder: &Path, own: Option<PathBuf>) -> io::Result<()> {
        let own = own.map_or_else(|| fs::canonicalize(folder), Ok)?;
        if !self.listed.insert(own.clone()) {
            return Ok(());
        }
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if is_hidden(&entry.path()) {
                continue;
            }
            let (path, kind) = (entry.path(), entry.file_type()?);
            let list = if kind.is_dir() {
                let own = own.join(entry.file_name());
                self.folders.push((path, Some(own)));
                continue;
            } else if kind.is_file() {
                &mut self.files
            } else {
                match fs::metadata(&path) {
                    Ok(target)
                        if (target.is_dir() || target.is_file()) && !self.is_within(&path) =>
                    {
                        &mut self.leading_out
                    }
                    Ok(target) if target.is_dir() => &mut self.folder_links,
                    Ok(target) if target.is_file() => &mut self.file_links,
                    _ => &mut self.odd,
                }
            };
            list.push(path);
        }
        Ok(())
    }

    /// The next folder to list; those that links lead to come last.
    fn next_folder(&mut self) -> Option<(PathBuf, Option<PathBuf>)> {
        let next = self.folders.pop();
        next.or_else(|| self.linked().map(|link| (link, None)))
    }

    /// Takes out the linked folder whose path comes first.
    fn linked(&mut self) -> Option<PathBuf> {
        self.folder_links.sort_by(|a, b| b.cmp(a));
        self.folder_links.pop()
    }

    fn add_linked_files(&mut self) {
        let mut targets = HashSet::new();
        self.file_links.sort();
        for link in self.file_links.drain(..) {
            let Ok(target) = fs::canonicalize(&link) else {
                self.odd.push(link);
                continue;
            };
            let listed = target
                .parent()
                .is_some_and(|folder| self.listed.contains(folder));
            let read_anyway = listed && !is_hidden(&target);
            if !read_anyway && targets.insert(target) {
                self.files.push(link);
            }
        }
    }
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The time in a file's name as digits that compare as it does: `2025-10-09_14-43-01.329169335Z`,
/// with any of `T _ - space` before the hour and `:` or `-` in the time of day.
fn time_in_name(path: &Path) -> Option<(u64, u64)> {
    let name = path.file_name()?.as_encoded_bytes();
    (0..name.len()).find_map(|at| time_at(&name[at..]))
}

/// The `ts` of a file's first RRPair, in UTC like the names.
fn time_in_content(path: &Path) -> Option<(u64, u64)> {
    let mut opened = open::open(&Input::File(path.to_path_buf())).ok()?;
    let ts: Timestamp = opened.first_ts()?.parse().ok()?;
    time_at(format!("{ts:.9}").as_bytes())
}

fn time_at(text: &[u8]) -> Option<(u64, u64)> {
    const PATTERN: &[u8] = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(pattern, byte): (&u8, &u8)| match pattern {
        b'd' => byte.is_ascii_digit(),
        b'T' => b"T_- ".contains(byte),
        b':' => b":-".contains(byte),
        exact => exact == byte,
    };
    if text.len() < PATTERN.len() || !PATTERN.iter().zip(text).all(fits) {
        return None;
    }
    let (whole, rest) = text.split_at(PATTERN.len());
    let fraction = rest.strip_prefix(b".").unwrap_or_default();
    let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
    let nanos = digits.chain(std::iter::repeat(&b'0')).take(9);
    let number = |digits: &mut dyn Iterator<Item = &u8>| {
        digits
            .filter(|byte| byte.is_ascii_digit())
            .fold(0, |n, digit| n * 10 + u64::from(digit - b'0'))
    };
    Some((number(&mut whole.iter()), number(&mut { nanos })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_time_in_its_name_has_that_of_its_first_rrpair() {
        let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
        let path = folder.path().join("0f8b6c.json");
        let long = format!("{{\"a\":\"{}\",\"ts\":", "x".repeat(200_000));
        let cases = [
            (
                "{\"ts\":\"2025-10-09T14:43:01.5Z\"}".into(),
                Some((20_251_009_144_301, 500_000_000)),
            ),
            (
                "{\n \"ts\": \"2025-10-09T16:43:01+02:00\",\n".into(),
                Some((20_251_009_144_301, 0)),
            ),
            (
                "{\"a\":1}\n{\"ts\":\"2025-10-09T14:43:01Z\"}\n".into(),
                Some((20_251_009_144_301, 0)),
            ),
            (
                format!("{long}\"2025-10-09T14:43:02Z\"}}"),
                Some((20_251_009_144_302, 0)),
            ),
            ("{\"ts\":1760020981}".into(), None),
            ("no JSON".to_string(), None),
        ];
        for (text, time) in cases {
            fs::write(&path, &text).expect("the folder is writable");
            assert_eq!(time_in_content(&path), time, "{text:.60}");
        }
    }

    #[test]
    fn the_capture_time_is_read_from_a_file_name_that_has_one() {
        let cases = [
            (
                "2025-10-09_14-43-01.329169335Z.json",
                Some((20_251_009_144_301, 329_169_335)),
            ),
            (
                "a/rrpair-2025-10-09T14:43:01.5Z-7.md",
                Some((20_251_009_144_301, 500_000_000)),
            ),
            ("2025-10-09 14:43:01.json", Some((20_251_009_144_301, 0))),
            ("2025-10-09_14-43-01/raw.jsonl", None),
            ("2025-10-09.json", None),
            ("raw.jsonl", None),
        ];
        for (name, time) in cases {
            assert_eq!(time_in_name(Path::new(name)), time, "{name}");
        }
    }
}
