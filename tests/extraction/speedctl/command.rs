//! The command of speedctl: what kreplay prints of it, and how kreplay finds speedctl.

use std::fs;
use std::os::unix::fs::symlink;

use super::{DEMO, fixtures, play};
use crate::harness::paths::standin;
use crate::harness::run::{Run, RunOutput, kreplay, report};
use crate::harness::verdict::readback::{self, LoggedRecord};
use rdkafka::mocking::MockCluster;

/// The first column of the CSV that kreplay asks for.
const VALUE: &str =
    "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString,";

/// A name that a shell splits unless it is quoted.
const ODD: &str = "it's $HOME; `id` \\ \"x\"";

#[test]
fn print_command_prints_what_a_shell_runs_as_it_is() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    let speedctl = folder
        .path()
        .join(format!("speed ctl {}", ODD.replace('/', "")));
    symlink(standin(), &speedctl).expect("the folder is writable");
    let speedctl = speedctl.display().to_string();
    let odd = format!("--note={ODD}");
    for (via, first) in [
        ("auto", VALUE),
        ("csv", VALUE),
        ("raw", "Downloading snapshot demo ..."),
    ] {
        let printed = kreplay([
            "snapshot",
            "demo",
            "--via",
            via,
            "--speedctl",
            &speedctl,
            "--speedctl-arg",
            &odd,
            "--print-command",
        ]);
        assert_eq!((printed.code, printed.stderr.as_str()), (0, ""), "{via}");
        assert_eq!(
            printed.stdout.lines().count(),
            1,
            "{via}: {}",
            printed.stdout
        );
        let typed = folder
            .path()
            .join(format!("{via}.args"))
            .display()
            .to_string();
        let shell = Run::program("sh", ["-c", printed.stdout.as_str()])
            .env("STANDIN_DATA", fixtures())
            .env("STANDIN_OBJECTS", "json")
            .env("STANDIN_FAULT", format!("args-file={typed}"))
            .output();
        assert_eq!((shell.code, shell.stderr.as_str()), (0, ""), "{via}");
        assert!(shell.stdout.starts_with(first), "{via}: {}", shell.stdout);
        let typed = fs::read_to_string(typed).expect("the stand-in wrote its arguments");
        let typed: Vec<String> = serde_json::from_str(&typed).expect("as JSON");
        assert_eq!(typed.last(), Some(&odd), "{via}");
        let same = play("demo", "", &["--via", via, "--speedctl-arg", &odd]).end();
        assert_eq!(
            same.calls,
            [typed],
            "{via}: the command that is printed is the one that runs"
        );
        // Rows of the replay are those of the shell.
        if via != "raw" {
            assert_eq!(same.report["source"]["bytes"], shell.stdout.len(), "{via}");
        }
    }
}

#[test]
fn print_command_needs_neither_brokers_nor_a_speedctl() {
    let printed = kreplay(["snapshot", "demo", "--print-command"]);
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    assert!(
        printed
            .stdout
            .starts_with("speedctl extract data demo --path "),
        "{}",
        printed.stdout
    );
    assert!(
        printed
            .stdout
            .ends_with(" --filter '(command IS \"Fetch\")'\n"),
        "{}",
        printed.stdout
    );
}

#[test]
fn verbose_prints_the_command_with_the_values_of_the_users_own_arguments_hidden() {
    let speedctl = standin().display().to_string();
    for via in ["csv", "raw"] {
        let args = [
            "--via",
            via,
            "--speedctl",
            &speedctl,
            "--speedctl-arg",
            "--note=it's",
        ];
        let printed = kreplay(["snapshot", "demo", "--print-command"].iter().chain(&args));
        let played = play("demo", "", &[&args[..], &["-v"]].concat()).end();
        assert_eq!(played.output.code, 0, "{}", played.output.stderr);
        let printed = printed.stdout.trim_end();
        let own = printed
            .find("'--note=it")
            .expect("it is quoted for a shell");
        let expected = format!("running {}--note=...", &printed[..own]);
        let mut said = played.output.stderr.lines();
        assert!(
            said.any(|line| line.ends_with(&expected)),
            "{}",
            played.output.stderr
        );
        let plain = play("demo", "", &["--via", via]).end();
        assert_eq!(plain.output.stderr, "");
    }
}

#[test]
fn extra_arguments_reach_speedctl_unchanged_and_in_order() {
    let arguments = [
        "--speedctl-arg",
        "--config",
        "--speedctl-arg",
        ODD,
        "--speedctl-arg=--verbose",
        "--speedctl-arg=",
    ];
    for (via, action) in [
        ("csv", ["extract", "data", "demo"]),
        ("raw", ["pull", "snapshot", "demo"]),
    ] {
        let played = play("demo", "", &[&["--via", via], &arguments[..]].concat()).end();
        let [call] = &played.calls[..] else {
            panic!("{via}: one call, not {:?}", played.calls)
        };
        assert_eq!(call[..3], action, "{via}");
        // The simulated speedctl takes the empty argument for a second snapshot, which shows that it arrives.
        let tail: Vec<&str> = call[call.len() - 4..].iter().map(String::as_str).collect();
        assert_eq!(tail, ["--config", ODD, "--verbose", ""], "{via}");
        played.assert_refused(via, &["more than one snapshot id"]);
    }
}

#[test]
fn speedctl_is_found_by_flag_then_environment_then_path() {
    let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
    symlink(standin(), folder.path().join("speedctl")).expect("the folder is writable");
    let path = folder.path().as_os_str();
    let standin = standin().display().to_string();
    let run = |args: &[&str]| {
        Run::new(
            ["snapshot", "demo", "--rehearse", "--report", "json"]
                .iter()
                .chain(args),
        )
        .env("STANDIN_DATA", fixtures())
        .env("PATH", path)
    };
    let demo = |what: &str, output: &RunOutput| {
        assert_eq!(output.code, 0, "{what}: {}", output.stderr);
        assert_eq!(report(output)["ledger"]["delivered"], DEMO, "{what}");
    };
    demo("PATH", &run(&[]).output());
    demo(
        "environment",
        &run(&[])
            .env("PATH", "/no/such")
            .env("KREPLAY_SPEEDCTL", &standin)
            .output(),
    );
    demo(
        "flag",
        &run(&["--speedctl", &standin])
            .env("KREPLAY_SPEEDCTL", "/no/such/speedctl")
            .output(),
    );
    demo(
        "a name on PATH",
        &run(&["--speedctl", "speedctl"])
            .env("KREPLAY_SPEEDCTL", "/no/such")
            .output(),
    );
    let nowhere = run(&[])
        .env("KREPLAY_SPEEDCTL", "/no/such/speedctl")
        .output();
    assert_eq!(
        nowhere.code, 4,
        "the environment goes before PATH: {}",
        nowhere.stderr
    );
    let relative = run(&["--speedctl", "./speedctl"])
        .cwd(folder.path())
        .output();
    demo("a relative path", &relative);
}

/// Replays `demo` into a cluster of its own and reads it back.
fn replayed(via: &str) -> Vec<LoggedRecord> {
    let cluster = MockCluster::new(1).expect("a mock cluster needs nothing");
    for (topic, partitions) in [("orders", 3), ("payments", 2)] {
        cluster
            .create_topic(topic, partitions, 1)
            .expect("the topic is new");
    }
    let brokers = cluster.bootstrap_servers();
    let output = Run::new([
        "snapshot",
        "demo",
        "--via",
        via,
        "--timestamps",
        "original",
        "-q",
        "-b",
        &brokers,
    ])
    .env("KREPLAY_SPEEDCTL", standin())
    .env("STANDIN_DATA", fixtures())
    .output();
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{via}");
    assert!(output.stdout.contains("21"), "{via}: {}", output.stdout);
    let read = |topic| readback::read(&brokers, topic).expect("the mock cluster answers");
    [read("orders"), read("payments")].concat()
}

#[test]
fn the_demo_arrives_the_same_via_csv_and_via_raw() {
    let (auto, csv, raw) = (replayed("auto"), replayed("csv"), replayed("raw"));
    assert_eq!(auto.len() as u64, DEMO);
    assert_eq!(csv, raw);
    assert_eq!(auto, raw);
    let counts = [
        ("orders", 0),
        ("orders", 1),
        ("orders", 2),
        ("payments", 0),
        ("payments", 1),
    ]
    .map(|(topic, partition)| {
        let there = |seen: &&LoggedRecord| seen.topic == topic && seen.partition == partition;
        raw.iter().filter(there).count()
    });
    assert_eq!(counts, [6, 4, 3, 3, 5]);
}
