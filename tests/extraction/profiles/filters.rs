//! Filters: what passes, and which are refused.

use super::{assert_refused, rehearse};
use crate::harness::report::ledger::ledger;

// Filters.

/// Filters with what they leave of the 70 records of `demo.jsonl` and `shop.jsonl`.
const FILTERS: [(&str, u64); 18] = [
    (r#"(command IS  "Fetch")"#, 70),
    ("command is Fetch and service Is fulfilment", 70),
    ("command IS Produce", 0),
    ("command CONTAINS etc", 70),
    ("command NOT CONTAINS e", 0),
    ("status NOT OK", 0),
    (
        "direction IS OUT AND tech IS Kafka AND l7protocol IS kafka",
        70,
    ),
    (
        "namespace IS shop AND cluster IS demo AND networkaddr CONTAINS 9092",
        70,
    ),
    ("source IS nettap", 70),
    (
        "(command IS Fetch OR command IS Produce) AND location REGEX '^kafka-[0-9]'",
        70,
    ),
    (
        "command IS Produce OR command IS Fetch AND tag[sequence] IS 7",
        3,
    ),
    (
        "(command IS Produce OR command IS Fetch) AND tag[sequence] IS 7",
        3,
    ),
    (r#"tag[sequence] REGEX "^1.$""#, 28),
    (
        r#"timerange IS "2026-01-05T09:00:00Z" "2026-01-05T09:00:01Z""#,
        3,
    ),
    (
        r#"timerange NOT "2026-01-05T09:00:00Z" "2026-01-05T09:00:01Z""#,
        67,
    ),
    ("uuid IS 'Mx5o6HpSTPGypgcD38rw2w=='", 3),
    ("uuid IS 331e68e8-7a52-4cf1-b2a6-0703dfcaf0db", 3),
    ("header[x-y] IS z OR url IS '/health'", 0),
];

#[test]
fn a_filter_keeps_what_matches_and_counts_the_rest() {
    for (filter, delivered) in FILTERS {
        let args = [
            "replay",
            "demo.jsonl",
            "shop.jsonl",
            "--keep-duplicates",
            "--filter",
            filter,
        ];
        let filtered = match 70 - delivered {
            0 => String::new(),
            n => format!("{n} filtered + "),
        };
        let found = match delivered {
            0 => String::new(),
            n => format!(" + {n} delivered"),
        };
        // A filter that passes no RRPair at all is probably a mistake: none has a header or a URL.
        let code = i32::from(filter.starts_with("header[x-y]"));
        assert_eq!(
            ledger(&rehearse(&args, code)),
            format!("72 = {filtered}2 control{found}"),
            "{filter}"
        );
    }
}

#[test]
fn an_invalid_filter_flag_is_shown_with_the_position_of_the_error() {
    for (filter, what, column) in [
        (
            "command IS \"Fetch\" AN status IS OK",
            "expected `AND`, `OR` or the end, found `AN`",
            19,
        ),
        ("colour IS x", "`colour` is not a keyword", 0),
        (
            "status IS OK AND duration IS 5",
            "`duration` is not a keyword",
            17,
        ),
    ] {
        let first = format!("kreplay: the filter does not parse: {what}");
        let (shown, place) = (format!("    {filter}"), format!("    {:column$}^", ""));
        assert_refused(
            &["shop.jsonl", "--filter", filter],
            &[&first, &shown, &place],
        );
    }
}

#[test]
fn a_keyword_that_no_rrpair_answers_is_named() {
    for (filter, what, column) in [
        (
            "sample IS '1/5'",
            "`sample` selects by a hash that is internal to Speedscale",
            0,
        ),
        (
            "command IS Fetch AND sample[rrpair] IS '1/5'",
            "`sample` selects by a hash that is internal to Speedscale",
            21,
        ),
        (
            "(snapshot IS a)",
            "`snapshot` is not recorded in an RRPair",
            1,
        ),
    ] {
        let first = format!("kreplay: the filter cannot be evaluated on RRPairs: {what}");
        let (shown, place) = (format!("    {filter}"), format!("    {:column$}^", ""));
        assert_refused(
            &["shop.jsonl", "--filter", filter],
            &[
                &first,
                &shown,
                &place,
                "hint: leave it out here, and apply it in Speedscale when the snapshot is made",
            ],
        );
    }
}
