//! The promises of SECURITY.md, each of which names the tests that check it.

use std::fs;
use std::path::Path;

/// The text of all files below `folder` that Rust reads.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder of the project") {
        let path = entry.expect("it is readable").path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &fs::read_to_string(&path).expect("it is text");
        }
    }
    text
}

#[test]
fn each_promise_of_security_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let promises = fs::read_to_string(root.join("SECURITY.md")).expect("it is there");
    let (_, promises) = promises.split_once("## Promises").expect("its section");
    let code = sources(&root.join("tests")) + &sources(&root.join("src"));
    let rows = promises.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<&str> = rows.filter(|line| *line != "| promise | test |").collect();
    assert!(rows.len() > 20, "{rows:?}");
    for row in rows {
        let (_, tests) = row.trim_end_matches(" |").rsplit_once(" | ").expect(row);
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{row}");
        for name in named {
            match name.contains('/') {
                true => assert!(root.join(name).exists(), "{name}: {row}"),
                false => assert!(code.contains(&format!("fn {name}(")), "{name}: {row}"),
            }
        }
    }
}
