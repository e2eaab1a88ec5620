//! The guard against the captured cluster: is it the destination?

use super::Router;
use crate::config::CapturedCluster;
use crate::error::Error;
use crate::record::Batch;

impl Router<'_> {
    /// Checks what `batch` shows of the captured cluster.
    ///
    /// # Errors
    /// Returns [`Error::SameCluster`] if that is the destination, and the user did not ask for it.
    pub(in crate::produce) fn check_source(&mut self, batch: &Batch) -> Result<(), Error> {
        self.renamings.meet(batch);
        self.compare(batch);
        self.check_shared()
    }

    /// Compares the destination with the signs of the captured cluster in `batch`, and keeps these for the rejects.
    pub(in crate::produce) fn compare(&mut self, batch: &Batch) {
        for captured in &batch.captured_from {
            let rejects = &mut self.connection.deliveries().account().rejects;
            rejects.note(captured);
        }
        let refuses = self.destination.captured_cluster == CapturedCluster::Refuse;
        if let Some(known) = self.connection.known()
            && refuses
            && !self.connection.is_rehearsal()
        {
            for captured in &batch.captured_from {
                self.comparison.look_at(known, captured);
            }
        }
    }

    /// Judges what was compared so far.
    ///
    /// # Errors
    /// Returns [`Error::SameCluster`] as [`Router::check_source`] does.
    pub(in crate::produce) fn check_shared(&mut self) -> Result<(), Error> {
        if let Some(shared) = self.comparison.shared() {
            return Err(Error::SameCluster {
                brokers: self.connection.brokers.clone(),
                shared,
            });
        }
        if let Some(note) = self.comparison.take_note() {
            self.connection.console.note(&note);
        }
        Ok(())
    }
}
