//! Handles records whose texts differ from what the application received, before they are sent.

use jiff::Timestamp;

use crate::config::Redacted;
use crate::error::Error;
use crate::produce::job::Job;
use crate::record::channel::SourceBatch;
use crate::report::ProblemKind;

/// Checks whether all records of `source_batch` may be sent.
///
/// # Errors
/// Returns [`Error::Redacted`] or [`Error::Config`], which name the first record that may not be
/// sent.
pub(in crate::produce) fn check(job: &Job, source_batch: &SourceBatch) -> Result<(), Error> {
    let policy = job.substitutes;
    let place = |index: u32| {
        let record = &source_batch.batch.records[index as usize];
        job.counters.place(record.origin)
    };
    let redacted = source_batch.substitutes.redacted.first();
    if let (Redacted::Fails, Some(first)) = (policy.redacted, redacted) {
        return Err(Error::Redacted {
            place: place(*first),
        });
    }
    match (policy.dates, source_batch.substitutes.dated.first()) {
        (None, Some(first)) => Err(Error::Config {
            message: format!(
                "{} holds a date that is still to be resolved: `{{speedscale_date(...)}}`",
                place(*first)
            ),
            hint: Some(
                "`--resolve-dates` replaces them with dates counted from the time of the \
                 replay; `--resolve-dates=FORM` chooses the format"
                    .into(),
            ),
        }),
        _ => Ok(()),
    }
}

/// Resolves the dates in the records of `source_batch`.
///
/// # Errors
/// Returns [`Error::Config`], which names the first date that cannot be resolved.
pub(in crate::produce) fn resolve(job: &Job, source_batch: &mut SourceBatch) -> Result<(), Error> {
    let dated = std::mem::take(&mut source_batch.substitutes.dated);
    let (Some(form), false) = (job.substitutes.dates, dated.is_empty()) else {
        return Ok(());
    };
    let now = Timestamp::try_from(job.begins).map_err(|error| Error::Config {
        message: format!("the clock of this machine shows a time that no calendar has: {error}"),
        hint: None,
    })?;
    let resolved = source_batch.batch.resolve_dates(&dated, now, form);
    source_batch
        .tally
        .problems
        .forget(ProblemKind::DatePlaceholder);
    resolved.map_err(|(index, bad)| {
        let place = job.counters.place(source_batch.batch.records[index].origin);
        Error::config(format!("{place}: {bad}"))
    })
}
