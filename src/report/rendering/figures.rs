//! How counts, sizes and times are written for people, wherever they are shown.

use std::fmt::{self, Write};
use std::time::Duration;

/// Numbers and what they count, without zeros.
pub(crate) fn counted(parts: &[(u64, &str)]) -> String {
    let parts = parts.iter().filter(|(n, _)| *n > 0);
    let parts = parts.map(|(n, what)| format!("{} {what}", HumanCount(*n)));
    parts.collect::<Vec<_>>().join(", ")
}

/// A number with its digits in groups of three.
pub(crate) struct HumanCount(pub(crate) u64);

impl fmt::Display for HumanCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// A number of bytes in the largest unit that leaves at least one of it.
pub(crate) struct HumanBytes(pub(crate) u64);

impl fmt::Display for HumanBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match units.into_iter().find(|(_, shift)| self.0 >> shift > 0) {
            Some((unit, shift)) => write!(f, "{:.2} {unit}", self.0 as f64 / f64::from(1 << shift)),
            None => write!(f, "{} B", self.0),
        }
    }
}

/// A number of records in words.
pub(crate) fn records(n: u64) -> String {
    count(n, "record")
}

/// `1 partition`, `6,000 partitions`: a number with its noun.
pub(crate) fn count(n: u64, noun: &str) -> String {
    plural(n, noun, &format!("{noun}s"))
}

/// Like [`count`], for a noun with an irregular plural.
pub(crate) fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(n), if n == 1 { one } else { many })
}

pub(crate) fn seconds(elapsed: Duration) -> String {
    format!("{:.2} s", elapsed.as_secs_f64())
}

/// A span of time in its largest unit, rounded down.
pub(crate) fn span(ms: i64) -> String {
    let seconds = u64::try_from(ms / 1000).unwrap_or_default();
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60)];
    let unit = units.into_iter().find(|(_, length)| seconds >= *length);
    let (noun, length) = unit.unwrap_or(("second", 1));
    count(seconds / length, noun)
}

/// A limit that is a whole number of MiB.
pub(crate) fn whole_mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
