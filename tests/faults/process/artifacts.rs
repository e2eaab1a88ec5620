//! What a run leaves for later: its rejects, sent again once the fault is over, and its journal.
//!
//! Every fault ends with this, whatever the fault is.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::verdict::RejectedIds;
use crate::{replay, report_of};

/// A place for the rejects and the journal of one run.
pub(crate) struct RunArtifacts(TempDir);

impl RunArtifacts {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where the rejects are.
    pub(crate) fn rejects_path(&self) -> String {
        self.path("rejects.jsonl").display().to_string()
    }

    /// Where the journal is.
    pub(crate) fn journal_path(&self) -> String {
        self.path("journal").display().to_string()
    }

    /// What `--rejects` has written.
    ///
    /// # Panics
    /// Panics if that is not what it should be.
    pub(crate) fn rejects(&self) -> RejectedIds {
        RejectedIds::read(&self.path("rejects.jsonl")).expect("the rejects are readable")
    }

    /// Sends all rejects again, also those called unknown; returns the report.
    ///
    /// # Panics
    /// Panics if not all of them are delivered.
    pub(crate) fn send_again(&self, brokers: &str, args: &[&str]) -> Value {
        let rejects = self.rejects_path();
        // Rejects are in the order in which their outcomes came; there may be none.
        let flags = [
            "replay",
            &rejects,
            "--send-unknown",
            "--allow-reordered",
            "--allow-empty",
        ];
        let args = [&flags, args].concat();
        report_of(&replay(brokers, &args).output(), 0)
    }
}
