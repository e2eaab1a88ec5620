//! What the bytes of values, keys and headers are, and what makes a record unreadable.

use super::{parsed, run, short};
use serde_json::{Value, json};

#[test]
fn encodings_decide_the_bytes_of_values_and_keys() {
    let text = r#"{"command":"Fetch","s":"aGk=","n":[1,  2],"vBytes":"aGk="}"#;
    for (flags, key, value) in [
        ("--value s --key s", "aGk=", "aGk="),
        (
            "--value s --value-encoding text --key s --key-encoding base64",
            "hi",
            "aGk=",
        ),
        (
            "--value s --value-encoding base64 --key s --key-encoding json",
            "\"aGk=\"",
            "hi",
        ),
        (
            "--value s --value-encoding json --key s --key-encoding auto",
            "aGk=",
            "\"aGk=\"",
        ),
        ("--value n --key vBytes", "hi", "[1,  2]"),
        (
            "--value n --value-encoding json --key vBytes --key-encoding text",
            "aGk=",
            "[1,  2]",
        ),
        ("--value vBytes --key n", "[1,  2]", "hi"),
    ] {
        let args: Vec<&str> = "extract -q -".split(' ').chain(flags.split(' ')).collect();
        let output = run(&args).stdin(format!("{text}\n")).output();
        assert_eq!(output.code, 0, "{flags}: {output:#?}");
        let line = &parsed(&output)[0];
        assert_eq!(
            (&line["key"], &line["value"]),
            (&json!(key), &json!(value)),
            "{flags}"
        );
    }
    let output = run(&[
        "extract",
        "-q",
        "-",
        "--value",
        "n",
        "--value-encoding",
        "text",
    ])
    .stdin(format!("{text}\n"))
    .output();
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (1, ""),
        "{output:#?}"
    );
}

/// The exit code, the record lines and stderr of `kreplay extract - ARGS` over one line.
fn of_line(line: &str, args: &[&str]) -> (i32, Vec<Value>, String) {
    let args = [&["extract", "-", "--filter", ""], args].concat();
    let output = run(&args).stdin(format!("{line}\n")).output();
    (output.code, parsed(&output), output.stderr.clone())
}

#[test]
fn a_field_takes_a_node_once_and_a_record_path_repeats_it_as_often_as_it_selects_it() {
    let values = |path: &str| {
        let (code, lines, stderr) = of_line(
            r#"{"a":[10,11,[12]],"o":{"x":1},"k":["k"]}"#,
            &["--value", path, "--key", "$.k[0,0]"],
        );
        assert_eq!(code, 0, "{path}: {stderr}");
        let value = |line: &Value| {
            format!(
                "{}={}",
                line["key"].as_str().unwrap_or("~"),
                line["value"].as_str().unwrap_or("~")
            )
        };
        lines.iter().map(value).collect::<Vec<_>>()
    };
    assert_eq!(values("$.a[0,0]"), ["k=10", "k=10"]);
    assert_eq!(values("$.a[1,0]"), ["k=11", "k=10"]);
    assert_eq!(values("$.a[*,1]"), ["k=10", "k=11", "k=[12]", "k=11"]);
    assert_eq!(values("$.o['x','x']"), ["k=1", "k=1"]);
    assert_eq!(values("$.a[::-1]"), ["k=[12]", "k=11", "k=10"]);
    assert_eq!(values("$.a[1:]..[0]"), ["k=12"]);
    // A node comes before those in it.
    assert_eq!(values("$.a[?@[0]]..*"), ["k=12"]);
}

#[test]
fn a_bare_number_selects_an_index_of_a_list_and_a_member_of_an_object() {
    let line = r#"{"l":[{"v":"zero"},{"v":"one"}],"o":{"0":{"v":"null"},"1":{"v":"eins","k":"k"},"007":"bond"}}"#;
    let one = |args: &[&str]| {
        let (code, lines, stderr) = of_line(line, args);
        assert_eq!(code, 0, "{args:?}: {stderr}");
        short(&lines)
    };
    assert_eq!(one(&["--value", "l.1.v"]), ["-[0]@- ~=one"]);
    assert_eq!(one(&["--value", "o.1.v"]), ["-[0]@- ~=eins"]);
    assert_eq!(one(&["--value", "o.007"]), ["-[0]@- ~=bond"]);
    // Two members are no elements that exclude each other.
    assert_eq!(
        one(&["--value", "o.0.v", "--key", "o.1.k"]),
        ["-[0]@- k=null"]
    );
    // Beside a query, too.
    assert_eq!(
        one(&["--value", "o.1.v", "--key", "$..k"]),
        ["-[0]@- k=eins"]
    );
    // In JSONPath it is an index alone.
    let (code, lines, stderr) = of_line(line, &["--value", "$.o[1].v"]);
    assert_eq!((code, lines.len()), (1, 0), "{stderr}");
}

/// Each way of joining a key or header that cannot be read with its record.
#[test]
fn an_unreadable_key_or_header_makes_the_record_unreadable_however_it_is_matched() {
    let base64 = "a record's key should be base64 and is not";
    let header = "a record's header has an unknown member called `h`";
    let cases: [(&str, &str, &str); 8] = [
        (
            r#"{"v":"a","k":"no base64!","h":[{"key":"n","value":"plain text"}]}"#,
            "--value $.v --key $.k --key-encoding base64 --headers $.h",
            base64,
        ),
        // The key comes before or behind its record, as a member of it, beside it, or of a list around.
        (
            r#"{"k":"no base64!","r":[{"v":"a"}]}"#,
            "--value $.r[*].v --key $.k --key-encoding base64",
            base64,
        ),
        (
            r#"{"r":[{"v":"a"}],"k":"no base64!"}"#,
            "--record $.r[*] --value @.v --key $.k --key-encoding base64",
            base64,
        ),
        (
            r#"{"r":[{"v":"a","k":"no base64!"}]}"#,
            "--record $.r[*] --value @.v --key @.k --key-encoding base64",
            base64,
        ),
        (
            r#"{"r":[{"v":"a","k":"no base64!"}]}"#,
            "--value $.r[*].v --key $..k --key-encoding base64",
            base64,
        ),
        (
            r#"{"v":"a","k":{"not":"text"}}"#,
            "--value $.v --key $.k --key-encoding text",
            "a record's key is not a string",
        ),
        (
            r#"{"h":[{"key":"n","value":"x"},{"h":[104]}],"r":[{"v":"a"}]}"#,
            "--value $.r[*].v --headers $.h",
            header,
        ),
        (
            r#"{"h":"text","v":"a"}"#,
            "--value $.v --headers $.h",
            "a record's header is not a string",
        ),
    ];
    for (line, flags, why) in cases {
        let args: Vec<&str> = flags.split(' ').collect();
        let (code, lines, stderr) = of_line(line, &args);
        assert_eq!((code, lines.len()), (1, 0), "{line} {flags}: {stderr}");
        assert!(
            stderr.contains("found      1 = 1 unreadable + 0 printed"),
            "{stderr}"
        );
        assert!(stderr.contains(why), "{line} {flags}: {stderr}");
    }
}

#[test]
fn an_unreadable_key_affects_only_the_records_that_share_it() {
    let line = r#"{"g":[{"k":"!","r":[{"v":"a"},{"v":"b"}]},{"k":"aGk=","r":[{"v":"c"}]}]}"#;
    let args = "--value $.g[*].r[*].v --key $.g[*].k --key-encoding base64";
    let args: Vec<&str> = args.split(' ').collect();
    let (code, lines, stderr) = of_line(line, &args);
    assert_eq!(
        (code, short(&lines)),
        (1, vec!["-[0]@- hi=c".into()]),
        "{stderr}"
    );
    assert!(stderr.contains("3 = 2 unreadable + 1 printed"), "{stderr}");
}

#[test]
fn a_header_value_is_base64_only_where_that_is_declared() {
    let line = r#"{"v":"a","h":[{"key":"n","value":"aGk="},{"key":"s","valueString":"aGk="},{"key":"b","valueBytes":"aGk="},{"key":"o","value":{"a": 1}},{"key":"z","value":null}]}"#;
    let of = |encoding: &[&str]| {
        let args = [&["--value", "$.v", "--headers", "$.h"], encoding].concat();
        let (code, lines, stderr) = of_line(line, &args);
        (
            code,
            lines.first().map(|line| line["headers"].clone()),
            stderr,
        )
    };
    let auto = json!([
        ["n", "aGk="],
        ["s", "aGk="],
        ["b", "hi"],
        ["o", "{\"a\": 1}"],
        ["z", null]
    ]);
    for encoding in [&[][..], &["--header-encoding", "auto"]] {
        let (code, headers, stderr) = of(encoding);
        assert_eq!((code, headers), (0, Some(auto.clone())), "{stderr}");
    }
    let (code, headers, _) = of(&["--header-encoding", "json"]);
    let as_json = json!([
        ["n", "\"aGk=\""],
        ["s", "aGk="],
        ["b", "hi"],
        ["o", "{\"a\": 1}"],
        ["z", "null"]
    ]);
    assert_eq!((code, headers), (0, Some(as_json)));
    // An object is neither text nor base64.
    for encoding in ["text", "base64"] {
        let (code, headers, stderr) = of(&["--header-encoding", encoding]);
        assert_eq!((code, headers), (1, None), "{encoding}");
        assert!(stderr.contains("header is not a string"), "{stderr}");
    }
}

#[test]
fn header_encoding_applies_to_an_object_of_headers_and_overrides_the_built_in_profile() {
    let line = r#"{"v":"a","h":{"A":"aGk=","B":["aGk=",null,7],"C":[]}}"#;
    let headers = |line: &str, args: &[&str]| {
        let (code, lines, stderr) = of_line(line, args);
        assert_eq!(code, 0, "{stderr}");
        lines[0]["headers"].clone()
    };
    let object = ["--value", "$.v", "--headers", "$.h"];
    let auto = json!([["A", "aGk="], ["B", "aGk="], ["B", null], ["B", "7"]]);
    assert_eq!(headers(line, &object), auto);
    let line = r#"{"v":"a","h":{"A":"aGk=","B":["aGk=",null]}}"#;
    let base64 = [&object[..], &["--header-encoding", "base64"]].concat();
    assert_eq!(
        headers(line, &base64),
        json!([["A", "hi"], ["B", "hi"], ["B", null]])
    );
    let built_in = r#"{"kafka":{"response":{"FetchResponse":{"topics":[{"name":"t","partitions":[{"records":{"records":[{"valueString":"v","headers":[{"key":"h","value":"aGk="}]}]}}]}]}}}}"#;
    assert_eq!(headers(built_in, &[]), json!([["h", "hi"]]));
    assert_eq!(
        headers(built_in, &["--header-encoding", "text"]),
        json!([["h", "aGk="]])
    );
}

/// A filter asks for the JSON text of the node that headers are taken from.
#[test]
fn headers_read_by_a_filter_are_still_replayed() {
    let line = r#"{"http":{"req":{"body":"b","headers":{"X":["1","2"]}}}}"#;
    let args = ["extract", "-q", "-", "--filter", "header[X] IS 1"];
    let paths = ["--value", "http.req.body", "--headers", "http.req.headers"];
    let output = run(&[&args[..], &paths].concat())
        .stdin(format!("{line}\n"))
        .output();
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(
        parsed(&output)[0]["headers"],
        json!([["X", "1"], ["X", "2"]])
    );
}
