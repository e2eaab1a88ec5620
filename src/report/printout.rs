//! The account of `kreplay extract`: what was read, found, printed and left out. This file is separate from
//! the report of a replay because nothing was sent, so nothing is delivered or unknown here.

use crate::report::rendering::figures::{HumanCount, records, seconds};
use std::fmt;
use std::time::Duration;

use super::ledger::exit::exit_code;
use super::rendering::headline::RunEnding;
use super::rendering::text::{write_problem, write_source, write_substitutes};
use super::{Ledger, LedgerOf, Outcome, Signal, SourceReport, Tally};
use crate::error::{Error, ExitCode};

/// Whether somebody still reads what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum StdoutReader {
    /// As far as is known.
    #[default]
    There,
    /// It closed the pipe, as `head` does when it has enough: this ends the run and is not a failure.
    Gone,
}

/// Everything that is reported about a run that prints.
#[derive(Debug, Clone, Default)]
pub(crate) struct Printout {
    /// What was read.
    pub source: SourceReport,
    /// What extraction counted.
    pub tally: Tally,
    /// Records written to stdout.
    pub printed: u64,
    /// Records that were ready but not written any more.
    pub unprinted: u64,
    /// Whether the reader of stdout stayed.
    pub reader: StdoutReader,
    /// From the start of the run to its end.
    pub elapsed: Duration,
    /// The signal, if it kept something from being printed.
    pub signal: Option<Signal>,
    /// What ended the run early.
    pub failures: Vec<Error>,
}

impl Printout {
    /// The exit code that follows from all of this; the most severe reason wins, as for a replay.
    #[must_use]
    pub(crate) fn exit(&self) -> ExitCode {
        let mut ledger = self.ledger();
        if self.reader == StdoutReader::Gone && ledger.balances() {
            // Nobody wants them.
            ledger.found -= self.unprinted;
            ledger[Outcome::Unprinted] = 0;
        }
        let found = [self.tally.problems.exit(), ledger.exit()];
        exit_code(self.signal, &self.failures, found)
    }

    /// What became of every record.
    #[must_use]
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::new(LedgerOf::Extract, &self.tally);
        ledger[Outcome::Printed] = self.printed;
        ledger[Outcome::Unprinted] = self.unprinted;
        ledger
    }

    /// What is wrong with the records, one line for each kind; empty if nothing is.
    #[must_use]
    pub(crate) fn problems(&self) -> impl fmt::Display + '_ {
        fmt::from_fn(|f| {
            let mut problems = self.tally.problems.iter();
            problems.try_for_each(|problem| write_problem(f, &self.source.names, problem))
        })
    }
}

impl fmt::Display for Printout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = RunEnding::of(self.signal, &self.failures);
        let closed = match (ending, self.reader) {
            (RunEnding::Complete, StdoutReader::Gone) => "stdout was closed: ",
            _ => "",
        };
        writeln!(
            f,
            "{ending}{closed}printed {} of {} in {}\n",
            HumanCount(self.printed),
            records(self.tally.found),
            seconds(self.elapsed),
        )?;
        write_source(f, &self.source, &self.tally)?;
        self.ledger().fmt(f)?;
        self.tally.unselected.fmt(f)?;
        write_substitutes(f, &self.tally)?;
        // Not a problem here: the lines have the ids.
        self.tally.unresolved.fmt(f)?;
        self.problems().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::report::ProblemKind;

    fn printout() -> Printout {
        let mut tally = Tally {
            bytes: 2048,
            lines: 1300,
            found: 1300,
            ..Tally::default()
        };
        tally.outcomes[Outcome::Control] = 2;
        tally.outcomes[Outcome::Unreadable] = 1;
        let origin = Origin { input: 0, line: 17 };
        let why = || "`value`: it is not base64 at column 9".into();
        tally.problems.add(ProblemKind::Unreadable, origin, why);
        Printout {
            source: SourceReport {
                kind: Some(SourceReport::RECORDS),
                inputs: vec!["rejects.jsonl".into()],
                names: ["rejects.jsonl".into()].into(),
                ..SourceReport::default()
            },
            tally,
            printed: 1290,
            unprinted: 7,
            reader: StdoutReader::Gone,
            elapsed: Duration::from_millis(310),
            ..Printout::default()
        }
    }

    #[test]
    fn a_printout_with_problems_reads_as_documented() {
        assert_eq!(
            printout().to_string(),
            "stdout was closed: printed 1,290 of 1,300 records in 0.31 s\n\
             \n\
             read       records rejects.jsonl: 2.00 KiB, 1,300 lines; not read to its end\n\
             found      1,300 = 2 control + 1 unreadable + 1,290 printed + 7 unprinted\n\
             problem    unreadable: 1, first rejects.jsonl:17: `value`: it is not base64 at column 9\n"
        );
    }

    #[test]
    fn the_gravest_reason_gives_the_exit_code() {
        let cut = Error::CutOff {
            place: "a:1".into(),
            why: "no".into(),
        };
        assert_eq!(Printout::default().exit(), ExitCode::Success);
        let mut printout = printout();
        assert_eq!(printout.exit(), ExitCode::Incomplete);
        printout.failures.push(cut);
        assert_eq!(printout.exit(), ExitCode::Source);
        printout.signal = Some(Signal::Interrupt);
        assert_eq!(printout.exit(), ExitCode::Interrupted);
        printout.printed += 1;
        assert_eq!(printout.exit(), ExitCode::Defect);
    }

    #[test]
    fn a_closed_pipe_is_not_a_failure_and_a_broken_stdout_is() {
        let mut printout = Printout {
            unprinted: 3,
            reader: StdoutReader::Gone,
            ..Printout::default()
        };
        printout.tally.found = 3;
        assert_eq!(printout.exit(), ExitCode::Success);
        printout.reader = StdoutReader::There;
        assert_eq!(printout.exit(), ExitCode::Incomplete);
    }
}
