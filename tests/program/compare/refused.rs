//! What cannot be compared: refused before anything is read or sent.

use std::fs;

use super::{compare, folder, lines};
use crate::harness::paths::fixture;
use crate::harness::run::{Run, kreplay};
use serde_json::json;

#[test]
fn what_cannot_be_compared_is_an_error() {
    let folder = folder();
    let file = lines(&folder, "both", &[("k", json!(1))]);
    let missing = folder.path().join("missing");
    let output = compare(&file, &missing, &[]);
    assert_eq!(output.code, 4, "{output:#?}");
    let empty = lines(&folder, "empty", &[]);
    let output = compare(&file, &empty, &[]);
    assert_eq!(output.code, 1, "{output:#?}");
    let args = ["compare", "-", "-"];
    let output = Run::new(args).stdin("").output();
    assert_eq!(output.code, 2, "{output:#?}");
}

#[test]
fn a_replay_that_cannot_have_the_output_of_the_capture_is_refused_before_anything() {
    let billing = fixture("billing.jsonl").display().to_string();
    let part = "a part of the capture is selected, but `--expect` expects the output of all of it";
    for (flags, said) in [
        (&["--expect", "--limit", "3"][..], part),
        (&["--expect", "--from", "+1s"], part),
        (
            &["--expect", "--resume", "no/journal"],
            "`--resume` cannot be used with `--expect`: a part of the output was written during an earlier run",
        ),
        (
            &["--expect", "--loop", "2"],
            "`--loop` cannot be used with `--expect`: several passes produce more output than the capture has",
        ),
        (
            &["--expect", "--profile", "produce"],
            "`--profile produce` cannot be used with `--expect`: the expected records would be those that are sent",
        ),
        (
            &["--ignore", "$.id"],
            "a comparison is configured, but nothing is compared",
        ),
        (
            &["--expect", "--noise", "no/file"],
            "cannot read no/file: no such file or directory",
        ),
    ] {
        let words = ["replay", &billing, "-b", "localhost:1", "-F", "none"];
        let output = kreplay([&words[..], flags].concat());
        assert_eq!(output.code, 2, "{flags:?}: {output:#?}");
        assert!(
            output.stderr.starts_with(&format!("kreplay: {said}\n")),
            "{output:#?}"
        );
    }
    let words = ["replay", &billing, "--rehearse", "--expect"];
    let output = kreplay(words);
    let said = "kreplay: `--rehearse` cannot be used with `--expect`: no service reads the broker of a rehearsal\n";
    assert_eq!((output.code, output.stderr.as_str()), (2, said));
}

/// Flags of a replay, and what it says to them.
const REFUSED: &str = "
--expect --loop                    = `--loop` cannot be used with `--expect`
--expect-from BILLING --loop 2     = `--loop` cannot be used with `--expect`
--expect --for 5s                  = `--for` cannot be used with `--expect`
--expect --limit 3                 = a part of the capture is selected
--expect --sample 1/2              = a part of the capture is selected
--expect --from +1s                = a part of the capture is selected
--expect --shard 1/2               = a part of the capture is selected
--expect --resume journal          = `--resume` cannot be used with `--expect`
--expect --profile produce         = `--profile produce` cannot be used with `--expect`
--ignore $.id                      = a comparison is configured, but nothing is compared
--correlate key                    = a comparison is configured, but nothing is compared
--noise NO_NOISE                   = a comparison is configured, but nothing is compared
--expect --ignore $[               = `--ignore`
--expect --correlate value:$[      = `--correlate value:$[`
--expect --noise NO_NOISE          = is not a noise file
--expect --noise /nowhere/noise    = cannot read /nowhere/noise
--expect --learn THERE             = the file exists
--expect --expect-diff THERE       = cannot write differences to
--expect --expect-from BILLING     = cannot be used with
--expect --learn a --noise b       = cannot be used with
--expect --correlate colour        = --correlate
--expect --expect-count --ignore $ = cannot be used with
--max-lag 100                      = --wait-group
--wait-group g --max-lag 0         = --max-lag
--drain-timeout 5s                 = --wait-group
--wait-group g --drain-timeout now = --drain-timeout
--wait-group g --drain-timeout -5s = --drain-timeout <DURATION>': expected a duration above zero
--expect --expect-quiet 0s         = --expect-quiet <DURATION>': a duration is above zero
--expect --expect-quiet -1s        = --expect-quiet <DURATION>': expected a duration above zero
--expect --expect-quiet 5          = --expect-quiet <DURATION>': expected a duration above zero
--expect --expect-timeout 0s       = --expect-timeout <DURATION>': a duration is above zero
--expect --expect-timeout later    = --expect-timeout <DURATION>': expected a duration above zero
";

#[test]
fn an_output_that_cannot_be_compared_is_refused_before_anything_is_looked_at() {
    let folder = folder();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("the temporary folder is writable");
        path.display().to_string()
    };
    let (there, no_noise) = (file("there", "x"), file("no-noise", "{}"));
    let billing = fixture("billing.jsonl").display().to_string();
    for case in REFUSED.lines().filter(|line| !line.is_empty()) {
        let (flags, said) = case.split_once(" = ").expect("flags and words");
        let flags = flags.split_whitespace().map(|flag| match flag {
            "BILLING" => billing.as_str(),
            "NO_NOISE" => no_noise.as_str(),
            "THERE" => there.as_str(),
            flag => flag,
        });
        // Nobody listens at that port: any attempt to connect would end with code 3.
        let words = ["replay", &billing, "-F", "none", "-b", "127.0.0.1:1"];
        let output = kreplay(words.into_iter().chain(flags));
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{case}: {output:#?}"
        );
        assert!(output.stderr.contains(said), "{case}: {output:#?}");
    }
    let output = kreplay(["replay", &billing, "--rehearse", "--expect"]);
    let said = "`--rehearse` cannot be used with `--expect`";
    assert!(output.stderr.contains(said), "{output:#?}");
    assert_eq!(output.code, 2);
}
