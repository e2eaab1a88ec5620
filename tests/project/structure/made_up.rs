//! Tests of the check itself, on made-up crates; `mod.rs` says what is checked.

use std::collections::{BTreeMap, BTreeSet};

use super::imports::{Imports, imports, program};
use super::{breaches, circles, complaints, lines_before_tests, repeated_types};

/// The files of a crate, each `FILE: TEXT`, with ` | ` between them.
fn sources(files: &str) -> BTreeMap<String, String> {
    let files = files.split(" | ").map(|file| {
        let (name, text) = file.split_once(": ").unwrap_or((file, ""));
        (name.trim_end_matches(':').to_owned(), text.to_owned())
    });
    files.collect()
}

fn graph(files: &str) -> Imports {
    imports(&program(&sources(files)))
}

fn circles_in(files: &str) -> String {
    let found = circles::circles(&graph(files));
    let found: Vec<String> = found.iter().map(|circle| circle.join(" ")).collect();
    found.join(", ")
}

#[test]
fn circles_are_found_however_they_are_imported() {
    let cases = [
        // One direction is not a circle.
        ("a.rs: use crate::b::B; | b.rs: struct B;", ""),
        ("a.rs: use crate::b::B; | b.rs: use super::a;", "a.rs b.rs"),
        // Paths in the text.
        (
            "a.rs: fn f() { crate::b::g() } | b.rs: fn g() -> super::a::A { f() }",
            "a.rs b.rs",
        ),
        // Over three files, in nested braces.
        (
            "a.rs: use std::io; use crate::{x::{self, Y}, b::{self}}; | b.rs: use crate::c as d; \
             | c/mod.rs: use super::{a::{A, self as other}}; | x.rs: struct Y;",
            "a.rs b.rs c/mod.rs",
        ),
        // A parent and its child.
        (
            "a/mod.rs: mod b; use b::B; struct A; | a/b.rs: use super::A;",
            "a/b.rs a/mod.rs",
        ),
        (
            "a.rs: mod b; fn f() { b::g() } | a/b.rs: fn g() { super::f() }",
            "a.rs a/b.rs",
        ),
        // Two at once; an import between them does not join them.
        (
            "a.rs: use crate::b; | b.rs: use crate::a; | c.rs: use crate::{a, d}; | d.rs: use crate::c;",
            "a.rs b.rs, c.rs d.rs",
        ),
        // The root.
        (
            "lib.rs: mod a; use a::A; pub struct Z; | a.rs: use crate::Z;",
            "a.rs lib.rs",
        ),
        // In a module inside a file.
        (
            "a.rs: mod inner { use super::super::b::B; } | b.rs: use crate::a::inner::I;",
            "a.rs b.rs",
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(circles_in(files), expected, "{files}");
    }
}

#[test]
fn a_re_exported_name_is_imported_from_where_it_is_defined() {
    for (parent, expected) in [
        ("mod b; pub use b::B;", "a/b.rs c.rs"),
        ("mod b; pub(crate) use b::{B as X, B};", "a/b.rs c.rs"),
        ("mod b; pub use self::b::*;", "a/b.rs c.rs"),
        // A struct of its own: no path leads to the child.
        ("mod b; pub struct B;", ""),
    ] {
        let files = format!(
            "a/mod.rs: {parent} | a/b.rs: use crate::c::C; struct B; | c.rs: use crate::a::B; struct C;"
        );
        assert_eq!(circles_in(&files), expected, "{files}");
    }
}

#[test]
fn a_re_export_is_an_import_where_its_name_is_used() {
    let parent_and_child = |text: &str| {
        circles_in(&format!(
            "a/mod.rs: {text} | a/b.rs: use super::A; struct B;"
        ))
    };
    assert_eq!(parent_and_child("mod b; pub use b::B; struct A;"), "");
    assert_eq!(
        parent_and_child("mod b; pub use b::B; struct A(B);"),
        "a/b.rs a/mod.rs"
    );
}

#[test]
fn what_is_not_an_import_makes_no_circle() {
    for text in [
        "// use crate::b;",
        "/* /* */ use crate::b; */",
        r#"const S: &str = "use crate::b; \" crate::b::f()";"#,
        r##"const S: &str = r#"" crate::b::f()"#;"##,
        r#"fn f<'a>(c: char) -> bool { c == '"' } // crate::b::f() ""#,
        "pub(in crate::b) struct A;",
        "fn b() {} fn c() { b::<u8>() }",
        "use std::b::f; use other::b;",
        "#[cfg(test)] mod tests { use crate::b; }",
        "#[cfg(test)] use crate::{b, c};",
        "#[cfg(test)] #[allow(x)] pub(crate) fn f<A, B>() { crate::b::f() }",
        "struct S { #[cfg(test)] field: crate::b::B, }",
        "fn f() { #[cfg(test)] { crate::b::f() } }",
        "#[cfg(test)] mod tests;",
    ] {
        let graph = graph(&format!(
            "a.rs: {text} | a/tests.rs: use crate::b; | b.rs: use crate::a::A;"
        ));
        assert!(graph["a.rs"].is_empty(), "{text}: {:?}", graph["a.rs"]);
        let counts_tests = graph.contains_key("a/tests.rs");
        assert_eq!(counts_tests, !text.ends_with("mod tests;"), "{text}");
    }
    let elsewhere =
        "a.rs: #[cfg(test)] #[path = \"of_tests.rs\"] mod tests; | of_tests.rs: use crate::a;";
    assert!(!graph(elsewhere).contains_key("of_tests.rs"));
    // The modules of a test module are in its folder.
    let below = "a.rs: #[cfg(test)] mod tests; | a/tests/mod.rs: mod b; | a/tests/b.rs: use crate::a; \
                 | a/b.rs: use crate::a;";
    let below = graph(below);
    assert!(!below.contains_key("a/tests/b.rs") && below.contains_key("a/b.rs"));
    // What follows the tests counts.
    let after = "a.rs: #[cfg(test)] mod tests { fn f() {} } use crate::b; \
                 | b.rs: #[cfg(test)] const C: u8 = 1; fn f() { crate::a::g() }";
    assert_eq!(circles_in(after), "a.rs b.rs");
}

#[test]
fn crowded_folders_are_found() {
    let files = |folder: &str, count: usize| -> BTreeMap<String, String> {
        let files = (0..count).map(|number| (format!("{folder}f{number}.rs"), String::new()));
        files.collect()
    };
    for (folder, most, named) in [("", 13, "folder src/"), ("a/b/", 9, "folder src/a/b")] {
        assert!(breaches(&files(folder, most)).is_empty(), "{folder}");
        let found = breaches(&files(folder, most + 1));
        assert_eq!(found, BTreeSet::from([named.to_owned()]));
    }
    // A folder counts as one entry of the one above it.
    let mut nested = files("a/b/", 9);
    nested.extend(files("a/", 9));
    let found = breaches(&nested);
    assert_eq!(found, BTreeSet::from(["folder src/a".to_owned()]));
}

#[test]
fn type_names_that_occur_twice_are_found() {
    let files = sources(
        "a.rs: pub struct One; enum Two<T> { V(T) } trait Three { type Four; } type Five = u8; \
         | b.rs: struct Other; impl Three for Other { type Four = u8; } fn f() { type Five = u16; } \
         | c.rs: #[cfg(test)] struct One; enum Three {} impl Iterator for Other { type Item = u8; } \
         | d.rs: fn g() { struct Two; } mod m { type Item = u8; } \
         | e.rs: forward! { map struct enum identifier } forward! { map struct enum identifier }",
    );
    let found: Vec<String> = repeated_types(&files).into_keys().collect();
    assert_eq!(found, ["Five", "One", "Three", "Two"]);
    assert_eq!(repeated_types(&files)["One"], ["a.rs", "c.rs"]);
}

#[test]
fn a_complaint_names_the_files() {
    let files = sources("a.rs: use crate::b; struct A; | b.rs: use crate::a::A;");
    assert_eq!(
        complaints(&files),
        "not allowed: circle a.rs b.rs\n    a.rs imports b.rs by `b`\n    b.rs imports a.rs by `a::A`\n"
    );
    assert_eq!(
        complaints(&sources("a.rs: struct A; | b.rs: use crate::a::A;")),
        ""
    );
}

#[test]
fn lines_are_counted_up_to_the_tests() {
    let text = "//! A file.\n\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(lines_before_tests("a.rs", text), 4);
    assert_eq!(
        lines_before_tests("a.rs", "fn f() {\n    #[cfg(test)]\n}\n"),
        3
    );
}
