//! A program in a pseudo-terminal, and the lines of progress that it draws there.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::KREPLAY;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The longest that a run may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A program in a terminal of its own.
pub(super) struct TerminalRun {
    child: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
    keyboard: Box<dyn Write + Send>,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
    columns: usize,
    deadline: Instant,
}

impl TerminalRun {
    pub(super) fn start(columns: u16, folder: &Path, program: &str, args: &[&str]) -> Self {
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

    pub(super) fn kreplay(columns: u16, folder: &Path, args: &[&str]) -> Self {
        Self::start(columns, folder, KREPLAY, args)
    }

    /// Everything that the terminal was sent.
    pub(super) fn shown(&self) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Presses keys.
    pub(super) fn press(&mut self, keys: &[u8]) {
        self.keyboard
            .write_all(keys)
            .and_then(|()| self.keyboard.flush())
            .expect("the terminal takes them");
    }

    /// Waits until a line was drawn that `is_it` accepts; returns the line.
    pub(super) fn wait_for_line(&mut self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
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

    pub(super) fn has_ended(&mut self) -> bool {
        let status = self.child.try_wait();
        status.expect("the child is ours to wait for").is_some()
    }

    pub(super) fn check_limit(&mut self, what: &str) {
        if Instant::now() > self.deadline {
            self.child.kill().ok();
            panic!(
                "it took longer than {LIMIT:?} until {what}\n{:?}",
                self.shown()
            );
        }
    }

    /// The exit code, and everything that was shown; no line of progress was ever wider than the terminal.
    pub(super) fn end(mut self) -> (u32, String) {
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
pub(super) fn drawn(shown: &str) -> Vec<String> {
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

/// Runs a program in a terminal; returns its exit code and everything that was shown.
pub(super) fn in_terminal(folder: &Path, program: &str, args: &[&str]) -> (u32, String) {
    TerminalRun::start(120, folder, program, args).end()
}
