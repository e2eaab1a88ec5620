//! The lines about how the run ended.

use std::fmt;
use std::fmt::Write;
use std::time::Duration;

use crate::error::quoted;
use crate::host::visible::visible;
use crate::report::rendering::figures::{HumanCount, counted, records, seconds};
use crate::report::rendering::headline::RunEnding;
use crate::report::{Outcome, Report};

impl Report {
    /// Why the exit code is what it is, for a user who is not shown the report.
    #[must_use]
    pub fn why(&self) -> String {
        let why = fmt::from_fn(|f| {
            let (delivered, wanted) = (self.ledger[Outcome::Delivered], self.ledger.wanted());
            writeln!(
                f,
                "kreplay: exit code {}: delivered {} of {}",
                self.exit().code(),
                HumanCount(delivered),
                records(wanted)
            )?;
            self.write_ledger(f)?;
            self.write_groups(f)?;
            self.write_stop(f)?;
            self.write_problems(f)?;
            self.write_rejects(f)
        });
        why.to_string()
    }

    pub(super) fn write_headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ledger = &self.ledger;
        let ending = RunEnding::of(self.signal, &self.failures);
        let place = if self.destination.rehearsal {
            "a rehearsal broker"
        } else {
            &self.destination.brokers
        };
        writeln!(
            f,
            "{ending}delivered {} of {} to {place} in {}",
            HumanCount(ledger[Outcome::Delivered]),
            records(ledger.wanted()),
            seconds(self.elapsed),
        )?;
        let per_second =
            ledger[Outcome::Delivered] as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON);
        if self.elapsed > Duration::from_secs(1) && ledger[Outcome::Delivered] > 0 {
            writeln!(f, "rate       {per_second:.0} records/s")?;
        }
        f.write_char('\n')
    }

    /// What was promised, where the run began and how it stopped.
    pub(super) fn write_stop(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.destination.unchecked.is_empty() {
            let unchecked = quoted(&self.destination.unchecked);
            writeln!(f, "tls        not checked: {unchecked}")?;
        }
        if !self.destination.idempotence {
            writeln!(
                f,
                "promise    none (--no-idempotence): delivered records may be duplicated, out of order, or lost"
            )?;
        }
        if let Some(resume) = &self.resume {
            let (skipped, journal) = (HumanCount(resume.skipped), visible(&resume.journal));
            write!(
                f,
                "resumed    skipped {skipped} that earlier runs delivered ({journal})"
            )?;
            match resume.may_repeat {
                Some(0) => f.write_char('\n')?,
                Some(n) => writeln!(f, "; up to {} may be in the log twice", HumanCount(n))?,
                None => f.write_str("; it is unknown how many may be in the log twice\n")?,
            }
            if let Some(n) = resume.uncertain.filter(|n| *n > 0) {
                writeln!(
                    f,
                    "           the next run may send up to {} twice",
                    HumanCount(n)
                )?;
            }
        }
        let Some(drain) = self.drain else {
            return Ok(());
        };
        let parts = [
            (drain.answered, "answered"),
            (drain.given_up, "given up by librdkafka"),
            (drain.purged_from_queue, "taken back from the queue"),
            (drain.purged_in_flight, "given up in flight"),
            (drain.unanswered, "without an answer"),
        ];
        let parts = counted(&parts);
        match parts.is_empty() {
            true => Ok(()),
            false => writeln!(f, "stopped    records in flight: {parts}"),
        }
    }
}
