//! The process that starts the server and outlives its tester, to end the server and remove its folder.
//!
//! No destructor runs in a process that is killed. So a small shell script holds the other end of a pipe, and
//! cleans up when that closes, whatever the reason.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Reads one command per line: `run` waits and answers with the exit status, `start` answers with the process
/// id. The inner subshell exists to reap the server at once and leave a note that it ended. `SIGHUP` is
/// ignored because the kernel sends it to an orphaned process group while one of its members is stopped,
/// which happens with a paused broker and a killed tester; `SIGPIPE` is ignored because nobody may be left to
/// read an answer.
const SCRIPT: &str = r#"
trap '' HUP PIPE
dir=$(mktemp -d "${TMPDIR:-/tmp}/kreplay-kafka.XXXXXX") || exit 1
echo "$dir"
started=
while read -r word command; do
  case $word in
  run)
    eval "$command" </dev/null >>"$dir/log" 2>&1
    echo "$?" ;;
  start)
    rm -f "$dir/pid" "$dir/exit"
    started=yes
    (
      eval "exec $command" </dev/null >>"$dir/log" 2>&1 &
      echo "$!" >"$dir/pid"
      echo "$!"
      wait "$!"
      echo "$?" >"$dir/exit"
    ) & ;;
  esac
done
if [ -n "$started" ]; then
  while [ -d "$dir" ] && [ ! -s "$dir/pid" ]; do sleep 1; done
  [ -e "$dir/exit" ] || kill -9 "$(cat "$dir/pid")"
  wait
fi
rm -rf "$dir"
"#;

/// The handle on the script; dropping it closes the pipe and waits for the cleaning up.
#[derive(Debug)]
pub(super) struct Watchdog {
    script: Child,
    /// Taken only by `drop`: closing it is the sign to clean up.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
    pid: Option<Pid>,
}

impl Watchdog {
    /// Starts the script, which makes the temporary folder.
    pub(super) fn spawn() -> Result<Self, String> {
        let failed = |error| format!("cannot run `sh`: {error}");
        let mut script = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal must reach the tester only, or the cleaning up is cut short.
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let commands = script.stdin.take();
        let answers = script.stdout.take().expect("stdout was asked to be a pipe");
        let mut watchdog = Self {
            script,
            commands,
            answers: BufReader::new(answers),
            folder: PathBuf::new(),
            pid: None,
        };
        watchdog.folder = PathBuf::from(watchdog.answer()?);
        Ok(watchdog)
    }

    /// The temporary folder, removed with the server.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process id of the server, as of its last start.
    pub(super) fn pid(&self) -> Option<i32> {
        self.pid.map(Pid::as_raw)
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// Returns the end of the log if the command fails.
    pub(super) fn run(&mut self, command: &[String]) -> Result<(), String> {
        self.send("run", command)?;
        match self.answer()?.as_str() {
            "0" => Ok(()),
            status => Err(format!(
                "`{}` ended with {status}:\n{}",
                command.join(" "),
                self.log_tail()
            )),
        }
    }

    /// Starts the server; returns before it is ready.
    pub(super) fn start(&mut self, command: &[String]) -> Result<(), String> {
        self.send("start", command)?;
        let answer = self.answer()?;
        let pid = answer
            .parse()
            .map_err(|_| format!("`{answer}` is no process id"))?;
        self.pid = Some(Pid::from_raw(pid));
        Ok(())
    }

    /// Whether the server was started and has not ended.
    pub(super) fn is_running(&self) -> bool {
        self.pid.is_some() && !self.folder.join("exit").exists()
    }

    /// Sends a signal to the server.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), String> {
        match self.pid {
            Some(pid) if self.is_running() => {
                kill(pid, signal).map_err(|error| format!("cannot send {signal} to Kafka: {error}"))
            }
            _ => Err(format!("cannot send {signal} to Kafka: it does not run")),
        }
    }

    /// Waits until the server has ended and been reaped.
    pub(super) fn wait_for_exit(&self, limit: Duration) -> Result<(), String> {
        let deadline = Instant::now() + limit;
        while self.is_running() {
            if Instant::now() > deadline {
                return Err(format!("Kafka did not end within {} s", limit.as_secs()));
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// The last lines that the server and its tools wrote.
    pub(super) fn log_tail(&self) -> String {
        let bytes = fs::read(self.folder.join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    fn send(&mut self, word: &str, command: &[String]) -> Result<(), String> {
        let quoted: Vec<String> = command.iter().map(|argument| quote(argument)).collect();
        let pipe = self.commands.as_mut().ok_or("the watchdog is closed")?;
        writeln!(pipe, "{word} {}", quoted.join(" "))
            .map_err(|error| format!("cannot write to the watchdog: {error}"))
    }

    fn answer(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line) {
            Ok(0) => Err("the watchdog ended".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(format!("cannot read from the watchdog: {error}")),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.commands.take());
        self.script.wait().ok();
    }
}

/// Quotes one argument for a shell; a line break would end the watchdog's command.
fn quote(argument: &str) -> String {
    let one_line = argument.replace('\n', " ");
    format!("'{}'", one_line.replace('\'', r"'\''"))
}
