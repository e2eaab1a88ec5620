//! The rejects file that belongs to a journal. A run that continues sends its records again, so that run
//! empties it, and no other file.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use super::JournalWriter;
use crate::error::Error;
use crate::produce::delivery::rejects::{Rejects, unknown_to};

impl JournalWriter {
    /// Notes the rejects file of this run, which `rejects` has open. Returns what the user should know about
    /// an earlier one.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if the file holds rejects of another replay, or if those of the earlier
    /// runs are elsewhere.
    pub(in crate::produce) fn keep_rejects(
        &mut self,
        file: Option<&Path>,
        rejects: &Rejects,
    ) -> Result<Option<String>, Error> {
        let held = self
            .state
            .rejects
            .as_deref()
            .filter(|known| holds_some(known));
        let Some(file) = file else {
            return Ok(held.map(|known| {
                format!("{known} holds rejects of earlier runs; this run sends them again")
            }));
        };
        let name = found(file).display().to_string();
        match held {
            Some(known) if known == name => return Ok(None),
            Some(known) => return Err(self.are_elsewhere(known)),
            None if rejects.are_replaced() => {
                return Err(unknown_to("journal", &self.path, file));
            }
            None => {}
        }
        if self.state.rejects.as_ref() != Some(&name) {
            self.next.rejects = Some(name);
        }
        Ok(None)
    }

    fn are_elsewhere(&self, known: &str) -> Error {
        let journal = self.path.display();
        Error::Config {
            message: format!("the rejects of the journal {journal} are in {known}"),
            hint: Some(format!(
                "this run sends them again: name that file with `--rejects {known}`, or move it away first"
            )),
        }
    }
}

fn holds_some(path: &str) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// Where a file is, whatever its name.
fn found(path: &Path) -> PathBuf {
    let found = fs::canonicalize(path).or_else(|_| absolute(path));
    found.unwrap_or_else(|_| path.into())
}
