//! A quick reader of JSON for serde, apart from serde_json because a pass over RRPairs is mostly the
//! skipping of members that nobody asked for and the unescaping of JSON that stands in a string.
//!
//! It only ever reads what is right: at anything else, and at deep nesting, it gives up without a
//! word, and the text is read again by serde_json, which says what is wrong and where, or reads it
//! after all. So there is one judge of what is JSON: what this reader takes, serde_json must take for
//! the same, but for strings and numbers that are JSON (RFC 8259) and that serde_json has no type for.
//! Those do not upset this reader where only their text is wanted, or nothing of them.

mod deserializer;
pub(crate) mod document;
mod escapes;
mod given_up;
mod reader;
pub(super) mod text;

use serde::de::Deserialize;

pub(in crate::extract) use self::document::document;
pub(in crate::extract) use self::given_up::GivenUp;
pub(in crate::extract) use self::reader::{JsonReader, Scratch};
pub(in crate::extract) use self::text::{INSIDE, JsonText, text};

/// What the quick reader says that `text` is, where it does not give up and all numbers are exact.
pub(in crate::extract) fn quickly_read(text: &str) -> Option<serde_json::Value> {
    let mut scratch = Scratch::default();
    let mut reader = JsonReader::new(text, &mut scratch);
    let value = serde_json::Value::deserialize(&mut reader).ok()?;
    let is_exact = reader.is_exact;
    reader.end().ok().filter(|()| is_exact).map(|()| value)
}

/// Whether the quick reader can skip `text`.
pub(in crate::extract) fn quickly_skipped(text: &str) -> bool {
    let mut scratch = Scratch::default();
    let mut reader = JsonReader::new(text, &mut scratch);
    reader.skip().and_then(|()| reader.end()).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::{Index, select};
    use serde::de::IgnoredAny;
    use serde_json::{Value, json};

    use super::*;

    /// What JSON is made of, whole and in pieces.
    const PIECES: [&str; 46] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\"name\":",
        " ",
        "\n",
        "\t",
        "\r",
        "0",
        "7",
        "-",
        "-3",
        "-0",
        "01",
        "1.5",
        "1.",
        "1e5",
        "1E+2",
        "1e400",
        "123456789012345678",
        "1234567890123456789",
        "true",
        "false",
        "null",
        "nul",
        "\\",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b\\f",
        "\\n\\r\\t",
        "\\x",
        "\\u00e9",
        "\\u00",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\u0041",
        "\u{1}",
        "\u{7f}é\u{2028}",
        "abcdefghijklmnop",
    ];

    /// Values with strings of every length up to several words of eight bytes.
    fn values() -> impl Strategy<Value = Value> {
        let text = vec(select(PIECES.to_vec()), 0..12).prop_map(|pieces| pieces.concat());
        let leaf = prop_oneof![
            text.prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-99_i64..99).prop_map(Value::from),
            select(vec![json!(null), json!(true), json!(false)]),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Value::from),
                vec(("[a-z\"\\\\é]{0,20}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn is_judged_alike(text: &str) -> Result<(), TestCaseError> {
        if let Some(quick) = quickly_read(text) {
            let judged: Result<Value, _> = serde_json::from_str(text);
            prop_assert_eq!(Some(quick), judged.ok(), "{}", text);
        }
        let judged = serde_json::from_str::<IgnoredAny>(text).is_ok();
        prop_assert_eq!(quickly_skipped(text), judged, "{}", text);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn valid_json_is_read_as_serde_json_reads_it(value in values(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&value),
                false => serde_json::to_string(&value),
            };
            let text = text.expect("a value can be written");
            is_judged_alike(&text)?;
            // Of these only integers beyond 18 digits are not exact.
            let is_long = text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 18);
            prop_assert!(is_long || quickly_read(&text).is_some(), "{}", text);
        }

        #[test]
        fn damaged_json_is_left_to_serde_json(
            value in values(),
            damage in vec((any::<Index>(), any::<Index>(), select(PIECES.to_vec())), 1..3),
        ) {
            let mut text: Vec<char> = value.to_string().chars().collect();
            for (from, len, piece) in damage {
                let from = from.index(text.len() + 1);
                let to = from + len.index(4).min(text.len() - from);
                text.splice(from..to, piece.chars());
            }
            is_judged_alike(&text.into_iter().collect::<String>())?;
        }

        #[test]
        fn pieces_in_any_order_are_judged_as_serde_json_does(pieces in vec(select(PIECES.to_vec()), 0..9)) {
            is_judged_alike(&pieces.concat())?;
        }
    }

    #[test]
    fn an_escape_may_follow_a_string_of_any_length() {
        for length in 0..300 {
            for escape in ["\\ud83d\\ude00", "\\u20ac", "\\n"] {
                let text = format!("\"{}{escape}{escape} and more\"", "x".repeat(length));
                let judged = serde_json::from_str(&text).ok();
                assert_eq!(quickly_read(&text), judged, "{text}");
            }
        }
    }

    #[test]
    fn every_position_in_a_word_of_eight_bytes_is_examined() {
        for len in 0..24 {
            for odd in ["\"", "\\", "\n", "\u{1f}", "\u{7f}", "é", "\u{1f600}"] {
                let text = format!("{}{odd}", "x".repeat(len));
                let json = serde_json::to_string(&[&text, "behind"]).expect("it can be written");
                assert_eq!(quickly_read(&json), Some(json!([text, "behind"])));
                let raw = format!("[\"{text}\",1]");
                let right = !["\"", "\\", "\n", "\u{1f}"].contains(&odd);
                assert_eq!(quickly_read(&raw).is_some(), right, "{raw:?}");
                assert_eq!(quickly_skipped(&raw), right, "{raw:?}");
            }
        }
    }

    #[test]
    fn deep_nesting_is_skipped_at_any_depth_and_read_only_so_far() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(quickly_skipped(&nested(100_000)));
        assert!(quickly_read(&nested(100)).is_some());
        assert!(quickly_read(&nested(101)).is_none());
    }
}
