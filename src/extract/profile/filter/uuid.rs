//! UUIDs of RRPairs: base64 in raw files, hyphenated in CSVs and in users' hands.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Sixteen bytes that print as hyphenated lower-case hex (RFC 9562, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Uuid([u8; 16]);

impl Uuid {
    /// Reads hex with or without hyphens, or base64 (either alphabet, padded or not). What follows
    /// a `|` is no part of it: some CSVs of speedctl have such a suffix.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.split('|').next().unwrap_or_default().trim();
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            let number = u128::from_str_radix(&digits, 16).ok()?;
            return Some(Self(number.to_be_bytes()));
        }
        let standard = text
            .trim_end_matches('=')
            .replace('-', "+")
            .replace('_', "/");
        let bytes = STANDARD_NO_PAD.decode(standard).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, byte) in self.0.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// A UUID in its hyphenated spelling; what is no UUID stays as it is.
pub(super) fn hyphenated(text: &str) -> Cow<'_, str> {
    Uuid::parse(text).map_or(Cow::Borrowed(text), |uuid| Cow::Owned(uuid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_the_same_in_every_spelling() {
        for text in [
            "1df95fa0-5372-465f-92dc-8009251f6a17",
            "1DF95FA0-5372-465F-92DC-8009251F6A17",
            "1df95fa05372465f92dc8009251f6a17",
            "HflfoFNyRl+S3IAJJR9qFw==",
            "HflfoFNyRl+S3IAJJR9qFw",
            "HflfoFNyRl-S3IAJJR9qFw==",
            "1df95fa0-5372-465f-92dc-8009251f6a17|7",
        ] {
            assert_eq!(
                hyphenated(text),
                "1df95fa0-5372-465f-92dc-8009251f6a17",
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_uuid_stays_as_it_is() {
        for text in [
            "",
            "|",
            "N/A",
            "1df95fa0",
            "HflfoFNyRl+S3IAJJR9q",
            "+df95fa05372465f92dc8009251f6a17",
        ] {
            assert_eq!(Uuid::parse(text), None, "{text}");
            assert_eq!(hyphenated(text), text);
        }
    }
}
