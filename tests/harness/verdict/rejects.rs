//! What `--rejects FILE` has written: the ids of records that were found and not delivered.
//!
//! This file only reads; the verdict compares.

use std::path::Path;

use serde_json::Value;

use super::id_of;

/// The lines of `--rejects FILE`: each id with what became of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RejectedIds(pub(super) Vec<(u64, String)>);

impl RejectedIds {
    /// Rejects with these ids and outcomes.
    pub(crate) fn of(rejects: &[(u64, &str)]) -> Self {
        let rejects = rejects.iter();
        Self(rejects.map(|(id, what)| (*id, (*what).into())).collect())
    }

    /// Reads a file that a run has written.
    ///
    /// # Errors
    /// Returns what is wrong with a line: no JSON, no id, no outcome or no reason.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let rejects = text.lines().map(|line| {
            let json: Value =
                serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
            let member = |name: &str| {
                let text = json[name].as_str().filter(|text| !text.is_empty());
                text.ok_or_else(|| format!("a reject has no `{name}`: {line}"))
            };
            let id = id_of(member("value")?.as_bytes());
            let id = id.ok_or_else(|| format!("a reject has no id in its value: {line}"))?;
            member("reason")?;
            Ok((id, member("outcome")?.to_owned()))
        });
        rejects.collect::<Result<_, String>>().map(Self)
    }

    /// How many records were rejected.
    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// All ids, rising.
    pub(crate) fn ids(&self) -> Vec<u64> {
        let mut ids: Vec<u64> = self.0.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids
    }

    /// The ids with one of these outcomes, in the order of the file.
    pub(super) fn with(&self, outcomes: &[&str]) -> Vec<u64> {
        let these = self.0.iter();
        let these = these.filter(|(_, what)| outcomes.contains(&what.as_str()));
        these.map(|(id, _)| *id).collect()
    }
}
