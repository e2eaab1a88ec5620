//! CSV as Go's `encoding/csv` writes it (`Writer.Write`, `fieldNeedsQuotes`). Written out here because the csv crate quotes
//! by other rules, and the difference is what a reader must survive.

/// What ends a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LineEnd {
    /// `\n`, Go's default.
    Lf,
    /// `\r\n`; fields are left as they are (Go's `UseCRLF` would rewrite line breaks inside them too).
    CrLf,
}

/// Appends one row.
pub(crate) fn write_row<S: AsRef<str>>(row: &mut Vec<u8>, fields: &[S], end: LineEnd) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            row.push(b',');
        }
        write_field(row, field.as_ref());
    }
    row.extend_from_slice(match end {
        LineEnd::Lf => b"\n",
        LineEnd::CrLf => b"\r\n",
    });
}

fn write_field(row: &mut Vec<u8>, field: &str) {
    if !needs_quotes(field) {
        row.extend_from_slice(field.as_bytes());
        return;
    }
    row.push(b'"');
    for byte in field.bytes() {
        if byte == b'"' {
            row.push(b'"');
        }
        row.push(byte);
    }
    row.push(b'"');
}

/// An empty field is never quoted; `\.` is, because Postgres takes it for the end of the data. Go's `unicode.IsSpace` and
/// Rust's `char::is_whitespace` are the same set (White_Space).
fn needs_quotes(field: &str) -> bool {
    field == r"\."
        || field.contains([',', '"', '\n', '\r'])
        || field.starts_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::{LineEnd, write_row};

    fn row(fields: &[&str], end: LineEnd) -> String {
        let mut row = Vec::new();
        write_row(&mut row, fields, end);
        String::from_utf8(row).expect("rows are text")
    }

    #[test]
    fn fields_are_quoted_by_the_rules_of_go() {
        for (field, expected) in [
            ("", ""),
            ("abc", "abc"),
            ("a b ", "a b "),
            (" a", "\" a\""),
            ("\ta", "\"\ta\""),
            ("\u{a0}a", "\"\u{a0}a\""),
            ("\u{2028}a", "\"\u{2028}a\""),
            ("\u{200b}a", "\u{200b}a"),
            (r"\.", r#""\.""#),
            (r"\..", r"\.."),
            ("a,b", "\"a,b\""),
            ("a\"b", "\"a\"\"b\""),
            ("a\nb", "\"a\nb\""),
            ("a\rb", "\"a\rb\""),
            ("a'b;c#", "a'b;c#"),
        ] {
            assert_eq!(
                row(&[field], LineEnd::Lf),
                format!("{expected}\n"),
                "{field:?}"
            );
        }
    }

    #[test]
    fn only_the_end_of_the_row_changes_with_the_line_end() {
        assert_eq!(row(&["a\nb", "", "c"], LineEnd::CrLf), "\"a\nb\",,c\r\n");
    }
}
