//! All tests of the selection together, on made-up captures.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// A record of a made-up capture.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MadeUpRecord {
    topic: String,
    partition: i32,
    key: Option<Vec<u8>>,
    time_ns: Option<i64>,
}

fn capture() -> impl Strategy<Value = Vec<MadeUpRecord>> {
    let record = (
        "[ab]{1,2}",
        0..5_i32,
        option::of(vec(any::<u8>(), 0..3)),
        option::of(0..50_i64),
    );
    let record = record.prop_map(|(topic, partition, key, time_ns)| MadeUpRecord {
        topic,
        partition,
        key,
        time_ns,
    });
    vec(record, 0..60)
}

/// The decision about each record.
fn choices(capture: &[MadeUpRecord], selection: &Selection) -> Vec<Choice> {
    let mut selector = Selector::new(selection.clone());
    let choose = |record: &MadeUpRecord| {
        selector.choose(&CandidateRecord {
            topic: Some(&record.topic),
            partition: Some(record.partition),
            key: record.key.as_deref(),
            time_ns: record.time_ns,
        })
    };
    capture.iter().map(choose).collect()
}

/// The places of the selected records.
fn selected(capture: &[MadeUpRecord], selection: &Selection) -> Vec<usize> {
    let choices = choices(capture, selection);
    let places = 0..choices.len();
    places.filter(|i| choices[*i] == Choice::Selected).collect()
}

fn globs(texts: &[&str]) -> TopicGlobs {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_string()).collect();
    TopicGlobs::parse(&texts).expect("they are globs")
}

fn numbered(keys: impl Iterator<Item = Option<Vec<u8>>>) -> Vec<MadeUpRecord> {
    let record = |key| MadeUpRecord {
        topic: "t".into(),
        partition: 0,
        key,
        time_ns: None,
    };
    keys.map(record).collect()
}

proptest! {
    #[test]
    fn skip_and_limit_divide_the_source_without_overlap(capture in capture(), at in 0..70_u64) {
        let first = Selection { limit: Some(at), ..Selection::default() };
        let rest = Selection { skip: at, ..Selection::default() };
        let mut both = selected(&capture, &first);
        prop_assert_eq!(both.len() as u64, at.min(capture.len() as u64));
        both.extend(selected(&capture, &rest));
        prop_assert_eq!(both, (0..capture.len()).collect::<Vec<_>>());
    }

    #[test]
    fn all_shards_are_what_one_machine_selects(
        capture in capture(),
        of in 1..9_u64,
        (skip, limit, to) in (0..9_u64, option::of(0..40_u64), option::of(0..40_i64)),
    ) {
        let one = Selection {
            topics: globs(&["a*", "!ab"]),
            to: to.map(Moment::At),
            skip,
            limit,
            ..Selection::default()
        };
        let mut all = Vec::new();
        for index in 1..=of {
            let shard = Shard::new(index, of).ok();
            all.extend(selected(&capture, &Selection { shard, ..one.clone() }));
        }
        all.sort_unstable();
        prop_assert_eq!(all, selected(&capture, &one));
    }

    #[test]
    fn a_partition_is_on_one_machine_alone(capture in capture(), of in 1..9_u64) {
        let mut machines = HashMap::new();
        for index in 1..=of {
            let shard = Shard::new(index, of).ok();
            for place in selected(&capture, &Selection { shard, ..Selection::default() }) {
                let MadeUpRecord { topic, partition, .. } = &capture[place];
                prop_assert_eq!(*machines.entry((topic, partition)).or_insert(index), index);
            }
        }
    }

    #[test]
    fn a_key_is_in_a_sample_or_it_is_not(capture in capture(), of in 1..5_u32) {
        let sample = format!("1/{of}").parse().ok();
        let in_sample = selected(&capture, &Selection { sample, ..Selection::default() });
        let mut verdicts = HashMap::new();
        for (place, record) in capture.iter().enumerate() {
            if let Some(key) = &record.key {
                let is_in = in_sample.contains(&place);
                prop_assert_eq!(*verdicts.entry(key).or_insert(is_in), is_in);
            }
        }
        let keyless: Vec<usize> = (0..capture.len()).filter(|i| capture[*i].key.is_none()).collect();
        let expected: Vec<usize> = keyless.iter().copied().step_by(of as usize).collect();
        let found: Vec<usize> = keyless.into_iter().filter(|i| in_sample.contains(i)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn adjacent_windows_divide_the_records_that_have_a_time(capture in capture(), at in -5..60_i64) {
        let before = Selection { to: Some(Moment::At(at)), ..Selection::default() };
        let after = Selection { from: Some(Moment::At(at)), ..Selection::default() };
        let early = |record: &MadeUpRecord| record.time_ns.is_some_and(|time| time < at);
        let late = |record: &MadeUpRecord| record.time_ns.is_some_and(|time| time >= at);
        let places = |test: &dyn Fn(&MadeUpRecord) -> bool| -> Vec<usize> {
            (0..capture.len()).filter(|i| test(&capture[*i])).collect()
        };
        prop_assert_eq!(selected(&capture, &before), places(&early));
        prop_assert_eq!(selected(&capture, &after), places(&late));
    }
}

#[test]
fn a_sample_of_many_keys_is_near_its_share() {
    for of in [2_u32, 10, 100] {
        let keys = (0..100_000_u32).map(|n| Some(format!("customer-{n:06}").into_bytes()));
        let sample = format!("1/{of}").parse().ok();
        let capture = numbered(keys);
        let found = selected(
            &capture,
            &Selection {
                sample,
                ..Selection::default()
            },
        )
        .len();
        let share = 100_000.0 / f64::from(of);
        // Five standard deviations of a fair draw; the hash is the same in every run.
        let most = 5.0 * (share * (1.0 - 1.0 / f64::from(of))).sqrt();
        assert!((found as f64 - share).abs() < most, "1/{of}: {found}");
    }
}

#[test]
fn each_selection_applies_to_what_the_ones_before_let_through() {
    let at = |topic: &str, time_ns| MadeUpRecord {
        topic: topic.into(),
        partition: 0,
        key: None,
        time_ns,
    };
    let capture = [
        at("x", Some(10)),
        at("a", Some(11)),
        at("a", None),
        at("a", Some(12)),
        at("a", Some(13)),
        at("x", Some(13)),
        at("a", Some(13)),
        at("a", Some(14)),
        at("a", Some(15)),
        at("a", Some(13)),
        at("x", Some(13)),
    ];
    let selection = Selection {
        topics: globs(&["a"]),
        // Two and five nanoseconds after the first record, which is not selected.
        from: "+2ns".parse().ok(),
        to: "+5ns".parse().ok(),
        skip: 1,
        limit: Some(2),
        ..Selection::default()
    };
    let left_out = Choice::LeftOut;
    assert_eq!(
        choices(&capture, &selection),
        [
            left_out(LeftOut::Topic),
            left_out(LeftOut::BeforeWindow),
            left_out(LeftOut::NoTime),
            left_out(LeftOut::Skipped),
            Choice::Selected,
            left_out(LeftOut::Topic),
            Choice::Selected,
            left_out(LeftOut::BeyondLimit),
            left_out(LeftOut::BeyondLimit),
            left_out(LeftOut::BeyondLimit),
            left_out(LeftOut::BeyondLimit),
        ]
    );
}

fn whys(selection: Selection, capture: &[MadeUpRecord]) -> Vec<(ProblemKind, u64, String)> {
    let mut selector = Selector::new(selection);
    for record in capture {
        selector.choose(&CandidateRecord {
            topic: Some(&record.topic),
            partition: None,
            key: None,
            time_ns: record.time_ns,
        });
    }
    let mut tally = Tally::default();
    selector.finish(&mut tally);
    let problems = tally.problems.iter();
    problems
        .map(|problem| (problem.what, problem.count, problem.why.clone()))
        .collect()
}

#[test]
fn globs_that_match_nothing_are_all_named_with_the_nearest_topic() {
    let topics = ["orders", "payments"];
    let capture = topics.map(|topic| MadeUpRecord {
        topic: topic.into(),
        partition: 0,
        key: None,
        time_ns: None,
    });
    let selection = |texts| Selection {
        topics: globs(texts),
        ..Selection::default()
    };
    let expected =
        "`ordes` of `--topics` matches nothing: no such topic is captured (did you mean `orders`?)";
    assert_eq!(
        whys(selection(&["ordes", "pay*", "!x?"]), &capture),
        [(ProblemKind::TopicsUnmatched, 1, expected.to_string())]
    );
    assert_eq!(whys(selection(&["orders"]), &capture), []);
    assert_eq!(whys(selection(&["ordes"]), &[]), [], "nothing was captured");
}

#[test]
fn an_error_about_a_window_outside_the_capture_names_the_captured_span() {
    let second = 1_000_000_000;
    let capture = [7, 3, 9].map(|n| MadeUpRecord {
        topic: "t".into(),
        partition: 0,
        key: None,
        time_ns: Some(n * second),
    });
    let window = |from: &str, to: &str| Selection {
        from: from.parse().ok(),
        to: to.parse().ok(),
        ..Selection::default()
    };
    let spans =
        "leaves out all records: the capture spans 1970-01-01T00:00:03Z to 1970-01-01T00:00:09Z";
    for (from, to, flags) in [
        ("1970-01-01T00:00:10Z", "", "`--from 1970-01-01T00:00:10Z`"),
        ("", "1970-01-01T00:00:03Z", "`--to 1970-01-01T00:00:03Z`"),
        ("+3s", "+1h", "`--from +3s` `--to +1h`"),
    ] {
        let expected = [(ProblemKind::WindowOutside, 1, format!("{flags} {spans}"))];
        assert_eq!(whys(window(from, to), &capture), expected);
    }
    assert_eq!(whys(window("1970-01-01T00:00:09Z", ""), &capture), []);
    let untimed = numbered([None].into_iter());
    let [(_, _, why)] = &whys(window("+0s", ""), &untimed)[..] else {
        panic!("one problem")
    };
    assert_eq!(
        why,
        "`--from +0s` leaves out all records: none has a time by this `--clock`"
    );
}
