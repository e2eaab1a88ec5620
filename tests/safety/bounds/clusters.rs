//! Topics and brokers by the thousand.

use super::{brokers, measured};
use crate::harness::run::Run;

#[test]
fn more_topics_than_a_run_sends_to_are_refused_before_any_is_made() {
    let lines: String = (0..20_001)
        .map(|i| format!("{{\"topic\":\"t{i}\",\"value\":\"\"}}\n"))
        .collect();
    let (output, peak) = measured(|| Run::new(["replay", "-", "--rehearse"]).stdin(lines.clone()));
    assert_eq!((output.code, &*output.stdout), (2, ""), "{output:?}");
    let said =
        "kreplay: the records go to more than 20,000 topics\nhint: `--topics` selects some of them";
    assert!(output.stderr.contains(said), "{output:?}");
    assert!(peak < 100, "{peak} MiB");
}

/// librdkafka starts a thread for each broker before anyone sees the answer: about 70 KB.
#[test]
fn a_cluster_of_thousands_of_brokers_is_refused() {
    let run = |brokers: &str| {
        Run::new(["replay", "-", "-t", "t", "-F", "none", "-b", brokers])
            .stdin("{\"value\":\"v\"}\n")
            .env("MIMALLOC_PURGE_DELAY", "0")
    };
    let many = brokers::cluster_of(2500);
    let (output, peak) = measured(|| run(&many));
    assert_eq!(output.code, 3, "{output:?}");
    let said = format!(
        "kreplay: no broker of {many} could be used: it has 2,500 brokers, but kreplay works with 2,000 brokers at most\n"
    );
    assert!(output.stderr.contains(&said), "{output:?}");
    assert!(peak < 350, "{peak} MiB");
    // librdkafka's own bound.
    let beyond = brokers::cluster_of(11_000);
    let (output, peak) = measured(|| run(&beyond));
    assert_eq!(output.code, 3, "{output:?}");
    assert!(peak < 100, "{peak} MiB");
}
