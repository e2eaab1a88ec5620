//! Where tests find files: fixtures in the source tree, the speedctl stand-in among the build products.
//!
//! Apart from the runs because tests of the library use fixtures too.

use std::path::{Path, PathBuf};

/// The path of a file in `fixtures/`.
///
/// # Panics
/// When there is no such file.
pub(crate) fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(name);
    assert!(path.exists(), "there is no fixture {}", path.display());
    path
}

/// The path of the speedctl stand-in, `examples/speedctl.rs`.
///
/// # Panics
/// When it is not built: `cargo test` builds examples, `cargo test --test NAME` does not.
pub(crate) fn standin() -> PathBuf {
    let test = std::env::current_exe().expect("the system tells the path of this test");
    let path = test
        .parent()
        .and_then(Path::parent)
        .map(|profile| profile.join("examples/speedctl"))
        .unwrap_or_default();
    assert!(
        path.is_file(),
        "{} is not built; `cargo build --release --examples` does that",
        path.display()
    );
    path
}
