//! The words and signs of Rust text, without comments and without code that only tests compile.
//!
//! The other files deal with imports and names, not with characters.

/// Splits Rust text. A word, a number and `::` are a token each, as is every other sign; a string is a
/// token that begins with `"`. Comments and lifetimes are left out.
pub(crate) fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(raw) = raw_string(rest) {
            found.push("\"".into());
            raw
        } else if first == '"' {
            let length = string(rest);
            found.push(rest[..length - 1].to_owned());
            length
        } else if first == '\'' {
            quoted_or_lifetime(rest)
        } else if is_of_a_word(first) {
            let length = rest.find(|c| !is_of_a_word(c)).unwrap_or(rest.len());
            found.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            found.push("::".into());
            2
        } else {
            if !first.is_whitespace() {
                found.push(first.into());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

pub(crate) fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c == '_' || c.is_alphabetic())
}

fn is_of_a_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// The length of a block comment; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a raw string at the beginning of the text: `r"..."`, `br#"..."#`.
fn raw_string(text: &str) -> Option<usize> {
    let start = ["br", "cr", "r"]
        .iter()
        .find(|prefix| text.starts_with(**prefix))?
        .len();
    let hashes = text[start..].chars().take_while(|c| *c == '#').count();
    let body = start + hashes + 1;
    if !text[start + hashes..].starts_with('"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let length = text[body..].find(&end)?;
    Some(body + length + end.len())
}

/// The length of a string with its quotes.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `'x'`, `'\n'` or `'lifetime`.
fn quoted_or_lifetime(text: &str) -> usize {
    let mut inner = text[1..].chars();
    match (inner.next(), inner.next()) {
        (Some('\\'), Some(escaped)) => {
            let from = 2 + escaped.len_utf8();
            text[from..]
                .find('\'')
                .map_or(text.len(), |end| from + end + 1)
        }
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => {
            1 + text[1..]
                .find(|c| !is_of_a_word(c))
                .unwrap_or(text.len() - 1)
        }
    }
}

/// The tokens that are compiled into the program, and the modules in other files that only tests have:
/// each by its name, or by its path where an attribute gives one.
pub(crate) struct Program {
    pub(crate) tokens: Vec<String>,
    pub(crate) test_modules: Vec<TestModule>,
}

/// `#[cfg(test)] mod NAME;`
#[derive(Debug, PartialEq)]
pub(crate) enum TestModule {
    Named(String),
    /// With `#[path = "..."]`.
    At(String),
}

/// Takes out every item, field, statement and block under `#[cfg(test)]`.
pub(crate) fn without_tests(all: &[String]) -> Program {
    let mut program = Program {
        tokens: Vec::new(),
        test_modules: Vec::new(),
    };
    let mut at = 0;
    while at < all.len() {
        if !starts(&all[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            program.tokens.push(all[at].clone());
            at += 1;
            continue;
        }
        let end = at + guarded(&all[at..]);
        program.test_modules.extend(module_in_a_file(&all[at..end]));
        at = end;
    }
    program
}

/// The number of tokens of attributes and of what follows them.
fn guarded(tokens: &[String]) -> usize {
    let mut at = 0;
    while starts(&tokens[at..], &["#", "["]) {
        at += 1 + bracketed(&tokens[at + 1..]);
    }
    // A comma ends a field, a variant or an arm, but is part of an item.
    const ITEMS: [&str; 16] = [
        "pub", "fn", "struct", "enum", "union", "impl", "mod", "use", "const", "static", "trait",
        "type", "unsafe", "async", "extern", "let",
    ];
    let mut is_item = tokens
        .get(at)
        .is_some_and(|first| ITEMS.contains(&first.as_str()));
    if starts(&tokens[at..], &["pub"]) {
        // `pub fn` or `pub(crate) field: T`
        let mut next = at + 1;
        if starts(&tokens[next..], &["("]) {
            next += bracketed(&tokens[next..]);
        }
        is_item = tokens
            .get(next)
            .is_some_and(|word| ITEMS.contains(&word.as_str()));
    }
    let is_use = tokens[at..].iter().take(8).any(|token| token == "use");
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "{" => {
                at += bracketed(&tokens[at..]);
                if !is_use {
                    return at;
                }
            }
            "(" | "[" => at += bracketed(&tokens[at..]),
            "}" | ")" | "]" => return at,
            ";" => return at + 1,
            "," if !is_item => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// The number of tokens from an opening bracket to the closing one.
fn bracketed(tokens: &[String]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn module_in_a_file(item: &[String]) -> Option<TestModule> {
    let [.., keyword, name, end] = item else {
        return None;
    };
    if keyword != "mod" || end != ";" {
        return None;
    }
    let path = item
        .windows(3)
        .find(|three| three[0] == "path" && three[1] == "=");
    Some(match path {
        Some(three) => TestModule::At(three[2].trim_start_matches('"').to_owned()),
        None => TestModule::Named(name.clone()),
    })
}

/// Whether the tokens begin with these.
pub(crate) fn starts(tokens: &[String], with: &[&str]) -> bool {
    tokens.len() >= with.len() && tokens.iter().zip(with).all(|(token, word)| token == word)
}
