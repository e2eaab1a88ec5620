//! Which file of a crate imports which: from `use` declarations and from paths in the text.
//!
//! The search for circles needs only the graph that this file builds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use super::tokens::{Program, TestModule, is_word, starts, tokens, without_tests};

/// A path to a module or an item, from the root of the crate.
type Names = Vec<String>;

/// For each file, the files that it imports, each with the path that does so.
pub(crate) type Imports = BTreeMap<String, BTreeMap<String, String>>;

/// A file of the crate, what it says and what it makes visible.
struct Module {
    file: String,
    uses: Vec<Names>,
    /// `pub use`, with any visibility: where a name comes from.
    exports: BTreeMap<String, Names>,
    /// `pub use PATH::*`
    export_globs: Vec<Names>,
    /// What the file itself defines.
    items: BTreeSet<String>,
    tokens: Vec<String>,
}

/// The files of a crate without those that only tests have, as paths below its source folder, with their
/// program text.
pub(crate) fn program(files: &BTreeMap<String, String>) -> BTreeMap<String, Vec<String>> {
    let mut programs = BTreeMap::new();
    let mut of_tests = BTreeSet::new();
    for (file, text) in files {
        let Program {
            tokens,
            test_modules,
        } = without_tests(&tokens(text));
        for module in test_modules {
            of_tests.extend(files_of(file, &module));
        }
        programs.insert(file.clone(), tokens);
    }
    programs.retain(|file, _| !is_of_tests(file, &of_tests));
    programs
}

/// Whether a file is one of `modules`, which only tests have, or in the folder of one.
fn is_of_tests(file: &str, modules: &BTreeSet<String>) -> bool {
    let mut folders = modules
        .iter()
        .filter_map(|path| path.strip_suffix("mod.rs"));
    modules.contains(file) || folders.any(|folder| file.starts_with(folder))
}

/// The places where a module that `file` declares may be.
fn files_of(file: &str, module: &TestModule) -> Vec<String> {
    let folder = file
        .rsplit_once('/')
        .map_or(String::new(), |(folder, _)| format!("{folder}/"));
    match module {
        TestModule::At(path) => vec![format!("{folder}{path}")],
        TestModule::Named(name) => {
            let below = match module_path(file).last() {
                Some(own) if !file.ends_with("/mod.rs") => format!("{folder}{own}/"),
                _ => folder,
            };
            vec![format!("{below}{name}.rs"), format!("{below}{name}/mod.rs")]
        }
    }
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`; `lib.rs` is the root.
fn module_path(file: &str) -> Names {
    let path = Path::new(file).with_extension("");
    let mut names: Names = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    match names.last().map(String::as_str) {
        Some("mod") => drop(names.pop()),
        Some("lib") if names.len() == 1 => names.clear(),
        _ => {}
    }
    names
}

/// Builds the graph. A re-export is not an import: a file that uses the name imports the file that defines
/// it.
pub(crate) fn imports(programs: &BTreeMap<String, Vec<String>>) -> Imports {
    let modules: BTreeMap<Names, Module> = programs
        .iter()
        // The binary is a crate of its own.
        .filter(|(file, _)| *file != "main.rs")
        .map(|(file, tokens)| (module_path(file), Module::new(file, tokens)))
        .collect();
    let modules = Modules(with_paths(modules));
    let mut graph = Imports::new();
    for module in modules.0.values() {
        let imported = graph.entry(module.file.clone()).or_default();
        for path in &module.uses {
            if let Some(target) = modules.file_of(path, 0)
                && target != module.file
            {
                imported
                    .entry(target.to_owned())
                    .or_insert_with(|| path.join("::"));
            }
        }
    }
    graph
}

/// Reads the paths of every file, which takes knowing all modules: a path may begin with a child's name.
fn with_paths(mut modules: BTreeMap<Names, Module>) -> BTreeMap<Names, Module> {
    let known: BTreeSet<Names> = modules.keys().cloned().collect();
    for (path, module) in &mut modules {
        let tokens = std::mem::take(&mut module.tokens);
        FileReading {
            known: &known,
            scope: path.clone(),
            module,
        }
        .read(&tokens);
    }
    modules
}

impl Module {
    fn new(file: &str, tokens: &[String]) -> Self {
        const DEFINE: [&str; 9] = [
            "struct", "enum", "union", "trait", "type", "fn", "const", "static", "mod",
        ];
        let items = tokens
            .windows(2)
            .filter(|two| DEFINE.contains(&two[0].as_str()) && is_word(&two[1]))
            .map(|two| two[1].clone())
            .collect();
        Self {
            file: file.to_owned(),
            uses: Vec::new(),
            exports: BTreeMap::new(),
            export_globs: Vec::new(),
            items,
            tokens: tokens.to_vec(),
        }
    }
}

/// One pass over the text of a file.
struct FileReading<'a> {
    known: &'a BTreeSet<Names>,
    /// The module that the text is in; longer than the file's own path inside `mod name { ... }`.
    scope: Names,
    module: &'a mut Module,
}

impl FileReading<'_> {
    fn read(mut self, tokens: &[String]) {
        let mut at = 0;
        // For each open brace, whether it is that of a module.
        let mut braces = Vec::new();
        let mut words = BTreeSet::new();
        while at < tokens.len() {
            match tokens[at].as_str() {
                "mod" if starts(&tokens[(at + 2).min(tokens.len())..], &["{"]) => {
                    self.scope.push(tokens[at + 1].clone());
                    braces.push(true);
                    at += 3;
                }
                "{" => {
                    braces.push(false);
                    at += 1;
                }
                "}" => {
                    if braces.pop() == Some(true) {
                        self.scope.pop();
                    }
                    at += 1;
                }
                "pub" if starts(&tokens[at + 1..], &["("]) => {
                    // `pub(in crate::a)` imports nothing.
                    at += tokens[at..]
                        .iter()
                        .position(|token| token == ")")
                        .unwrap_or(0);
                    at += 1;
                    if starts(&tokens[at..], &["use"]) {
                        at += self.declaration(&tokens[at..], true);
                    }
                }
                "pub" if starts(&tokens[at + 1..], &["use"]) => {
                    at += 1 + self.declaration(&tokens[at + 1..], true);
                }
                // `impl Trait + use<'a>` imports nothing.
                "use" if !starts(&tokens[at + 1..], &["<"]) => {
                    at += self.declaration(&tokens[at..], false);
                }
                word if is_word(word) => at += self.path(tokens, at, &mut words),
                _ => at += 1,
            }
        }
        // What is re-exported here and also used here is imported.
        let used = self.module.exports.iter();
        let used = used.filter(|(name, _)| words.contains(*name));
        let used: Vec<Names> = used.map(|(_, path)| path.clone()).collect();
        self.module.uses.extend(used);
    }

    /// Reads `use TREE;` and returns its length.
    fn declaration(&mut self, tokens: &[String], exported: bool) -> usize {
        let end = tokens
            .iter()
            .position(|token| token == ";")
            .unwrap_or(tokens.len());
        let mut leaves = Vec::new();
        tree(&tokens[1..end], &[], &mut leaves);
        for (path, name) in leaves {
            let Some(path) = self.absolute(&path) else {
                continue;
            };
            match (exported, name.as_str()) {
                (true, "*") => self.module.export_globs.push(path),
                (true, _) => drop(self.module.exports.insert(name, path)),
                (false, _) => self.module.uses.push(path),
            }
        }
        end + 1
    }

    /// Reads the path that begins at a word and returns its length.
    fn path(&mut self, tokens: &[String], at: usize, words: &mut BTreeSet<String>) -> usize {
        let mut names = vec![tokens[at].clone()];
        let mut end = at + 1;
        while starts(&tokens[end..], &["::"]) && tokens.get(end + 1).is_some_and(|t| is_word(t)) {
            names.push(tokens[end + 1].clone());
            end += 2;
        }
        let before = at.checked_sub(1).map(|before| tokens[before].as_str());
        if !matches!(before, Some("." | "::")) {
            words.insert(names[0].clone());
            if names.len() > 1 {
                self.module.uses.extend(self.absolute(&names));
            }
        }
        end - at
    }

    /// The path from the root of the crate; nothing when it leads out of the crate, or begins with a name
    /// that a `use` has brought in and that is counted there.
    fn absolute(&self, path: &[String]) -> Option<Names> {
        let mut scope = self.scope.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                scope.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while let Some(("super", more)) = rest
                    .split_first()
                    .map(|(first, more)| (first.as_str(), more))
                {
                    scope.pop();
                    rest = more;
                }
            }
            first => {
                let mut child = scope.clone();
                child.push(first.to_owned());
                if !self.known.contains(&child) {
                    return None;
                }
            }
        }
        scope.extend_from_slice(rest);
        Some(scope)
    }
}

/// Collects the leaves of a `use` tree: path and the name that it gets, `*` for a glob.
fn tree(tokens: &[String], prefix: &[String], leaves: &mut Vec<(Names, String)>) {
    let mut path = prefix.to_vec();
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "::" => {}
            "{" => {
                for branch in branches(&tokens[at + 1..tokens.len() - 1]) {
                    tree(branch, &path, leaves);
                }
                return;
            }
            "*" => {
                leaves.push((path, "*".into()));
                return;
            }
            "as" => {
                leaves.push((path, tokens.get(at + 1).cloned().unwrap_or_default()));
                return;
            }
            // `a::{self, b}`
            "self" if !path.is_empty() => {}
            word => path.push(word.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        leaves.push((path, name));
    }
}

/// Splits at the commas that are in no braces.
fn branches(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0_usize;
    let parts = tokens.split(|token| {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && token == ","
    });
    parts.filter(|part| !part.is_empty()).collect()
}

struct Modules(BTreeMap<Names, Module>);

impl Modules {
    /// The file that defines what a path leads to, through re-exports.
    fn file_of(&self, path: &[String], depth: u8) -> Option<&str> {
        let (module, rest) = (0..=path.len()).rev().find_map(|length| {
            let module = self.0.get(&path[..length])?;
            Some((module, &path[length..]))
        })?;
        // Deeper than any crate nests them: a re-export of itself.
        if let Some((name, more)) = rest.split_first()
            && depth < 16
        {
            if let Some(exported) = module.exports.get(name) {
                let path = [exported.as_slice(), more].concat();
                return self.file_of(&path, depth + 1);
            }
            if !module.items.contains(name) {
                let globs = module.export_globs.iter();
                let mut through = globs.filter(|glob| self.defines(glob, name));
                if let Some(glob) = through.next() {
                    let path = [glob.as_slice(), rest].concat();
                    return self.file_of(&path, depth + 1);
                }
            }
        }
        Some(&module.file)
    }

    fn defines(&self, module: &[String], name: &str) -> bool {
        let module = self.0.get(module);
        module
            .is_some_and(|module| module.items.contains(name) || module.exports.contains_key(name))
    }
}
