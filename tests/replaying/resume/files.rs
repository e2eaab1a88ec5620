//! The journal's file: what may be one, and that no other file is harmed.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Scene, TOPIC, refused};
use crate::harness::capture::numbered_lines;
use crate::harness::report::ledger::ledger;
use crate::harness::run::report;

/// A scene with an input of ten records.
fn scene() -> (Scene, String) {
    let scene = Scene::new();
    let input = scene.write("input.jsonl", &numbered_lines(TOPIC, 0..10));
    (scene, input)
}

/// The names in the scene's folder.
fn names(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.folder.path()).expect("the folder is there");
    let entries = entries.map(|entry| entry.expect("it is readable").file_name());
    let mut names: Vec<String> = entries.map(|name| name.display().to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_journal_that_is_not_a_regular_file_is_refused_and_left_unchanged() {
    let (scene, input) = scene();
    let pipe = scene.folder.path().join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()), "a pipe");
    // Not a device: a kreplay that replaced it would harm the machine of whoever runs this as root.
    let socket = scene.folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    let folder = scene.folder.path();
    for path in [pipe.as_path(), &socket, folder] {
        let output = scene.replay_with(&input, path).output();
        let expected = format!(
            "kreplay: the journal {} is not a regular file\nhint: name a file that `--resume` can create",
            path.display()
        );
        assert_eq!(refused(&output), expected);
        assert!(
            output.elapsed < Duration::from_secs(30),
            "nobody reads the pipe"
        );
    }
    let kind = |path: &Path| fs::metadata(path).expect("it is still there").file_type();
    assert!(kind(&pipe).is_fifo() && kind(&socket).is_socket());
    assert_eq!(scene.there(), 0);
}

#[test]
fn a_symbolic_link_to_a_file_is_followed_and_stays_one() {
    let (scene, input) = scene();
    let folder = scene.folder.path().join("elsewhere");
    fs::create_dir(&folder).expect("a folder");
    let (link, target) = (scene.journal(), folder.join("target"));
    symlink("elsewhere/target", &link).expect("a link");
    let refused = scene.replay(&input, &[]).output();
    assert_eq!(refused.code, 2, "{refused:#?}");
    let why =
        "it is a link to a file that does not exist, and kreplay creates no file through a link";
    assert!(refused.stderr.contains(why), "{refused:#?}");
    assert!(!target.exists());
    fs::write(&target, "").expect("a file");
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let output = scene.replay(&input, &[]).output();
    assert_eq!(ledger(&report(&output)), "0 = ");
    let is_link = fs::symlink_metadata(&link)
        .expect("it is there")
        .is_symlink();
    let text = fs::read_to_string(&target).expect("the journal is where the link leads");
    assert!(is_link && text.contains("\"kreplay_journal\":3,"), "{text}");
}

#[test]
fn files_beside_the_journal_are_not_touched_and_none_is_left() {
    let (scene, input) = scene();
    let beside = ["journal.new", "journal.lock", "journal.tmp", ".journal"];
    for name in beside {
        scene.write(name, "precious");
    }
    let before = names(&scene);
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let mut expected = before;
    expected.push("journal".into());
    expected.sort();
    assert_eq!(names(&scene), expected);
    for name in beside {
        let text = fs::read_to_string(scene.file(name)).expect("it is still there");
        assert_eq!(text, "precious");
    }
}

#[test]
fn a_journal_is_readable_by_its_owner_alone() {
    let (scene, input) = scene();
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    let metadata = fs::metadata(scene.journal()).expect("a journal");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_journal_with_two_names_is_refused() {
    let (scene, input) = scene();
    assert_eq!(scene.replay(&input, &[]).output().code, 0);
    fs::hard_link(scene.journal(), scene.file("other")).expect("another name");
    let said = refused(&scene.replay(&input, &[]).output());
    let expected = format!(
        "kreplay: the journal {} has a second name (a hard link), which would keep its old content\n\
         hint: use a copy of it, or a symbolic link",
        scene.file("journal")
    );
    assert_eq!(said, expected);
}
