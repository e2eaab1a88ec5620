//! Each record gets the outcome that is nearest to what happened to it, and the counts balance.

use proptest::prelude::*;

use super::*;

#[test]
fn the_order_of_members_and_the_notation_of_numbers_do_not_matter() {
    let (counts, shown) = compare(
        Rules::default(),
        &[(K, r#"{"a":1,"b":[1.5,"x"]}"#), (K, "18446744073709551615")],
        &[
            (K, r#"{ "b": [15e-1, "x"], "a": 1.0 }"#),
            (K, "18446744073709551615"),
        ],
    );
    assert_eq!(
        counts,
        Compared {
            equal: 2,
            ..Compared::default()
        }
    );
    assert_eq!(shown, [""; 0]);
}

#[test]
fn each_kind_of_difference_is_counted_once_and_named() {
    let expected = [
        (K, r#"{"n":1,"s":"a"}"#),
        (K, "2"),
        (K, "3"),
        (K, "4"),
        (Some("l"), "5"),
    ];
    let observed = [
        (K, "3"),
        (K, "2"),
        (K, r#"{"n":1,"s":"b","z":0}"#),
        (K, "4"),
        (K, "4"),
        (Some("m"), "6"),
    ];
    let (counts, shown) = compare(Rules::default(), &expected, &observed);
    let expected = Compared {
        equal: 2,
        changed: 1,
        missing: 1,
        extra: 1,
        repeated: 1,
        reordered: 1,
    };
    assert_eq!(counts, expected);
    let lines = [
        r#"Changed 0 2 $.s: "a" -> "b" $.z: - -> 0"#,
        "Repeated - 4",
        "Reordered 2 0",
        "Missing 4 -",
        "Extra - 5",
    ];
    assert_eq!(shown, lines);
}

#[test]
fn records_without_a_key_have_no_order_and_pair_only_with_similar_ones() {
    let expected = [(None, r#"{"id":1,"v":1}"#), (None, "a"), (None, "b")];
    let observed = [(None, "b"), (None, "c"), (None, r#"{"id":1,"v":2}"#)];
    let (counts, shown) = compare(Rules::default(), &expected, &observed);
    let expected = Compared {
        equal: 1,
        changed: 1,
        missing: 1,
        extra: 1,
        ..Compared::default()
    };
    assert_eq!(counts, expected);
    assert_eq!(
        shown,
        ["Changed 0 2 $.v: 1 -> 2", "Missing 1 -", "Extra - 1"]
    );
}

#[test]
fn a_change_is_paired_with_the_nearest_record_of_its_key() {
    let expected = [(K, r#"{"a":1,"b":1,"c":1}"#), (K, r#"{"a":2,"b":2,"c":2}"#)];
    let observed = [(K, r#"{"a":2,"b":2,"c":9}"#), (K, r#"{"a":1,"b":9,"c":1}"#)];
    let (_, shown) = compare(Rules::default(), &expected, &observed);
    assert_eq!(
        shown,
        ["Changed 0 1 $.b: 1 -> 9", "Changed 1 0 $.c: 2 -> 9"]
    );
}

#[test]
fn a_tombstone_is_not_an_empty_value_and_not_null() {
    let value = |value| Subject {
        value,
        ..subject(&(K, ""), 0)
    };
    for (one, other) in [
        (None, Some(&b""[..])),
        (None, Some(b"null")),
        (Some(&b""[..]), Some(b"null")),
    ] {
        let mut comparison = RecordComparison::new(Rules::default());
        add(&mut comparison, Side::Expected, &value(one));
        add(&mut comparison, Side::Observed, &value(other));
        let counts = comparison.finish(|_| {});
        assert_eq!(
            counts[0].1,
            Compared {
                changed: 1,
                ..Compared::default()
            },
            "{one:?} {other:?}"
        );
    }
}

proptest! {
    /// Every record of each side has exactly one outcome, whatever the records are.
    #[test]
    fn the_counts_balance(
        expected in prop::collection::vec((0u8..3, 0u8..5), 0..40),
        observed in prop::collection::vec((0u8..3, 0u8..5), 0..40),
    ) {
        let keys = [None, Some("k"), Some("l")];
        let values = ["1", "2", "3", r#"{"a":1}"#, r#"{"a":2}"#];
        let plain = |records: &[(u8, u8)]| -> Vec<Plain<'static>> {
            records.iter().map(|(k, v)| (keys[*k as usize], values[*v as usize])).collect()
        };
        let mut differences = 0;
        let counts = comparison(Rules::default(), &plain(&expected), &plain(&observed)).finish(|_| differences += 1);
        let Compared { equal, changed, missing, extra, repeated, reordered } =
            counts.first().map_or_else(Compared::default, |(_, counts)| *counts);
        prop_assert_eq!(equal + reordered + changed + missing, expected.len() as u64);
        prop_assert_eq!(equal + reordered + changed + extra + repeated, observed.len() as u64);
        prop_assert_eq!(changed + missing + extra + repeated + reordered, differences);
    }

    /// A shuffle of one key's records is only a matter of order, and the comparison counts the fewest moves
    /// that sort it: all but the longest rising run.
    #[test]
    fn the_number_of_reordered_records_is_the_fewest_that_have_to_move(order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle()) {
        let values: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        let expected: Vec<Plain<'_>> = values.iter().map(|v| (K, v.as_str())).collect();
        let observed: Vec<Plain<'_>> = order.iter().map(|n| (K, values[*n].as_str())).collect();
        // Computed by trying all of its parts.
        let longest = (0u32..1 << 9)
            .filter(|part| order.iter().enumerate().filter(|(i, _)| part >> i & 1 == 1).map(|(_, n)| n).is_sorted())
            .map(u32::count_ones)
            .max();
        let (counts, _) = compare(Rules::default(), &expected, &observed);
        let moved = 9 - u64::from(longest.expect("the empty part is sorted"));
        prop_assert_eq!(counts, Compared { equal: 9 - moved, reordered: moved, ..Compared::default() });
    }
}
