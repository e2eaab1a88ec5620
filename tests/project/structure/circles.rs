//! Finds circles of imports. This file deals with graphs, not with Rust.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::imports::Imports;

/// The files of each circle, in alphabetical order: all files that import each other, directly or through others.
pub(crate) fn circles(imports: &Imports) -> BTreeSet<Vec<String>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = imports
        .keys()
        .map(|file| (file.as_str(), reached(imports, file)))
        .collect();
    let circle = |file: &str| -> Vec<String> {
        let there = &reached[file];
        let back = there.iter().filter(|other| {
            reached
                .get(**other)
                .is_some_and(|others| others.contains(file))
        });
        back.map(|other| (*other).to_owned()).collect()
    };
    let circles = imports.keys().map(|file| circle(file));
    circles.filter(|files| files.len() > 1).collect()
}

/// Every file that can be reached over one import or more.
fn reached<'a>(imports: &'a Imports, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for target in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(target.as_str()) {
                next.push(target);
            }
        }
    }
    found
}

/// A shortest cycle, one line for each import.
pub(crate) fn way_round(imports: &Imports, circle: &[String]) -> String {
    let rounds = circle.iter().filter_map(|file| round(imports, file));
    let shortest = rounds.min_by_key(Vec::len).unwrap_or_default();
    let steps = shortest.windows(2).map(|step| {
        let path = &imports[step[0]][step[1]];
        format!("    {} imports {} by `{path}`\n", step[0], step[1])
    });
    steps.collect()
}

/// The shortest path from a file back to itself.
fn round<'a>(imports: &'a Imports, from: &'a str) -> Option<Vec<&'a str>> {
    let mut waiting = VecDeque::from([vec![from]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = waiting.pop_front() {
        for target in imports.get(*way.last()?)?.keys() {
            let mut longer = way.clone();
            longer.push(target);
            if target == from {
                return Some(longer);
            }
            if seen.insert(target.as_str()) {
                waiting.push_back(longer);
            }
        }
    }
    None
}
