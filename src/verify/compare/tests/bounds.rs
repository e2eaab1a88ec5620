//! The bounds of a comparison: memory, the time for pairing, and the length of what is shown.

use super::*;

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

/// A name of 10 KB above 1,500 members: a path for each of them would take many times as much memory as the
/// values.
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
    let said = "comparing the records would take more than 1 MiB, for ";
    assert!(error.starts_with(said), "{error}");
}
