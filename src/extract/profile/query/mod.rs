//! Evaluates queries that are not plain paths (filters, descendants, slices, several selectors) as RFC 9535
//! says. jsonpath-rust parses them; its evaluation is not used, because it applies several selectors after
//! `..` in another order, loses a filter inside a filter, and counts slices from the wrong end. This file
//! refuses what its parser accepts and the RFC does not.

mod compare;
mod evaluation;
mod node;
#[cfg(test)]
mod tests;
mod well_typed;

use jsonpath_rust::parser::model::{Filter, FilterAtom, JpQuery, Segment, Selector, Test};
use serde_json::Value;

use self::evaluation::Evaluation;
pub(crate) use self::evaluation::QueryGivenUp;
use self::node::{FilterScope, QueryNode};
pub(super) use self::well_typed::check;
use super::path::step::PathStep;

/// The nodes that `query` selects in `document`, in the order of RFC 9535 and as often as it says. Calls
/// `is_over` now and then.
///
/// # Errors
/// Returns an error if the query selects more than is kept, or if the run ends first.
pub(in crate::extract) fn nodes(
    query: &JpQuery,
    document: &Value,
    is_over: &dyn Fn() -> bool,
) -> Result<Vec<Vec<PathStep>>, QueryGivenUp> {
    let evaluation = Evaluation::new(is_over);
    let scope = QueryScope {
        root: document,
        evaluation: &evaluation,
    };
    let selected = select(&query.segments, QueryNode::root(document), scope);
    let steps = selected.iter().map(|node| {
        let steps = node.steps();
        evaluation.kept(steps.len());
        steps
    });
    let steps: Vec<_> = steps.take_while(|_| evaluation.goes_on(0)).collect();
    evaluation.result(steps)
}

/// The context in which a query is evaluated.
#[derive(Clone, Copy)]
struct QueryScope<'n, 'a> {
    root: &'a Value,
    evaluation: &'n Evaluation<'n>,
}

fn select<'a>(
    segments: &[Segment],
    from: QueryNode<'a>,
    scope: QueryScope<'_, 'a>,
) -> Vec<QueryNode<'a>> {
    let mut nodes = vec![from];
    for segment in segments {
        let mut next = Vec::new();
        for node in &nodes {
            add_selected(segment, node, scope, &mut next);
        }
        nodes = next;
    }
    nodes
}

fn add_selected<'a>(
    segment: &Segment,
    node: &QueryNode<'a>,
    scope: QueryScope<'_, 'a>,
    out: &mut Vec<QueryNode<'a>>,
) {
    if !scope.evaluation.goes_on(out.len()) {
        return;
    }
    match segment {
        Segment::Selector(selector) => add_by(selector, node, scope, out),
        Segment::Selectors(selectors) => {
            for selector in selectors {
                if scope.evaluation.goes_on(out.len()) {
                    add_by(selector, node, scope, out);
                }
            }
        }
        // A node comes before those below it (RFC 9535, section 2.5.2.2).
        Segment::Descendant(inner) => {
            add_selected(inner, node, scope, out);
            for child in node.children() {
                add_selected(segment, &child, scope, out);
            }
        }
    }
}

fn add_by<'a>(
    selector: &Selector,
    node: &QueryNode<'a>,
    scope: QueryScope<'_, 'a>,
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
            let passes = |child: &QueryNode<'a>| {
                let scope = FilterScope {
                    node: child,
                    root: scope.root,
                    evaluation: scope.evaluation,
                    select: queried,
                };
                passes(filter, scope)
            };
            out.extend(node.children().into_iter().filter(passes));
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

fn passes(filter: &Filter, scope: FilterScope<'_, '_>) -> bool {
    match filter {
        Filter::Or(any) => any.iter().any(|one| passes(one, scope)),
        Filter::And(all) => all.iter().all(|one| passes(one, scope)),
        Filter::Atom(FilterAtom::Filter { expr, not }) => passes(expr, scope) != *not,
        Filter::Atom(FilterAtom::Test { expr, not }) => holds(expr, scope) != *not,
        Filter::Atom(FilterAtom::Comparison(comparison)) => compare::holds(comparison, scope),
    }
}

fn holds(test: &Test, scope: FilterScope<'_, '_>) -> bool {
    match test {
        Test::Function(function) => compare::matches(function, scope),
        query => !queried(query, scope).is_empty(),
    }
}

/// The nodes of a query inside a filter.
fn queried<'a>(test: &Test, scope: FilterScope<'_, 'a>) -> Vec<QueryNode<'a>> {
    let within = QueryScope {
        root: scope.root,
        evaluation: scope.evaluation,
    };
    match test {
        Test::RelQuery(segments) => select(segments, scope.node.clone(), within),
        Test::AbsQuery(query) => select(&query.segments, QueryNode::root(scope.root), within),
        Test::Function(_) => Vec::new(),
    }
}
