//! Speedscale's filter language, evaluated on RRPairs. It is separate from the pass over a line: a filter says
//! which members it reads ([`Filter::fields`]), the code that reads the line captures only these, and
//! [`Filter::matches`] decides. No document is built.
//!
//! ```text
//! any       = all *("OR" all)
//! all       = primary *("AND" primary)             AND binds tighter than OR
//! primary   = "(" any ")" / criterion              at most 128 parentheses inside each other
//! criterion = keyword ["[" key "]"] operator value [value]      two values for timerange
//! operator  = "IS" / "NOT" / "CONTAINS" / "NOT" "CONTAINS" / "REGEX"
//! ```
//!
//! - Keywords, operators, `AND` and `OR` are read in any case; keys (except for header names) and
//!   values are compared as they are written. Speedscale documents neither.
//! - A value is quoted (`"..."`, `'...'`) or bare: bare ones end at a blank, a parenthesis or a
//!   quote and cannot be operators. In quotes a backslash escapes a quote of the same kind or
//!   another backslash; before anything else it is an ordinary character, so `"\d+"` is a pattern.
//! - `NOT` is the opposite of `IS`, `NOT CONTAINS` of `CONTAINS`. If a field has several values
//!   (a repeated header), `IS`, `CONTAINS` and `REGEX` match if one of them does.
//! - A member that is absent or null reads as the empty text: protobuf's JSON mapping leaves empty
//!   values out. So `status IS ""` and `status NOT "200"` hold for an RRPair without a status.
//! - `REGEX` searches, unanchored, in the syntax of the regex crate (that of RE2, as Go's).
//! - `timerange` compares instants and includes both ends, so that the `ts` of a last RRPair can be
//!   pasted as the end; an absent or unreadable `ts` is in no range.
//! - `uuid` is the same in every spelling: hyphens, bare hex, base64 of its 16 bytes.
//!   `CONTAINS` and `REGEX` see the hyphenated lower-case form.
//! - `req_json[key]` and `resp_json[key]` look into a body that is JSON: at a member of this name, or
//!   else at the node of this dotted path or JSONPath of names and indexes. `reqbodyjson IS` compares
//!   whole documents whatever the order of members, `reqbodyjson CONTAINS` matches a body that has all
//!   of the document in it (anything but an object or list is searched as text).
//! - `req_xpath[path]` reads what an XPath finds in a body that is XML (`body/xpath/` says which part of XPath
//!   that is); `req_soapxpath[path]` begins at the Body of a SOAP envelope. Speedscale documents neither
//!   namespaces nor where the latter begins.
//! - `text` reads all strings, numbers and truth values of the RRPair.
//! - In quotes `\-` is `-`, as in Speedscale's own example, except for `REGEX`: there the backslash belongs to
//!   the pattern, where it means the same outside of classes.
//! - A keyword for something that no RRPair contains (`sample`, `snapshot`, `req_xml`) is an error, never
//!   silently false, and so is a keyword that kreplay does not know.

mod body;
mod criterion;
mod error;
mod eval;
mod field;
mod parse;
mod tree;

pub(crate) use self::error::{Fault, FilterError};
pub(crate) use self::field::{CaptureKind, Captured, FieldPath};

use self::eval::CriterionTest;
use self::tree::Tree;

/// The filter that every RRPair passes, also written as an empty one.
pub(super) const EVERYTHING: &str = "command CONTAINS \"\"";

/// A filter that can be evaluated on RRPairs.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    tests: Tree<CriterionTest>,
    fields: Vec<FieldPath>,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Returns [`Fault::Syntax`] if `text` is not a filter, [`Fault::Unknowable`] if it asks for something
    /// that no RRPair contains, or [`Fault::UnknownKeyword`].
    pub(crate) fn parse(text: &str) -> Result<Self, FilterError> {
        let criteria = parse::parse(text).map_err(|mistake| mistake.within(text))?;
        let (tests, fields) = eval::compile(&criteria).map_err(|mistake| mistake.within(text))?;
        Ok(Self { tests, fields })
    }

    /// The filter that every RRPair passes.
    pub(crate) fn everything() -> Self {
        Self::parse(EVERYTHING).expect("every text contains the empty text")
    }

    /// The members of an RRPair that the filter reads, each once.
    pub(crate) fn fields(&self) -> &[FieldPath] {
        &self.fields
    }

    /// Whether an RRPair with these members passes; `captured` must be made for this filter.
    pub(crate) fn matches(&self, captured: &Captured) -> bool {
        self.tests
            .holds(&|test: &CriterionTest| test.holds(captured))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use serde_json::{Value as Json, json};

    /// What the code that reads the line would capture.
    fn captured(filter: &Filter, rrpair: &Json) -> Captured {
        let mut captured = Captured::nothing_of(filter);
        for (index, field) in filter.fields().iter().enumerate() {
            let node = field
                .members()
                .try_fold(rrpair, |node, name| node.get(name));
            match (node, field.kind) {
                (None | Some(Json::Null), _) => {}
                (Some(Json::String(text)), CaptureKind::Text) => captured.add(index, text),
                (Some(node), _) => captured.add(index, &node.to_string()),
            }
        }
        captured
    }

    fn matches(text: &str, rrpair: &Json) -> bool {
        let filter = Filter::parse(text).expect(text);
        filter.matches(&captured(&filter, rrpair))
    }

    fn rrpair() -> Json {
        json!({
            "ts": "2025-10-09T14:43:01.329169335Z",
            "l7protocol": "kafka",
            "tags": {"k8sAppLabel": "orders", "source": "goproxy", "sequence": 10},
            "uuid": "HflfoFNyRl+S3IAJJR9qFw==",
            "direction": "OUT",
            "cluster": "miniken",
            "namespace": "default",
            "service": "orders-service",
            "tech": "Kafka",
            "network_address": "broker-1.kafka:9092",
            "command": "Fetch",
            "location": "orders",
            "http": {"req": {
                "url": "/health?x=\"1\"",
                "headers": {"Accept": ["text/html", "*/*"], "X-One": "1", "x-one": ["2"], "Age": [3]},
            }},
        })
    }

    #[test]
    fn each_keyword_reads_its_member() {
        for holds in [
            "cluster IS miniken",
            "command IS Fetch",
            "direction IS OUT",
            "l7protocol IS kafka",
            "location IS orders",
            "namespace IS default",
            "networkaddr IS broker-1.kafka:9092",
            "service IS orders-service",
            "source IS goproxy",
            "tag[k8sAppLabel] IS orders",
            "tag[sequence] IS 10",
            "tech IS Kafka",
            "url IS '/health?x=\"1\"'",
            "header[Accept] IS */*",
        ] {
            assert!(matches(holds, &rrpair()), "{holds}");
            let fails = holds.replacen(" IS ", " NOT ", 1);
            assert!(!matches(&fails, &rrpair()), "{fails}");
            assert!(!matches(holds, &json!({})), "{holds}");
        }
    }

    #[test]
    fn operators_compare_as_they_are_documented() {
        let table = [
            ("command IS Fetch", true),
            ("command IS fetch", false),
            ("command IS Fetc", false),
            ("command NOT Fetch", false),
            ("command NOT Produce", true),
            ("service CONTAINS ders-s", true),
            ("service CONTAINS Orders", false),
            ("service NOT CONTAINS Orders", true),
            ("service NOT CONTAINS orders", false),
            ("service REGEX ^orders", true),
            ("service REGEX der.-", true),
            ("service REGEX '^(orders|billing)$'", false),
            (r#"networkaddr REGEX ":\d{4}$""#, true),
            ("command REGEX '(?i)FETCH'", true),
        ];
        for (text, expected) in table {
            assert_eq!(matches(text, &rrpair()), expected, "{text}");
        }
    }

    #[test]
    fn and_binds_tighter_than_or() {
        let (yes, no) = ("command IS Fetch", "command IS Produce");
        let table = [
            (format!("{yes} OR {no} AND {no}"), true),
            (format!("({yes} OR {no}) AND {no}"), false),
            (format!("{no} AND {no} OR {yes}"), true),
            (format!("{no} AND ({no} OR {yes})"), false),
            (format!("{no} OR {no} OR {yes}"), true),
            (format!("{yes} AND {yes} AND {no}"), false),
        ];
        for (text, expected) in table {
            assert_eq!(matches(&text, &rrpair()), expected, "{text}");
        }
    }

    #[test]
    fn an_absent_member_reads_as_the_empty_text() {
        for (text, expected) in [
            ("status IS ''", true),
            ("status NOT ''", false),
            ("status NOT 200", true),
            ("status CONTAINS ''", true),
            ("status NOT CONTAINS 2", true),
            ("status REGEX ^$", true),
            ("status REGEX .", false),
            ("tag[none] IS ''", true),
            ("header[None] IS ''", true),
            ("header[None] NOT x", true),
            ("uuid NOT 1df95fa0-5372-465f-92dc-8009251f6a17", true),
            (
                "timerange IS 0001-01-01T00:00:00Z 9999-01-01T00:00:00Z",
                false,
            ),
            (
                "timerange NOT 0001-01-01T00:00:00Z 9999-01-01T00:00:00Z",
                true,
            ),
        ] {
            for rrpair in [json!({}), json!({"status": null, "uuid": null, "tags": {}})] {
                assert_eq!(matches(text, &rrpair), expected, "{text}");
            }
        }
    }

    #[test]
    fn a_header_is_found_in_any_case_and_any_of_its_values_counts() {
        for (text, expected) in [
            ("header[accept] IS text/html", true),
            ("header[ACCEPT] IS */*", true),
            ("header[accept] IS 'text/html, */*'", false),
            ("header[accept] NOT */*", false),
            ("header[accept] CONTAINS html", true),
            ("header[accept] NOT CONTAINS json", true),
            ("header[X-ONE] IS 1 AND header[X-ONE] IS 2", true),
            ("header[age] IS 3", true),
            ("header[Accept-Encoding] IS gzip", false),
        ] {
            assert_eq!(matches(text, &rrpair()), expected, "{text}");
        }
        for broken in [r#"{"accept"#, "[]", "7"] {
            let filter = Filter::parse("header[accept] IS ''").expect("a filter");
            let mut captured = Captured::nothing_of(&filter);
            captured.add(0, broken);
            assert!(filter.matches(&captured), "{broken}");
        }
    }

    #[test]
    fn a_uuid_is_found_in_any_spelling() {
        for (text, expected) in [
            ("uuid IS 1df95fa0-5372-465f-92dc-8009251f6a17", true),
            ("uuid IS 1DF95FA05372465F92DC8009251F6A17", true),
            ("uuid IS HflfoFNyRl+S3IAJJR9qFw==", true),
            ("uuid NOT HflfoFNyRl+S3IAJJR9qFw==", false),
            ("uuid IS 1df95fa0-5372-465f-92dc-8009251f6a18", false),
            ("uuid CONTAINS 465F-92dc", true),
            ("uuid NOT CONTAINS 465F-92dc", false),
            ("uuid REGEX ^1df95fa0-", true),
        ] {
            assert_eq!(matches(text, &rrpair()), expected, "{text}");
            let hyphenated = json!({"uuid": "1df95fa0-5372-465f-92dc-8009251f6a17|0"});
            assert_eq!(matches(text, &hyphenated), expected, "{text}");
        }
    }

    #[test]
    fn a_time_range_includes_both_ends_to_the_nanosecond() {
        let ts = "2025-10-09T14:43:01.329169335Z";
        for (range, expected) in [
            (format!("{ts} {ts}"), true),
            (format!("2025-10-09T14:43:01.329169334Z {ts}"), true),
            (
                format!("2025-10-09T14:43:01.329169336Z {}", "2026-01-01T00:00:00Z"),
                false,
            ),
            (
                "2025-10-09T00:00:00Z 2025-10-09T14:43:01.329169334Z".into(),
                false,
            ),
            (
                "2025-10-09T16:43:00+02:00 2025-10-09T16:43:02+02:00".into(),
                true,
            ),
            (
                "\"2025-10-09T14:43:01Z\"  '2025-10-09T14:43:02Z'".into(),
                true,
            ),
        ] {
            assert_eq!(
                matches(&format!("timerange IS {range}"), &rrpair()),
                expected,
                "{range}"
            );
            assert_eq!(
                matches(&format!("timerange NOT {range}"), &rrpair()),
                !expected,
                "{range}"
            );
        }
        let unreadable = json!({"ts": "yesterday"});
        let always = "timerange IS 0001-01-01T00:00:00Z 9999-01-01T00:00:00Z";
        assert!(!matches(always, &unreadable));
    }

    #[test]
    fn each_member_is_captured_once() {
        let text = "command IS a OR tag[source] IS b AND (source IS c OR command NOT d) \
                    OR tag[k8sAppLabel] IS e OR header[A] IS f OR header[B] IS g OR url IS h \
                    OR timerange IS 2025-01-01T00:00:00Z 2025-01-02T00:00:00Z OR uuid CONTAINS i";
        let filter = Filter::parse(text).expect("a filter");
        let fields = filter
            .fields()
            .iter()
            .map(|field| (field.members().collect::<Vec<_>>().join(" "), field.kind));
        assert_eq!(
            fields.collect::<Vec<_>>(),
            [
                ("command".into(), CaptureKind::Text),
                ("tags source".into(), CaptureKind::Text),
                ("tags k8sAppLabel".into(), CaptureKind::Text),
                ("http req headers".into(), CaptureKind::Json),
                ("http req url".into(), CaptureKind::Text),
                ("ts".into(), CaptureKind::Text),
                ("uuid".into(), CaptureKind::Text),
            ]
        );
    }

    #[test]
    fn forgetting_what_was_captured_leaves_nothing_for_the_next_rrpair() {
        let filter = Filter::parse("command IS Fetch").expect("a filter");
        let mut captured = captured(&filter, &rrpair());
        assert!(filter.matches(&captured));
        captured.clear();
        assert!(!filter.matches(&captured));
    }

    #[test]
    fn a_keyword_that_no_rrpair_answers_is_an_error_after_syntax_errors() {
        let table = [
            (
                "sample IS 1/5",
                "`sample` selects by a hash that is internal to Speedscale",
            ),
            (
                "sample[rrpair] IS 1/5",
                "`sample` selects by a hash that is internal to Speedscale",
            ),
            ("snapshot IS x", "`snapshot` is not recorded in an RRPair"),
            (
                "req_xml[a] IS x",
                "`req_xml` looks up its key in a body in an undocumented way",
            ),
        ];
        for (text, what) in table {
            let text = format!("url IS x AND ({text})");
            let error = Filter::parse(&text).expect_err(&text);
            assert_eq!(error.fault(), Fault::Unknowable);
            assert_eq!(error.to_string(), format!("column 15: {what}"));
        }
        for (wrong, column) in [
            ("sample IS x AND url REGEX '('", 27),
            ("sample IS x AND url IS", 23),
        ] {
            let error = Filter::parse(wrong).expect_err(wrong);
            assert_eq!(
                (error.fault(), error.column()),
                (Fault::Syntax, column),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_keyword_that_kreplay_does_not_know_is_named_with_the_nearest_one() {
        let all = "the keywords are cluster, command, direction, header, l7protocol, location, method, \
                   namespace, networkaddr, req_json, req_soapxpath, req_xml, req_xpath, reqbodyjson, \
                   resp_json, sample, service, session, snapshot, source, status, tag, tech, text, \
                   timerange, url, uuid";
        for (word, nearest) in [
            ("comand", Some("command")),
            ("Sesion", Some("session")),
            ("req_jsn[a]", Some("req_json")),
            ("colour", None),
            ("topic", None),
        ] {
            let text = format!("sample IS 1/5 OR {word} IS x");
            let error = Filter::parse(&text.replace("sample", "url")).expect_err(word);
            assert_eq!(error.fault(), Fault::UnknownKeyword, "{word}");
            let name = word.trim_end_matches("[a]");
            assert_eq!(
                error.to_string(),
                format!("column 15: `{name}` is not a keyword")
            );
            let hint = match nearest {
                Some(nearest) => format!("did you mean `{nearest}`? {all}"),
                None => all.to_string(),
            };
            assert_eq!(error.hint(), Some(&*hint));
            let error = Filter::parse(&format!("{text} AND url REGEX '('")).expect_err(word);
            assert_eq!(error.fault(), Fault::Syntax, "what is wrong goes before it");
        }
    }

    /// An RRPair of HTTP with these members of its request and response.
    fn http(request: &Json, response: &Json) -> Json {
        json!({"session": "JWT:abc123", "command": "POST", "http": {"req": request, "res": response}})
    }

    #[test]
    fn the_session_and_the_method_are_members() {
        let pair = http(&json!({"method": "POST"}), &json!({}));
        assert!(matches(
            "session IS \"JWT:abc123\" AND method IS POST",
            &pair
        ));
        assert!(!matches("session IS JWT:abc", &pair));
        assert!(!matches("method NOT POST", &pair));
        assert!(matches(
            "session IS '' AND method IS ''",
            &json!({"command": "GET"})
        ));
    }

    #[test]
    fn a_text_criterion_searches_all_members() {
        let pair = http(
            &json!({"body": "{\"a\":\"needle\"}", "n": [17]}),
            &json!({"ok": true}),
        );
        for (text, expected) in [
            ("text CONTAINS needle", true),
            ("text CONTAINS JWT", true),
            ("text CONTAINS session", false),
            ("text NOT CONTAINS needle", false),
            ("text IS 17", true),
            ("text IS true", true),
            ("text REGEX '^POS.$'", true),
            ("text IS ''", false),
        ] {
            assert_eq!(matches(text, &pair), expected, "{text}");
        }
    }

    #[test]
    fn a_key_selects_inside_a_json_body() {
        // `printf '{"user":{"id":7},"tags":["a","b"],"a.b":"dotted","none":null}' | base64`
        let encoded =
            "eyJ1c2VyIjp7ImlkIjo3fSwidGFncyI6WyJhIiwiYiJdLCJhLmIiOiJkb3R0ZWQiLCJub25lIjpudWxsfQ==";
        let body = r#"{"user":{"id":7},"tags":["a","b"],"a.b":"dotted","none":null}"#;
        let decoded: Json = serde_json::from_str(body).expect("it is JSON");
        let bodies = [
            json!({"body": body}),
            json!({"body": decoded}),
            json!({"bodyBase64": encoded}),
            json!({"body": "", "bodyBase64": encoded}),
        ];
        for (key, value) in [
            ("user.id", "7"),
            ("$.user.id", "7"),
            ("user", r#"{"id":7}"#),
            ("tags.1", "b"),
            ("$.tags[*]", "a"),
            ("a.b", "dotted"),
            ("none", ""),
            ("absent", ""),
        ] {
            for half in &bodies {
                let (request, response) = (http(half, &json!({})), http(&json!({}), half));
                let key = format!("'{key}'");
                for (text, pair) in [
                    (format!("req_json[{key}] IS '{value}'"), &request),
                    (format!("resp_json[{key}] IS '{value}'"), &response),
                ] {
                    assert!(matches(&text, pair), "{text} of {pair}");
                    assert!(!matches(&text.replace(" IS ", " NOT "), pair), "{text}");
                }
                if !value.is_empty() {
                    let other = format!("resp_json[{key}] IS '{value}'");
                    assert!(!matches(&other, &request), "{other}");
                }
            }
        }
        assert!(matches(
            "req_json[a] IS ''",
            &http(&json!({"body": "no json"}), &json!({}))
        ));
    }

    #[test]
    fn a_body_is_compared_as_a_document() {
        let body = r#"{ "user_number": "0", "more": [1, {"x": true}] }"#;
        let pair = http(&json!({"body": body}), &json!({}));
        for (text, expected) in [
            (
                r#"reqbodyjson IS '{"more":[1,{"x":true}],"user_number":"0"}'"#,
                true,
            ),
            (
                r#"reqbodyjson NOT '{"more":[1,{"x":true}],"user_number":"0"}'"#,
                false,
            ),
            (r#"reqbodyjson IS '{"user_number":"0"}'"#, false),
            (r#"reqbodyjson CONTAINS '{"user_number":"0"}'"#, true),
            (r#"reqbodyjson CONTAINS '{"user_number":0}'"#, false),
            (r#"reqbodyjson CONTAINS '{"more":[1]}'"#, true),
            (r#"reqbodyjson NOT CONTAINS '{"more":[2]}'"#, true),
            (r#"reqbodyjson CONTAINS user_number"#, true),
            (r#"reqbodyjson REGEX '"x": *true'"#, true),
        ] {
            assert_eq!(matches(text, &pair), expected, "{text}");
        }
        let error = Filter::parse("reqbodyjson IS foo").expect_err("it is no JSON");
        assert_eq!(
            error.to_string(),
            "column 16: expected JSON such as `'{\"id\":7}'`"
        );
    }

    #[test]
    fn an_xpath_selects_inside_an_xml_body() {
        let xml = r#"<order id="7"><item>pen</item><item>ink</item></order>"#;
        let soap = format!("<s:Envelope xmlns:s=\"urn:s\"><s:Body>{xml}</s:Body></s:Envelope>");
        let (plain, soap) = (json!({"body": xml}), json!({ "body": soap }));
        let (plain, soap) = (http(&plain, &json!({})), http(&soap, &json!({})));
        for (text, in_plain, in_soap) in [
            ("req_xpath[/order/item] IS ink", true, false),
            ("req_xpath[//order[@id='7']/item[1]] IS pen", true, true),
            ("req_xpath[//item] NOT CONTAINS cap", true, true),
            ("req_xpath[order/@id] REGEX ^7$", true, false),
            ("req_soapxpath[/order/item] IS ink", false, true),
            ("req_soapxpath[order] CONTAINS penink", false, true),
        ] {
            assert_eq!(matches(text, &plain), in_plain, "{text}");
            assert_eq!(matches(text, &soap), in_soap, "{text}");
        }
        for (text, message) in [
            (
                "req_xpath[//a[b>1]] IS x",
                "column 16: kreplay does not evaluate `>` in a predicate",
            ),
            (
                "req_xpath[ancestor::a] IS x",
                "column 11: kreplay evaluates only the axes `/`, `//`, `@`, `.` and `..`",
            ),
            (
                "req_json[a[] IS x",
                "column 10: expected a name or an index; JSONPath begins with `$`",
            ),
            (
                "req_json[$..a] IS x",
                "column 10: a key can have only names, indexes and `*`, no other part of JSONPath",
            ),
        ] {
            let error = Filter::parse(text).expect_err(text);
            assert_eq!(
                (error.fault(), error.to_string()),
                (Fault::Syntax, message.into())
            );
        }
    }

    #[test]
    fn an_invalid_value_is_shown_with_its_position() {
        let time = "expected a time such as `2024-01-15T10:30:45.123Z` (RFC 3339)";
        let (start, end) = ("2024-01-15T00:00:00Z", "2024-01-16T00:00:00Z");
        let table = [
            (
                "url REGEX '('".to_string(),
                11,
                "the regular expression does not parse: unclosed group",
            ),
            (
                "uuid IS 1df95fa0".into(),
                9,
                "expected a UUID: hyphenated, or base64 of its 16 bytes",
            ),
            (format!("timerange IS 2024-01-15 {end}"), 14, time),
            (format!("timerange IS {start} tomorrow"), 35, time),
            (
                format!("timerange IS {end} {start}"),
                35,
                "the range ends before it starts",
            ),
            (
                format!("timerange CONTAINS {start} {end}"),
                11,
                "expected `IS` or `NOT` after `timerange`, found `CONTAINS`",
            ),
        ];
        for (text, column, what) in table {
            let error = Filter::parse(&text).expect_err(&text);
            assert_eq!(error.to_string(), format!("column {column}: {what}"));
            assert_eq!(error.fault(), Fault::Syntax);
        }
        let error = Filter::parse("url REGEX '(a{1000}){1000}'").expect_err("too large");
        let what = "column 11: the regular expression is too large";
        assert_eq!(error.to_string(), what);
    }

    #[test]
    fn an_error_in_a_filter_flag_shows_the_filter_below_the_message() {
        let message = |text| Error::from(Filter::parse(text).expect_err(text));
        let error = message(r#"(command IS "Fetch" tech IS kafka)"#);
        assert_eq!(
            error.to_string(),
            r#"the filter does not parse: expected `AND`, `OR` or `)`, found `tech`
    (command IS "Fetch" tech IS kafka)
                        ^"#
        );
        assert_eq!(error.exit().code(), 2);
        let error = message(r#"command IS Fetch AND sample IS "1/5""#);
        assert_eq!(
            error.to_string(),
            r#"the filter cannot be evaluated on RRPairs: `sample` selects by a hash that is internal to Speedscale
    command IS Fetch AND sample IS "1/5"
                         ^"#
        );
        let hint = "leave it out here, and apply it in Speedscale when the snapshot is made";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }
}
