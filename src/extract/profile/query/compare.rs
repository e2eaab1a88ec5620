//! Comparisons and functions inside filters (RFC 9535, sections 2.3.5.2.2 and 2.4).

use std::borrow::Cow;

use jsonpath_rust::parser::model::{
    Comparable, Comparison, FnArg, Literal, SingularQuery, SingularQuerySegment, Test, TestFunction,
};
use regex::Regex;
use serde_json::{Number, Value};

use super::node::{FilterScope, QueryNode};

/// A value, or none.
type ComparedOperand<'a> = Option<Cow<'a, Value>>;

pub(super) fn holds(comparison: &Comparison, scope: FilterScope<'_, '_>) -> bool {
    let (left, right) = comparison.vals();
    let (left, right) = (operand(left, scope), operand(right, scope));
    match comparison {
        Comparison::Eq(..) => is_equal(&left, &right),
        Comparison::Ne(..) => !is_equal(&left, &right),
        Comparison::Lt(..) => is_less(&left, &right),
        Comparison::Gt(..) => is_less(&right, &left),
        Comparison::Lte(..) => is_less(&left, &right) || is_equal(&left, &right),
        Comparison::Gte(..) => is_less(&right, &left) || is_equal(&left, &right),
    }
}

/// Whether a text matches a regular expression, by `match` or `search`.
pub(super) fn matches(function: &TestFunction, scope: FilterScope<'_, '_>) -> bool {
    let (text, regex, whole) = match function {
        TestFunction::Match(text, regex) => (text, regex, true),
        TestFunction::Search(text, regex) => (text, regex, false),
        _ => return false,
    };
    let (text, regex) = (argument(text, scope), argument(regex, scope));
    let texts = text.as_deref().and_then(Value::as_str);
    let Some((text, regex)) = texts.zip(regex.as_deref().and_then(Value::as_str)) else {
        return false;
    };
    let regex = any_but_line_ends(regex);
    let regex = match whole {
        true => format!(r"\A(?:{regex})\z"),
        false => regex,
    };
    Regex::new(&regex).is_ok_and(|regex| regex.is_match(text))
}

/// `.` matches anything but `\n` and `\r` in an I-Regexp (RFC 9485, section 5.3), `\r` too in the crate's.
fn any_but_line_ends(regex: &str) -> String {
    let (mut out, mut in_class, mut is_escaped) = (String::new(), false, false);
    for c in regex.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                out.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

fn operand<'a>(comparable: &Comparable, scope: FilterScope<'_, 'a>) -> ComparedOperand<'a> {
    match comparable {
        Comparable::Literal(literal) => Some(Cow::Owned(value_of(literal))),
        Comparable::Function(function) => result(function, scope),
        Comparable::SingularQuery(query) => {
            let (from, segments) = match query {
                SingularQuery::Current(segments) => (scope.node.clone(), segments),
                SingularQuery::Root(segments) => (QueryNode::root(scope.root), segments),
            };
            let found = segments
                .iter()
                .try_fold(from, |node, segment| match segment {
                    SingularQuerySegment::Name(name) => node.member(name),
                    SingularQuerySegment::Index(index) => node.element(*index),
                });
            found.map(|node| Cow::Borrowed(node.value))
        }
    }
}

fn value_of(literal: &Literal) -> Value {
    match literal {
        Literal::Int(n) => (*n).into(),
        Literal::Float(n) => (*n).into(),
        Literal::String(text) => text.as_str().into(),
        Literal::Bool(truth) => (*truth).into(),
        Literal::Null => Value::Null,
    }
}

/// The result of a function that returns a value.
fn result<'a>(function: &TestFunction, scope: FilterScope<'_, 'a>) -> ComparedOperand<'a> {
    let nodes = |argument: &FnArg| match argument {
        FnArg::Test(test) => (scope.select)(test, scope),
        FnArg::Literal(_) | FnArg::Filter(_) => Vec::new(),
    };
    match function {
        TestFunction::Length(of) => {
            let length = match &*argument(of, scope)? {
                Value::String(text) => text.chars().count(),
                Value::Array(elements) => elements.len(),
                Value::Object(members) => members.len(),
                _ => return None,
            };
            Some(Cow::Owned(length.into()))
        }
        TestFunction::Count(of) => Some(Cow::Owned(nodes(of).len().into())),
        TestFunction::Value(of) => match &nodes(of)[..] {
            [one] => Some(Cow::Borrowed(one.value)),
            _ => None,
        },
        TestFunction::Match(..) | TestFunction::Search(..) | TestFunction::Custom(..) => None,
    }
}

/// An argument that is a value.
fn argument<'a>(argument: &FnArg, scope: FilterScope<'_, 'a>) -> ComparedOperand<'a> {
    match argument {
        FnArg::Literal(literal) => Some(Cow::Owned(value_of(literal))),
        FnArg::Filter(_) => None,
        FnArg::Test(test) => match &**test {
            Test::Function(function) => result(function, scope),
            query => match &(scope.select)(query, scope)[..] {
                [one] => Some(Cow::Borrowed(one.value)),
                _ => None,
            },
        },
    }
}

fn is_equal(a: &ComparedOperand<'_>, b: &ComparedOperand<'_>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => are_equal(a, b),
        (None, None) => true,
        _ => false,
    }
}

/// Numbers are equal by value, not by notation.
fn are_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let has = |(name, a)| b.get(name).is_some_and(|b| are_equal(a, b));
            a.len() == b.len() && a.iter().all(has)
        }
        (a, b) => a == b,
    }
}

fn is_less(a: &ComparedOperand<'_>, b: &ComparedOperand<'_>) -> bool {
    match (a.as_deref(), b.as_deref()) {
        (Some(Value::Number(a)), Some(Value::Number(b))) => is_smaller(a, b),
        // In UTF-8 the order of bytes is that of characters.
        (Some(Value::String(a)), Some(Value::String(b))) => a < b,
        _ => false,
    }
}

fn is_smaller(a: &Number, b: &Number) -> bool {
    match a.as_i64().zip(b.as_i64()) {
        Some((a, b)) => a < b,
        None => a.as_f64() < b.as_f64(),
    }
}
