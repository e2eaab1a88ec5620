//! kreplay shows and uses what others have chosen without harm: names and texts on a terminal, secrets in the wrong
//! place, ids that become arguments and folders, links that lead elsewhere, what child processes inherit.

mod children;
mod paths;
mod promises;
mod properties;
mod secrets;
mod shown;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::paths::fixture;
use crate::harness::run::Run;
use tempfile::TempDir;

/// A password, wherever one is needed.
const SECRET: &str = "hunter2-hunter2";

fn folder() -> TempDir {
    tempfile::tempdir().expect("the system's temporary folder is writable")
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

/// A replay that needs a token from this command.
fn with_token_command(command: &str) -> Run {
    let capture = fixture("demo.jsonl").display().to_string();
    let args = [
        "replay",
        &capture,
        "-b",
        "127.0.0.1:1",
        "-F",
        "none",
        "-X",
        "security.protocol=SASL_PLAINTEXT",
        "-X",
        "sasl.mechanism=OAUTHBEARER",
        "--oauth-command",
        command,
    ];
    Run::new(args)
}

fn script(folder: &Path, lines: &str) -> String {
    let script = write(folder, "speedctl", format!("#!/bin/sh\n{lines}\n"));
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    script
}
