//! Ends a kreplay whose tester was killed.
//!
//! The guard is a process of its own: kreplay runs in its own process group, which Ctrl-C in the terminal and
//! the death of the tester do not reach.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Waits for a line; the end of the pipe without one means that the tester is gone.
/// There is no `--` before the group because dash takes that for a process id.
const SCRIPT: &str = r#"read -r _ || { kill -9 "-$1"; rm -rf "$2"; }"#;

/// Watches one process group until it is released.
pub(super) struct Guard {
    script: Child,
}

impl Guard {
    /// Begins to watch a process group and the folder to remove with it.
    pub(super) fn over(group: u32, folder: &Path) -> Self {
        let script = Command::new("sh")
            .args(["-c", SCRIPT, "sh", &group.to_string()])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("every Unix has `sh`");
        Self { script }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.script.stdin.take() {
            pipe.write_all(b"done\n").ok();
        }
        self.script.wait().ok();
    }
}
