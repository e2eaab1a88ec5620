use serde_json::{Value, json};

use super::*;

/// The base with one section applied, and the remarks.
fn laid(base: &Value, title: &str, content: &str) -> (Value, Vec<(u64, String)>) {
    let base = base.to_string();
    let section = Section {
        name: SectionName::of(title),
        line: 10,
        title,
        content,
    };
    let mut remarks = Vec::new();
    let merged = merge(&base, &[section], &mut remarks).unwrap_or(base);
    let merged = serde_json::from_str(&merged).expect(&merged);
    let remarks = remarks.into_iter().map(|remark| (remark.line, remark.why));
    (merged, remarks.collect())
}

/// What the section makes of the base, without a remark.
#[track_caller]
fn check(base: &Value, title: &str, content: &str, expected: &Value) {
    let (merged, remarks) = laid(base, title, content);
    assert_eq!(&merged, expected, "{content}");
    assert_eq!(remarks, [], "{content}");
}

/// As current files have it: neither headers nor body.
fn bare() -> Value {
    json!({
        "l7protocol": "http", "command": "POST", "location": "/pay", "status": "200",
        "http": {
            "req": {"url": "/pay", "uri": "/pay?a=1", "version": "1.1", "method": "POST", "host": "shop"},
            "res": {"contentType": "application/json", "statusCode": 200, "statusMessage": "200 OK"},
        },
    })
}

fn with(mut base: Value, pointer: &str, name: &str, value: Value) -> Value {
    base.pointer_mut(pointer).expect(pointer)[name] = value;
    base
}

#[test]
fn a_request_section_adds_headers_and_a_body_that_the_base_lacks() {
    let content = "```\nPOST http://shop:80/pay?a=1 HTTP/1.1\nAccept: text/html\\, */*, x\\\\y\n\
                   Host: shop\n```\n\n```\n{\n  \"sum\": [1, 2.50],\n  \"to\": \"a  b\"\n}\n```\n";
    let body = r#"{"sum":[1,2.50],"to":"a  b"}"#;
    let mut expected = bare();
    let request = &mut expected["http"]["req"];
    request["headers"] = json!({"Accept": ["text/html, */*", "x\\y"], "Host": ["shop"]});
    request["bodyBase64"] = json!("eyJzdW0iOlsxLDIuNTBdLCJ0byI6ImEgIGIifQ==");
    request["body"] = json!(body);
    check(&bare(), "REQUEST", content, &expected);
    // Older files have no fences, and name the side that is replayed.
    let content = content.replace("```\n", "");
    check(&bare(), "REQUEST (TEST)", &content, &expected);
}

#[test]
fn an_equivalent_section_leaves_the_base_unchanged() {
    let base = json!({
        "l7protocol": "http", "status": "200", "network_address": "shop:8080",
        "ts": "2026-01-15T18:45:59.515710Z", "duration": 1, "direction": "IN",
        "uuid": "HflfoFNyRl+S3IAJJR9qFw==", "tags": {"a": "x, y=z", "hidden": "h", "none": ""},
        "signature": {"http:url": "L3BheQ==", "http:queryparams": "", "http:body": "YQoKYg=="},
        "http": {
            "req": {"url": "/pay", "uri": "/pay", "version": "1.1", "method": "GET", "host": "shop",
                "headers": {"Date": ["Thu, 15 Jan"], "Vary": ["a", "b"], "Content-Length": ["9"]},
                "bodyBase64": "eyAiYSI6IDEgfQ=="},
            "res": {"contentType": "text/html", "statusCode": 200, "statusMessage": "OK",
                "bodyBase64": "PHA+YTwvcD4="},
        },
    });
    let sections = [
        (
            "REQUEST",
            "```\nGET http://shop:8080/pay HTTP/1.1\nDate: Thu\\, 15 Jan\nVary: a, b\n```\n\n\
                     ```\n{\n  \"a\": 1\n}\n\n```\n",
        ),
        (
            "REQUEST",
            "GET http://shop:8080/pay HTTP/1.1\nDate: Thu, 15 Jan\nVary: a, b\n\n{\"a\":1}\n\n",
        ),
        (
            "RESPONSE",
            "```\nHTTP/1.1 200 OK\n```\n\n```\n<p>\n  a\n</p>\n```\n",
        ),
        (
            "METADATA",
            "```\ndirection: IN\nuuid: 1df95fa0-5372-465f-92dc-8009251f6a17\n\
                      ts: 2026-01-15T18:45:59.51571Z\nduration: 1ms\ntags: a=x, y=z, none=\n```\n",
        ),
        (
            "SIGNATURE",
            "```\nhttp:url is /pay\nhttp:queryparams is -NONE-\nhttp:body is a\n\nb\n```\n",
        ),
        ("INTERNAL - DO NOT MODIFY", "```\njson: {}\n```\n"),
        ("NOTES", "\n```\n```\n"),
    ];
    for (title, content) in sections {
        // A tag cannot be distinguished from the value before it: what is shown of `a` names a tag `y`.
        let expected = match title {
            "METADATA" => {
                let tags = json!({"a": "x", "hidden": "h", "none": "", "y": "z"});
                with(base.clone(), "", "tags", tags)
            }
            _ => base.clone(),
        };
        check(&base, title, content, &expected);
    }
}

#[test]
fn an_edited_section_replaces_the_value_of_the_base() {
    let request = |line: &str| format!("```\n{line}\n```\n");
    let mut put = bare();
    put["command"] = json!("PUT");
    put["http"]["req"]["method"] = json!("PUT");
    check(
        &bare(),
        "REQUEST",
        &request("PUT http://shop/pay?a=1 HTTP/1.1"),
        &put,
    );
    let mut moved = bare();
    moved["location"] = json!("/refund");
    let changed = &mut moved["http"]["req"];
    changed["url"] = json!("/refund");
    changed["uri"] = json!("/refund?b=x+y&b=%C3%A9&c");
    changed["queryParams"] = json!({"b": ["x y", "é"], "c": [""]});
    changed["host"] = json!("other:8080");
    changed["version"] = json!("2.0");
    let line = "POST https://other:8080/refund?b=x+y&b=%C3%A9&c HTTP/2.0";
    check(&bare(), "REQUEST", &request(line), &moved);
    let mut missing = bare();
    missing["status"] = json!("404");
    let changed = &mut missing["http"]["res"];
    changed["statusCode"] = json!(404);
    changed["statusMessage"] = json!("404 Not Found");
    check(
        &bare(),
        "RESPONSE (MOCK)",
        &request("HTTP/1.1 404 Not Found"),
        &missing,
    );
    let base = json!({
        "ts": "2026-01-15T18:45:59Z", "uuid": "HflfoFNyRl+S3IAJJR9qFw==", "duration": 7,
        "signature": {"a": "YQ=="}, "mutableSignature": {"a": "a"}, "tags": {"a": "b"},
    });
    let metadata = "direction: OUT\nuuid: 00000000-0000-0000-0000-000000000001\n\
                    ts: 2026-01-15T18:46:00.5Z\nduration: 1.5s\ntags: a=c, d=e\n";
    let expected = json!({
        "ts": "2026-01-15T18:46:00.5Z", "uuid": "AAAAAAAAAAAAAAAAAAAAAQ==", "duration": 1500,
        "signature": {"a": "YQ=="}, "mutableSignature": {"a": "a"}, "tags": {"a": "c", "d": "e"},
        "direction": "OUT",
    });
    check(&base, "METADATA", metadata, &expected);
    let expected = with(base.clone(), "", "signature", json!({"b": "eA=="}));
    let expected = with(expected, "", "mutableSignature", json!({"b": "x"}));
    check(&base, "SIGNATURE", "```\nb is x\n```\n", &expected);
}

#[test]
fn an_edited_body_replaces_both_members_and_updates_the_length() {
    let base = json!({"http": {"res": {
        "headers": {"Content-Length": ["3"], "A": ["b"]}, "body": "old", "bodyBase64": "b2xk",
    }}});
    let content = "```\nHTTP/1.1 200 OK\nA: b\n```\n\n```\nnewer\n```\n";
    let expected = json!({"status": "200", "http": {"res": {
        "headers": {"A": ["b"], "Content-Length": ["5"]}, "body": "newer", "bodyBase64": "bmV3ZXI=",
        "statusCode": 200, "statusMessage": "200 OK",
    }}});
    check(&base, "RESPONSE", content, &expected);
    let emptied = json!({"http": {"res": {"headers": {"Content-Length": ["0"], "A": ["b"]}}}});
    check(&base, "RESPONSE", "```\n```\n```\n```\n", &base);
    check(&base, "RESPONSE", "```\nA: b\n```\n```\n```\n", &emptied);
}

#[test]
fn binary_and_decoded_bodies_stay_as_the_base_has_them() {
    // 0xff 0x00: what a section shows instead of them is not the body.
    let binary = json!({"http": {"req": {"bodyBase64": "/wA="}}});
    check(
        &binary,
        "REQUEST",
        "```\n```\n```\n<binary>\n```\n",
        &binary,
    );
    let decoded = json!({"http": {"req": {"body": {"a": [1, 2]}}}});
    check(
        &decoded,
        "REQUEST",
        "```\n```\n```\n{ \"a\": [1,\n2] }\n```\n",
        &decoded,
    );
    let edited = json!({"http": {"req": {"body": {"a": [3]}}}});
    check(
        &decoded,
        "REQUEST",
        "```\n```\n```\n{ \"a\": [3] }\n```\n",
        &edited,
    );
    let (merged, remarks) = laid(&decoded, "REQUEST", "```\n```\n```\ntext\n```\n");
    let why = "`### REQUEST ###`: its body is not JSON, but the body in the `json: ` line is, so kreplay keeps that one";
    assert_eq!((merged, remarks), (decoded, vec![(10, why.into())]));
}

#[test]
fn an_unreadable_section_gives_a_remark_with_its_line() {
    let kafka = json!({"l7protocol": "kafka", "kafka": {}});
    let of_http =
        "kreplay reads this section for HTTP only, but this is `kafka`: it keeps the `json: ` line";
    let unknown = "kreplay does not know this section and leaves it out";
    let internal = "expected only `json: ` here";
    let cases = [
        ("REQUEST", "```\nFetch\n```\n", 10, of_http),
        ("NOTES", "\nask Ann\n", 10, unknown),
        ("SIGNATURE", "a\n", 11, "expected `key is value`"),
        ("INTERNAL", "```\njson: {}\nmore\n```\n", 13, internal),
    ];
    for (title, content, line, what) in cases {
        let (merged, remarks) = laid(&kafka, title, content);
        assert_eq!(merged, kafka, "{content}");
        let why = format!("`### {title} ###`: {what}");
        assert_eq!(remarks, [(line, why)], "{content}");
    }
    let lines = [
        "duration: soon",
        "ts: today",
        "uuid: 12",
        "owner: Ann",
        "tags: a",
    ];
    for text in lines {
        let (merged, remarks) = laid(&kafka, "METADATA", &format!("```\n{text}\n```\n"));
        assert_eq!(merged, kafka, "{text}");
        let why = format!("`### METADATA ###`: `{text}` is not understood");
        assert_eq!(remarks, [(12, why)]);
    }
}

#[test]
fn an_unreadable_request_section_gives_a_remark_with_its_line() {
    let astray = "this belongs neither to its head nor to its body";
    let header = "expected a header, as in `Name: value`";
    for (head, line, what) in [
        ("GET /", 12, "expected `METHOD URL HTTP/VERSION`"),
        ("GET / SPDY/3", 12, "expected `HTTP/VERSION` after the URL"),
        ("POST /pay?a=1 HTTP/1.1\nno header", 13, header),
        ("POST /pay?a=1 HTTP/1.1\n```\nastray", 14, astray),
    ] {
        let (merged, remarks) = laid(&bare(), "REQUEST", &format!("```\n{head}\n```\n"));
        assert_eq!(merged, bare(), "{head}");
        let why = format!("`### REQUEST ###`: {what}");
        assert_eq!(remarks[0], (line, why), "{head}");
    }
}

#[test]
fn an_empty_section_changes_nothing() {
    let kafka = json!({"l7protocol": "kafka", "kafka": {}});
    for title in ["REQUEST", "RESPONSE", "SIGNATURE", "METADATA", "NOTES"] {
        check(&kafka, title, "```\n```\n\n```\n```\n", &kafka);
        check(&kafka, title, "\n", &kafka);
    }
}

#[test]
fn members_without_a_section_keep_every_byte() {
    let base = r#"{"n":1e400,"s":"\ud800","big":123456789012345678901234567890,"tags":{"x":1.0},"a":1,"a":2}"#;
    let section = Section {
        name: SectionName::Metadata,
        line: 1,
        title: "METADATA",
        content: "direction: OUT\n",
    };
    let merged = merge(base, &[section], &mut Vec::new());
    let expected = format!("{},\"direction\":\"OUT\"}}", base.trim_end_matches('}'));
    assert_eq!(
        merged.as_deref(),
        Some(&*expected.replace("1.0,\"a\"", "1.0},\"a\""))
    );
}
