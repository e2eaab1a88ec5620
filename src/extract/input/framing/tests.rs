use proptest::prelude::*;
use serde_json::Value;

use super::window::LONGEST_LINE;
use super::*;

/// Yields its bytes in pieces of the given sizes, over and over.
struct BytesInPieces<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    turn: usize,
}

impl Read for BytesInPieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        let n = self.bytes.len().min(size).min(buffer.len());
        buffer[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

/// All texts with their lines, and what is missing behind them.
fn all_in(bytes: &[u8], sizes: &[usize]) -> (Vec<(u64, String)>, Option<Unfinished>) {
    let mut texts = Framer::new(BytesInPieces {
        bytes,
        sizes: sizes.to_vec(),
        turn: 0,
    });
    let owned = |(line, text): (u64, RrPairText<'_>)| match text {
        RrPairText::Whole(bytes) => (line, String::from_utf8_lossy(bytes).into_owned()),
        RrPairText::TooLong => (line, "TOO LONG".into()),
        RrPairText::Broken(why) => (line, format!("BROKEN: {why}")),
    };
    let mut seen = Vec::new();
    loop {
        while let Some(text) = texts.next_buffered() {
            seen.push(owned(text));
        }
        if !texts.refill().expect("a slice can be read") {
            break;
        }
    }
    seen.extend(texts.remainder().map(owned));
    (seen, texts.unfinished())
}

/// Checks that the result is the same however the bytes arrive.
#[track_caller]
fn check(text: &str, expected: &[(u64, &str)], unfinished: Option<(u64, &str)>) {
    for sizes in [&[1][..], &[2], &[3, 1, 7], &[1 << 20]] {
        let (seen, end) = all_in(text.as_bytes(), sizes);
        let seen: Vec<_> = seen.iter().map(|(line, t)| (*line, t.as_str())).collect();
        assert_eq!(seen, expected, "in pieces of {sizes:?}");
        let end = end.as_ref().map(|end| (end.line, end.why.as_str()));
        assert_eq!(end, unfinished, "in pieces of {sizes:?}");
    }
}

#[test]
fn the_elements_of_an_array_are_framed_one_by_one() {
    check(
        "\n[\n  {\"a\":\n 1},\n  {\"b\": \"]}\"}, 7 ,{}]\n",
        &[
            (3, "{\"a\":\n 1}"),
            (5, "{\"b\": \"]}\"}"),
            (5, "7"),
            (5, "{}"),
        ],
        None,
    );
    check("[]", &[], None);
    check("[{}][{}]{}", &[(1, "{}"), (1, "{}"), (1, "{}")], None);
}

#[test]
fn values_may_follow_one_another() {
    check(
        "{\n\"a\": 1\n}\n{\n\"a\": 2\n}{}",
        &[(1, "{\n\"a\": 1\n}"), (4, "{\n\"a\": 2\n}"), (6, "{}")],
        None,
    );
}

#[test]
fn a_truncated_array_is_reported() {
    let first = (1, "{\"a\":1}");
    let open = Some((1, "the array is not closed"));
    let off = Some((1, "the JSON is cut off"));
    check("[", &[], open);
    check("[{\"a\":1}", &[first], open);
    check("[{\"a\":1},", &[first], open);
    check("[{\"a\":1},{\"b\"", &[first, (1, "{\"b\"")], off);
}

#[test]
fn damage_ends_the_reading_of_values_that_are_not_one_per_line() {
    let lost = |line| Some((line, "kreplay cannot separate what follows the damage"));
    check(
        "[\n  {\"a\": 1},\n  {\"b\": 2 3},\n  {\"c\": 3}\n]\n",
        &[(2, "{\"a\": 1}"), (3, "BROKEN: expected `,` or `}`")],
        lost(3),
    );
    check(
        "[\n  {\"a\": 1},\n  {\"b\": 2,\n  {\"c\": 3}\n]\n",
        &[
            (2, "{\"a\": 1}"),
            (3, "BROKEN: expected a member's name at line 4"),
        ],
        lost(3),
    );
    check(
        "{\n \"a\": 1\n}\n{\n \"b\": \"cut\n}\n{\n \"c\": 3\n}\n",
        &[
            (1, "{\n \"a\": 1\n}"),
            (4, "BROKEN: a line ends inside a string at line 5"),
        ],
        lost(4),
    );
    check(
        "[{\"a\":1},{\"b\":2 3},{\"c\":3}]",
        &[(1, "{\"a\":1}"), (1, "BROKEN: expected `,` or `}`")],
        lost(1),
    );
    // Nothing shows whether the damage contained the end of the array.
    check(
        "[{\"a\":1 2}]",
        &[(1, "BROKEN: expected `,` or `}`")],
        lost(1),
    );
}

#[test]
fn markdown_documents_carry_their_line_numbers() {
    let document = "### REQUEST ###\n```\njson: {\"no\":1}\n```\n\n### RESPONSE ###\n### METADATA ###\n\
                    ### INTERNAL - DO NOT MODIFY ###\n```\njson: {\"l7protocol\":\"kafka\"}\n```\n";
    let base = "{\"l7protocol\":\"kafka\"}";
    check(document, &[(10, base)], None);
    check(&document.replace('\n', "\r\n"), &[(10, base)], None);
    let cut = &document[..document.len() - 6];
    check(cut, &[(10, base.trim_end_matches('}'))], None);
    check(&document.repeat(2), &[(10, base), (21, base)], None);
    let why = "no line `json: ` under `### INTERNAL`";
    check("### REQUEST ###\n```\n", &[], Some((2, why)));
    // A document that is cut off does not swallow the next one.
    for cut in [20, 60, 100] {
        let lines = 1 + document[..cut].matches('\n').count() as u64;
        let text = format!("{}\n{document}", &document[..cut]);
        let broken = format!("BROKEN: {why}");
        check(&text, &[(1, &broken), (lines + 10, base)], None);
    }
}

#[test]
fn markdown_sections_may_come_in_any_order_and_without_fences() {
    let json = "### INTERNAL - DO NOT MODIFY ###\njson: {\"a\":1}\n\n";
    let metadata = "### METADATA ###\ndirection: OUT\n\n";
    let both = "{\"a\":1,\"direction\":\"OUT\"}";
    check(&[metadata, json].concat(), &[(5, both)], None);
    check(&[json, metadata].concat(), &[(2, both)], None);
    let two = [metadata, json].concat().repeat(2);
    check(&two, &[(5, both), (11, both)], None);
    let two = [json, metadata].concat().repeat(2);
    check(&two, &[(2, both), (8, both)], None);
}

#[test]
fn a_heading_inside_a_body_begins_no_section() {
    let document = "### REQUEST ###\n```\nPOST http://a/ HTTP/1.1\n```\n\n\
                    ```\n### METADATA ###\ndirection: IN\n```\n\n\
                    ### INTERNAL - DO NOT MODIFY ###\n```\njson: {\"http\":{}}\n```\n";
    let (seen, end) = all_in(document.as_bytes(), &[7]);
    assert_eq!(end, None);
    let [(13, rrpair)] = &seen[..] else {
        panic!("expected one RRPair on line 13: {seen:?}");
    };
    let rrpair: Value = serde_json::from_str(rrpair).expect("it is JSON");
    assert_eq!(
        rrpair["http"]["req"]["body"],
        "### METADATA ###\ndirection: IN"
    );
    assert_eq!(rrpair.get("direction"), None);
    // Nor does a fence of the body's own hide the next section.
    let odd = document.replace("direction: IN", "```");
    let (seen, _) = all_in(odd.as_bytes(), &[7]);
    let rrpair: Value = serde_json::from_str(&seen[0].1).expect("it is JSON");
    assert_eq!(rrpair["http"]["req"]["body"], "### METADATA ###\n```");
}

#[test]
fn a_markdown_document_beyond_the_bound_is_skipped_and_the_next_one_is_whole() {
    let rest = "### RESPONSE ###\n### METADATA ###\n### INTERNAL ###\njson: {}\n";
    let document = |body: &str| format!("### REQUEST ###\n{body}\n{rest}");
    let line = "x".repeat(1 << 20) + "\n";
    let text = document(&line.repeat(65)) + &document("");
    let (seen, end) = all_in(text.as_bytes(), &[1 << 20]);
    assert!(
        seen == [(1, "TOO LONG".into()), (77, "{}".into())] && end.is_none(),
        "{end:?}"
    );
}

#[test]
fn an_element_beyond_the_bound_is_skipped_and_the_next_one_is_whole() {
    let mut text = b"[{\"a\":\"".to_vec();
    text.resize(LONGEST_LINE + (1 << 20), b'x');
    text.extend_from_slice(b"\"},\n{}]");
    let (seen, end) = all_in(&text, &[1 << 20]);
    // Compared without showing 64 MiB when it fails.
    assert!(seen == [(1, "TOO LONG".into()), (2, "{}".into())] && end.is_none());
}

#[test]
fn a_markdown_document_cut_at_any_byte_is_reported_and_loses_no_other() {
    let document = "### RESPONSE (MOCK) ###\nA: b\n\nbody\n\n### REQUEST ###\nGET http://a/ HTTP/1.1\n\n\
                    ### METADATA ###\ndirection: OUT\n\n### INTERNAL ###\njson: {\"http\":{}}\n";
    let (whole, end) = all_in(document.as_bytes(), &[1 << 20]);
    assert!(whole.len() == 1 && end.is_none(), "{whole:?} {end:?}");
    for cut in 1..document.len() - 1 {
        let text = [document, &document[..cut]].concat();
        let (seen, end) = all_in(text.as_bytes(), &[9]);
        assert_eq!(seen[0], whole[0], "cut at {cut}");
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        let is_reported = end.is_some() || seen.get(1).is_some_and(|(_, text)| !is_json(text));
        // A heading without its end is no heading yet.
        let is_heading = cut >= "### RESPONSE (MOCK) ###".len();
        assert_eq!(is_reported, is_heading, "cut at {cut}: {seen:?} {end:?}");
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a\"\\\\{}\\[\\],:\n\u{e9}\u{2028} ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[a\"{]{0,3}", inner, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// A value as text, in one of the ways in which programs write it.
fn written(value: &Value, pretty: bool) -> String {
    match pretty {
        true => serde_json::to_string_pretty(value),
        false => serde_json::to_string(value),
    }
    .expect("a value can be written")
}

fn values_of(texts: &[(u64, String)]) -> Vec<Value> {
    texts
        .iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(_, text)| serde_json::from_str(text).expect(text))
        .collect()
}

proptest! {
    #[test]
    fn objects_are_separated_as_serde_json_separates_them(
        values in proptest::collection::vec((object(json()), any::<bool>(), "[ \n\t]{0,3}"), 1..6),
        sizes in proptest::collection::vec(1_usize..40, 1..5),
    ) {
        // The first value decides the form; on a line of its own it would mean JSON lines.
        let mut text = String::from("{}{}");
        for (value, pretty, blank) in &values {
            text.push_str(&written(value, *pretty));
            text.push_str(blank);
        }
        let expected: Result<Vec<Value>, _> =
            serde_json::Deserializer::from_str(&text).into_iter().collect();
        let (seen, end) = all_in(text.as_bytes(), &sizes);
        prop_assert_eq!(end, None);
        prop_assert_eq!(values_of(&seen), expected.expect("it is JSON"));
        let lines: Vec<u64> = seen.iter().map(|(line, _)| *line).collect();
        prop_assert!(lines.is_sorted());
    }

    #[test]
    fn an_array_has_the_elements_that_serde_json_finds(
        values in proptest::collection::vec((json(), any::<bool>(), "[ \n\t]{0,3}"), 0..6),
        sizes in proptest::collection::vec(1_usize..40, 1..5),
    ) {
        let elements: Vec<String> = values
            .iter()
            .map(|(value, pretty, blank)| format!("{blank}{}{blank}", written(value, *pretty)))
            .collect();
        let text = format!("[{}]\n", elements.join(","));
        let expected: Vec<Value> = serde_json::from_str(&text).expect("it is JSON");
        let (seen, end) = all_in(text.as_bytes(), &sizes);
        prop_assert_eq!(end, None);
        prop_assert_eq!(values_of(&seen), expected);
    }

    #[test]
    fn lines_are_judged_as_serde_json_judges_them(
        values in proptest::collection::vec(object(json()), 1..6),
        sizes in proptest::collection::vec(1_usize..40, 1..5),
    ) {
        let text: String = values.iter().map(|value| written(value, false) + "\n").collect();
        let (seen, end) = all_in(text.as_bytes(), &sizes);
        prop_assert_eq!(end, None);
        prop_assert_eq!(values_of(&seen), values);
    }

    #[test]
    fn a_cut_at_any_byte_is_reported_and_loses_nothing_before_it(
        values in proptest::collection::vec(object(json()), 1..4),
        pretty in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let array = written(&Value::from(values.clone()), pretty);
        let text = &array.as_bytes()[..1 + cut.index(array.len() - 1)];
        let (seen, end) = all_in(text, &[16]);
        prop_assert!(end.is_some());
        let whole = seen.iter().take_while(|(_, t)| serde_json::from_str::<Value>(t).is_ok());
        let whole: Vec<Value> = values_of(&whole.cloned().collect::<Vec<_>>());
        prop_assert!(whole.len() + 1 >= seen.len());
        prop_assert_eq!(&whole[..], &values[..whole.len()]);
    }
}
