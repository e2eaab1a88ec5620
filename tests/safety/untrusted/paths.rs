//! Snapshot ids that become arguments and folders, and links that lead elsewhere.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::{folder, write};
use crate::harness::paths::fixture;
use crate::harness::run::{kreplay, report};

#[test]
fn an_invalid_snapshot_id_reaches_neither_speedctl_nor_another_folder() {
    let folder = folder();
    let called = folder.path().join("called");
    let script = write(
        folder.path(),
        "speedctl",
        format!("#!/bin/sh\ntouch '{}'\n", called.display()),
    );
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    for id in [
        "",
        "--help",
        "-x",
        "../../etc",
        "a/b",
        "..",
        ".",
        "a\\b",
        "a b",
        "a\nb",
    ] {
        let source = format!("snapshot:{id}");
        for args in [
            &["snapshot", "--rehearse", "--speedctl", &script, "--", id][..],
            &["inspect", "--speedctl", &script, &source],
        ] {
            let output = kreplay(args);
            assert_eq!(output.code, 2, "{id:?}: {output:#?}");
            assert!(!called.exists(), "{id:?}");
        }
    }
    let output = kreplay(["snapshot", "demo|1", "--rehearse", "--speedctl", &script]);
    assert!(called.exists(), "an id of the documentation: {output:#?}");
}

#[test]
fn links_are_followed_inside_a_folder_and_not_out_of_it() {
    let (inside, outside) = (folder(), folder());
    let capture = fs::read(fixture("demo.jsonl")).expect("the fixture is there");
    write(outside.path(), "private.jsonl", &capture);
    let data = inside.path().join("data");
    fs::create_dir(&data).expect("the folder is writable");
    let second = fs::read(fixture("tombstone.jsonl")).expect("the fixture is there");
    write(inside.path(), ".hidden.jsonl", &second);
    symlink("../.hidden.jsonl", data.join("seen.jsonl")).expect("links can be made");
    symlink(
        outside.path().join("private.jsonl"),
        data.join("file.jsonl"),
    )
    .expect("links can be made");
    symlink(outside.path(), data.join("folder")).expect("links can be made");
    let path = inside.path().display().to_string();
    let output = kreplay(["replay", &path, "--rehearse", "--report", "json"]);
    // Three records of the hidden file, none of the 21 outside.
    assert_eq!(report(&output)["ledger"]["found"], 3, "{output:#?}");
    let first = data.join("file.jsonl");
    let expected = format!(
        "kreplay: did not follow 2 links out of the folder, such as {}; name the target to read it",
        first.display()
    );
    assert!(
        output.stderr.lines().any(|line| line == expected),
        "{output:#?}"
    );
    // A link that the user names is followed.
    let path = first.display().to_string();
    let output = kreplay(["replay", &path, "--rehearse", "--report", "json"]);
    assert_eq!(report(&output)["ledger"]["found"], 21, "{output:#?}");
}
