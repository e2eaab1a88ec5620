//! How many values a text that is read as a whole may have: its memory grows with them.

/// The most values of a document. Each takes more than 100 bytes, whatever it is: a line of 64 MiB may have
/// 30 million.
pub(super) const MOST_VALUES: usize = 1 << 20;

/// Whether JSON has more than this many values: strings, numbers, objects and the like.
pub(super) fn has_more_values(text: &str, most: usize) -> bool {
    // Each value takes a byte, and one more separates it from the next.
    if text.len() / 2 < most {
        return false;
    }
    let mut values = 1;
    let mut bytes = text.bytes();
    // An opening bracket of a non-empty object or list begins a value, and so does each comma.
    let mut is_opened = false;
    while let Some(byte) = bytes.next() {
        let is_value = match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b']' | b'}' => false,
            _ => is_opened || byte == b',',
        };
        values += usize::from(is_value);
        is_opened = matches!(byte, b'[' | b'{');
        if values > most {
            return true;
        }
        if byte == b'"' {
            skip_string(&mut bytes);
        }
    }
    false
}

/// Skips a string after its first quote.
fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}
