//! What a person sees while kreplay works: kreplay in a pseudo-terminal, and what is drawn there.
//!
//! Apart because the harness gives pipes, on which nothing is drawn. The terminal sends signals as a person does,
//! by Ctrl-C.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::harness::MockKafka;
use crate::harness::capture::numbered_lines;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rdkafka::mocking::MockCluster;
use serde_json::json;
use tempfile::TempDir;

const KREPLAY: &str = env!("CARGO_BIN_EXE_kreplay");
const TOPIC: &str = "orders";
/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(60);
/// What Ctrl-C sends.
const CTRL_C: &[u8] = b"\x03";

/// A program in a terminal of its own.
struct TerminalRun {
    child: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    columns: usize,
    deadline: Instant,
}

impl TerminalRun {
    fn start(columns: u16, folder: &Path, program: &str, args: &[&str]) -> Self {
        let size = PtySize {
            rows: 24,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size);
        let pair = pair.expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", folder);
        command.env("TERM", "xterm-256color");
        command.cwd(folder);
        let child = pair.slave.spawn_command(command);
        let child = child.expect("the program starts");
        // The terminal ends with its last user.
        drop(pair.slave);
        let mut screen = pair.master.try_clone_reader().expect("it can be read");
        let keyboard = pair.master.take_writer().expect("it can be written to");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&shown);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut chunk) {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                sink.extend_from_slice(&chunk[..read]);
            }
        });
        Self {
            child,
            terminal: pair.master,
            keyboard,
            shown,
            reader: Some(reader),
            columns: columns.into(),
            deadline: Instant::now() + LIMIT,
        }
    }

    fn kreplay(columns: u16, folder: &Path, args: &[&str]) -> Self {
        Self::start(columns, folder, KREPLAY, args)
    }

    /// Everything that the terminal was sent.
    fn shown(&self) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Presses keys.
    fn press(&mut self, keys: &[u8]) {
        self.keyboard
            .write_all(keys)
            .and_then(|()| self.keyboard.flush())
            .expect("the terminal takes them");
    }

    /// Waits until a line was drawn that `is_it`, and gives that.
    fn wait_for_line(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let ended = self.has_ended();
            let drawn = drawn(&self.shown());
            if let Some(line) = drawn.into_iter().find(|line| is_it(line)) {
                return line;
            }
            assert!(!ended, "it ended before {what}\n{:?}", self.shown());
            self.check_limit(what);
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn has_ended(&mut self) -> bool {
        let status = self.child.try_wait();
        status.expect("the child is ours to wait for").is_some()
    }

    fn check_limit(&mut self, what: &str) {
        if Instant::now() > self.deadline {
            self.child.kill().ok();
            panic!(
                "it took longer than {LIMIT:?} until {what}\n{:?}",
                self.shown()
            );
        }
    }

    /// The exit code, and everything that was shown; no line of progress was ever wider than the terminal.
    fn end(mut self) -> (u32, String) {
        while !self.has_ended() {
            self.check_limit("its end");
            thread::sleep(Duration::from_millis(5));
        }
        let status = self.child.wait().expect("it has ended");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        drop(self.terminal);
        let shown = {
            let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8_lossy(&shown).into_owned()
        };
        for line in drawn(&shown) {
            let columns = line.chars().count();
            assert!(
                columns < self.columns,
                "{columns} of {}: {line}",
                self.columns
            );
        }
        (status.exit_code(), shown)
    }
}

/// The lines of progress that a terminal was sent, in their order. Each is drawn over the one before; what stays,
/// as notes and the report do, is left out.
fn drawn(shown: &str) -> Vec<String> {
    let pieces = shown.split(['\r', '\n', '\x1b']);
    // The terminal itself echoes Ctrl-C.
    let lines = pieces.map(|piece| piece.trim_start_matches("[2K").trim_end_matches("^C"));
    let lines = lines.map(str::trim_end);
    let is_progress = |line: &&str| {
        let has_count = line.contains(" delivered") || line.contains(" planned");
        let is_kept = [" records", " = "].iter().any(|part| line.contains(part));
        let is_kept = is_kept || line.starts_with("kreplay: ");
        let has_note = ["waiting for the cluster", "draining"]
            .iter()
            .any(|note| line.contains(note));
        (has_count || has_note) && !is_kept
    };
    lines.filter(is_progress).map(str::to_owned).collect()
}

/// Runs a program in a terminal; gives its exit code and everything that was shown.
fn in_terminal(folder: &Path, program: &str, args: &[&str]) -> (u32, String) {
    TerminalRun::start(120, folder, program, args).end()
}

/// A folder with `capture.jsonl`.
fn capture_of(text: impl AsRef<[u8]>) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("capture.jsonl"), text).expect("the folder is writable");
    folder
}

/// Record lines that come at these milliseconds.
fn lines(times_ms: impl IntoIterator<Item = i64>) -> String {
    let line = |(offset, ms): (i64, i64)| {
        let line = json!({
            "topic": TOPIC, "partition": 0, "offset": offset, "value": "v",
            "timestamp": 1_764_787_375_000 + ms,
        });
        format!("{line}\n")
    };
    (0..).zip(times_ms).map(line).collect()
}

fn mock() -> MockKafka {
    let cluster = MockCluster::new(1).expect("a mock cluster");
    cluster.create_topic(TOPIC, 1, 1).expect("a topic");
    cluster
}

/// Asserts that the bar was taken away and the whole report is after it.
fn assert_ends_with_report(shown: &str, first: &str) {
    let end = shown.rfind(" elapsed").expect("progress was shown");
    let rest = &shown[end..];
    let erase = rest.find("\x1b[2K").expect("the bar is erased");
    let report = &rest[erase..];
    assert!(
        report.contains(first),
        "`{first}` is not at the end of\n{shown:?}"
    );
    for part in [
        "\r\nread       ",
        "\r\nfound      ",
        "\r\nsent to    ",
        "\r\nlatency    ",
    ] {
        assert!(
            report.contains(part),
            "`{part:?}` is not at the end of\n{shown:?}"
        );
    }
}

#[test]
fn a_terminal_shows_a_bar_and_then_the_report() {
    let folder = capture_of(numbered_lines(TOPIC, 0..40_000));
    // A request for each record makes it slow enough to be looked at.
    let args = [
        "replay",
        "capture.jsonl",
        "--rehearse",
        "-X",
        "batch.num.messages=1",
        "-X",
        "max.in.flight=1",
    ];
    let (code, shown) = in_terminal(folder.path(), KREPLAY, &args);
    let tail = &shown[shown.floor_char_boundary(shown.len().saturating_sub(3000))..];
    assert_eq!(code, 0, "{tail:?}");
    assert!(shown.contains("██"), "there is no bar in\n{tail:?}");
    assert!(shown.contains(" % "), "there is no percentage in\n{tail:?}");
    assert!(
        shown.contains(" elapsed  ETA "),
        "there is no ETA in\n{tail:?}"
    );
    assert_ends_with_report(
        &shown,
        "delivered 40,000 of 40,000 records to a rehearsal broker in ",
    );
}

#[test]
fn a_terminal_shows_progress_also_when_the_size_of_the_input_is_not_known() {
    let folder = capture_of(numbered_lines(TOPIC, 0..1000));
    let script = r#"while IFS= read -r line; do printf '%s\n' "$line"; sleep 0.06; done \
        <capture.jsonl | "$0" replay - --rehearse"#;
    let args = ["-c", script, KREPLAY];
    let (code, shown) = in_terminal(folder.path(), "sh", &args);
    assert_eq!(code, 0, "{shown:?}");
    assert!(shown.contains("/s  1s elapsed"), "{shown:?}");
    assert_ends_with_report(
        &shown,
        "delivered 1,000 of 1,000 records to a rehearsal broker in ",
    );
}

#[test]
fn quiet_and_progress_never_draw_nothing_on_a_terminal() {
    let folder = capture_of(numbered_lines(TOPIC, 0..5000));
    let slow = ["--rehearse", "-X", "batch.num.messages=1"];
    let replay = [&["replay", "capture.jsonl"], &slow[..]].concat();
    let plan = vec!["plan", "capture.jsonl"];
    for (command, begin) in [
        (replay, "delivered 5,000 of 5,000 records"),
        (plan, "a replay would deliver all 5,000 records"),
    ] {
        for flags in [&["-q"][..], &["--progress", "never"]] {
            let args = [&command[..], flags].concat();
            let (code, shown) = in_terminal(folder.path(), KREPLAY, &args);
            assert_eq!(code, 0, "{shown:?}");
            assert!(shown.starts_with(begin), "{shown:?}");
            assert!(!shown.contains('\x1b'), "{shown:?}");
        }
    }
}

#[test]
fn a_plan_shows_how_far_its_reading_is_and_then_the_plan() {
    let folder = capture_of(lines(0..1000));
    let script =
        r#"{ head -n 600 capture.jsonl; sleep 1.5; tail -n +601 capture.jsonl; } | "$0" plan -"#;
    for columns in [80, 40] {
        let mut run = TerminalRun::start(columns, folder.path(), "sh", &["-c", script, KREPLAY]);
        run.wait_for_line("it has planned what is there", |line| {
            line.contains("600 planned")
        });
        let (code, shown) = run.end();
        assert_eq!(code, 0, "{shown:?}");
        let erased = shown.rfind("\x1b[2K").expect("the line is erased");
        let plan = &shown[erased..];
        assert!(
            plan.contains("a replay would deliver all 1,000 records"),
            "{shown:?}"
        );
    }
}

#[test]
fn a_plan_of_a_file_shows_which_share_of_it_is_read() {
    // More than is read between two looks, which are a tenth of a second apart.
    let folder = capture_of(lines(0..400_000));
    let mut run = TerminalRun::kreplay(80, folder.path(), &["plan", "capture.jsonl"]);
    let line = run.wait_for_line("a part is read", |line| {
        line.contains(" % ") && !line.contains(" 0 planned")
    });
    let share: u32 = line
        .split(" % ")
        .next()
        .and_then(|before| before.rsplit(' ').next()?.parse().ok())
        .unwrap_or_else(|| panic!("a share: {line}"));
    assert!((1..=100).contains(&share), "{line}");
    let (code, shown) = run.end();
    assert_eq!(code, 0, "{shown:?}");
}

#[test]
fn progress_fits_a_narrow_terminal() {
    let folder = capture_of(numbered_lines(TOPIC, 0..200));
    let args = ["replay", "capture.jsonl", "--rehearse", "--rate", "200"];
    for columns in [40, 80] {
        let run = TerminalRun::kreplay(columns, folder.path(), &args);
        let (code, shown) = run.end();
        assert_eq!(code, 0, "{shown:?}");
        assert!(!drawn(&shown).is_empty(), "{shown:?}");
    }
}

/// A replay whose broker goes away, then Ctrl-C twice.
fn lose_the_broker(columns: u16, waiting: &str) {
    let mock = mock();
    let folder = capture_of(lines((0..2000).map(|_| 0)));
    let args = [
        "replay",
        "capture.jsonl",
        "-b",
        &mock.bootstrap_servers(),
        "--rate",
        "20/s",
    ];
    let mut run = TerminalRun::kreplay(columns, folder.path(), &args);
    let delivers = |line: &str| !line.contains(" 0 delivered") && !line.starts_with("0 delivered");
    let line = run.wait_for_line("some are delivered", delivers);
    assert!(line.contains("delivered"), "{line}");
    drop(mock);
    // The seconds are counted on the same line.
    for seconds in ["6s", "7s"] {
        let expected = format!("{waiting} for {seconds}");
        run.wait_for_line(&expected, |line| line.ends_with(&expected));
    }
    run.press(CTRL_C);
    let draining = "draining, Ctrl-C again to stop at once";
    run.wait_for_line(draining, |line| line.ends_with(draining));
    run.press(CTRL_C);
    let (code, shown) = run.end();
    assert_eq!(code, 130, "{shown:?}");
    let erased = shown.rfind("\x1b[2K").expect("the line is erased");
    assert!(
        shown[erased..].contains("interrupted: delivered "),
        "{shown:?}"
    );
}

#[test]
fn a_broker_that_goes_away_is_named_on_the_line_and_an_interruption_says_what_it_does() {
    lose_the_broker(80, "waiting for the cluster: connection refused");
}

#[test]
fn a_narrow_terminal_shows_how_long_a_broker_is_gone() {
    lose_the_broker(40, "waiting for the cluster");
}

#[test]
fn the_time_that_is_left_is_that_of_the_schedule() {
    let hour = 3_600_000;
    let folder = capture_of(lines([0, hour]));
    let timed = ["replay", "capture.jsonl", "--rehearse", "--clock", "record"];
    // All of these have sent one record, and wait for the next.
    for (flags, expected) in [
        (&["--speed", "1x"][..], "ETA 59m "),
        (&["--speed", "0.5x"], "ETA 1h 59m"),
        (&["--speed", "1x", "--for", "20m"], "ETA 19m "),
        (&["--speed", "1x", "--loop", "3"], "ETA 2h 59m"),
        (&["--speed", "1x", "--loop", "--for", "2h"], "ETA 1h 59m"),
    ] {
        for columns in [80, 40] {
            let args = [&timed[..], flags].concat();
            let mut run = TerminalRun::kreplay(columns, folder.path(), &args);
            run.wait_for_line(expected, |line| {
                line.contains("1 delivered") && line.contains(expected)
            });
            run.press(CTRL_C);
            let (code, shown) = run.end();
            assert_eq!(code, 130, "{shown:?}");
        }
    }
}

#[test]
fn records_that_are_late_by_more_than_a_second_are_called_late() {
    let mock = mock();
    // Five requests of one record each are answered in 200 ms, and ten records wait in the queue at most: the
    // last of 100 is handed over after more than three seconds, and is due after one.
    let delayed = mock.broker_round_trip_time(1, Duration::from_millis(200));
    delayed.expect("the mock takes a delay");
    let folder = capture_of(lines((0..100).map(|n| n * 10)));
    let args = [
        "replay",
        "capture.jsonl",
        "-b",
        &mock.bootstrap_servers(),
        "--speed",
        "1x",
        "--clock",
        "record",
        "-X",
        "batch.num.messages=1",
        "-X",
        "queue.buffering.max.messages=10",
    ];
    let mut run = TerminalRun::kreplay(80, folder.path(), &args);
    run.wait_for_line("it is late", |line| line.contains("s late"));
    let (code, shown) = run.end();
    assert_eq!(code, 0, "{shown:?}");
    let late = drawn(&shown).into_iter().filter_map(|line| {
        let before = line
            .split("s late")
            .next()
            .filter(|before| *before != line)?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    // What is late by less is not called so.
    assert!(late.min() >= Some(1), "{shown:?}");
}
