//! Profiles, paths and filters that are not valid.

use std::fs;

use super::{OWN, assert_refused, extract, lines};

#[test]
fn a_profile_is_a_name_or_a_file() {
    let topics = |args: &[&str]| {
        let found = lines(args);
        let mut topics: Vec<String> = found.iter().map(|line| line["topic"].to_string()).collect();
        topics.dedup();
        (found.len(), topics.join(" "))
    };
    let produce = (4, r#""shipments""#.to_owned());
    assert_eq!(topics(&["shop.jsonl", "--profile", "produce"]), produce);
    assert_eq!(
        lines(&["shop.jsonl", "--profile", "fetch"]),
        lines(&["shop.jsonl"])
    );
    assert_eq!(topics(&OWN), (5, r#""returns" "refunds""#.to_owned()));
}

#[test]
fn an_invalid_path_is_shown_with_the_position_of_the_error() {
    for (flag, path, what, column) in [
        (
            "--key",
            "a..b",
            "`--key`: the path does not parse: expected a name or an index",
            2,
        ),
        (
            "--value",
            "$.lanes[",
            "`--value`: the path does not parse: expected a name in quotes, an index, `*`, a slice or `?`",
            8,
        ),
        (
            "--value",
            "$.http.req.headers.Host.0",
            "`--value`: the path does not parse: expected `*` or a name (an index is `[0]`)",
            24,
        ),
        (
            "--record",
            "a.b[0]",
            "`--record`: the path does not parse: expected a name or an index; JSONPath begins with `$`",
            2,
        ),
        (
            "--value",
            "@.doc",
            "`--value`: the path does not parse: `@` is the record's node, but there is no record path",
            0,
        ),
    ] {
        let (first, place) = (format!("kreplay: {what}"), format!("    {:column$}^", ""));
        let shown = format!("    {path}");
        assert_refused(&["shop.jsonl", flag, path], &[&first, &shown, &place]);
    }
}

#[test]
fn a_bad_path_or_filter_of_a_profile_is_shown_with_file_and_line() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let file = folder.path().join("mine.toml");
    let name = file.display().to_string();
    for (text, said) in [
        (
            "value = \"$.a\"\nkey = [\n  \"$.b\",\n  \"$.b[?\",\n]\n",
            [
                &format!(
                    "kreplay: {name}:4: key: the path does not parse: \
                     expected a condition such as `@.name == \"x\"`"
                )[..],
                "    $.b[?",
                "         ^",
            ],
        ),
        (
            "value = \"$.a\"\nfilter = \"command IZ x\"\n",
            [
                &format!(
                    "kreplay: {name}:2: the filter does not parse: \
                     expected `IS`, `NOT`, `CONTAINS`, `NOT CONTAINS` or `REGEX`, found `IZ`"
                ),
                "    command IZ x",
                "            ^",
            ],
        ),
    ] {
        fs::write(&file, text).expect("the folder is writable");
        assert_refused(&["own.jsonl", "--profile", &name], &said);
    }
}

#[test]
fn an_invalid_profile_is_named_with_the_position_of_the_error() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let path = folder.path().join("bad.toml");
    let name = path.display().to_string();
    for (text, said) in [
        (
            "filtre = \"x\"\n",
            format!("kreplay: {name}:1:1 is not a profile: unknown field `filtre`, expected "),
        ),
        (
            "record = \"$.a\"\nvalue = \n",
            format!("kreplay: {name}:2:9 is not a profile: "),
        ),
    ] {
        fs::write(&path, text).expect("the folder is ours");
        let output = extract(&["own.jsonl", "--profile", &name]);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""));
        assert!(output.stderr.starts_with(&said), "{}", output.stderr);
        assert_eq!(
            output.stderr.lines().last(),
            Some("hint: `kreplay profile fetch` prints one to begin with")
        );
    }
    assert_refused(
        &["own.jsonl", "--profile", "fetsh"],
        &[
            "kreplay: cannot read the profile fetsh: No such file or directory (os error 2)",
            "hint: the built-in profiles are `fetch`, `produce` and `byoc`",
        ],
    );
}
