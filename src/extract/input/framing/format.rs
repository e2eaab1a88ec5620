//! Recognises the form of an input from its beginning; `mod.rs` has the rules.

use memchr::{memchr, memmem};

use super::scanner::{Scan, ValueScanner};

/// How RRPairs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Lines,
    Values,
    Markdown,
}

/// How many bytes are examined. A pretty-printed value ends its first line after a few bytes.
const MOST: usize = 1 << 20;

/// The form of an input that begins with `head`; `None` if more has to be read first. `ended` says whether
/// `head` is all of it.
pub(super) fn detect(head: &[u8], ended: bool) -> Option<Format> {
    let ended = ended || head.len() >= MOST;
    let text = head.trim_ascii_start();
    match text.first() {
        None => ended.then_some(Format::Lines),
        Some(b'[') => Some(Format::Values),
        Some(b'#') => first_line(text, ended).map(|line| match is_heading(line) {
            true => Format::Markdown,
            false => Format::Lines,
        }),
        Some(b'{') => {
            let line = first_line(text, ended)?;
            of_objects(text, line.len(), ended)
        }
        Some(_) => Some(Format::Lines),
    }
}

fn first_line(text: &[u8], ended: bool) -> Option<&[u8]> {
    match memchr(b'\n', text) {
        Some(end) => Some(&text[..end]),
        None => ended.then_some(text),
    }
}

/// Whether `line` is a heading such as `### REQUEST ###`.
pub(super) fn is_heading(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    line.len() > b"### ###".len() && line.starts_with(b"### ") && line.ends_with(b" ###")
}

/// `text` begins with `{`, and its first line is `length` bytes long.
fn of_objects(text: &[u8], length: usize, ended: bool) -> Option<Format> {
    // The first line includes its line end, which cannot be inside a string.
    let (first, rest) = (&text[..text.len().min(length + 1)], &text[length..]);
    let next = rest.trim_ascii_start();
    let next_is_object = rest[..rest.len() - next.len()].ends_with(b"\n") && next.starts_with(b"{");
    match ValueScanner::new().scan(first) {
        Scan::Ended(end) if first[end..].trim_ascii_start().starts_with(b"{") => {
            Some(Format::Values)
        }
        Scan::Ended(_) => Some(Format::Lines),
        // A single line without its end is cut off in either form.
        Scan::More if rest.is_empty() => Some(Format::Lines),
        Scan::More if next_is_object => Some(Format::Lines),
        Scan::More if !next.is_empty() || ended => Some(Format::Values),
        Scan::Broken(..) if memmem::find(rest, b"\n{").is_some() || rest.is_empty() => {
            Some(Format::Lines)
        }
        Scan::Broken(..) if ended => Some(Format::Values),
        Scan::More | Scan::Broken(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_detected_from_the_beginning() {
        let cases = [
            ("", Format::Lines),
            (" \n\n", Format::Lines),
            ("\n[", Format::Values),
            ("[1]\n{}", Format::Values),
            ("{}", Format::Lines),
            ("{}\n", Format::Lines),
            ("{\"a\":1}\n{\"a\":", Format::Lines),
            ("{\"a\":1} x\n", Format::Lines),
            ("{\"a\":1}{\"a\":2}\n", Format::Values),
            ("{\"a\":", Format::Lines),
            ("{\"a\":\n{\"a\":1}\n", Format::Lines),
            ("{\"a\":\n 1}\n", Format::Values),
            ("{\n  \"a\": 1\n}\n{\n}", Format::Values),
            ("{\n", Format::Values),
            ("{\"a\": \"cut\n{\"a\":1}\n", Format::Lines),
            ("{\"a\": \"cut\nhalf\"}\n{\"a\":1}\n", Format::Lines),
            ("{\"a\": oops\n}\n", Format::Values),
            ("{bad}\n\n{\"a\":1}\n", Format::Lines),
            ("### REQUEST ###\n", Format::Markdown),
            ("### REQUEST ###", Format::Markdown),
            ("### A heading\n", Format::Lines),
            ("# Title\n", Format::Lines),
            ("\u{89}PNG", Format::Lines),
        ];
        for (text, form) in cases {
            assert_eq!(detect(text.as_bytes(), true), Some(form), "{text:?}");
        }
    }

    #[test]
    fn the_format_is_decided_only_when_it_is_certain() {
        for (text, form) in [
            ("", None),
            ("{", None),
            ("{\"a\":1}", None),
            ("{\n", None),
            ("{\n  ", None),
            ("{bad}\n x", None),
            ("### REQU", None),
            ("{\"a\":1}\n", Some(Format::Lines)),
            ("{\n {", Some(Format::Values)),
        ] {
            assert_eq!(detect(text.as_bytes(), false), form, "{text:?}");
        }
    }
}
