//! Several runs over one journal: what one leaves uncertain stays so until a later one has delivered it.

use nix::sys::signal::Signal::{SIGINT, SIGKILL};
use std::time::Duration;

use super::{SLOWLY, Scene, TOPIC};
use crate::harness::capture::numbered_lines;
use crate::harness::run::{RunOutput, report};

/// What a run prints about where it continues, without the journal's name.
fn going_on(output: &RunOutput) -> &str {
    let line = output
        .stderr
        .lines()
        .find(|line| line.contains("continuing"));
    let (_, said) = line
        .and_then(|line| line.split_once(": continuing after "))
        .expect("it goes on");
    said.split_once(": ").expect("it names the journal first").1
}

#[test]
fn what_a_killed_run_left_uncertain_stays_so_when_the_next_one_sends_nothing() {
    const ALL: u64 = 3000;
    let scene = Scene::new();
    let lines = numbered_lines(TOPIC, 0..ALL);
    scene.delay(Duration::from_millis(3));
    let mut first = scene.replay("-", &SLOWLY).stdin_open().spawn();
    let mut pipe = first.take_stdin();
    let feeder = std::thread::spawn({
        let lines = lines.clone();
        move || std::io::Write::write_all(&mut pipe, lines.as_bytes()).ok()
    });
    first.wait_until("its records are there", |_| scene.there() > 500);
    first.signal(SIGKILL);
    first.wait();
    feeder.join().expect("it does not panic");
    scene.delay(Duration::ZERO);
    let before = scene.numbers();
    // Nothing comes on stdin, so that the second run can send nothing.
    let mut second = scene.replay("-", &[]).stdin_open().spawn();
    second.wait_until("it goes on", |run| {
        run.stderr_so_far().contains("continuing after")
    });
    second.signal(SIGINT);
    let second = second.wait();
    assert_eq!(second.code, 130, "{second:#?}");
    let third = scene.replay("-", &[]).stdin(lines).output();
    assert_eq!(third.code, 0, "{third:#?}");
    assert_eq!(going_on(&third), going_on(&second));
    let said = report(&third)["resume"]["may_repeat"].as_u64();
    let said = said.expect("it is known");
    let number = going_on(&third)
        .split("at most ")
        .nth(1)
        .expect("it says how many");
    assert!(number.starts_with(&format!("{said} ")), "{number}");
    let numbers = scene.numbers();
    let repeated = numbers.len() as u64 - ALL;
    assert!(repeated <= said, "{repeated} twice, {said} said");
    assert!(before.len() as u64 > 500 && said > 0);
    let mut distinct = numbers;
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct, (0..ALL).collect::<Vec<_>>());
    assert_eq!(
        report(&third)["resume"]["uncertain"],
        0,
        "nothing is uncertain"
    );
}

#[test]
fn records_that_are_refused_do_not_add_to_what_may_be_sent_twice() {
    const ALL: u64 = 2000;
    let scene = Scene::new();
    // Two of three are too large for the producer: they never leave kreplay.
    let line = |id: u64| {
        let text = "x".repeat(if id.is_multiple_of(3) { 10 } else { 3000 });
        format!(
            r#"{{"topic":"{TOPIC}","partition":0,"offset":{id},"value":"{{\"id\":{id},\"text\":\"{text}\"}}"}}"#
        )
    };
    let lines: String = (0..ALL).map(|id| line(id) + "\n").collect();
    let input = scene.write("input.jsonl", &lines);
    let limited = ["-X", "message.max.bytes=2000", "-X", "batch.size=1000"];
    let ended = scene.replay(&input, &limited).output();
    assert_eq!(ended.code, 1, "{ended:#?}");
    let delivered = (0..ALL).filter(|id| id % 3 == 0).count() as u64;
    assert_eq!(report(&ended)["ledger"]["delivered"], delivered);
    let again = scene.replay(&input, &limited).output();
    let resume = &report(&again)["resume"];
    assert_eq!(resume["skipped"], delivered);
    assert_eq!(
        resume["may_repeat"], 0,
        "each of them is certain not to be in the log"
    );
    assert_eq!(
        going_on(&again),
        format!("{delivered} records are already delivered, nothing is sent twice")
    );
}
