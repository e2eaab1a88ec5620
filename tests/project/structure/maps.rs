//! The maps of the source, in the documentation of `src/lib.rs` and of some modules: a reader comes from a
//! behaviour or a flag to the file that decides it, by one row.

use std::collections::{BTreeMap, BTreeSet};

use super::{files_of, tokens};

/// One row of a map: a behaviour in a user's words, and where it is decided.
struct MapRow<'a> {
    question: &'a str,
    answer: &'a str,
}

/// The rows of the map in the documentation of a module, without its headings.
fn map_rows(text: &str) -> Vec<MapRow<'_>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | "));
    let cells = rows.filter_map(|row| row.strip_suffix(" |")?.split_once(" | "));
    let rows = cells.map(|(question, answer)| MapRow { question, answer });
    rows.filter(|row| row.question != "question" && !row.question.starts_with("**"))
        .collect()
}

/// The texts in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether an answer begins with "`item` in `file.rs`".
fn begins_with_an_item(answer: &str) -> bool {
    let parts: Vec<&str> = answer.split('`').collect();
    matches!(parts[..], ["", item, " in ", file, ..] if !item.is_empty() && file.ends_with(".rs"))
}

/// Whether a file with these tokens defines `item`: a function, type or constant, or a function of a type
/// (`Type::name`).
fn defines(tokens: &[String], item: &str) -> bool {
    let Some((of, function)) = item.split_once("::") else {
        return tokens.windows(2).any(|two| {
            ["fn", "struct", "enum", "const", "static"].contains(&two[0].as_str()) && two[1] == item
        });
    };
    let mut is_of_type = false;
    for (at, token) in tokens.iter().enumerate() {
        // Elsewhere `impl` is a type in a signature.
        let begins = at == 0 || ["}", ";", "]"].contains(&tokens[at - 1].as_str());
        if token == "impl" && begins {
            let mut header = tokens[at..].iter().take_while(|token| *token != "{");
            is_of_type = header.any(|token| token == of);
        }
        let next = tokens.get(at + 1);
        if is_of_type && token == "fn" && next.is_some_and(|name| name == function) {
            return true;
        }
    }
    false
}

/// What of an answer does not exist, of the files, folders and items that it names: "`item` in `file`", or "`item`
/// there", in the file that was named last. `base` is the folder of the module that holds the map.
fn missing_in(answer: &str, base: &str, files: &BTreeMap<String, String>) -> Vec<String> {
    let parts: Vec<&str> = answer.split('`').collect();
    let mut missing = Vec::new();
    let mut last: Option<&str> = None;
    for at in (1..parts.len()).step_by(2) {
        let place = parts[at];
        let (item, file) = if [".rs", ".toml", "/"].iter().any(|end| place.ends_with(end)) {
            last = Some(place);
            ((parts[at - 1] == " in ").then(|| parts[at - 2]), place)
        } else if parts[at + 1].starts_with(" there") {
            (Some(place), last.unwrap_or(""))
        } else {
            continue;
        };
        let inside = [format!("{base}{file}"), file.to_owned()];
        let text = files.iter().find(|(name, _)| {
            let is_it = |path: &String| match path.ends_with('/') {
                true => name.starts_with(path.as_str()),
                false => *name == path,
            };
            inside.iter().any(is_it)
        });
        match (text, item) {
            (None, _) => missing.push(file.to_owned()),
            (Some((name, text)), Some(item))
                if name.ends_with(".rs") && !defines(&tokens::tokens(text), item) =>
            {
                missing.push(format!("{item} in {file}"));
            }
            _ => {}
        }
    }
    missing
}

#[test]
fn every_file_and_function_that_the_maps_name_exists() {
    let files = files_of("src");
    let is_map = |text: &&String| text.contains("//! | question | file |\n");
    let maps: Vec<&String> = files
        .iter()
        .filter_map(|(name, text)| is_map(&text).then_some(name))
        .collect();
    assert!(maps.len() > 2, "{maps:?}");
    let mut missing = Vec::new();
    for map in maps {
        let folder = map.rfind('/').map_or("", |end| &map[..=end]);
        let rows = map_rows(&files[map]);
        let least = if map == "lib.rs" { 300 } else { 5 };
        assert!(rows.len() >= least, "{map} has {} rows", rows.len());
        for row in rows {
            let of_row = missing_in(row.answer, folder, &files).into_iter();
            missing.extend(of_row.map(|what| format!("{map}: {}: {what}", row.question)));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_row_of_the_maps_names_first_the_item_that_decides() {
    let files = files_of("src");
    for map in ["lib.rs", "produce/mod.rs"] {
        let others: Vec<String> = map_rows(&files[map])
            .iter()
            .filter(|row| !begins_with_an_item(row.answer))
            .map(|row| format!("{}: {}", row.question, row.answer))
            .collect();
        assert!(others.is_empty(), "{map}: {others:#?}");
    }
}

/// Source files of an answer in which it names no item: a reader would have to look through them.
fn bare_files(answer: &str) -> Vec<&str> {
    let parts: Vec<&str> = answer.split('`').collect();
    let places = (1..parts.len()).step_by(2);
    let bare = places.filter(|at| parts[*at].ends_with(".rs") && parts[at - 1] != " in ");
    bare.map(|at| parts[at]).collect()
}

#[test]
fn the_map_names_an_item_in_each_source_file() {
    let files = files_of("src");
    let rows = map_rows(&files["lib.rs"]);
    let bare: Vec<String> = rows
        .iter()
        .flat_map(|row| {
            bare_files(row.answer)
                .into_iter()
                .map(move |file| (row, file))
        })
        .map(|(row, file)| format!("{}: {file}", row.question))
        .collect();
    assert!(bare.is_empty(), "{bare:#?}");
}

/// Questions that occur more than once.
fn repeated<'a>(rows: &[MapRow<'a>]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let questions = rows.iter().map(|row| row.question);
    questions
        .filter(|question| !seen.insert(*question))
        .collect()
}

#[test]
fn no_question_of_a_map_occurs_twice() {
    let files = files_of("src");
    for map in ["lib.rs", "produce/mod.rs"] {
        let repeated = repeated(&map_rows(&files[map]));
        assert!(repeated.is_empty(), "{map}: {repeated:#?}");
    }
}

/// Rows in one section; a reader looks through them.
const ROWS_IN_A_SECTION: usize = 25;

#[test]
fn no_section_of_the_map_is_longer_than_a_reader_looks_through() {
    let files = files_of("src");
    let mut sections: Vec<(&str, usize)> = Vec::new();
    for line in files["lib.rs"].lines() {
        if let Some(heading) = line.strip_prefix("//! | **") {
            sections.push((heading, 0));
        } else if line.starts_with("//! | ")
            && let Some((_, rows)) = sections.last_mut()
        {
            *rows += 1;
        }
    }
    assert!(sections.len() > 10, "{sections:?}");
    sections.retain(|(_, rows)| *rows == 0 || *rows > ROWS_IN_A_SECTION);
    assert!(sections.is_empty(), "{sections:#?}");
}

#[test]
fn every_flag_is_in_a_question_of_the_map() {
    let files = files_of("src");
    let rows = map_rows(&files["lib.rs"]);
    let asked: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(row.question)).collect();
    let flags = kreplay::flags_by_command().into_iter();
    let flags: BTreeSet<String> = flags.flat_map(|(_, flags)| flags).collect();
    assert!(flags.len() > 60, "{flags:?}");
    let lacking: Vec<&String> = flags
        .iter()
        .filter(|flag| flag.starts_with("--") && !asked.contains(flag.as_str()))
        .collect();
    assert!(lacking.is_empty(), "no row asks about {lacking:?}");
}

/// Words that people look for: in the manual, in messages and reports of kreplay, and in the world of Kafka.
const ASKED_ABOUT: [&str; 82] = [
    "duplicates",
    "secret",
    "timestamp",
    "exit codes",
    "a snapshot's CSV is given up",
    "selected",
    "due times",
    "rates",
    "consumer group",
    "capacity",
    "expectation",
    "noise",
    "redacted",
    "placeholders",
    "plan",
    "journal",
    "rejects",
    "guard",
    "TLS checks",
    "escaped",
    "bounds",
    "which copy",
    "gzip",
    "progress",
    "the end of a run",
    "locked",
    "given up (`--give-up-after`)",
    "acks",
    "retries",
    "compression",
    "linger",
    "partitioner",
    "murmur2",
    "client.id",
    "backoff",
    "replication",
    "DNS",
    "advertised",
    "compacted",
    "min.insync.replicas",
    "LogAppendTime",
    "max.message.bytes",
    "latency",
    "elapsed",
    "fatal",
    "IdempotentWrite",
    "schema",
    "twice",
    "disk",
    "plugin",
    "defaults",
    "tombstone",
    "null",
    "SIGHUP",
    "nohup",
    "unselected",
    "clamped",
    "untimed",
    "jump",
    "Kerberos",
    "OIDC",
    "keystore",
    "certificate",
    "ACL",
    "not_written",
    "unsent",
    "BOM",
    "UTF-8",
    "stdin",
    "uncertain",
    "lag of a group",
    "duration",
    "third Ctrl-C",
    "connections",
    "Metadata",
    "group.id",
    "consumers",
    "message.timeout.ms",
    "truncated",
    "OTLP",
    "SOAP",
    "KIP-848",
];

#[test]
fn the_map_has_a_row_for_each_behaviour_that_people_ask_about() {
    let files = files_of("src");
    let rows = map_rows(&files["lib.rs"]);
    for topic in ASKED_ABOUT {
        assert!(
            rows.iter().any(|row| row.question.contains(topic)),
            "no row for {topic}"
        );
    }
}

/// The names of all kinds of problems, as `report/ledger/problems.rs` writes them into a report.
fn problem_names(text: &str) -> BTreeSet<&str> {
    let names = text.split("pub fn name(self)").nth(1).unwrap_or_default();
    let names = names.split("\n    }\n").next().unwrap_or_default();
    let arms = names.lines().filter_map(|line| line.split_once(" => \""));
    arms.filter_map(|(_, name)| name.strip_suffix("\","))
        .collect()
}

#[test]
fn every_problem_and_outcome_of_a_report_is_in_a_question_of_the_map() {
    let files = files_of("src");
    let rows = map_rows(&files["lib.rs"]);
    let asked: BTreeSet<&str> = rows.iter().flat_map(|row| quoted(row.question)).collect();
    let mut names = problem_names(&files["report/ledger/problems.rs"]);
    assert!(names.contains("time_jump") && names.len() > 20, "{names:?}");
    names.extend(kreplay::Outcome::ALL.iter().map(|outcome| outcome.name()));
    names.retain(|name| !asked.contains(name));
    assert!(names.is_empty(), "no row asks about {names:?}");
}

#[test]
fn a_function_of_one_type_is_not_taken_for_that_of_another() {
    let text = "
        struct Cat;
        impl Cat { fn purr(&self, ear: impl Fn()) -> u8 { 1 } fn eat(&self) {} }
        struct Dog;
        impl fmt::Display for Dog { fn bark(&self) {} }
    ";
    let tokens = tokens::tokens(text);
    for item in ["Cat", "eat", "Cat::purr", "Cat::eat", "Dog::bark"] {
        assert!(defines(&tokens, item), "{item}");
    }
    for item in ["ear", "Cat::bark", "Dog::eat", "Fn::eat", "Cow::eat"] {
        assert!(!defines(&tokens, item), "{item}");
    }
}

#[test]
fn what_a_map_names_and_does_not_exist_is_found() {
    let files = [("a/b.rs", "fn g() {}"), ("c.rs", "struct S;")];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let text = "//! | question | file |\n//! |---|---|\n//! | **Part** | |\n//! | how `--x` goes | `g` in `a/b.rs`, `a/`, `f` in `a/b.rs`, `d.rs`, `e/` |\n//! | how | `S` in `c.rs`, `T` there; then: `g` in `a/b.rs`, `g` there, `h` in `c.rs` |\n//! | how | `S` in `c.rs` |";
    let rows = map_rows(text);
    let [first, second, _] = &rows[..] else {
        panic!("{} rows", rows.len());
    };
    assert_eq!(quoted(first.question).collect::<Vec<_>>(), ["--x"]);
    let files = BTreeMap::from(files);
    let missing = missing_in(first.answer, "", &files);
    assert_eq!(missing, ["f in a/b.rs", "d.rs", "e/"]);
    let missing = missing_in(second.answer, "", &files);
    assert_eq!(missing, ["T in c.rs", "h in c.rs"]);
    assert_eq!(repeated(&rows), ["how"]);
    assert_eq!(bare_files(first.answer), ["d.rs"]);
}

#[test]
fn an_answer_that_begins_with_a_file_or_a_folder_is_refused() {
    assert!(begins_with_an_item("`read` in `a/b.rs`, lines `c.rs`"));
    for answer in [
        "`a/b.rs`",
        "`a/`, then `read` in `a/b.rs`",
        "lines `read` in `a.rs`",
        "`read` in `a/`",
        "nowhere",
    ] {
        assert!(!begins_with_an_item(answer), "{answer}");
    }
}
