//! kreplay destroys no file of the user's: what a run reads, what another run has left, and files that are
//! not kreplay's stay as they are, whatever name names them.

mod inputs;
mod outputs;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::run::{RunOutput, kreplay};
use tempfile::TempDir;

const CAPTURE: &str = "{\"topic\":\"t\",\"value\":\"kept\"}\n";

/// A folder with a capture of one record line.
struct FilesFolder(TempDir);

impl FilesFolder {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a temporary folder"));
        fs::write(files.path("cap"), CAPTURE).expect("the folder is writable");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        let path = self.path(name);
        path.to_str()
            .expect("the paths of the tests are text")
            .into()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is still there")
    }

    /// Replays the capture with more arguments into a rehearsal.
    fn rehearse(&self, more: &[&str]) -> RunOutput {
        let capture = self.text("cap");
        kreplay([&["replay", &capture, "--rehearse"], more].concat())
    }

    /// Runs a shell command in which `$K` is kreplay, in the folder.
    fn shell(&self, command: &str) -> (i32, String) {
        let output = Command::new("sh")
            .args(["-c", command])
            .env("K", env!("CARGO_BIN_EXE_kreplay"))
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .output()
            .expect("there is a shell");
        let said = String::from_utf8(output.stderr).expect("stderr is text");
        (output.status.code().unwrap_or(-1), said)
    }
}

fn refused(output: &RunOutput) -> &str {
    let (code, stdout) = (output.code, output.stdout.as_str());
    assert_eq!((code, stdout), (2, ""), "{output:#?}");
    &output.stderr
}
