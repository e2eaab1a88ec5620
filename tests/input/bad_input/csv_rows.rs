//! CSVs that break off, and rows that are odd or damaged.

use std::fs;

use super::{InputFolder, VALUE, csv, rehearse};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay, report};
use serde_json::json;

#[test]
fn a_csv_that_breaks_off_is_cut_off_and_its_whole_rows_are_sent() {
    let inputs = InputFolder::new();
    let file = inputs.path("p.csv");
    for (what, rows, delivered, line, why) in [
        (
            "in a cell",
            "a,1\nb",
            1,
            3,
            "the last row lacks columns and a line end",
        ),
        ("in quotes", "a,1\n\"b,2\n", 1, 3, "a quote is not closed"),
        ("in quotes at once", "\"b", 0, 2, "a quote is not closed"),
        (
            "behind a quote",
            "a,1\n\"b\"",
            1,
            3,
            "the last row lacks columns and a line end",
        ),
        (
            "between two quotes",
            "a,1\n\"b\"\"",
            1,
            3,
            "a quote is not closed",
        ),
        (
            "in the middle",
            "a,1\n\"b,2\nc,3\nd,4\n",
            1,
            3,
            "a quote is not closed",
        ),
    ] {
        let replay = csv(&inputs, rows);
        replay.assert(what, 4, delivered, 1);
        replay.assert_named(what, &file, line, why);
        let error = format!("kreplay: {file}:{line}: the input is cut off: {why}");
        assert!(
            replay.output.stderr.starts_with(&error),
            "{what}: {} is not {error}",
            replay.output.stderr
        );
    }
}

#[test]
fn a_last_row_with_all_columns_and_closed_quotes_needs_no_line_end() {
    let inputs = InputFolder::new();
    for rows in [
        "a,1\nb,2",
        "a,1\r\nb,2\r",
        "a,1\n\"b\",",
        "a,1\n\"b\",\"2\"",
    ] {
        csv(&inputs, rows).assert(rows, 0, 2, 0);
    }
    // A row with one more column, or with an open quote, is not whole.
    csv(&inputs, "a,1\nb,2,3").assert("three columns", 4, 1, 1);
    csv(&inputs, "a,1\nb,\"2").assert("an open quote", 4, 1, 1);
}

#[test]
fn a_repeated_header_is_named_and_is_not_a_record() {
    let inputs = InputFolder::new();
    for again in [
        format!("{VALUE},RRPair UUID\n"),
        format!("\u{feff}{VALUE},RRPair UUID\r\n"),
        format!("\"{VALUE}\",\"RRPair UUID\"\n"),
    ] {
        let replay = csv(&inputs, format!("a,1\n{again}b,2\n{again}"));
        replay.assert(&again, 0, 2, 0);
        let file = inputs.path("p.csv");
        let first = json!({ "input": file, "line": 3, "why": "the row repeats the header and is not a record: several CSVs were concatenated" });
        assert_eq!(
            replay.report["problems"][1],
            json!({ "what": "header_again", "count": 2, "first": first })
        );
        assert_eq!(replay.report["source"]["rrpairs"], 2);
    }
    // Rows under a header with other columns have no meaning.
    let replay = csv(&inputs, format!("a,1\nRRPair UUID,{VALUE}\n2,b\n"));
    replay.assert("another header", 4, 1, 0);
    assert!(
        replay
            .output
            .stderr
            .contains("p.csv:3: another header begins here"),
        "{}",
        replay.output.stderr
    );
}

#[test]
fn several_csvs_are_read_each_under_its_own_header() {
    let inputs = InputFolder::new();
    let topic = VALUE.replace("partitions.0.records.records.0.valueString", "name");
    let partition = VALUE.replace("records.records.0.valueString", "partitionIndex");
    let base = VALUE.replace("records.0.valueString", "baseOffset");
    let header = format!("{VALUE},{topic},{partition},{base},RRPair UUID\n");
    let one = inputs.write("one.csv", format!("{header}a,t,0,7,u\nb,t,0,8,u\n"));
    let other = format!("{base},{topic},{partition},{VALUE},RRPair UUID\n");
    let two = inputs.write("two.csv", format!("{other}8,t,0,b,u\n9,t,0,c,u\n"));
    let none = inputs.path("none.csv");
    // The copy of offset 8 is recognised from the first file; a missing file does not affect the others.
    for (files, code) in [(&[&one, &two][..], 0), (&[&one, &none, &two], 4)] {
        let files = files.iter().map(|file| file.as_str());
        let args = ["replay"].into_iter().chain(files);
        let output = Run::new(args.chain(["--rehearse", "--report", "json"])).output();
        assert_eq!(output.code, code, "{output:#?}");
        let ledger = &report(&output)["ledger"];
        assert_eq!(
            (&ledger["delivered"], &ledger["duplicates"]),
            (&json!(3), &json!(1))
        );
    }
    let bad = inputs.write("bad.csv", format!("{header}x,t,none,1,u\n"));
    let replay = rehearse(&["replay", &one, &bad]);
    replay.assert("a bad row", 1, 2, 1);
    replay.assert_named("a bad row", &bad, 2, "is not an integer");
    // Kinds that the content decides can be read together as well.
    let output = Run::new(["extract", &one, &two]).output();
    assert_eq!(
        (output.code, output.stdout.lines().count()),
        (0, 3),
        "{output:#?}"
    );
}

#[test]
fn line_ends_inside_quotes_are_part_of_the_value() {
    let inputs = InputFolder::new();
    let file = inputs.write(
        "p.csv",
        format!("{VALUE},RRPair UUID\r\n\"a\r\nb\nc\",1\r\n"),
    );
    let output = Run::new(["extract", "-q", &file]).output();
    assert!(
        output.stdout.contains(r#""value":"a\r\nb\nc""#),
        "{output:#?}"
    );
}

#[test]
fn a_csv_that_may_lack_records_is_named_without_a_failure() {
    let guide = fixture("guide.csv").display().to_string();
    let replay = rehearse(&["replay", &guide, "-t", "t"]);
    replay.assert("guide", 0, 6, 0);
    let why = "no column shows a second element of `topics`, a second element of `partitions`, \
               a second element of `records`, keys, headers, transaction markers, \
               so any that the capture contains go unnoticed";
    let expected = serde_json::json!([{
        "what": "loss_unseen",
        "count": 1,
        "first": { "input": guide, "line": 1, "why": why },
    }]);
    assert_eq!(replay.report["problems"], expected);
    let text = kreplay(["replay", &guide, "-t", "t", "--rehearse"]);
    assert_eq!(text.code, 0, "{text:#?}");
    assert!(text.stdout.contains(why), "{}", text.stdout);
    // Each row has one text of an HTTP body.
    let inputs = InputFolder::new();
    let own = inputs.write("own.csv", "http.req.body,RRPair UUID\na,1\n");
    let own = rehearse(&["replay", &own, "-t", "t", "--value", "http.req.body"]);
    own.assert("own", 0, 1, 0);
    assert_eq!(own.report["problems"], serde_json::json!([]));
}

#[test]
fn a_csv_that_ends_inside_its_header_is_cut_off() {
    let inputs = InputFolder::new();
    for header in [
        VALUE.into(),
        format!("{VALUE},RRPair"),
        format!("{VALUE},RRPair UUID"),
    ] {
        let replay = rehearse(&["replay", &inputs.write("p.csv", &header), "-t", "t"]);
        replay.assert(&header, 4, 0, 0);
    }
}

#[test]
fn a_quote_that_is_closed_by_another_rows_quote_is_named() {
    let inputs = InputFolder::new();
    // The quote of `b` closes before `d`: every writer of CSV puts only `,` after a quote.
    let replay = csv(&inputs, "a,1\n\"b,2\nc,3\n\"d\",4\ne,5\n");
    let (code, delivered) = (replay.output.code, replay.ledger("delivered"));
    let said = &replay.report["problems"];
    assert!(
        (code == 1 || code == 4) && delivered <= 2,
        "code {code}, {delivered} sent, {said}"
    );
    replay.assert_named("reopened", &inputs.path("p.csv"), 3, "");
}

#[test]
fn a_quote_missing_from_the_guide_is_named() {
    let inputs = InputFolder::new();
    let guide = fs::read_to_string(fixture("guide.csv")).expect("the fixture is text");
    // The quote that ends the first row's value.
    let damaged = guide.replacen("}\",e0a4", "},e0a4", 1);
    assert_ne!(damaged, guide);
    let replay = rehearse(&["replay", &inputs.write("p.csv", damaged), "-t", "t"]);
    assert!([1, 4].contains(&replay.output.code), "{}", replay.report);
    assert!(
        replay.ledger("unreadable") > 0 && replay.ledger("delivered") < 6,
        "{}",
        replay.report
    );
    replay.assert_named("guide", &inputs.path("p.csv"), 2, "");
}

#[test]
fn rows_with_another_number_of_columns_are_named() {
    let inputs = InputFolder::new();
    let replay = csv(&inputs, "a,1\nb,2,3\nc\nd,4\n");
    replay.assert("columns", 1, 2, 2);
    let why = "the row has 3 columns, the header has 2";
    replay.assert_named("columns", &inputs.path("p.csv"), 3, why);
    assert_eq!(replay.report["problems"][1]["count"], 2);
}

#[test]
fn the_row_number_of_damage_is_right_whatever_precedes_it() {
    let inputs = InputFolder::new();
    for (what, rows, line) in [
        ("first", "bad\n", 2),
        ("empty lines", "a,1\n\n\nbad\nb,2\n", 5),
        ("line breaks in a cell", "\"a\nb\nc\",1\nbad\nb,2\n", 5),
    ] {
        csv(&inputs, rows).assert_named(what, &inputs.path("p.csv"), line, "columns");
    }
}

#[test]
fn the_row_number_of_damage_is_right_after_crlf() {
    let inputs = InputFolder::new();
    let replay = csv(&inputs, "a,1\r\nb,2\r\nbad\r\nc,3\r\n");
    replay.assert("crlf", 1, 3, 1);
    replay.assert_named("crlf", &inputs.path("p.csv"), 4, "columns");
}

#[test]
fn odd_csvs_that_can_be_read_are_read() {
    let inputs = InputFolder::new();
    for (what, rows, delivered) in [
        ("NUL bytes", &b"a\0b,1\n\0,2\n"[..], 2),
        ("no UTF-8", b"\xff\xfe,1\n\xc3,2\n", 2),
        ("crlf", b"a,1\r\nb,2\r\n", 2),
        ("empty lines", b"a,1\n\n\nb,2\n", 2),
        ("empty cells", b",1\n\"\",2\nb,3\n", 1),
        ("backslash and dot", b"\"\\.\",1\n", 1),
    ] {
        csv(&inputs, rows).assert(what, 0, delivered, 0);
    }
    for (what, header) in [
        ("bom", format!("\u{feff}{VALUE},RRPair UUID\n")),
        (
            "bom before a quote",
            format!("\u{feff}\"{VALUE}\",RRPair UUID\n"),
        ),
        ("crlf", format!("{VALUE},RRPair UUID\r\n")),
        ("bom and crlf", format!("\u{feff}{VALUE},RRPair UUID\r\n")),
        (
            "JSONPath",
            format!("$.{},RRPair UUID\n", VALUE.replace(".0", "[0]")),
        ),
    ] {
        let file = inputs.write("p.csv", header + "a,1\nb,2\n");
        rehearse(&["replay", &file, "-t", "t"]).assert(what, 0, 2, 0);
    }
}

#[test]
fn the_marker_of_the_end_is_distinguished_from_every_row() {
    let inputs = InputFolder::new();
    let replay = csv(&inputs, "a,1\n\0kreplay: end of input\0\nb,2\n");
    replay.assert("the mark", 1, 2, 1);
    let text = format!("{VALUE}\na\n\0kreplay: end of input\0\nb\n");
    let replay = rehearse(&["replay", &inputs.write("p.csv", text), "-t", "t"]);
    replay.assert("the mark as a value", 0, 3, 0);
}
