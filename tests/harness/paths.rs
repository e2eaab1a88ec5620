//! Where tests find files: fixtures in the source tree, the simulated speedctl among the build products.
//!
//! Tests of the library, which run no binary, use fixtures too, so this file does not depend on `run`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The path of a file in `fixtures/`.
///
/// # Panics
/// Panics if the file does not exist.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    assert!(path.exists(), "there is no fixture {}", path.display());
    path
}

/// The path of the simulated speedctl, `tools/speedctl`.
///
/// Cargo builds the binaries of a test's own package only, so the first call in a process has cargo build
/// this one: a test never runs an old one, or none. If nothing has to be built, that takes a fraction of a
/// second.
///
/// # Panics
/// Panics if it does not compile.
pub(crate) fn standin() -> PathBuf {
    tool("speedctl")
}

/// The path of a program of `tools/`, built as [`standin`] is.
///
/// # Panics
/// Panics if it does not compile.
pub(crate) fn tool(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build_tools).join(name)
}

/// Builds the tools where this test was built, with the same profile; returns the folder.
fn build_tools() -> PathBuf {
    let test = std::env::current_exe().expect("the system knows the path of this test");
    // TARGET/PROFILE/deps/TEST
    let products = test.ancestors().nth(2).expect("cargo nests its products");
    let target = products.parent().expect("cargo nests its products");
    let profile = match products.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // No `--package`: the features of shared crates follow from the packages that are selected, and others would be
    // compiled again.
    let built = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "build", "--quiet", "--locked", "--bin", "speedctl", "--bin", "service",
        ])
        .args(["--profile", profile, "--target-dir"])
        .arg(target)
        .stdin(Stdio::null())
        .output()
        .expect("cargo runs the tests, so it is there");
    assert!(
        built.status.success(),
        "the tools do not compile:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    products.to_owned()
}
