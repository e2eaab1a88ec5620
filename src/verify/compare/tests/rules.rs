//! What the rules leave out of the comparison, and what they never do.

use serde_json::Value;

use super::*;
use crate::config::{HeaderRule, NewMembers};

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
