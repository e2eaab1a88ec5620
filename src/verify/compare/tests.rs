use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::config::{HeaderRule, NewMembers};
use crate::report::{Change, NoiseKind};

/// A record of topic `t`: its key and its value.
type Plain<'a> = (Option<&'a str>, &'a str);

fn subject<'a>((key, value): &Plain<'a>, number: usize) -> Subject<'a> {
    Subject {
        topic: "t",
        key: key.map(str::as_bytes),
        value: Some(value.as_bytes()),
        headers: &[],
        place: RecordPlace {
            input: 0,
            number: number as u64,
        },
    }
}

fn add(comparison: &mut RecordComparison, side: Side, subject: &Subject<'_>) {
    let added = comparison.add(side, subject);
    added.expect("so few records are remembered");
}

fn comparison(rules: Rules, expected: &[Plain<'_>], observed: &[Plain<'_>]) -> RecordComparison {
    let mut comparison = RecordComparison::new(rules);
    for (side, records) in [(Side::Expected, expected), (Side::Observed, observed)] {
        for (number, record) in records.iter().enumerate() {
            add(&mut comparison, side, &subject(record, number));
        }
    }
    comparison
}

/// The counts, and a line for each difference.
fn compare(
    rules: Rules,
    expected: &[Plain<'_>],
    observed: &[Plain<'_>],
) -> (Compared, Vec<String>) {
    let mut shown = Vec::new();
    let counts = comparison(rules, expected, observed).finish(|difference| {
        let number = |half: Option<DifferenceHalf<'_>>| {
            half.map_or_else(|| "-".into(), |half| half.place.number.to_string())
        };
        let (expected, observed) = (number(difference.expected), number(difference.observed));
        let mut line = format!("{:?} {expected} {observed}", difference.kind);
        for Change {
            path,
            expected,
            observed,
        } in &difference.changes.named
        {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            line += &format!(" {path}: {} -> {}", text(expected), text(observed));
        }
        shown.push(line);
    });
    (
        counts
            .first()
            .map_or_else(Compared::default, |(_, counts)| *counts),
        shown,
    )
}

const K: Option<&str> = Some("k");

/// What is excused in a header of that name.
fn noisy_header(kind: NoiseKind, is_consistent: bool) -> Rules {
    Rules {
        noise: vec![NoiseRule {
            topic: "bills".into(),
            path: "header trace".into(),
            kind,
            is_consistent,
            part: NoisePart::Header("trace".into()),
        }],
        headers: HeaderRule::Compared,
        ..Rules::default()
    }
}

#[test]
fn the_value_of_a_header_is_excused_as_long_as_it_is_of_its_kind() {
    let ids = [1, 2, 3].map(|n| format!("00000000-0000-4000-8000-00000000000{n}"));
    let compared = |rules: Rules, headers: &[(&str, &str, &str)]| {
        let mut comparison = RecordComparison::new(rules);
        for (number, (name, old, new)) in (0..).zip(headers) {
            for (side, value) in [(Side::Expected, old), (Side::Observed, new)] {
                let added = comparison.add(
                    side,
                    &Subject {
                        topic: "bills",
                        key: Some(b"k"),
                        value: Some(b"1"),
                        headers: &[(name.as_bytes(), Some(value.as_bytes()))],
                        place: RecordPlace { input: 0, number },
                    },
                );
                added.expect("there is room");
            }
        }
        comparison.finish(|_| ())[0].1
    };
    let [a, b, c] = [&ids[0], &ids[1], &ids[2]];
    for (rules, headers, equal) in [
        (
            noisy_header(NoiseKind::Uuid, false),
            vec![("trace", a.as_str(), b.as_str())],
            1,
        ),
        (
            noisy_header(NoiseKind::Uuid, false),
            vec![("trace", a, "none")],
            0,
        ),
        (
            noisy_header(NoiseKind::Uuid, false),
            vec![("other", a, b)],
            0,
        ),
        (
            noisy_header(NoiseKind::Uuid, true),
            vec![("trace", a, b), ("trace", a, b)],
            2,
        ),
        (
            noisy_header(NoiseKind::Uuid, true),
            vec![("trace", a, b), ("trace", a, c)],
            1,
        ),
        (
            noisy_header(NoiseKind::Number, false),
            vec![("trace", "1", "2")],
            1,
        ),
    ] {
        assert_eq!(compared(rules, &headers).equal, equal, "{headers:?}");
    }
}

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

/// Ignores one member of the root, and the elements of `list`.
struct Ignored(&'static str);

impl Ignore for Ignored {
    fn find(&self, value: &Value) -> Vec<Vec<ValueStep>> {
        let list = value
            .get("list")
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let elements =
            (0..list).map(|i| vec![ValueStep::Member("list".into()), ValueStep::Element(i)]);
        elements
            .chain([vec![ValueStep::Member(self.0.into())]])
            .collect()
    }
}

#[test]
fn only_ignored_paths_may_differ_or_be_absent() {
    let rules = || Rules {
        ignore: vec![Box::new(Ignored("at"))],
        ..Rules::default()
    };
    let expected = [
        (K, r#"{"at":1,"v":1,"list":[1,2]}"#),
        (K, r#"{"at":1,"v":2}"#),
    ];
    let (counts, _) = compare(
        rules(),
        &expected,
        &[(K, r#"{"v":1,"list":[3,4]}"#), (K, r#"{"at":7,"v":2}"#)],
    );
    assert_eq!(
        counts,
        Compared {
            equal: 2,
            ..Compared::default()
        }
    );
    let (counts, shown) = compare(
        rules(),
        &expected,
        &[(K, r#"{"v":1,"list":[3]}"#), (K, r#"{"at":7,"v":3}"#)],
    );
    assert_eq!(
        counts,
        Compared {
            changed: 2,
            ..Compared::default()
        }
    );
    assert_eq!(
        shown,
        [
            "Changed 0 0 $.list[1]: null -> -",
            "Changed 1 1 $.v: 2 -> 3"
        ]
    );
}

#[test]
fn new_members_are_allowed_on_request_and_missing_ones_never() {
    let rules = || Rules {
        members: NewMembers::Allowed,
        ..Rules::default()
    };
    let expected = [(K, r#"{"v":1,"in":{"a":1}}"#)];
    let (counts, _) = compare(
        rules(),
        &expected,
        &[(K, r#"{"v":1,"w":2,"in":{"a":1,"b":2}}"#)],
    );
    assert_eq!(
        counts,
        Compared {
            equal: 1,
            ..Compared::default()
        }
    );
    let (counts, shown) = compare(rules(), &expected, &[(K, r#"{"w":2,"in":{"a":1}}"#)]);
    assert_eq!(
        counts,
        Compared {
            changed: 1,
            ..Compared::default()
        }
    );
    assert_eq!(shown, ["Changed 0 0 $.v: 1 -> -"]);
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

#[test]
fn headers_are_compared_when_that_is_asked_for() {
    let with = |headers, number| Subject {
        headers,
        ..subject(&(K, "1"), number)
    };
    type NamedValue = (&'static [u8], Option<&'static [u8]>);
    let header = |value: &'static [u8]| -> [NamedValue; 1] { [(b"trace", Some(value))] };
    let (one, other) = (header(b"a"), header(b"b"));
    for (rule, equal) in [(HeaderRule::Ignored, 1), (HeaderRule::Compared, 0)] {
        let mut comparison = RecordComparison::new(Rules {
            headers: rule,
            ..Rules::default()
        });
        add(&mut comparison, Side::Expected, &with(&one, 0));
        add(&mut comparison, Side::Observed, &with(&other, 0));
        let mut changes = Vec::new();
        let counts =
            comparison.finish(|difference| changes.extend(difference.changes.named.clone()));
        assert_eq!((counts[0].1.equal, counts[0].1.changed), (equal, 1 - equal));
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths.contains(&"header trace"), equal == 0);
    }
}

#[test]
fn comparing_counts_or_last_values_ignores_everything_else() {
    let expected = [(K, "1"), (K, "2"), (K, "3")];
    let observed = [(K, "9"), (K, "3")];
    let rules = |depth| Rules {
        depth,
        ..Rules::default()
    };
    let (counts, _) = compare(rules(Depth::Last), &expected, &observed);
    assert_eq!(
        counts,
        Compared {
            equal: 1,
            ..Compared::default()
        }
    );
    let (counts, _) = compare(rules(Depth::Counts), &expected, &observed);
    assert_eq!(
        counts,
        Compared {
            equal: 2,
            missing: 1,
            ..Compared::default()
        }
    );
}

#[test]
fn values_of_equal_records_are_freed_and_differing_ones_still_shown() {
    let mut comparison = RecordComparison::new(Rules::default());
    comparison.most_kept = 10_000;
    let values: Vec<String> = (0..1000).map(|n| format!("{{\"n\":{n}}}")).collect();
    for (number, value) in values.iter().enumerate() {
        let changed = value.replace("500}", "-1}");
        add(
            &mut comparison,
            Side::Expected,
            &subject(&(K, value), number),
        );
        add(
            &mut comparison,
            Side::Observed,
            &subject(&(K, &changed), number),
        );
        assert!(comparison.kept <= 10_000);
    }
    let mut shown = Vec::new();
    let counts = comparison.finish(|difference| shown.extend(difference.changes.named.clone()));
    assert_eq!((counts[0].1.equal, counts[0].1.changed), (999, 1));
    let change = Change {
        path: "$.n".into(),
        expected: Some("500".into()),
        observed: Some("-1".into()),
    };
    assert_eq!(shown, [change]);
}

#[test]
fn a_difference_too_large_to_keep_is_counted_with_its_position() {
    let mut comparison = RecordComparison::new(Rules::default());
    comparison.most_kept = 100;
    for number in 0..10 {
        add(
            &mut comparison,
            Side::Expected,
            &subject(&(K, "\"a value of some length\""), number),
        );
        add(
            &mut comparison,
            Side::Observed,
            &subject(&(K, "\"another one of that length\""), number),
        );
    }
    let mut places = Vec::new();
    let counts = comparison.finish(|difference| {
        places.push(difference.expected.map(|half| half.place.number));
    });
    assert_eq!(
        counts[0].1,
        Compared {
            changed: 10,
            ..Compared::default()
        }
    );
    assert_eq!(places.len(), 10);
}

/// A name of 10 KB above 1,500 members: a path for each of them would be many times as much as the values.
#[test]
fn what_is_named_of_a_pair_is_bounded() {
    let value = |value: u32| {
        let members: Vec<String> = (0..1500).map(|n| format!("\"m{n}\":{value}")).collect();
        let name = "n".repeat(10_000);
        format!("{{\"{name}\":{{{}}}}}", members.join(","))
    };
    let (expected, observed) = (value(1), value(2));
    let mut found = Vec::new();
    let counts = comparison(Rules::default(), &[(K, &expected)], &[(K, &observed)])
        .finish(|difference| found.push(difference.changes.clone()));
    assert_eq!(counts[0].1.changed, 1);
    let [changes] = &found[..] else {
        panic!("one difference: {}", found.len())
    };
    assert_eq!((changes.named.len(), changes.more), (1000, 500));
    let longest = changes.named.iter().map(|change| change.path.len()).max();
    assert!(longest.is_some_and(|longest| longest < 1100), "{longest:?}");
    // None of them is a path that could be learned.
    let mut learner = NoiseLearner::default();
    comparison(Rules::default(), &[(K, &expected)], &[(K, &observed)])
        .finish(|difference| learner.add(difference));
    assert_eq!((learner.unlearned, learner.learned().len()), (1, 0));
}

/// The nearest of each is the one at the other end, which is found only among a few.
#[test]
fn records_are_paired_in_order_where_looking_at_each_would_take_long() {
    let value = |digit: char, n: usize| {
        let long = "x".repeat(3_000_000);
        format!("{{\"n\":{n},\"v\":\"{digit}{long}\"}}")
    };
    for (count, at_the_other_end) in [(2, true), (7, false)] {
        let mut comparison = RecordComparison::new(Rules::default());
        for n in 0..count {
            let (expected, observed) = (value('a', n), value('b', count - 1 - n));
            add(
                &mut comparison,
                Side::Expected,
                &subject(&(K, &expected), n),
            );
            add(
                &mut comparison,
                Side::Observed,
                &subject(&(K, &observed), n),
            );
        }
        let mut pairs = Vec::new();
        comparison.finish(|difference| {
            let number = |half: Option<DifferenceHalf<'_>>| half.map(|half| half.place.number);
            pairs.push((number(difference.expected), number(difference.observed)));
        });
        let partner = |n: u64| match at_the_other_end {
            true => count as u64 - 1 - n,
            false => n,
        };
        let wanted: Vec<_> = (0..count as u64)
            .map(|n| (Some(n), Some(partner(n))))
            .collect();
        assert_eq!(pairs, wanted);
    }
}

#[test]
fn more_records_than_are_remembered_are_refused() {
    let mut comparison = RecordComparison::new(Rules::default());
    comparison.most_remembered = 1 << 20;
    let keys: Vec<String> = (0..10_000).map(|n| format!("key-{n}")).collect();
    let mut records = keys.iter().enumerate();
    let refused = records.find_map(|(number, key)| {
        let added = comparison.add(Side::Expected, &subject(&(Some(key), "1"), number));
        added.err().map(|error| (number, error.to_string()))
    });
    let (number, error) = refused.expect("there are too many");
    // 48 bytes of a hash and a place, four times for the first of a key, and a table of keys.
    assert!((1500..4000).contains(&number), "{number}");
    let said = "what tells the compared records apart takes more than 1 MiB, for ";
    assert!(error.starts_with(said), "{error}");
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

    /// A shuffle of one key's records is only ever a matter of order, and the fewest moves that sort it
    /// are counted: all but the longest rising run.
    #[test]
    fn the_number_of_reordered_records_is_the_fewest_that_have_to_move(order in Just((0..9usize).collect::<Vec<_>>()).prop_shuffle()) {
        let values: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        let expected: Vec<Plain<'_>> = values.iter().map(|v| (K, v.as_str())).collect();
        let observed: Vec<Plain<'_>> = order.iter().map(|n| (K, values[*n].as_str())).collect();
        // By trying all of its parts.
        let longest = (0u32..1 << 9)
            .filter(|part| order.iter().enumerate().filter(|(i, _)| part >> i & 1 == 1).map(|(_, n)| n).is_sorted())
            .map(u32::count_ones)
            .max();
        let (counts, _) = compare(Rules::default(), &expected, &observed);
        let moved = 9 - u64::from(longest.expect("the empty part is sorted"));
        prop_assert_eq!(counts, Compared { equal: 9 - moved, reordered: moved, ..Compared::default() });
    }
}

/// The member of this name, at the top.
struct TopMember(&'static str);

impl Ignore for TopMember {
    fn find(&self, _: &Value) -> Vec<Vec<ValueStep>> {
        vec![vec![ValueStep::Member(self.0.into())]]
    }
}

fn noise(path: &'static str, kind: NoiseKind, is_consistent: bool) -> NoiseRule {
    NoiseRule {
        topic: "t".into(),
        path: format!("$.{path}"),
        kind,
        is_consistent,
        part: NoisePart::Value(Box::new(TopMember(path))),
    }
}

#[test]
fn noise_is_excused_while_it_is_of_the_learned_kind() {
    let rules = || Rules {
        noise: vec![noise("at", NoiseKind::Time, false)],
        ..Rules::default()
    };
    let expected = [(K, r#"{"at":"2026-01-01T00:00:00Z","v":1}"#)];
    for (observed, equal) in [
        (r#"{"at":"2026-11-27T15:00:00+01:00","v":1}"#, 1),
        (r#"{"at":"2026-11-27T15:00:00Z","v":2}"#, 0),
        (r#"{"at":"never","v":1}"#, 0),
        (r#"{"v":1}"#, 0),
    ] {
        let (counts, _) = compare(rules(), &expected, &[(K, observed)]);
        assert_eq!(
            (counts.equal, counts.changed),
            (equal, 1 - equal),
            "{observed}"
        );
    }
}

#[test]
fn one_id_that_becomes_two_is_a_change() {
    let [a, b, x, y] = ["a", "b", "c", "d"].map(|digit| {
        let group = digit.repeat(4);
        format!(r#"{{"id":"{group}{group}-{group}-{group}-{group}-{group}{group}{group}"}}"#)
    });
    let rules = || Rules {
        noise: vec![noise("id", NoiseKind::Uuid, true)],
        ..Rules::default()
    };
    let expected = [(K, a.as_str()), (K, &b), (K, &a)];
    let (counts, _) = compare(rules(), &expected, &[(K, &x), (K, &y), (K, &x)]);
    assert_eq!((counts.equal, counts.changed), (3, 0));
    let (counts, shown) = compare(rules(), &expected, &[(K, &x), (K, &y), (K, &y)]);
    assert_eq!((counts.equal, counts.changed), (2, 1));
    assert!(shown[0].starts_with("Changed 2 2 $.id: "), "{shown:?}");
}
