//! Forms of one capture, as a file and spread over folders.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{
    SHOP, essence, fetch, folder, gzip, in_halves, markdown, of_lines, pretty, reformatted,
    rehearse, rrpairs, run, spread, write, zstd,
};
use crate::harness::run::{Run, report};
use serde_json::Value;

#[test]
fn one_file_of_any_form_delivers_what_its_json_lines_do() {
    let expected = of_lines();
    let values = rrpairs();
    let all = |pretty: fn(&Value) -> String| values.iter().map(pretty).collect::<Vec<_>>();
    let one_by_one = all(pretty).join("\n") + "\n";
    let documents: String = SHOP.lines().map(markdown).collect();
    let array = pretty(&Value::from(values.clone()));
    let forms: [(&str, Vec<u8>); 12] = [
        ("array", array.clone().into_bytes()),
        (
            "array in one line",
            Value::from(values.clone()).to_string().into(),
        ),
        (
            "array, an element a line",
            format!("[\n{}\n]\n", all(Value::to_string).join(",\n")).into(),
        ),
        ("pretty values", one_by_one.into_bytes()),
        ("values in one line", all(Value::to_string).concat().into()),
        ("markdown", documents.into()),
        ("gzip", gzip(SHOP.as_bytes())),
        ("gzip of two members", in_halves(gzip)),
        ("zstd", zstd(SHOP.as_bytes())),
        ("zstd of two frames", in_halves(zstd)),
        (
            "zstd behind a skippable frame",
            [b"\x50\x2a\x4d\x18\x02\0\0\0ab", &zstd(SHOP.as_bytes())[..]].concat(),
        ),
        ("gzip of an array", gzip(array.as_bytes())),
    ];
    let folder = folder();
    for (name, content) in forms {
        // Its ending shows nothing: all have the same.
        let path = write(folder.path(), "capture.txt", &content);
        assert_eq!(
            essence(&rehearse(&[&path])),
            expected,
            "{name}, from a file"
        );
        let output = run(&[Path::new("-")], Some(&content));
        assert_eq!(essence(&output), expected, "{name}, from stdin");
        let size = report(&rehearse(&[&path]))["source"]["bytes"].clone();
        assert_eq!(
            size,
            content.len(),
            "{name}: the bytes on the disk are counted"
        );
    }
}

#[test]
fn folders_deliver_what_the_json_lines_do() {
    let expected = of_lines();
    type Form = fn(&str) -> (String, &'static str);
    let forms: [(&str, Form); 3] = [
        ("one line", |line| (line.into(), "json")),
        ("pretty", |line| (reformatted(line), "json")),
        ("markdown", |line| (markdown(line), "md")),
    ];
    for (name, form) in forms {
        let folder = folder();
        spread(folder.path(), form);
        let output = rehearse(&[folder.path()]);
        assert_eq!(essence(&output), expected, "{name}");
        let inputs = report(&output)["source"]["inputs"].clone();
        assert_eq!(inputs, serde_json::json!([folder.path()]), "{name}");
    }
}

/// What is unreadable is named in the order of reading, which is how a test can see the order.
#[test]
fn a_folder_is_read_in_the_order_of_the_times_in_names() {
    let folder = folder();
    let bad = r#"{"msgType":"rrpair","command":}"#;
    let early = write(folder.path(), "z/2025-10-09_14-43-01.25Z.json", bad);
    write(folder.path(), "a/2025-10-09_14-43-01.3Z.json", bad);
    write(folder.path(), "b/2025-10-10_00-00-00Z.md", markdown(bad));
    let first_of = |paths: &[&Path]| {
        let report = report(&rehearse(paths));
        assert_eq!(
            report["problems"][0]["count"],
            report["ledger"]["unreadable"]
        );
        PathBuf::from(
            report["problems"][0]["first"]["input"]
                .as_str()
                .expect("a name"),
        )
    };
    assert_eq!(first_of(&[folder.path()]), early);
    // Without a time a file comes first; arguments come in the order given.
    let timeless = write(folder.path(), "z/raw.jsonl", format!("{bad}\n"));
    assert_eq!(first_of(&[folder.path()]), timeless);
    assert_eq!(first_of(&[&early, folder.path()]), early);
}

#[test]
fn no_more_than_one_file_is_open_at_a_time() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let lines = SHOP.lines().cycle().take(200).enumerate();
    for (number, line) in lines {
        write(folder.path(), &format!("{number:03}.json"), line);
    }
    // Fewer descriptors than files, by far.
    let shell = "ulimit -n 64; exec \"$0\" extract --keep-duplicates \"$1\"";
    let folder = folder.path().display().to_string();
    let output = Run::program("sh", ["-c", shell, env!("CARGO_BIN_EXE_kreplay"), &folder]).output();
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.stderr.contains("200 RRPairs"), "{output:?}");
}

#[test]
fn files_of_a_folder_without_rrpairs_are_skipped_counted_and_named() {
    let folder = folder();
    let path = folder.path();
    write(path, "raw.jsonl", fetch("a") + "\n" + &fetch("b") + "\n");
    write(path, "README.txt", "Captured on a Tuesday.\n");
    write(path, "notes.md", "### Notes\n\nnone\n");
    write(path, "5b6c.json", r#"{"id": "5b6c", "name": "shop"}"#);
    write(path, "picture.png", b"\x89PNG\r\n\x1a\n\0\0");
    write(path, "empty.json", "");
    write(path, ".hidden.json", "{ damaged");
    write(path, ".git/config.json", "{ damaged");
    symlink(path.join("nowhere"), path.join("dangling.json")).expect("links can be made");
    symlink(path, path.join("loop")).expect("links can be made");
    symlink(path.join("raw.jsonl"), path.join("again.jsonl")).expect("links can be made");

    let output = rehearse(&[path]);
    let report = report(&output);
    assert_eq!(
        (output.code, &report["ledger"]["delivered"]),
        (0, &2.into())
    );
    assert_eq!(report["source"]["skipped_files"], 6);
    assert_eq!(report["source"]["rrpairs"], 2);
    assert_eq!(report["problems"], serde_json::json!([]));

    let args = ["replay", "--rehearse", "--keep-duplicates", "-v"].map(PathBuf::from);
    let output = Run::new(args.into_iter().chain([path.to_path_buf()])).output();
    let skipped = "skipped    6 files without RRPairs (-v names them)\n";
    assert!(output.stdout.contains(skipped), "{}", output.stdout);
    let named = format!(
        "skipping {}: it is JSON without the members of an RRPair\n",
        path.join("5b6c.json").display()
    );
    assert!(output.stderr.contains(&named), "{}", output.stderr);
}

#[test]
fn a_file_named_on_the_command_line_is_not_skipped() {
    let folder = folder();
    let path = write(folder.path(), "README.txt", "Captured on a Tuesday.\n");
    let output = rehearse(&[&path]);
    assert_eq!(output.code, 1);
    let holds_none = format!(
        "{} holds no RRPairs or record lines: it is text of another kind",
        path.display()
    );
    assert_eq!(report(&output)["errors"], serde_json::json!([holds_none]));
    assert_eq!(rehearse(&[&folder.path().join("none")]).code, 4);
}
