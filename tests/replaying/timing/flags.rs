//! Flags of timing that make no sense.

use crate::harness::run::kreplay;

/// Flags that make no sense, and what is said of them.
const REFUSED: &[(&[&str], &str)] = &[
    (&["--speed", "0"], "a speed is above zero"),
    (&["--speed", "-1x"], "a speed is above zero"),
    (&["--speed", "NaN"], "a speed is above zero"),
    (
        &["--speed", "fast"],
        "expected `max` or a factor such as `1x`",
    ),
    (&["--rate", "0"], "expected records a second, above zero"),
    (&["--rate", "-5"], "expected records a second, above zero"),
    (&["--rate", "5MiB"], "expected records a second, above zero"),
    (
        &["--byte-rate", "NaN"],
        "expected bytes a second, above zero",
    ),
    (
        &["--max-gap", "0s", "--speed", "1x"],
        "a duration is above zero",
    ),
    (
        &["--ramp", "-5s", "--rate", "5"],
        "expected a duration above zero",
    ),
    (
        &["--start-at", "noon"],
        "expected a time as RFC 3339 writes it",
    ),
    (
        &["--max-gap", "5s"],
        "`--max-gap` cuts pauses, but `--speed max` keeps no pauses",
    ),
    (
        &["--ramp", "5s"],
        "`--ramp` lets a speed or a rate grow, but `--speed max` sets neither",
    ),
    (
        &["--clock", "wall", "--speed", "1x"],
        "possible values: capture, record",
    ),
    (
        &["--clock", "record"],
        "`--clock record` is for a `--speed` such as `1x`, `--from` and `--to`, and none of them is given",
    ),
    (
        &["--clock", "capture", "--speed", "max", "--rate", "5"],
        "`--clock capture` is for a `--speed` such as `1x`",
    ),
    (&["--for", "0s"], "a duration is above zero"),
    (&["--for", "-5s"], "expected a duration above zero"),
    (&["--give-up-after", "0s"], "a duration is above zero"),
    (
        &["--max-lag", "5"],
        "'--rehearse' cannot be used with '--max-lag <N>'",
    ),
    (
        &["--drain-timeout", "5s"],
        "'--rehearse' cannot be used with '--drain-timeout <DURATION>'",
    ),
];

#[test]
fn flags_that_make_no_sense_are_refused_in_one_line() {
    for (flags, said) in REFUSED {
        let args = ["replay", "-", "--rehearse"];
        let output = kreplay(args.iter().chain(*flags).map(|arg| (*arg).to_owned()));
        assert_eq!(output.code, 2, "{flags:?}: {output:#?}");
        assert!(output.stderr.contains(said), "{flags:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    }
}
