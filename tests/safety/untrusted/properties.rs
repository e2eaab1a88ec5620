//! Properties of librdkafka that turn off a check of TLS or load code.

use std::fs;

use super::{folder, write};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, report};
use serde_json::json;

/// What kreplay says about TLS, and the report's account of it.
fn tls_warnings(brokers: &str, settings: &[&str]) -> (String, serde_json::Value) {
    let capture = fixture("demo.jsonl").display().to_string();
    let args = [
        "replay", &capture, "-b", brokers, "-F", "none", "--report", "json",
    ];
    let settings = settings.iter().flat_map(|setting| ["-X", setting]);
    let output = Run::new(args.into_iter().chain(settings)).output();
    assert_eq!(output.code, 3, "{output:#?}");
    let unchecked = report(&output)["destination"]["tls_unchecked"].clone();
    (output.stderr, unchecked)
}

#[test]
fn a_disabled_tls_check_is_warned_about_and_reported() {
    let (verification, name) = (
        "enable.ssl.certificate.verification=false",
        "ssl.endpoint.identification.algorithm=none",
    );
    let ssl = "security.protocol=SSL";
    let said = "kreplay does not check that the brokers are who they say they are";
    for (brokers, settings, expected) in [
        (
            "localhost:1",
            &[ssl, verification, name][..],
            json!([verification, name]),
        ),
        ("localhost:1", &[ssl, name], json!([name])),
        (
            "127.0.0.1:1",
            &[ssl, verification, name],
            json!([verification]),
        ),
        ("127.0.0.1:1,[::1]:1", &[ssl, name], json!([])),
        ("127.0.0.1:1", &[ssl], json!([])),
        (
            "127.0.0.1:1",
            &["security.protocol=PLAINTEXT", verification],
            json!([]),
        ),
    ] {
        let (stderr, unchecked) = tls_warnings(brokers, settings);
        assert_eq!(unchecked, expected, "{brokers} {settings:?}");
        assert_eq!(stderr.contains(said), expected != json!([]), "{stderr}");
    }
}

#[test]
fn code_is_loaded_only_from_a_file_that_is_named() {
    let home = folder();
    fs::create_dir(home.path().join(".config")).expect("the folder is writable");
    let file = write(
        home.path(),
        ".config/kcat.conf",
        "plugin.library.paths=/nowhere/evil\n",
    );
    let run = |args: &[&str]| Run::new(args).env("HOME", home.path()).output();
    let output = run(&["replay", "-", "-b", "127.0.0.1:1"]);
    let expected = format!(
        "kreplay: {file}:1: `plugin.library.paths` loads code, so kreplay does not take it from a file that you did not name\n\
         hint: name the file with `-F {file}`, or read no file with `-F none`\n"
    );
    assert_eq!((output.code, output.stderr), (2, expected));
    let output = run(&["replay", "-", "-b", "127.0.0.1:1", "-F", &file]);
    assert!(
        output.stderr.contains("/nowhere/evil"),
        "librdkafka tries: {output:#?}"
    );
    let output = run(&[
        "replay",
        "-",
        "--rehearse",
        "-X",
        "plugin.library.paths=/nowhere/evil",
    ]);
    let expected = "kreplay: `plugin.library.paths` loads code, which a rehearsal does not allow\n";
    assert_eq!((output.code, output.stderr.as_str()), (2, expected));
}
