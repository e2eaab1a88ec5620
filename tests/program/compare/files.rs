//! The file of all differences: always new, and for its owner alone.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{compare, folder, lines};
use serde_json::{Value, json};

#[test]
fn all_differences_are_written_to_a_file_that_is_not_there_yet() {
    let folder = folder();
    let records = |shift: u32| -> Vec<(&str, Value)> {
        (0..100)
            .map(|n| ("k", json!({ "n": n, "shifted": n + shift })))
            .collect()
    };
    let expected = lines(&folder, "expected", &records(0));
    let observed = lines(&folder, "observed", &records(1000));
    let file = folder.path().join("differences");
    let flags = ["--expect-diff", &file.display().to_string()];
    let output = compare(&expected, &observed, &flags);
    assert_eq!(output.code, 1);
    let text = fs::read_to_string(&file).expect("the file is there");
    let written: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(written.len(), 100);
    for (n, difference) in written.iter().enumerate() {
        let changes = json!([{
            "path": "$.shifted", "expected": n.to_string(), "observed": (n + 1000).to_string(),
        }]);
        assert_eq!(difference["changes"], changes);
        let value = json!({ "n": n, "shifted": n }).to_string();
        assert_eq!(difference["expected_value"], value);
    }
    // An existing file is not replaced.
    let again = compare(&expected, &observed, &flags);
    assert_eq!(again.code, 2);
    assert_eq!(fs::read_to_string(&file).expect("the file is there"), text);
}

#[test]
fn a_file_of_differences_is_made_anew_and_for_its_owner_alone() {
    let folder = folder();
    let one = lines(&folder, "one", &[("k", json!(1))]);
    let two = lines(&folder, "two", &[("k", json!(2))]);
    let path = |name: &str| folder.path().join(name);
    let run = |name: &str| {
        let file = path(name).display().to_string();
        compare(&one, &two, &["--expect-diff", &file]).code
    };
    assert_eq!(run("new"), 1, "they differ");
    let mode = fs::metadata(path("new"))
        .expect("it is there")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let before = fs::read(path("new")).expect("it is there");
    symlink(path("nowhere"), path("link")).expect("the temporary folder is writable");
    symlink(path("new"), path("other-link")).expect("the temporary folder is writable");
    for name in ["new", "link", "other-link"] {
        assert_eq!(run(name), 2, "{name}");
    }
    assert!(!path("nowhere").exists());
    assert_eq!(fs::read(path("new")).expect("it is there"), before);
}
