//! THIRD-PARTY.txt names what is linked into kreplay, with the versions of Cargo.lock, and holds the licence
//! of each. To regenerate it:
//!
//! ```text
//! KREPLAY_WRITE_NOTICES=1 cargo test --release --test project notices::
//! ```
//!
//! For Linux on x86-64, whose crates exist wherever the test could be built.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Crates that bring C code with them, its name, and where its licence is in them.
const BUNDLED: [(&str, &str, &str); 5] = [
    ("openssl-src", "OpenSSL", "openssl/LICENSE.txt"),
    (
        "rdkafka-sys",
        "librdkafka, with lz4, snappy and others",
        "librdkafka/LICENSES.txt",
    ),
    ("libz-sys", "zlib", "src/zlib/LICENSE"),
    ("zstd-sys", "zstd", "zstd/LICENSE"),
    ("libmimalloc-sys", "mimalloc", "c_src/mimalloc/v2/LICENSE"),
];

const HEAD: &str = "\
What is linked into kreplay, and its licences. `cargo test --release --test project notices::` checks that this is what
Cargo.lock asks for on Linux; CONTRIBUTING.md says how to regenerate it.
";

/// A crate that is linked into kreplay, or that brings what is.
struct LinkedCrate {
    name: String,
    version: String,
    license: String,
    source: String,
    folder: PathBuf,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo says about all crates, without the network.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", TARGET])
        .current_dir(root())
        .output()
        .expect("cargo runs the tests");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().into()
}

/// A crate that only the compiler runs is in no program.
fn is_macro(package: &Value) -> bool {
    let kinds = list(&package["targets"])
        .iter()
        .flat_map(|target| list(&target["kind"]));
    kinds.into_iter().any(|kind| kind == "proc-macro")
}

/// All that kreplay depends on when it runs, and the sources of what it brings.
fn linked() -> Vec<LinkedCrate> {
    let metadata = metadata();
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .iter()
        .map(|package| (package["id"].as_str().expect("an id"), package))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .iter()
        .map(|node| (node["id"].as_str().expect("an id"), node))
        .collect();
    let itself = packages
        .iter()
        .find(|(_, package)| package["name"] == "kreplay");
    let mut waiting = vec![*itself.expect("this is kreplay").0];
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if is_macro(packages[id]) || !found.insert(id) {
            continue;
        }
        // What unpacks and compiles C is in no program either.
        let is_source = packages[id]["name"] == "openssl-src";
        let dependencies = list(&nodes[id]["deps"]).iter();
        for dependency in dependencies.filter(|_| !is_source) {
            let is_linked = |kind: &Value| kind["kind"].is_null();
            let brings = BUNDLED
                .iter()
                .any(|(name, ..)| dependency["name"] == name.replace('-', "_"));
            if list(&dependency["dep_kinds"]).iter().any(is_linked) || brings {
                waiting.push(dependency["pkg"].as_str().expect("an id"));
            }
        }
    }
    let packages = found.into_iter().map(|id| packages[id]);
    let others = packages.filter(|package| package["name"] != "kreplay");
    let mut linked: Vec<LinkedCrate> = others
        .map(|package| LinkedCrate {
            name: text(&package["name"]),
            version: text(&package["version"]),
            license: text(&package["license"]),
            source: text(&package["repository"]),
            folder: PathBuf::from(text(&package["manifest_path"]))
                .parent()
                .expect("a folder")
                .into(),
        })
        .collect();
    linked.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    linked
}

/// The texts of a crate's licence: if it is given under one of several, those of MIT.
fn licences(of: &LinkedCrate) -> Vec<String> {
    let files = fs::read_dir(&of.folder).expect("cargo has the sources");
    let names = files
        .flatten()
        .map(|file| file.file_name().to_string_lossy().into_owned());
    let begins = |name: &String| {
        let name = name.to_uppercase();
        ["LICEN", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let mut names: Vec<String> = names.filter(begins).collect();
    names.sort();
    let is_mit = |name: &String| name.to_uppercase().contains("MIT");
    if names.iter().any(is_mit) && of.license.contains("OR") {
        names.retain(is_mit);
    }
    let read = |name: &String| fs::read(of.folder.join(name)).ok();
    let texts = names.iter().filter_map(read);
    texts
        .map(|text| tidy(&String::from_utf8_lossy(&text)))
        .filter(|text| !text.is_empty())
        .collect()
}

fn tidy(text: &str) -> String {
    let lines = text.lines().map(str::trim_end);
    lines
        .collect::<Vec<_>>()
        .join("\n")
        .trim_matches('\n')
        .to_string()
}

/// The file as it should be.
fn notices() -> String {
    let crates = linked();
    let mut all = HEAD.to_string();
    // By their texts: many crates have the same one.
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    all += "\nBrought by crates, and linked statically:\n";
    for (name, what, file) in BUNDLED {
        let of = crates.iter().find(|of| of.name == name);
        let of = of.unwrap_or_else(|| panic!("{name} is linked no more"));
        writeln!(all, "  {what} (in {} {})", of.name, of.version).expect("a string");
        let licence = fs::read_to_string(of.folder.join(file));
        let licence = licence.unwrap_or_else(|e| panic!("{name} has no {file}: {e}"));
        texts.entry(tidy(&licence)).or_default().push(what.into());
    }
    all += "\nCrates:\n";
    for of in &crates {
        let LinkedCrate {
            name,
            version,
            license,
            source,
            ..
        } = of;
        assert_ne!(license, "", "{name} names no licence");
        writeln!(all, "  {name} {version}: {license}, {source}").expect("a string");
        for licence in licences(of) {
            texts
                .entry(licence)
                .or_default()
                .push(format!("{name} {version}"));
        }
    }
    let mut by_names: Vec<(Vec<String>, String)> = texts
        .into_iter()
        .map(|(text, names)| (names, text))
        .collect();
    by_names.sort();
    for (names, text) in by_names {
        let rule = "-".repeat(100);
        write!(all, "\n{rule}\n{}\n{rule}\n\n{text}\n", names.join(", ")).expect("a string");
    }
    all
}

#[test]
fn the_notices_are_those_of_the_linked_libraries() {
    let path = root().join("THIRD-PARTY.txt");
    let expected = notices();
    if env::var_os("KREPLAY_WRITE_NOTICES").is_some() {
        fs::write(&path, &expected).expect("the source is writable");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = expected
        .lines()
        .zip(found.lines())
        .find(|(expected, found)| expected != found);
    assert_eq!(
        differs, None,
        "THIRD-PARTY.txt is out of date: see the head of tests/project/notices.rs"
    );
    assert!(
        expected == found,
        "THIRD-PARTY.txt is out of date: see the head of tests/project/notices.rs"
    );
    for linked in [
        "OpenSSL",
        "librdkafka",
        "zstd",
        "lz4",
        "snappy",
        "zlib",
        "mimalloc",
    ] {
        let head = found.split("\nCrates:\n").next().unwrap_or_default();
        assert!(head.contains(linked), "{linked} is not named: {head}");
    }
}
