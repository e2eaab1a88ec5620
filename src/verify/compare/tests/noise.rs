//! Noise is excused as long as it is what a run has learned.

use serde_json::Value;

use super::*;
use crate::config::HeaderRule;
use crate::report::NoiseKind;

/// Rules that excuse a header by the kind of its value.
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
