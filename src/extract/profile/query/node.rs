//! The nodes of a document while a query is evaluated. This file is separate because selection and
//! comparison both use them.

use std::rc::Rc;

use jsonpath_rust::parser::model::Test;
use serde_json::Value;

use super::evaluation::Evaluation;
use crate::extract::profile::path::step::PathStep;

/// A node of a document, with the steps that lead to it.
#[derive(Clone)]
pub(super) struct QueryNode<'a> {
    pub(super) value: &'a Value,
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
    /// The document itself.
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, way: None }
    }

    fn below(&self, value: &'a Value, last: LastStep<'a>) -> Self {
        let before = self.way.clone();
        Self {
            value,
            way: Some(Rc::new(Link { before, last })),
        }
    }

    pub(super) fn member(&self, name: &str) -> Option<Self> {
        let (name, value) = self.value.as_object()?.get_key_value(name)?;
        Some(self.below(value, LastStep::Name(name)))
    }

    pub(super) fn element(&self, index: i64) -> Option<Self> {
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

    pub(super) fn children(&self) -> Vec<Self> {
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

    pub(super) fn steps(&self) -> Vec<PathStep> {
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

/// The context in which a filter is evaluated.
#[derive(Clone, Copy)]
pub(super) struct FilterScope<'n, 'a> {
    /// The node that the filter keeps or drops.
    pub(super) node: &'n QueryNode<'a>,
    pub(super) root: &'a Value,
    pub(super) evaluation: &'n Evaluation<'n>,
    /// The nodes of a query inside the filter.
    pub(super) select: fn(&Test, Self) -> Vec<QueryNode<'a>>,
}
