//! Limits the time and memory that a query takes: even a short one of the user's, such as `$..*..*`,
//! selects each node as often as there are nodes above it, and takes accordingly long.

use std::cell::Cell;
use std::fmt;

use crate::report::rendering::figures::HumanCount;

/// The most nodes that are selected at a time: 48 bytes each.
const MOST_NODES: usize = 1 << 20;
/// The most steps to all nodes that are selected in the end, 32 bytes and a name each.
const MOST_STEPS: usize = 1 << 22;
/// How often a query checks whether the run has ended: every few milliseconds.
const ASK_EVERY: u32 = 1 << 12;

/// Why a query has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryGivenUp {
    /// It selects more than is kept.
    TooMany,
    /// Nobody waits for it any more.
    Over,
}

impl fmt::Display for QueryGivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => {
                let most = HumanCount(MOST_NODES as u64);
                write!(
                    f,
                    "a path selects more than {most} nodes, or very deep ones"
                )
            }
            Self::Over => f.write_str("the run ended before a path had selected its nodes"),
        }
    }
}

/// One evaluation of a query.
pub(super) struct Evaluation<'e> {
    is_over: &'e dyn Fn() -> bool,
    asked: Cell<u32>,
    steps: Cell<usize>,
    given_up: Cell<Option<QueryGivenUp>>,
}

impl<'e> Evaluation<'e> {
    pub(super) fn new(is_over: &'e dyn Fn() -> bool) -> Self {
        Self {
            is_over,
            asked: Cell::new(0),
            steps: Cell::new(0),
            given_up: Cell::new(None),
        }
    }

    /// Whether to continue after this many nodes are selected.
    pub(super) fn goes_on(&self, selected: usize) -> bool {
        if self.given_up.get().is_some() {
            return false;
        }
        let asked = self.asked.get().wrapping_add(1);
        self.asked.set(asked);
        if selected > MOST_NODES {
            self.given_up.set(Some(QueryGivenUp::TooMany));
        } else if asked.is_multiple_of(ASK_EVERY) && (self.is_over)() {
            self.given_up.set(Some(QueryGivenUp::Over));
        }
        self.given_up.get().is_none()
    }

    /// Notes a node that is kept, this many steps below the root.
    pub(super) fn kept(&self, steps: usize) {
        self.steps.set(self.steps.get() + steps);
        if self.steps.get() > MOST_STEPS {
            self.given_up.set(Some(QueryGivenUp::TooMany));
        }
    }

    /// `found`, unless the query was given up.
    pub(super) fn result<T>(&self, found: T) -> Result<T, QueryGivenUp> {
        self.given_up.get().map_or(Ok(found), Err)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::extract::profile::path::Path;

    fn found(path: &str, document: &Value) -> Result<usize, QueryGivenUp> {
        let nodes = Path::parse(path).expect(path).nodes(document);
        nodes.map(|nodes| nodes.len())
    }

    #[test]
    fn a_query_that_selects_too_much_is_given_up() {
        // A list of 1,500 elements in a list: each pair of them makes more than two million nodes.
        let list = json!([vec![0; 1500]]);
        assert_eq!(found("$..*", &list), Ok(1501));
        let pairs = format!("$[0][{}]", vec!["*"; 1500].join(","));
        assert_eq!(found(&pairs, &list), Err(QueryGivenUp::TooMany));
        // 100,000 nodes 100 deep are ten million steps.
        let mut deep = json!(vec![0; 100_000]);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        assert_eq!(found("$..*", &deep), Err(QueryGivenUp::TooMany));
        assert_eq!(found("$..[?@ == 1]", &deep), Ok(0));
    }

    #[test]
    fn a_query_that_is_over_ends() {
        let asked = Cell::new(0);
        let is_over = || {
            asked.set(asked.get() + 1);
            asked.get() > 2
        };
        let mut deep = json!(0);
        for _ in 0..100 {
            deep = json!([deep]);
        }
        let path = Path::parse("$..[?@..[?@..[?@..[?@..[?@..a]]]]]").expect("it parses");
        let ended = path.nodes_unless(&deep, &is_over);
        assert_eq!((ended, asked.get()), (Err(QueryGivenUp::Over), 3));
    }
}
