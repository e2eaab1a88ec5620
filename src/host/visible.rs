//! Makes text that others have chosen safe to show to a person: a topic, a group, a file name or the output
//! of speedctl may hold characters that control a terminal (colours, the cursor, the window's title) or that
//! reverse the order of what is read. They are shown as Rust writes them, such as `\u{1b}`. Output for
//! programs (JSON, record lines) keeps every character.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` on one line, without characters that control a terminal.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

/// Like [`visible`], for a text of several lines, which keeps its lines.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_obeyed(c))
}

/// `text`, or its beginning with `…` if it is longer than `most` bytes.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    match text.len() <= most {
        true => Cow::Borrowed(text),
        false => Cow::Owned(format!("{}…", beginning(text, most))),
    }
}

/// The first `most` bytes of `text`, or fewer so that no character is cut.
pub(crate) fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_escaped(c) {
            true => write!(shown, "{}", c.escape_default()).expect("a String takes all"),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// C0, DEL and C1 (ECMA-48), the line separators, and what Unicode Annex 9 uses to change the direction of a
/// text; also invisible characters, which can make two names look the same.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_escaped() {
        let cases = [
            ("orders", "orders"),
            (
                "na\u{ef}ve \u{1f980} `a'\"\\",
                "na\u{ef}ve \u{1f980} `a'\"\\",
            ),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("a\r\n\tb\0", "a\\r\\n\\tb\\u{0}"),
            ("abc\u{202e}fed\u{2066}", "abc\\u{202e}fed\\u{2066}"),
            ("a\u{2028}b\u{200b}", "a\\u{2028}b\\u{200b}"),
        ];
        for (text, expected) in cases {
            assert_eq!(visible(text), expected, "{text:?}");
        }
        assert_eq!(visible_lines("a\nb\r\n\u{7}"), "a\nb\\r\n\\u{7}");
    }
}
