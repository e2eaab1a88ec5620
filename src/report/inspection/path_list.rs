//! Every path that occurs in a capture, as `kreplay inspect --paths` lists it: one per line, so that the user
//! can copy one into a flag.

use crate::report::rendering::figures::{HumanBytes, HumanCount, plural};
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::error::{Error, ExitCode};
use crate::host::visible::visible;
use crate::report::ledger::exit::exit_code;
use crate::report::rendering::headline::RunEnding;
use crate::report::rendering::json::{SCHEMA, problem_json, round_ms, source_json};
use crate::report::rendering::text::write_problem;
use crate::report::{Signal, SourceReport, Tally};

/// One path and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathSeen {
    /// JSONPath, as every flag takes it.
    pub path: String,
    /// How many nodes it matches.
    pub count: u64,
    /// JSON types of these nodes, each once.
    pub types: Vec<&'static str>,
    /// The first of them that is neither object nor array, as JSON; a long one is cut and ends in `…`.
    pub sample: Option<String>,
}

/// The paths of a capture.
#[derive(Debug, Clone, Default)]
pub(crate) struct PathList {
    /// What was read.
    pub source: SourceReport,
    /// What extraction counted.
    pub tally: Tally,
    /// The paths, a node's own before those below it.
    pub paths: Vec<PathSeen>,
    /// Nodes whose paths were not kept, because there are too many different ones.
    pub left_out: u64,
    /// From the start of the run to its end.
    pub elapsed: Duration,
    /// The signal, if it kept something from being read.
    pub signal: Option<Signal>,
    /// What ended the run early.
    pub failures: Vec<Error>,
}

impl PathList {
    /// The exit code that follows from all of this; the most severe reason wins, as for a replay.
    #[must_use]
    pub(crate) fn exit(&self) -> ExitCode {
        exit_code(self.signal, &self.failures, [self.tally.problems.exit()])
    }

    /// The paths as one line of JSON, without a line end.
    #[must_use]
    pub(crate) fn to_json(&self) -> String {
        let paths = self.paths.iter().map(|seen| {
            json!({
                "path": seen.path,
                "count": seen.count,
                "types": seen.types,
                "sample": seen.sample,
            })
        });
        let mut source = source_json(&self.source, &self.tally);
        // The list says nothing about what the RRPairs hold.
        if let Value::Object(members) = &mut source {
            members.remove("empty_fetches");
            let passed = members.remove("fetches");
            members.insert("passed".into(), passed.into());
        }
        let problems = self.tally.problems.iter();
        json!({
            "kreplay": env!("CARGO_PKG_VERSION"),
            "schema": SCHEMA,
            "exit_code": self.exit().code(),
            "interrupted": self.signal.is_some(),
            "elapsed_s": round_ms(self.elapsed.as_secs_f64()),
            "source": source,
            "paths": paths.collect::<Vec<_>>(),
            "left_out": self.left_out,
            "problems": problems
                .map(|problem| problem_json(&self.source.names, problem))
                .collect::<Vec<_>>(),
            "errors": self.failures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
        .to_string()
    }
}

impl fmt::Display for PathList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        let passed = match tally.rrpairs == tally.fetches {
            true => String::new(),
            false => format!(", of which {} passed the filter", HumanCount(tally.fetches)),
        };
        let end = if self.source.complete {
            ""
        } else {
            "; not read to its end"
        };
        writeln!(
            f,
            "{}{} in {} ({}){passed}{end}\n",
            RunEnding::of(self.signal, &self.failures),
            plural(self.paths.len() as u64, "path", "paths"),
            plural(tally.rrpairs, "RRPair", "RRPairs"),
            HumanBytes(tally.bytes),
        )?;
        let types = |seen: &PathSeen| seen.types.join("|");
        let widest = |width: &dyn Fn(&PathSeen) -> usize| self.paths.iter().map(width).max();
        let for_types = widest(&|seen| types(seen).len()).unwrap_or(0).max(4);
        // A few very long paths must not push all samples out of sight.
        let for_path = widest(&|seen| visible(&seen.path).chars().count()).unwrap_or(0);
        let for_path = for_path.clamp(4, 100);
        if !self.paths.is_empty() {
            writeln!(
                f,
                "{:>9}  {:<for_types$}  {:<for_path$}  sample",
                "count", "type", "path"
            )?;
        }
        for seen in &self.paths {
            let line = format!(
                "{:>9}  {:<for_types$}  {:<for_path$}  {}",
                HumanCount(seen.count).to_string(),
                types(seen),
                visible(&seen.path),
                visible(seen.sample.as_deref().unwrap_or_default()),
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        if self.left_out > 0 {
            let left_out = plural(self.left_out, "node", "nodes");
            writeln!(f, "and {left_out} under paths that are not listed")?;
        }
        let mut problems = tally.problems.iter();
        problems.try_for_each(|problem| write_problem(f, &self.source.names, problem))
    }
}
