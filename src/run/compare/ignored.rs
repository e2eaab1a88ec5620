//! `--ignore`: paths whose values the comparison leaves out.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::config::nearest::nearest;
use crate::error::Error;
use crate::extract::{Path, PathStep, jsonpath_text};
use crate::host::control::Control;
use crate::report::UnmatchedPath;
use crate::verify::compare::{Ignore, ValueStep};

/// How many values to search for the path nearest to one that matches nothing.
const MOST_VALUES: usize = 100;
/// How many of their paths to remember.
const MOST_PATHS: usize = 1 << 10;
/// The most bytes of a remembered path. A path repeats all names above it; a longer one is never the
/// nearest.
const LONGEST_PATH: usize = 1 << 10;

/// A path, and whether it has matched yet.
pub(in crate::run) struct IgnoredPath {
    text: String,
    shared: Arc<IgnoredShared>,
}

struct IgnoredShared {
    path: Path,
    control: Control,
    seen: Mutex<PathsSeen>,
}

#[derive(Default)]
struct PathsSeen {
    has_matched: bool,
    values: usize,
    paths: BTreeSet<String>,
}

impl IgnoredShared {
    fn seen(&self) -> MutexGuard<'_, PathsSeen> {
        // What is remembered is consistent between any two statements, also after a panic.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl IgnoredPath {
    /// # Errors
    /// Returns [`Error::Config`], which shows the text that is not a path.
    pub(in crate::run) fn parse_all(
        texts: &[String],
        control: &Control,
    ) -> Result<Vec<Self>, Error> {
        let parse = |text: &String| {
            let path = Path::parse(text).map_err(|error| Error::Config {
                message: format!("`--ignore`: {error}"),
                hint: Some(
                    "expected JSONPath within the record's value, such as `$.meta.id`".into(),
                ),
            })?;
            let seen = Mutex::default();
            Ok(Self {
                text: text.clone(),
                shared: Arc::new(IgnoredShared {
                    path,
                    control: control.clone(),
                    seen,
                }),
            })
        };
        texts.iter().map(parse).collect()
    }

    /// The rule for a comparison.
    pub(in crate::run) fn rule(&self) -> Box<dyn Ignore> {
        Box::new(IgnoreRule(self.shared.clone()))
    }

    /// The path with the nearest existing one, if it has matched nothing.
    pub(in crate::run) fn unmatched(&self) -> Option<UnmatchedPath> {
        let seen = self.shared.seen();
        let near = || nearest(&self.text, seen.paths.iter().map(String::as_str));
        (!seen.has_matched).then(|| UnmatchedPath {
            path: self.text.clone(),
            nearest: near().map(str::to_owned),
        })
    }
}

struct IgnoreRule(Arc<IgnoredShared>);

impl Ignore for IgnoreRule {
    fn find(&self, value: &Value) -> Vec<Vec<ValueStep>> {
        // The user's own query may take long. A query that selects too much ignores nothing.
        let is_over = || self.0.control.is_stopping();
        let found = self.0.path.nodes_unless(value, &is_over);
        let found = found.unwrap_or_default();
        let mut seen = self.0.seen();
        if !found.is_empty() {
            seen.has_matched = true;
        } else if !seen.has_matched && seen.values < MOST_VALUES {
            seen.values += 1;
            remember(&mut seen.paths, &mut Vec::new(), value);
        }
        let step = |step: PathStep| match step {
            PathStep::Name(name) => Some(ValueStep::Member(name)),
            PathStep::Index(index) => Some(ValueStep::Element(index)),
            PathStep::Each => None,
        };
        let steps = |steps: Vec<PathStep>| steps.into_iter().map(step).collect::<Option<Vec<_>>>();
        found.into_iter().filter_map(steps).collect()
    }
}

/// Remembers the paths of all members below `value`.
fn remember(paths: &mut BTreeSet<String>, way: &mut Vec<PathStep>, value: &Value) {
    if paths.len() >= MOST_PATHS {
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                way.push(PathStep::Name(name.clone()));
                let path = jsonpath_text(way);
                if path.len() <= LONGEST_PATH {
                    paths.insert(path);
                    remember(paths, way, value);
                }
                way.pop();
            }
        }
        Value::Array(elements) => {
            for value in elements {
                way.push(PathStep::Each);
                remember(paths, way, value);
                way.pop();
            }
        }
        _ => {}
    }
}
