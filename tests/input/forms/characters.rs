//! Control characters in names, and UTF-16.

use std::path::Path;

use super::{
    SHOP, essence, folder, gzip, markdown, of_lines, record_lines, reformatted, run, write,
};
use crate::harness::run::{Run, report};
use serde_json::Value;

/// Characters that control a terminal, or that reverse the order of a text.
fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c)
}

#[test]
fn control_characters_are_escaped_for_people_and_kept_for_programs() {
    const EVIL: &str = "\\u001b]0;x\\u0007\\u202eb\\nfound 99\\u009b2J";
    let evil: Value = serde_json::from_str(&format!("\"{EVIL}\"")).expect("JSON");
    let evil = evil.as_str().expect("a string");
    let folder = folder();
    let name = "e\u{1b}[31m\u{202e}\nvil.jsonl";
    let line = format!(
        r#"{{"msgType":"rrpair","command":"Fetch","network_address":"{EVIL}:9092","kafka":{{"clientId":"{EVIL}","request":{{"JoinGroupRequest":{{"groupId":"{EVIL}"}}}},"response":{{"FetchResponse":{{"topics":[{{"name":"t","partitions":[{{"records":{{"records":[{{"valueString":"v","{EVIL}":1}}]}}}}]}},{{"name":"{EVIL}","partitions":[{{"records":{{"records":[{{"valueString":"v"}}]}}}}]}}]}}}}}}}}"#
    );
    let other = format!(r#"{{"msgType":"rrpair","command":"{EVIL}","l7protocol":"x"}}"#);
    let path = write(folder.path(), name, format!("{line}\n{other}\n{{bad}}\n"));
    let path = path.display().to_string();
    let commands: [&[&str]; 6] = [
        &["replay", &path, "--rehearse"],
        &["replay", &path, "--rehearse", "-v", "--report", "none"],
        &["inspect", &path],
        &["inspect", &path, "--paths"],
        &["extract", &path, "-v"],
        &[
            "replay",
            &path,
            "/no\u{1b}/where\n",
            "--rehearse",
            "--value",
            "$.\u{1b}[31m",
        ],
    ];
    for command in commands {
        let output = Run::new(command).output();
        let shown = match command[0] {
            "extract" => output.stderr.clone(),
            _ => output.stdout.clone() + &output.stderr,
        };
        assert!(
            !shown.is_empty() && !shown.contains(obeyed),
            "{command:?}: {shown:?}"
        );
        assert!(
            !shown.lines().any(|line| line.starts_with("found 99")),
            "{command:?}: {shown}"
        );
    }
    // Programs get every character.
    let output = Run::new(["inspect", &path, "--report", "json"]).output();
    let seen: Value = serde_json::from_str(&output.stdout).expect("a report");
    assert_eq!(seen["source"]["inputs"][0], path.as_str());
    assert!(
        seen["commands"]
            .to_string()
            .contains(&Value::from(evil).to_string()),
        "{seen}"
    );
}

#[test]
fn utf_16_as_powershell_writes_it_is_read() {
    let expected = of_lines();
    let crlf = SHOP.replace('\n', "\r\n");
    let units: Vec<u16> = "\u{feff}"
        .encode_utf16()
        .chain(crlf.encode_utf16())
        .collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for (name, content) in [
        ("little", little.clone()),
        ("big", big),
        ("without a mark", little[2..].to_vec()),
        ("packed", gzip(&little)),
    ] {
        let output = run(&[Path::new("-")], Some(&content));
        assert_eq!(essence(&output), expected, "{name}");
    }
    let records = String::from_utf8(record_lines()).expect("UTF-8");
    let units = "\u{feff}".encode_utf16().chain(records.encode_utf16());
    let content: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let args = ["replay", "-", "-t", "t", "--rehearse", "--report", "json"];
    let output = Run::new(args).stdin(content).output();
    let delivered = records.lines().count();
    assert_eq!(
        report(&output)["ledger"]["delivered"],
        delivered,
        "{output:?}"
    );
    // A text that ends in the middle of a character is damaged.
    let output = run(&[Path::new("-")], Some(&little[..little.len() - 1]));
    assert_eq!(output.code, 4);
    assert!(
        output
            .stderr
            .contains("the UTF-16 text ends in the middle of a character"),
        "{output:?}"
    );
}

#[test]
fn a_byte_order_mark_of_utf_8_changes_no_form() {
    let expected = of_lines();
    let array = format!("[{}]", SHOP.trim_end().replace('\n', ",\n"));
    let indented: String = SHOP.lines().map(reformatted).collect();
    let documents: String = SHOP.lines().map(markdown).collect();
    for (name, text) in [
        ("lines", SHOP),
        ("array", &array),
        ("indented", &indented),
        ("Markdown", &documents),
    ] {
        let marked = format!("\u{feff}{text}");
        let packed = gzip(marked.as_bytes());
        for content in [marked.into_bytes(), packed] {
            let output = run(&[Path::new("-")], Some(&content));
            let mut seen = essence(&output);
            // In an array or with indents, the mark changes no line either.
            let unmarked = essence(&run(&[Path::new("-")], Some(text.as_bytes())));
            assert_eq!(seen, unmarked, "{name}");
            seen["problems"] = expected["problems"].clone();
            assert_eq!(seen, expected, "{name}");
        }
    }
}
