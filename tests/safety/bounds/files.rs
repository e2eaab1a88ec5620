//! Files of settings that never end, and folders in folders.

use super::{fetch, folder, measured, text, topic};
use crate::harness::run::{Run, report};
use serde_json::json;

#[test]
fn files_of_settings_that_never_end_are_refused() {
    let capture = text(&crate::harness::paths::fixture("demo.jsonl"));
    let args = [
        "replay",
        &capture,
        "-b",
        "127.0.0.1:1",
        "-F",
        "none",
        "--expect-from",
        &capture,
    ];
    let (output, peak) = measured(|| Run::new(args.iter().chain(&["--noise", "/dev/zero"])));
    assert_eq!(output.code, 2, "{output:?}");
    let expected = "kreplay: cannot read /dev/zero: it is larger than 8 MiB";
    assert_eq!(output.stderr.lines().next(), Some(expected));
    assert!(peak < 100, "{peak} MiB");
    let folder = folder();
    let token = folder.path().join("token");
    std::fs::write(&token, "a".repeat((1 << 20) + 1)).expect("the folder is writable");
    let token = text(&token);
    let args = [
        "replay",
        &capture,
        "-b",
        "127.0.0.1:1",
        "-F",
        "none",
        "--oauth-file",
        &token,
    ];
    let output = Run::new(args).output();
    let expected =
        format!("kreplay: could not get a token: cannot read {token}: it is larger than 1 MiB\n");
    assert_eq!((output.code, output.stderr), (3, expected));
    for (args, expected) in [
        (
            ["replay", "-", "-F", "/dev/zero"],
            "kreplay: cannot read /dev/zero: it is larger than 1 MiB",
        ),
        (
            ["replay", "-", "--profile", "/dev/zero"],
            "kreplay: cannot read the profile /dev/zero: it is larger than 1 MiB",
        ),
    ] {
        let args = args.into_iter().chain(["-b", "127.0.0.1:1"]);
        let (output, peak) = measured(|| Run::new(args.clone()));
        assert_eq!(output.code, 2, "{output:?}");
        assert_eq!(output.stderr.lines().next(), Some(expected));
        assert!(peak < 100, "{peak} MiB");
    }
}

/// As deep as a path can be, which is 4,096 bytes with the folder that it begins in.
#[test]
fn nested_folders_are_read_as_deep_as_paths_may_be_long() {
    let folder = folder();
    let depth = (4000 - folder.path().as_os_str().len()) / 2;
    let deepest = folder.path().join(vec!["d"; depth].join("/"));
    std::fs::create_dir_all(&deepest).expect("paths may be so long");
    let sound = fetch(&topic("t", r#"{"valueString":"v"}"#));
    std::fs::write(deepest.join("a.jsonl"), format!("{sound}\n")).expect("it is writable");
    let path = text(folder.path());
    let (output, peak) = measured(|| Run::new(["inspect", &path, "--report", "json"]));
    assert_eq!(
        (output.code, &report(&output)["ledger"]["records"]),
        (0, &json!(1)),
        "{output:.500?}"
    );
    assert!(peak < 100, "{peak} MiB");
}
