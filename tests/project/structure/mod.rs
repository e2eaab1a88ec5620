//! The shape of the source: files of `src` import each other in no circle, no folder is crowded, and no type name
//! occurs twice in `src`, `tests`, `tools` and `fuzz` together.
//!
//! For circles, code that only tests compile does not count.

mod circles;
mod imports;
mod made_up;
mod names;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Files and folders in one folder; more cannot be taken in at a glance.
const ENTRIES: usize = 9;
/// The same for `src` itself: `main.rs` and `lib.rs`, and eleven folders.
const ENTRIES_AT_THE_TOP: usize = 13;

/// Lines of a file before its tests. About 300 is the aim; beyond this a file has more than one subject.
const LINES_BEFORE_TESTS: usize = 400;

/// One breach of the rules: `circle FILE...`, `folder FOLDER`.
type Breach = String;

/// Every breach in the source.
fn breaches(files: &BTreeMap<String, String>) -> BTreeSet<Breach> {
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
    found
}

/// The type names that occur more than once, each with its files.
fn repeated_types(files: &BTreeMap<String, String>) -> BTreeMap<String, Vec<&str>> {
    let mut found: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (file, text) in files {
        for name in names::types(&tokens::tokens(text)) {
            found.entry(name.to_owned()).or_default().push(file);
        }
    }
    found.retain(|_, files| files.len() > 1);
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

/// What has to change in the source, with the files that it is about; empty when all rules hold.
fn complaints(files: &BTreeMap<String, String>) -> String {
    let programs = imports::program(files);
    let graph = imports::imports(&programs);
    let mut text = String::new();
    for breach in breaches(files) {
        text += &format!("not allowed: {breach}\n");
        if let Some(circle) = breach.strip_prefix("circle ") {
            let circle: Vec<String> = circle.split(' ').map(str::to_owned).collect();
            text += &circles::way_round(&graph, &circle);
        }
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

/// The files of a folder of the project, by their path below it.
fn files_of(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = BTreeMap::new();
    read(&folder, &folder, &mut files);
    files
}

/// All Rust files of the project, by their path.
fn all_files() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for folder in ["src", "tests", "tools", "fuzz/src"] {
        let files = files_of(folder).into_iter();
        all.extend(files.map(|(name, text)| (format!("{folder}/{name}"), text)));
    }
    all.retain(|name, _| name.ends_with(".rs"));
    all
}

#[test]
fn files_of_src_import_each_other_in_no_circle_and_no_folder_is_crowded() {
    let files = files_of("src");
    assert!(files.len() > 20, "this is not the source: {files:?}");
    let complaints = complaints(&files);
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn no_folder_of_the_tests_and_their_equipment_is_crowded() {
    for folder in ["tests", "tools", "fuzz/src"] {
        let files = files_of(folder);
        assert!(!files.is_empty(), "{folder} holds no file");
        let crowded = entries(files.keys().map(String::as_str))
            .into_iter()
            .filter(|(_, entries)| entries.len() > ENTRIES);
        let crowded: Vec<_> = crowded.collect();
        assert!(crowded.is_empty(), "{folder}: {crowded:#?}");
    }
}

/// The lines of a file before its tests.
fn lines_before_tests(text: &str) -> usize {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .count()
}

#[test]
fn no_file_of_src_is_longer_before_its_tests_than_a_reader_can_follow() {
    let files = files_of("src");
    // Files that only tests compile are not among them.
    let programs = imports::program(&files);
    let length = |name: &String| (lines_before_tests(&files[name]), name.clone());
    let long: Vec<_> = programs
        .keys()
        .map(length)
        .filter(|(lines, _)| *lines > LINES_BEFORE_TESTS)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn no_type_name_occurs_twice_in_the_whole_project() {
    let files = all_files();
    assert!(files.len() > 400, "{} files", files.len());
    let repeated = repeated_types(&files);
    assert!(repeated.is_empty(), "{repeated:#?}");
}

#[test]
fn only_the_driver_starts_to_read_a_source() {
    let files = files_of("src");
    let starts = files
        .iter()
        .filter(|(_, text)| text.contains("extract::start("));
    let starts: Vec<&String> = starts.map(|(name, _)| name).collect();
    assert_eq!(starts, ["run/driver.rs"]);
}

/// The rows of a map in the documentation of a module: the question, and the text that answers it.
fn map_rows(text: &str) -> Vec<(&str, &str)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let cells = rows.filter_map(|row| row.strip_suffix(" |")?.split_once(" | "));
    cells
        .filter(|(question, _)| *question != "question")
        .collect()
}

/// What of an answer does not exist, of the files, folders and items (`item` in `file`) that it names; and how many
/// files and folders it names. `base` is the folder of the module that holds the map.
fn missing_in(answer: &str, base: &str, files: &BTreeMap<String, String>) -> (Vec<String>, usize) {
    let quoted: Vec<&str> = answer.split('`').collect();
    let (mut missing, mut named) = (Vec::new(), 0);
    for at in (1..quoted.len()).step_by(2) {
        let place = quoted[at];
        if !place.ends_with(".rs") && !place.ends_with('/') && !place.ends_with(".toml") {
            continue;
        }
        named += 1;
        let inside = [format!("{base}{place}"), place.to_owned()];
        let text = files.iter().find(|(name, _)| {
            let is_it = |path: &String| match path.ends_with('/') {
                true => name.starts_with(path.as_str()),
                false => *name == path,
            };
            inside.iter().any(is_it)
        });
        let Some((_, text)) = text else {
            missing.push(place.to_owned());
            continue;
        };
        let item = (quoted[at - 1] == " in ").then(|| quoted[at - 2]);
        if let Some(item) = item.filter(|item| !item.starts_with("--") && place.ends_with(".rs")) {
            let tokens = tokens::tokens(text);
            let defines = |two: &[String]| {
                ["fn", "struct", "enum", "const"].contains(&two[0].as_str()) && two[1] == item
            };
            if !tokens.windows(2).any(defines) {
                missing.push(format!("{item} in {place}"));
            }
        }
    }
    (missing, named)
}

#[test]
fn every_file_and_function_that_the_maps_name_exists() {
    let files = files_of("src");
    for (map, base, least) in [("lib.rs", "", 60), ("produce/mod.rs", "produce/", 10)] {
        let rows = map_rows(&files[map]);
        assert!(rows.len() >= least, "{map} has {} rows", rows.len());
        for (question, answer) in rows
            .iter()
            .filter(|(question, _)| !question.starts_with("**"))
        {
            let (missing, named) = missing_in(answer, base, &files);
            assert!(missing.is_empty(), "{map}: {question}: {missing:?}");
            assert!(named > 0, "{map}: {question}: {answer} names no file");
        }
    }
}

#[test]
fn the_map_has_a_row_for_each_behaviour_that_people_ask_about() {
    let files = files_of("src");
    let questions: Vec<&str> = map_rows(&files["lib.rs"]).iter().map(|row| row.0).collect();
    for topic in [
        "duplicates",
        "secret",
        "timestamp",
        "exit codes",
        "a snapshot's CSV is given up",
        "selected",
        "due times",
        "rates",
        "consumer group",
        "capacity",
        "expectation",
        "noise",
        "redacted",
        "placeholders",
        "plan",
        "journal",
        "rejects",
        "guard",
        "TLS checks",
        "escaped",
        "bounds",
        "given up (`--give-up-after`)",
    ] {
        assert!(
            questions.iter().any(|question| question.contains(topic)),
            "no row for {topic}"
        );
    }
}
