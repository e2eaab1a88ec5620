//! The shape of the source: files of `src` import each other in no circle, no folder is crowded, no type name
//! occurs twice in `src`, `tests`, `tools` and `fuzz` together, and the maps of the source name what there is.
//!
//! For circles, code that only tests compile does not count.

mod circles;
mod imports;
mod made_up;
mod maps;
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
const LINES_BEFORE_TESTS: usize = 360;

/// Lines of a file in `tests`. A longer one has several subjects, and its name says what holds for one of them.
const LINES_OF_A_TEST_FILE: usize = 500;

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

/// What has to change in the source, with the files that it is about; empty if all rules hold.
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

#[test]
fn files_of_the_equipment_import_each_other_in_no_circle() {
    for tool in ["broker", "service", "speedctl"] {
        // Each is a program alone: its `main.rs` is the root that `lib.rs` is for kreplay.
        let files = files_of(&format!("tools/{tool}/src")).into_iter();
        let files: BTreeMap<String, String> = files
            .map(|(name, text)| (name.replace("main.rs", "lib.rs"), text))
            .collect();
        assert!(files.contains_key("lib.rs"), "{tool}: {:?}", files.keys());
        let complaints = complaints(&files);
        assert!(complaints.is_empty(), "{tool}:\n{complaints}");
    }
}

/// The lines of a file before its tests. The documentation of `lib.rs` does not count: it holds the map, which is
/// looked up row by row and has one for each behaviour of the program, however many there are.
fn lines_before_tests(file: &str, text: &str) -> usize {
    text.lines()
        .take_while(|line| *line != "#[cfg(test)]")
        .filter(|line| file != "lib.rs" || !line.starts_with("//!"))
        .count()
}

#[test]
fn no_file_of_src_is_longer_before_its_tests_than_a_reader_can_follow() {
    let files = files_of("src");
    // Files that only tests compile are not among them.
    let programs = imports::program(&files);
    let length = |name: &String| (lines_before_tests(name, &files[name]), name.clone());
    let long: Vec<_> = programs
        .keys()
        .map(length)
        .filter(|(lines, _)| *lines > LINES_BEFORE_TESTS)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn only_the_documentation_of_the_library_does_not_count_as_lines() {
    let text = "//! One.\n//! Two.\n/// Three.\nfn f() {}\n#[cfg(test)]\nmod tests {}\n";
    assert_eq!(lines_before_tests("lib.rs", text), 2);
    assert_eq!(lines_before_tests("run/lib.rs", text), 4);
}

#[test]
fn no_file_of_tests_is_longer_than_one_subject() {
    let files = files_of("tests");
    assert!(files.len() > 100, "these are not the tests: {files:?}");
    let length = |(name, text): (String, String)| (text.lines().count(), name);
    let long: Vec<_> = files
        .into_iter()
        .map(length)
        .filter(|(lines, _)| *lines > LINES_OF_A_TEST_FILE)
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
