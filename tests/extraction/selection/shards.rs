//! Shards: each record is on one machine, whatever that machine sees of the others.

use std::collections::HashMap;

use super::{SHOP, lines, parsed, rehearse, shop};
use crate::harness::run::Run;
use serde_json::json;

#[test]
fn all_shards_are_the_whole_and_each_record_is_on_one_of_them() {
    let whole = lines(&[]);
    for of in [1_usize, 2, 3, 4, 7, 50] {
        let mut all: Vec<String> = Vec::new();
        let mut machines: HashMap<String, usize> = HashMap::new();
        for index in 1..=of {
            let share = lines(&["--shard", &format!("{index}/{of}")]);
            for line in parsed(&share) {
                let partition = format!("{} {}", line["topic"], line["partition"]);
                let machine = *machines.entry(partition).or_insert(index);
                assert_eq!(machine, index, "{line}");
            }
            // Within a machine the order is that of the capture.
            let mut places = share
                .iter()
                .map(|line| whole.iter().position(|l| l == line));
            assert!(places.clone().is_sorted() && places.all(|place| place.is_some()));
            all.extend(share);
        }
        all.sort_unstable();
        let mut expected = whole.clone();
        expected.sort_unstable();
        assert_eq!(all, expected, "{of} shards");
    }
}

#[test]
fn shards_of_record_lines_are_those_of_the_capture() {
    let whole = lines(&[]).join("\n");
    for shard in ["1/3", "2/3", "3/3"] {
        let args = ["extract", "-", "-q", "--shard", shard];
        let output = Run::new(args).stdin(whole.as_str()).output();
        let share: Vec<String> = output.stdout.lines().map(String::from).collect();
        assert_eq!(share, lines(&["--shard", shard]), "{shard}");
    }
}

#[test]
fn a_machine_of_an_indexed_job_takes_its_shard() {
    for index in 0..3 {
        let run = Run::new(["extract", shop(), "-q", "--shard", "auto"])
            .env("JOB_COMPLETION_INDEX", index.to_string())
            .env("KREPLAY_SHARDS", "3");
        let share = run.output().stdout;
        let expected = lines(&["--shard", &format!("{}/3", index + 1)]).join("\n") + "\n";
        assert_eq!(share, expected, "{index}");
    }
}

#[test]
fn a_renaming_may_match_in_another_shard_of_the_capture() {
    for selection in [
        ["--topics", "orders"],
        ["--limit", "1"],
        ["--shard", "1/50"],
    ] {
        let args = ["--map", "payments=paid", "--map", "shipments=sent"];
        let report = rehearse(&[&args[..], &selection[..]].concat());
        assert_eq!(report["problems"], json!([]), "{selection:?}");
    }
}

#[test]
fn a_topic_is_created_with_the_partitions_of_all_shards() {
    let mut met = 0;
    for shard in ["1/4", "2/4", "3/4", "4/4"] {
        let report = rehearse(&["--shard", shard]);
        for topic in report["topics"].as_array().expect("topics") {
            let mut shop = SHOP.iter();
            let expected = shop.find(|(name, _)| topic["topic"] == *name);
            let (_, partitions) = expected.expect("it is of the shop");
            assert_eq!(topic["partitions"], *partitions, "{shard} {topic}");
            met += 1;
        }
    }
    assert!(met >= SHOP.len());
}
