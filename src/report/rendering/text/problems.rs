//! The lines about problems: each kind with its count and its first place.

use std::fmt;

use crate::host::visible::visible;
use crate::report::rendering::figures::HumanCount;
use crate::report::{Problem, Problems, SourceReport, place};

/// All problems, a line for each kind and one for its hint.
pub(crate) fn problems_text(source: &SourceReport, problems: &Problems) -> String {
    let text = fmt::from_fn(|f| {
        let mut problems = problems.iter();
        problems.try_for_each(|problem| write_problem(f, &source.names, problem))
    });
    text.to_string()
}

/// A kind of problem, with what to do about it.
pub(in crate::report) fn write_problem(
    f: &mut fmt::Formatter<'_>,
    inputs: &[String],
    problem: &Problem,
) -> fmt::Result {
    write_what(f, inputs, problem)?;
    problem
        .what
        .hint()
        .map_or(Ok(()), |hint| writeln!(f, "           hint: {hint}"))
}

pub(super) fn write_what(
    f: &mut fmt::Formatter<'_>,
    inputs: &[String],
    problem: &Problem,
) -> fmt::Result {
    writeln!(
        f,
        "problem    {}: {}, first {}: {}",
        problem.what.name().replace('_', " "),
        HumanCount(problem.count),
        visible(&place(inputs, problem.first)),
        visible(&problem.why),
    )
}
