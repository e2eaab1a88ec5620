//! Help, usage errors, and what is never printed.

use super::fixtures;
use crate::harness::paths::standin;
use crate::harness::run::{Run, kreplay};

#[test]
fn without_arguments_the_three_most_common_calls_are_shown() {
    let output = kreplay([""; 0]);
    assert_eq!(output.code, 2);
    let shown = output.stdout + &output.stderr;
    for call in [
        "kreplay snapshot <ID> -b localhost:9092 ",
        "kreplay replay captures/ -b localhost:9092 ",
        "kreplay snapshot <ID> --rehearse ",
    ] {
        assert!(shown.contains(call), "`{call}` is not in\n{shown}");
    }
    assert!(
        shown.lines().count() <= 40,
        "it fits on one screen:\n{shown}"
    );
}

const DESTINATION: &[&str] = &[
    "-b, --brokers <HOST:PORT>",
    "KREPLAY_BROKERS",
    "-t, --topic <NAME>",
    "--map <FROM=TO>",
    "--partition <HOW>",
    "auto, keep, key, any",
    "--timestamps <WHICH>",
    "now, original, shift",
    "--speed <max|FACTOR>",
    "--clock <WHICH>",
    "capture, record",
    "--max-gap <DURATION>",
    "--rate <N>",
    "--byte-rate <N>",
    "--ramp <DURATION>",
    "--start-at <TIME>",
    "--header <NAME=VALUE>",
    "-X <KEY=VALUE>",
    "-F <FILE>",
    "--create-topics",
    "--rehearse",
];

const OUTPUT: &[&str] = &[
    "--report <FORM>",
    "text, json, none",
    "--report-file <FILE>",
    "--progress <WHEN>",
    "auto, always, never",
    "-q, --quiet",
    "-v, --verbose",
];

const SNAPSHOT: &[&str] = &[
    "<ID>",
    "--via <WAY>",
    "auto, csv, raw",
    "--speedctl <PATH>",
    "KREPLAY_SPEEDCTL",
    "--speedctl-arg <ARG>",
    "--speedctl-timeout <DURATION>",
    "--print-command",
];

#[test]
fn the_help_of_each_command_names_every_flag_and_exit_code() {
    let commands = [
        ("snapshot", SNAPSHOT),
        ("replay", &["<SOURCE>...", "--as <KIND>", "--send-unknown"]),
    ];
    for (command, own) in commands {
        let output = kreplay([command, "--help"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{command}");
        // Where a line is broken depends on the longest flag.
        let words: Vec<&str> = output.stdout.split_whitespace().collect();
        let text = words.join(" ");
        for flag in [own, DESTINATION, OUTPUT].concat() {
            assert!(
                text.contains(flag),
                "`{flag}` is not in the help of {command}:\n{text}"
            );
        }
        for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "70 ", "130 "] {
            let line = format!("\n  {code}");
            assert!(
                output.stdout.contains(&line),
                "{code} is not in\n{}",
                output.stdout
            );
        }
    }
    let output = kreplay(["--help"]);
    assert_eq!(output.code, 0);
    for command in ["snapshot", "replay", "extract", "--version"] {
        assert!(output.stdout.contains(command), "{}", output.stdout);
    }
}

#[test]
fn usage_errors_are_code_2_and_say_what_is_wrong() {
    for (args, said) in [
        ("replay", "<SOURCE>..."),
        ("nonsense", "nonsense"),
        ("replay demo.jsonl", "no brokers are named"),
        (
            "replay demo.jsonl --rehearse --partition sideways",
            "sideways",
        ),
        (
            "replay demo.jsonl --rehearse --timestamps yesterday",
            "yesterday",
        ),
        ("replay demo.jsonl --rehearse --map orders", "FROM=TO"),
        ("replay demo.jsonl --rehearse --map a=b -t c", "--topic"),
        (
            "replay demo.jsonl --rehearse --no-such-flag",
            "--no-such-flag",
        ),
        (
            "replay demo.jsonl --rehearse -X acks=0",
            "`acks=0` would break",
        ),
        (
            "replay demo.jsonl --rehearse -X no.such.property=1",
            "no.such.property",
        ),
        ("replay demo.jsonl -b x:1 -F no-such-file", "no-such-file"),
        ("replay demo.jsonl --rehearse -q -v", "--verbose"),
        ("replay - - --rehearse", "stdin"),
        ("replay guide.csv --rehearse", "`-t TOPIC`"),
        ("replay no-value.csv --rehearse --as csv", "no value column"),
        ("snapshot demo --rehearse --via telepathy", "telepathy"),
        ("snapshot demo --rehearse --speedctl-timeout soon", "soon"),
    ] {
        let run = Run::new(args.split(' '))
            .cwd(fixtures())
            .env("STANDIN_DATA", fixtures());
        let output = run.env("KREPLAY_SPEEDCTL", standin()).output();
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{args}: {output:#?}"
        );
        assert!(
            output.stderr.contains(said),
            "`{said}` is not in\n{}",
            output.stderr
        );
        assert!(
            output.stderr.lines().count() <= 12,
            "{args}: {}",
            output.stderr
        );
    }
}

#[test]
fn a_secret_is_never_printed() {
    let secret = "hunter2-secret";
    let password = format!("sasl.password={secret}");
    let properties = [
        password.as_str(),
        "sasl.username=me",
        "sasl.mechanisms=PLAIN",
    ];
    let args = [
        "replay",
        "demo.jsonl",
        "--rehearse",
        "-v",
        "--report",
        "json",
    ];
    let args = args
        .into_iter()
        .chain(properties.iter().flat_map(|p| ["-X", *p]));
    let output = Run::new(args).cwd(fixtures()).output();
    assert_eq!(output.code, 0, "{output:#?}");
    assert!(!(output.stdout + &output.stderr).contains(secret));
}

#[test]
fn the_speedctl_command_is_printed_for_a_shell_and_not_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let args_file = folder.path().join("args");
    let output = Run::new([
        "snapshot",
        "my-id",
        "--print-command",
        "--speedctl-arg",
        "--note=two words",
    ])
    .env("KREPLAY_SPEEDCTL", standin())
    .env(
        "STANDIN_FAULT",
        format!("args-file={}", args_file.display()),
    )
    .output();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(output.stdout.lines().count(), 1, "{}", output.stdout);
    let start = format!("{} extract data my-id --path ", standin().display());
    assert!(output.stdout.starts_with(&start), "{}", output.stdout);
    assert!(
        output.stdout.contains(" '--note=two words'"),
        "{}",
        output.stdout
    );
    assert!(!args_file.exists(), "speedctl was run");
}
