//! Queries that are not plain paths (filters, descendants, slices, several selectors), evaluated as
//! RFC 9535 says. jsonpath-rust parses them; its evaluation is not used, because it gives several
//! selectors behind `..` in another order, loses a filter inside a filter, and counts slices from the
//! wrong end. What its parser lets pass and the RFC does not is refused here.

mod compare;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, Test, TestFunction,
};
use serde_json::Value;

use super::path::PathStep;

/// A node of a document, with the steps that lead to it.
#[derive(Clone)]
struct QueryNode<'a> {
    value: &'a Value,
    way: Option<Rc<Link<'a>>>,
}

/// The last step to a node, and those before.
struct Link<'a> {
    before: Option<Rc<Self>>,
    last: LastStep<'a>,
}

#[derive(Clone, Copy)]
enum LastStep<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> QueryNode<'a> {
    fn below(&self, value: &'a Value, last: LastStep<'a>) -> Self {
        let before = self.way.clone();
        Self {
            value,
            way: Some(Rc::new(Link { before, last })),
        }
    }

    fn member(&self, name: &str) -> Option<Self> {
        let (name, value) = self.value.as_object()?.get_key_value(name)?;
        Some(self.below(value, LastStep::Name(name)))
    }

    fn element(&self, index: i64) -> Option<Self> {
        let elements = self.value.as_array()?;
        let index = match usize::try_from(index) {
            Ok(index) => index,
            Err(_) => elements
                .len()
                .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
        };
        let value = elements.get(index)?;
        Some(self.below(value, LastStep::Index(index)))
    }

    fn children(&self) -> Vec<Self> {
        match self.value {
            Value::Array(elements) => {
                let elements = elements.iter().enumerate();
                let node = |(index, value)| self.below(value, LastStep::Index(index));
                elements.map(node).collect()
            }
            Value::Object(members) => {
                let node = |(name, value): (&'a String, _)| self.below(value, LastStep::Name(name));
                members.iter().map(node).collect()
            }
            _ => Vec::new(),
        }
    }

    fn steps(&self) -> Vec<PathStep> {
        let mut steps = Vec::new();
        let mut way = self.way.as_ref();
        while let Some(link) = way {
            steps.push(match link.last {
                LastStep::Name(name) => PathStep::Name(name.into()),
                LastStep::Index(index) => PathStep::Index(index),
            });
            way = link.before.as_ref();
        }
        steps.reverse();
        steps
    }
}

/// The nodes that `query` selects in `document`, in the order of RFC 9535 and as often as it says.
pub(in crate::extract) fn nodes(query: &JpQuery, document: &Value) -> Vec<Vec<PathStep>> {
    let root = QueryNode {
        value: document,
        way: None,
    };
    let selected = select(&query.segments, root, document);
    selected.iter().map(QueryNode::steps).collect()
}

fn select<'a>(segments: &[Segment], from: QueryNode<'a>, root: &'a Value) -> Vec<QueryNode<'a>> {
    let mut nodes = vec![from];
    for segment in segments {
        let mut next = Vec::new();
        for node in &nodes {
            add_selected(segment, node, root, &mut next);
        }
        nodes = next;
    }
    nodes
}

fn add_selected<'a>(
    segment: &Segment,
    node: &QueryNode<'a>,
    root: &'a Value,
    out: &mut Vec<QueryNode<'a>>,
) {
    match segment {
        Segment::Selector(selector) => add_by(selector, node, root, out),
        Segment::Selectors(selectors) => {
            selectors
                .iter()
                .for_each(|one| add_by(one, node, root, out));
        }
        // A node before those below it (RFC 9535, section 2.5.2.2).
        Segment::Descendant(inner) => {
            add_selected(inner, node, root, out);
            for child in node.children() {
                add_selected(segment, &child, root, out);
            }
        }
    }
}

fn add_by<'a>(
    selector: &Selector,
    node: &QueryNode<'a>,
    root: &'a Value,
    out: &mut Vec<QueryNode<'a>>,
) {
    match selector {
        Selector::Name(name) => out.extend(node.member(name)),
        Selector::Index(index) => out.extend(node.element(*index)),
        Selector::Wildcard => out.extend(node.children()),
        Selector::Slice(start, end, step) => {
            let length = node.value.as_array().map_or(0, Vec::len);
            let indexes = slice(*start, *end, step.unwrap_or(1), length);
            out.extend(indexes.into_iter().filter_map(|index| node.element(index)));
        }
        Selector::Filter(filter) => {
            let children = node.children().into_iter();
            out.extend(children.filter(|child| passes(filter, child, root)));
        }
    }
}

/// The indexes of a slice (RFC 9535, section 2.3.4.2.2).
fn slice(start: Option<i64>, end: Option<i64>, step: i64, length: usize) -> Vec<i64> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_front = |at: i64| {
        if at < 0 {
            at.saturating_add(length)
        } else {
            at
        }
    };
    let next = |at: &i64| at.checked_add(step);
    if step > 0 {
        let lower = from_front(start.unwrap_or(0)).clamp(0, length);
        let upper = from_front(end.unwrap_or(length)).clamp(0, length);
        let rising = std::iter::successors(Some(lower), next);
        rising.take_while(|at| *at < upper).collect()
    } else if step < 0 {
        let upper = start.map_or(length - 1, from_front).clamp(-1, length - 1);
        let lower = end.map_or(-1, from_front).clamp(-1, length - 1);
        let falling = std::iter::successors(Some(upper), next);
        falling.take_while(|at| *at > lower).collect()
    } else {
        Vec::new()
    }
}

fn passes<'a>(filter: &Filter, node: &QueryNode<'a>, root: &'a Value) -> bool {
    match filter {
        Filter::Or(any) => any.iter().any(|one| passes(one, node, root)),
        Filter::And(all) => all.iter().all(|one| passes(one, node, root)),
        Filter::Atom(FilterAtom::Filter { expr, not }) => passes(expr, node, root) != *not,
        Filter::Atom(FilterAtom::Test { expr, not }) => holds(expr, node, root) != *not,
        Filter::Atom(FilterAtom::Comparison(comparison)) => compare::holds(comparison, node, root),
    }
}

fn holds<'a>(test: &Test, node: &QueryNode<'a>, root: &'a Value) -> bool {
    match test {
        Test::Function(function) => compare::matches(function, node, root),
        query => !queried(query, node, root).is_empty(),
    }
}

/// The nodes of a query inside a filter.
fn queried<'a>(test: &Test, node: &QueryNode<'a>, root: &'a Value) -> Vec<QueryNode<'a>> {
    match test {
        Test::RelQuery(segments) => select(segments, node.clone(), root),
        Test::AbsQuery(query) => {
            let from = QueryNode {
                value: root,
                way: None,
            };
            select(&query.segments, from, root)
        }
        Test::Function(_) => Vec::new(),
    }
}

/// Why a query is not well-typed (RFC 9535, section 2.4.3): the function's name, and what is wrong.
type IllTyped = (String, &'static str);

/// Finds what jsonpath-rust's parser lets pass and RFC 9535 does not.
///
/// # Errors
/// The first function that is used wrongly.
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

/// A function that is a condition by itself.
fn check_test_function(function: &TestFunction) -> Result<(), IllTyped> {
    match function {
        TestFunction::Match(text, regex) => check_values("match", [text, regex]),
        TestFunction::Search(text, regex) => check_values("search", [text, regex]),
        TestFunction::Custom(name, _) => Err((name.clone(), "is not a function of RFC 9535")),
        TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => {
            let why = "gives a value, which has to be compared with something";
            Err((name(function).into(), why))
        }
    }
}

/// A function of which the value is compared.
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
