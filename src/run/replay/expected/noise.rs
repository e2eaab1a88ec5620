//! The files of `--learn` and `--noise`: what differs from run to run of one version, and the capture that it
//! was learned with.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::config::small_file;
use crate::error::{Error, reason};
use crate::host::control::Control;
use crate::host::outputs::create_new;
use crate::record::{Batch, Record};
use crate::report::LearnedPath;
use crate::run::compare::ignored::IgnoredPath;
use crate::verify::compare::{HEADER, NoisePart, NoiseRule};

/// The most bytes of a noise file. Everything that is learned, a thousand paths of 1 KiB, fits into it
/// however it is escaped.
const MOST_BYTES: usize = 8 << 20;
/// The version of the file's format.
const FORM: u64 = 1;

/// Identifies a capture: by all records that it expects, in whatever order they were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct CaptureMark {
    sum: u64,
    records: u64,
}

impl CaptureMark {
    /// Adds a record of `topic`, by its captured name.
    pub(super) fn add(&mut self, topic: &str, batch: &Batch, record: &Record) {
        let mut hash = Fnv::default();
        hash.add(Some(topic.as_bytes()));
        hash.add(record.key.map(|key| batch.slice(key)));
        hash.add(record.value.map(|value| batch.slice(value)));
        self.sum = self.sum.wrapping_add(hash.0);
        self.records += 1;
    }

    fn text(self) -> String {
        format!("{:016x}-{}", self.sum, self.records)
    }
}

/// FNV-1a with 64 bits: the same in every version of kreplay, as a file needs it.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: Option<&[u8]>) {
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        let length = length.to_le_bytes();
        for byte in length.iter().chain(bytes.unwrap_or_default()) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoiseFile {
    pub(super) file: PathBuf,
    capture: String,
    pub(super) paths: Vec<LearnedPath>,
}

impl NoiseFile {
    /// # Errors
    /// Returns [`Error::Config`] for a file that cannot be read, or that `--learn` has not written.
    pub(super) fn read(file: &Path) -> Result<Self, Error> {
        let shown = file.display();
        let text = small_file::read_text_up_to(MOST_BYTES, file)
            .map_err(|e| Error::config(format!("cannot read {shown}: {}", reason(&e))))?;
        let parse = || {
            let json: Value = serde_json::from_str(&text).ok()?;
            if json["kreplay_noise"].as_u64() != Some(FORM) {
                return None;
            }
            let paths = json["paths"].as_array()?.iter();
            Some(Self {
                file: file.to_owned(),
                capture: json["capture"].as_str()?.to_owned(),
                paths: paths.map(LearnedPath::of_json).collect::<Option<_>>()?,
            })
        };
        parse().ok_or_else(|| Error::Config {
            message: format!("{shown} is not a noise file"),
            hint: Some("`--learn FILE` writes one".into()),
        })
    }

    /// The accepted noise, in topics that are called `output(captured)` at the destination.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for paths that do not parse.
    pub(super) fn rules(
        &self,
        output: impl Fn(&str) -> String,
        control: &Control,
    ) -> Result<Vec<NoiseRule>, Error> {
        let mut rules = Vec::new();
        for learned in &self.paths {
            if let Some(name) = learned.path.strip_prefix(HEADER) {
                rules.push(NoiseRule {
                    topic: output(&learned.topic),
                    path: learned.path.clone(),
                    kind: learned.kind,
                    is_consistent: learned.is_consistent,
                    part: NoisePart::Header(name.to_owned()),
                });
                continue;
            }
            for path in IgnoredPath::parse_all(std::slice::from_ref(&learned.path), control)? {
                rules.push(NoiseRule {
                    topic: output(&learned.topic),
                    path: learned.path.clone(),
                    kind: learned.kind,
                    is_consistent: learned.is_consistent,
                    part: NoisePart::Value(path.rule()),
                });
            }
        }
        Ok(rules)
    }

    /// Checks that the file was learned with this capture.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if it was learned with another one.
    pub(super) fn check(&self, mark: CaptureMark) -> Result<(), Error> {
        match self.capture == mark.text() {
            true => Ok(()),
            false => Err(Error::Config {
                message: format!(
                    "{} was learned with another capture: the expected records differ",
                    self.file.display()
                ),
                hint: Some("learn the noise of this one with `--learn FILE`".into()),
            }),
        }
    }
}

/// Refuses a file for `--learn` that exists already.
///
/// # Errors
/// Returns [`Error::Config`] for such a file.
pub(super) fn check_new(file: &Path) -> Result<(), Error> {
    // A link exists, wherever it leads.
    match file.symlink_metadata().is_ok() {
        true => Err(Error::config(format!(
            "cannot write what was learned to {}: the file exists",
            file.display()
        ))),
        false => Ok(()),
    }
}

/// Writes what was learned to a new file.
///
/// # Errors
/// Returns [`Error::ReportUnwritten`] if the file cannot be written.
pub(super) fn write(file: &Path, mark: CaptureMark, paths: &[LearnedPath]) -> Result<(), Error> {
    let paths: Vec<Value> = paths.iter().map(LearnedPath::to_json).collect();
    let json = json!({ "kreplay_noise": FORM, "capture": mark.text(), "paths": paths });
    let written = create_new(file).and_then(|mut new| writeln!(new, "{json:#}"));
    written.map_err(|e| Error::ReportUnwritten {
        file: file.display().to_string(),
        reason: reason(&e),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_learned_is_written_to_a_new_file_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let mark = CaptureMark::default();
        write(&path("new"), mark, &[]).expect("it can be made");
        let mode = fs::metadata(path("new"))
            .expect("it is there")
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let read = NoiseFile::read(&path("new")).expect("it is a file of noise");
        assert!(read.paths.is_empty() && read.check(mark).is_ok());
        symlink(path("nowhere"), path("link")).expect("a link");
        for name in ["new", "link"] {
            assert!(check_new(&path(name)).is_err(), "{name}");
            assert!(write(&path(name), mark, &[]).is_err(), "{name}");
        }
        assert!(!path("nowhere").exists() && check_new(&path("other")).is_ok());
    }
}
