//! UUIDs of topics and of RRPairs: sixteen bytes that raw captures and Kafka's tools write as base64, and
//! CSVs and users with hyphens.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Sixteen bytes that print as hyphenated lower-case hex (RFC 9562, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Uuid([u8; 16]);

impl Uuid {
    /// The UUID that means "none" (RFC 9562, section 5.9).
    pub(crate) const NIL: Self = Self([0; 16]);

    /// Reads any notation: hex with or without hyphens, or base64 (either alphabet, padded or not).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::from_hex(text).or_else(|| Self::from_base64(text))
    }

    /// Reads hex with or without hyphens.
    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let number = u128::from_str_radix(&digits, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }

    fn from_base64(text: &str) -> Option<Self> {
        let standard = text.trim_end_matches('=');
        let standard = standard.replace('-', "+").replace('_', "/");
        let bytes = STANDARD_NO_PAD.decode(standard).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The notation of Kafka and its tools: URL-safe base64 without padding (`org.apache.kafka.common.Uuid`).
    pub(crate) fn kafka(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The notation of RRPairs: standard base64 with padding.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(self.0)
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

/// The UUID of an RRPair, without what follows a `|`: some CSVs of speedctl have such a suffix.
pub(crate) fn of_rrpair(text: &str) -> Option<Uuid> {
    Uuid::parse(text.split('|').next().unwrap_or_default().trim())
}

/// The UUID of an RRPair in its hyphenated notation; any other text stays as it is.
pub(crate) fn hyphenated(text: &str) -> Cow<'_, str> {
    of_rrpair(text).map_or(Cow::Borrowed(text), |uuid| Cow::Owned(uuid.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_the_same_in_every_notation() {
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
    fn a_uuid_is_written_in_the_notation_of_each_tool() {
        // Python: uuid.UUID(...), base64.b64encode(u.bytes), base64.urlsafe_b64encode(u.bytes).
        let uuid = Uuid::parse("1df95fa0-5372-465f-92dc-8009251f6a17").expect("a UUID");
        assert_eq!(uuid.kafka(), "HflfoFNyRl-S3IAJJR9qFw");
        assert_eq!(uuid.base64(), "HflfoFNyRl+S3IAJJR9qFw==");
        assert_eq!(Uuid::parse(&uuid.kafka()), Some(uuid));
        assert_eq!(Uuid::parse(&uuid.base64()), Some(uuid));
    }

    #[test]
    fn text_that_is_not_a_uuid_stays_unchanged() {
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
