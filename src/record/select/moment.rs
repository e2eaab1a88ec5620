//! `--from` and `--to`: a moment on the clock of the capture.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::record::captured;

/// A moment on the clock of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Nanoseconds since 1970.
    At(i64),
    /// After the first record's time.
    AfterFirst(Duration),
}

impl Moment {
    /// The moment in nanoseconds since 1970, if the first record has the time `first`.
    pub(super) fn on(self, first: i64) -> i64 {
        match self {
            Self::At(time) => time,
            Self::AfterFirst(distance) => {
                let distance = i64::try_from(distance.as_nanos()).unwrap_or(i64::MAX);
                first.saturating_add(distance)
            }
        }
    }

    /// Whether a window from this moment to `end` is empty, whatever the capture.
    pub(crate) fn is_not_before(self, end: Self) -> bool {
        match (self, end) {
            (Self::At(from), Self::At(to)) => from >= to,
            (Self::AfterFirst(from), Self::AfterFirst(to)) => from >= to,
            _ => false,
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected =
            "expected RFC 3339 such as `2025-12-03T18:40:00Z`, or `+5m` after the first record";
        let moment = match text.strip_prefix('+') {
            Some(distance) => humantime::parse_duration(distance)
                .ok()
                .map(Self::AfterFirst),
            None => captured::parse(text).map(Self::At),
        };
        moment.ok_or_else(|| expected.into())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time_ns) => f.write_str(&captured::text(*time_ns)),
            Self::AfterFirst(distance) => write!(f, "+{}", humantime::format_duration(*distance)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_distance_from_the_first_record() {
        let first = 1_000_000_000;
        for (text, expected) in [
            ("1970-01-01T00:00:05Z", 5_000_000_000),
            ("1970-01-01T01:00:05.25+01:00", 5_250_000_000),
            ("+5m", 301_000_000_000),
            ("+0s", first),
            ("+1500ms", 2_500_000_000),
        ] {
            let moment: Moment = text.parse().expect(text);
            assert_eq!(moment.on(first), expected, "{text}");
            assert_eq!(moment.to_string().parse(), Ok(moment), "{text}");
        }
        for text in ["", "5m", "-5m", "+", "+5", "yesterday", "2025-12-03"] {
            let moment: Result<Moment, String> = text.parse();
            assert!(moment.is_err(), "{text}");
        }
    }

    #[test]
    fn two_moments_of_one_kind_can_be_compared() {
        let is_not_before = |from: &str, to: &str| {
            let moment = |text: &str| -> Moment { text.parse().expect("it is one") };
            moment(from).is_not_before(moment(to))
        };
        assert!(is_not_before("+5m", "+5m") && is_not_before("+5m", "+299s"));
        assert!(!is_not_before("+5m", "+301s"));
        assert!(is_not_before(
            "2026-01-01T00:00:00Z",
            "2025-01-01T00:00:00Z"
        ));
        assert!(!is_not_before("2026-01-01T00:00:00Z", "+1s"));
    }
}
