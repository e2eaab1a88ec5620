//! The look at the source and the destination before the first record is sent.

use super::{Pass, substitutes};
use crate::config::Timestamps;
use crate::error::Error;
use crate::produce::routing::originals::OriginalTimes;
use crate::produce::session::open::Session;
use crate::produce::session::wait::SendStop;
use crate::record::channel::{Extent, Receiver, SourceBatch};
use crate::report::ProblemKind;

/// Shows `note` what is known about the source before its first record.
///
/// # Errors
/// Returns [`Error::Config`] for an id of `--topic-id` that no topic has: extraction reports it at the source's
/// end, and nothing is sent under a misspelt name.
pub(in crate::produce) fn first_look(
    receiver: &Receiver,
    mut note: impl FnMut(&SourceBatch),
) -> Result<Extent, Error> {
    let mut unmatched_id = None;
    let extent = receiver.look_ahead(|source_batch| {
        note(source_batch);
        let mut problems = source_batch.tally.problems.iter();
        let unmatched = problems.find(|problem| problem.what == ProblemKind::TopicIdUnmatched);
        unmatched_id = unmatched_id.take().or(unmatched.map(|p| p.why.clone()));
    });
    match unmatched_id.filter(|_| extent == Extent::Whole) {
        Some(message) => {
            let hint = ProblemKind::TopicIdUnmatched.hint().map(str::to_owned);
            Err(Error::Config { message, hint })
        }
        None => Ok(extent),
    }
}

impl Pass<'_, '_> {
    /// Checks the destination by what is known about the source, before the first record is sent.
    pub(super) fn look(&mut self) -> Result<(), SendStop> {
        let Session {
            router, job, turns, ..
        } = &mut *self.session;
        let (mut refused, mut first) = (None, None);
        let extent = first_look(self.receiver, |source_batch| {
            router.observe(&source_batch.batch);
            first = source_batch.others.first.or(first);
            if let Some(turns) = turns {
                turns.look_at(&source_batch.batch);
            }
            refused = refused
                .take()
                .or(substitutes::check(job, source_batch).err());
        })?;
        if let Some(refused) = refused {
            return Err(refused.into());
        }
        if let Some(first) = first {
            self.session.share(first);
        }
        let Session { router, job, .. } = &mut *self.session;
        router.look(extent, |origin| job.counters.place(origin))?;
        // InitProducerId may be refused by now.
        self.session.check_alive()?;
        if self.session.job.destination.timestamps == Timestamps::Original {
            let mut originals = OriginalTimes::new();
            let look = |source_batch: &SourceBatch| {
                let router = &self.session.router;
                router.look_at_times(&source_batch.batch, &mut originals);
            };
            self.receiver.look_ahead(look);
            originals.check()?;
        }
        Ok(())
    }
}
