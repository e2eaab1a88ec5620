//! An input that was given to the command for another kind: what its first line looks like, so that
//! the damage that is named has the right command beside it.

/// The hint for a `line` of RRPairs or record lines that cannot be read.
pub(super) fn hint(line: &[u8]) -> Option<&'static str> {
    let has = |text: &str| memchr::memmem::find(line, text.as_bytes()).is_some();
    match line.trim_ascii_start().first() {
        Some(b'{') if has("\"msgType\"") => {
            Some("this looks like an RRPair, which `kreplay raw` reads")
        }
        Some(b'{' | b'[') | None => None,
        Some(_) if has("RRPair UUID") => {
            Some("this looks like the header of speedctl's CSV, which `kreplay csv` reads")
        }
        Some(_) => None,
    }
}

/// `why` with the hint for the line, where it is the first one of its input.
pub(super) fn with_hint(why: String, line: &[u8], number: u64) -> String {
    match hint(line).filter(|_| number == 1) {
        Some(hint) => format!("{why}; {hint}"),
        None => why,
    }
}
