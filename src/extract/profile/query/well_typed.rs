//! Checks whether a query is well-typed. This file is separate because jsonpath-rust's parser does not
//! check it, and the evaluation relies on it.

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, Segment, Selector, Test, TestFunction,
};

/// Why a query is not well-typed (RFC 9535, section 2.4.3): the function's name, and what is wrong.
type IllTyped = (String, &'static str);

/// Finds what jsonpath-rust's parser accepts and RFC 9535 does not.
///
/// # Errors
/// Returns the first function that is used wrongly.
pub(in crate::extract) fn check(segments: &[Segment]) -> Result<(), IllTyped> {
    segments.iter().try_for_each(|segment| match segment {
        Segment::Descendant(inner) => check(std::slice::from_ref(inner)),
        Segment::Selector(selector) => check_selector(selector),
        Segment::Selectors(selectors) => selectors.iter().try_for_each(check_selector),
    })
}

fn check_selector(selector: &Selector) -> Result<(), IllTyped> {
    match selector {
        Selector::Filter(filter) => check_filter(filter),
        _ => Ok(()),
    }
}

fn check_filter(filter: &Filter) -> Result<(), IllTyped> {
    match filter {
        Filter::Or(all) | Filter::And(all) => all.iter().try_for_each(check_filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => check_filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
            Test::Function(function) => check_test_function(function),
            query => check_query(query),
        },
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (left, right) = comparison.vals();
            [left, right].into_iter().try_for_each(|side| match side {
                Comparable::Function(function) => check_value_function(function),
                Comparable::Literal(_) | Comparable::SingularQuery(_) => Ok(()),
            })
        }
    }
}

fn check_query(test: &Test) -> Result<(), IllTyped> {
    match test {
        Test::RelQuery(segments) => check(segments),
        Test::AbsQuery(query) => check(&query.segments),
        Test::Function(function) => check_value_function(function),
    }
}

/// Checks a function that is a condition by itself.
fn check_test_function(function: &TestFunction) -> Result<(), IllTyped> {
    match function {
        TestFunction::Match(text, regex) => check_values("match", [text, regex]),
        TestFunction::Search(text, regex) => check_values("search", [text, regex]),
        TestFunction::Custom(name, _) => Err((name.clone(), "is not a function of RFC 9535")),
        TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => {
            let why = "returns a value, which must be compared with something";
            Err((name(function).into(), why))
        }
    }
}

/// Checks a function whose value is compared.
fn check_value_function(function: &TestFunction) -> Result<(), IllTyped> {
    match function {
        TestFunction::Length(argument) => check_values("length", [&**argument]),
        TestFunction::Count(FnArg::Test(test)) | TestFunction::Value(FnArg::Test(test))
            if !matches!(**test, Test::Function(_)) =>
        {
            check_query(test)
        }
        TestFunction::Count(_) | TestFunction::Value(_) => {
            Err((name(function).into(), "takes a path"))
        }
        TestFunction::Match(..) | TestFunction::Search(..) => {
            let why = "is a condition, which cannot be compared";
            Err((name(function).into(), why))
        }
        TestFunction::Custom(name, _) => Err((name.clone(), "is not a function of RFC 9535")),
    }
}

fn check_values<'f>(
    name: &str,
    arguments: impl IntoIterator<Item = &'f FnArg>,
) -> Result<(), IllTyped> {
    let why = "takes a value: a literal, or a path to one node";
    arguments
        .into_iter()
        .try_for_each(|argument| match argument {
            FnArg::Literal(_) => Ok(()),
            FnArg::Filter(_) => Err((name.into(), why)),
            FnArg::Test(test) => match &**test {
                Test::Function(function) => check_value_function(function),
                Test::RelQuery(segments) if is_singular(segments) => Ok(()),
                Test::AbsQuery(query) if is_singular(&query.segments) => Ok(()),
                Test::RelQuery(_) | Test::AbsQuery(_) => Err((name.into(), why)),
            },
        })
}

/// Whether a query selects one node at most (RFC 9535, section 2.3.5.1).
fn is_singular(segments: &[Segment]) -> bool {
    let is_one = |segment: &Segment| {
        matches!(
            segment,
            Segment::Selector(Selector::Name(_) | Selector::Index(_))
        )
    };
    segments.iter().all(is_one)
}

fn name(function: &TestFunction) -> &str {
    match function {
        TestFunction::Length(_) => "length",
        TestFunction::Count(_) => "count",
        TestFunction::Value(_) => "value",
        TestFunction::Match(..) => "match",
        TestFunction::Search(..) => "search",
        TestFunction::Custom(name, _) => name,
    }
}
