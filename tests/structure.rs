//! The shape of `src`: files import each other in no circle, no folder is crowded, no type name occurs twice.
//!
//! `structure/known.txt` lists what does not hold yet. It may only shrink: what is not in it fails, and so does an entry
//! that no longer applies. Code that only tests compile does not count.

#[path = "structure/circles.rs"]
mod circles;
#[path = "structure/imports.rs"]
mod imports;
#[path = "structure/made_up.rs"]
mod made_up;
#[path = "structure/names.rs"]
mod names;
#[path = "structure/tokens.rs"]
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Files and folders in one folder of `src`; more cannot be taken in at a glance.
const ENTRIES: usize = 9;
/// The same for `src` itself: `main.rs`, `lib.rs` and `error.rs`, and ten folders.
const ENTRIES_AT_THE_TOP: usize = 13;

/// One exception, as a line of `known.txt`: `circle FILE...`, `folder FOLDER`, `type NAME`.
type Exception = String;

/// Every exception that the source needs.
fn exceptions(files: &BTreeMap<String, String>) -> BTreeSet<Exception> {
    let programs = imports::program(files);
    let mut found = BTreeSet::new();
    for circle in circles::circles(&imports::imports(&programs)) {
        found.insert(format!("circle {}", circle.join(" ")));
    }
    for (folder, entries) in entries(files.keys().map(String::as_str)) {
        let most = if folder.is_empty() {
            ENTRIES_AT_THE_TOP
        } else {
            ENTRIES
        };
        if entries.len() > most {
            found.insert(format!("folder src/{folder}"));
        }
    }
    let mut seen = BTreeSet::new();
    for name in programs.values().flat_map(|tokens| names::types(tokens)) {
        if !seen.insert(name) {
            found.insert(format!("type {name}"));
        }
    }
    found
}

/// What each folder holds, by the paths of all files.
fn entries<'a>(files: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in files {
        let mut path = file;
        while !path.is_empty() {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            folders.entry(folder).or_default().insert(name);
            path = folder;
        }
    }
    folders
}

/// The exceptions that a list gives, without its comments.
fn listed(text: &str) -> BTreeSet<Exception> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// What has to change in the source or in the list; empty when they agree.
fn complaints(files: &BTreeMap<String, String>, known: &BTreeSet<Exception>) -> String {
    let found = exceptions(files);
    let graph = imports::imports(&imports::program(files));
    let mut text = String::new();
    for new in found.difference(known) {
        text += &format!("not allowed: {new}\n");
        if let Some(circle) = new.strip_prefix("circle ") {
            let circle: Vec<String> = circle.split(' ').map(str::to_owned).collect();
            text += &circles::way_round(&graph, &circle);
        }
        if let Some(name) = new.strip_prefix("type ") {
            for (file, tokens) in imports::program(files) {
                if names::types(&tokens).contains(&name) {
                    text += &format!("    in {file}\n");
                }
            }
        }
    }
    for gone in known.difference(&found) {
        text += &format!("no longer so, remove it from known.txt: {gone}\n");
    }
    text
}

/// The Rust files and other contents of a folder, by their path below it.
fn read(root: &Path, folder: &Path, files: &mut BTreeMap<String, String>) {
    let listing = fs::read_dir(folder).expect("the folder is readable");
    for entry in listing {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            read(root, &path, files);
            continue;
        }
        let name = path.strip_prefix(root).expect("it is below the root");
        let name = name.to_string_lossy().into_owned();
        let text = if name.ends_with(".rs") {
            fs::read_to_string(&path).expect("source is UTF-8")
        } else {
            String::new()
        };
        files.insert(name, text);
    }
}

#[test]
fn source_has_only_the_known_exceptions() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    read(&source, &source, &mut files);
    assert!(files.len() > 20, "this is not the source: {files:?}");
    let complaints = complaints(&files, &listed(include_str!("structure/known.txt")));
    assert!(complaints.is_empty(), "\n{complaints}");
}
