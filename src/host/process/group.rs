//! A process group for a program that kreplay runs, and for everything that the program starts. The group
//! ends when kreplay ends, even by `kill -9`. This file is separate from the programs because it knows only
//! processes.
//!
//! A signal that the system sends when the parent dies (`PR_SET_PDEATHSIG`) would need unsafe code, depends
//! on the thread that forked, and spares the program's own children. Here the leader of the group is a shell
//! that reads from a pipe of kreplay's: the system closes the pipe however kreplay ends, and the shell then
//! kills its group. The leader also keeps the group's number from being reused while kreplay may still signal
//! it. A process that moves to another group escapes.

use std::io;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// Waits for the end of kreplay, ignoring the signals that the group gets, and ends the group with it.
const WATCH: &str = "trap '' HUP INT QUIT TERM; read -r line; kill -s KILL 0";

/// The processes of one program.
#[derive(Debug)]
pub(super) struct ProcessGroup {
    id: Option<Pid>,
    /// `None` if the system has no `/bin/sh`: then the group outlives a kreplay that is killed.
    leader: Option<Child>,
}

impl ProcessGroup {
    /// Creates a group with only its leader. Must be called on a tokio runtime.
    pub(super) fn open() -> Self {
        let leader = Command::new("/bin/sh")
            .args(["-c", WATCH])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .ok();
        Self {
            id: leader.as_ref().and_then(pid),
            leader,
        }
    }

    /// Starts `command` in the group; without a leader it leads the group itself.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(super) fn spawn(&mut self, command: &mut Command) -> io::Result<Child> {
        let leader = self.id.map_or(0, Pid::as_raw);
        let child = command.process_group(leader).kill_on_drop(true).spawn()?;
        self.id = self.id.or_else(|| pid(&child));
        Ok(child)
    }

    /// Signals the whole group; an empty group is not an error.
    pub(super) fn signal(&self, signal: Signal) {
        if let Some(group) = self.id {
            _ = killpg(group, signal);
        }
    }

    /// Kills what is left of the group.
    pub(super) async fn end(mut self) {
        self.signal(Signal::SIGKILL);
        if let Some(leader) = &mut self.leader {
            _ = leader.wait().await;
        }
        self.id = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

fn pid(child: &Child) -> Option<Pid> {
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    id.map(Pid::from_raw)
}
