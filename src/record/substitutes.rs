//! Texts that others have put in the place of the originals: values that data-loss prevention replaced
//! (`REDACTED-...`), and dates that Speedscale's `date` transform left to be resolved at the time of the
//! replay (`{speedscale_date(-744h0m0s)}`). This file is separate because a record with one of them is
//! readable, but differs from what the application received.
//!
//! kreplay looks for them in keys, values and values of headers, not in names of topics and headers.

use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use jiff::Timestamp;
use memchr::memmem::Finder;

use super::{Batch, Record, Span};

/// The beginning of a value that data-loss prevention has replaced.
const REDACTED: &str = "REDACTED-";
/// The beginning of a date that is still to be resolved.
const DATE: &str = "{speedscale_date(";
/// Its end.
const DATE_END: &[u8] = b")}";
/// The longest duration that a date may hold: Go prints at most `-2562047h47m16.854775808s`.
const LONGEST_DURATION: usize = 64;

/// 0000-01-01T00:00:00Z, the first time that RFC 3339 has, in seconds since 1970.
const YEAR_0: i64 = -62_167_219_200;

static REDACTED_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(REDACTED));
static DATE_FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(DATE));

/// How to write a date once it is resolved: a placeholder does not keep the form of what it replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// RFC 3339 in UTC, with milliseconds.
    #[default]
    Rfc3339,
    /// The day in UTC: `2026-07-05`.
    Date,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
}

/// The indices of the records of a batch that hold such texts.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Substitutes {
    pub(crate) redacted: Vec<u32>,
    pub(crate) dated: Vec<u32>,
}

impl Substitutes {
    /// Looks for them in the bytes of the whole batch, and in each record only if the batch has any:
    /// searching each record would cost more than a record with a short value.
    pub(crate) fn find(batch: &Batch) -> Self {
        let has_redacted = REDACTED_FINDER.find(&batch.bytes).is_some();
        let has_dates = DATE_FINDER.find(&batch.bytes).is_some();
        let of = |has: bool, holds: fn(&[u8]) -> bool| match has {
            true => records_with(batch, holds),
            false => Vec::new(),
        };
        Self {
            redacted: of(has_redacted, is_redacted),
            dated: of(has_dates, has_date),
        }
    }

    /// Bytes of memory besides its own size.
    pub(super) fn weight(&self) -> usize {
        (self.redacted.len() + self.dated.len()) * size_of::<u32>()
    }
}

fn records_with(batch: &Batch, holds: impl Fn(&[u8]) -> bool) -> Vec<u32> {
    let is_one = |record: &Record| {
        let headers = batch.headers(record).iter().map(|header| header.value);
        let spans = [record.key, record.value].into_iter().chain(headers);
        spans.flatten().any(|span| holds(batch.slice(span)))
    };
    let records = (0..).zip(&batch.records);
    let found = records.filter(|(_, record)| is_one(record));
    found.map(|(index, _)| index).collect()
}

/// Whether a text, or a string of the JSON in it, begins like what data-loss prevention leaves.
fn is_redacted(text: &[u8]) -> bool {
    let mut found = REDACTED_FINDER.find_iter(text);
    found.any(|at| at == 0 || text[at - 1] == b'"')
}

fn has_date(text: &[u8]) -> bool {
    DATE_FINDER.find(text).is_some()
}

/// Why a date cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadDate {
    /// The text between the parentheses is not a duration as Go writes it.
    Duration(String),
    /// The parentheses are not closed.
    Open,
    /// No calendar has this date.
    OutOfRange(String),
}

impl fmt::Display for BadDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duration(text) => {
                write!(
                    f,
                    "`{DATE}{text})}}` does not contain a duration such as `-744h0m0s`"
                )
            }
            Self::Open => write!(f, "`{DATE}` is not closed by `)}}`"),
            Self::OutOfRange(text) => write!(f, "`{DATE}{text})}}` is a date outside the calendar"),
        }
    }
}

/// `text` with its dates resolved against `now`: each placeholder holds how long before `now` its date is.
///
/// # Errors
/// Returns the first date that cannot be resolved.
fn resolve(text: &[u8], now: Timestamp, form: DateForm) -> Result<Vec<u8>, BadDate> {
    let mut resolved = Vec::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = DATE_FINDER.find(rest) {
        let inner = &rest[at + DATE.len()..];
        let longest = &inner[..inner.len().min(LONGEST_DURATION + DATE_END.len())];
        let end = memchr::memmem::find(longest, DATE_END).ok_or(BadDate::Open)?;
        let duration = String::from_utf8_lossy(&inner[..end]);
        let before =
            go_duration(&duration).ok_or_else(|| BadDate::Duration(duration.to_string()))?;
        let date = now.as_nanosecond().checked_sub(before);
        let date = date.and_then(|date| Timestamp::from_nanosecond(date).ok());
        let date = date.filter(|date| date.as_second() >= YEAR_0);
        let date = date.ok_or_else(|| BadDate::OutOfRange(duration.to_string()))?;
        resolved.extend_from_slice(&rest[..at]);
        resolved.extend_from_slice(written(date, form).as_bytes());
        rest = &inner[end + DATE_END.len()..];
    }
    resolved.extend_from_slice(rest);
    Ok(resolved)
}

fn written(date: Timestamp, form: DateForm) -> String {
    match form {
        DateForm::Rfc3339 => format!("{date:.3}"),
        DateForm::Date => date.strftime("%Y-%m-%d").to_string(),
        DateForm::Epoch => date.as_second().to_string(),
        DateForm::EpochMs => date.as_millisecond().to_string(),
    }
}

/// The nanoseconds of a duration as Go writes it (`time.ParseDuration`), and with days as Speedscale adds
/// them: `-744h0m0s`, `1.5h`, `2D`.
fn go_duration(text: &str) -> Option<i128> {
    const UNITS: [(&str, i128); 9] = [
        ("ns", 1),
        ("us", 1_000),
        ("\u{b5}s", 1_000),
        ("\u{3bc}s", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum: i128 = 0;
    let mut is_empty = true;
    while !rest.is_empty() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let (number, behind) = rest.split_at(rest.find(|c| !is_number(c))?);
        let (unit, behind) = behind.split_at(behind.find(is_number).unwrap_or(behind.len()));
        let is_unit = |(name, _): &&(&str, i128)| *name == unit || (*name == "d" && unit == "D");
        let (_, scale) = UNITS.iter().find(is_unit)?;
        sum = sum.checked_add(scaled(number, *scale)?)?;
        (rest, is_empty) = (behind, false);
    }
    (!is_empty).then_some(sign * sum)
}

/// A decimal number times `scale`, rounded down.
fn scaled(number: &str, scale: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = |text: &str| match text {
        "" => Some(0),
        text => text.parse::<i128>().ok(),
    };
    // Nanoseconds of a day have 14 digits: digits of a fraction beyond 18 have no effect.
    let fraction = &fraction[..fraction.len().min(18)];
    let places = u32::try_from(fraction.len()).ok()?;
    let part = digits(fraction)?.checked_mul(scale)? / 10_i128.pow(places);
    digits(whole)?.checked_mul(scale)?.checked_add(part)
}

impl Batch {
    /// Resolves the dates in the records at `indices` against `now`.
    ///
    /// # Errors
    /// Returns the index of the first record with a date that cannot be resolved.
    pub(crate) fn resolve_dates(
        &mut self,
        indices: &[u32],
        now: Timestamp,
        form: DateForm,
    ) -> Result<(), (usize, BadDate)> {
        for &index in indices {
            let index = index as usize;
            self.resolve_dates_of(index, now, form)
                .map_err(|bad| (index, bad))?;
        }
        Ok(())
    }

    fn resolve_dates_of(
        &mut self,
        index: usize,
        now: Timestamp,
        form: DateForm,
    ) -> Result<(), BadDate> {
        let record = &self.records[index];
        let (key, value) = (record.key, record.value);
        let headers = Range {
            start: record.headers.start as usize,
            end: record.headers.end as usize,
        };
        let resolved = |batch: &mut Self, span: Option<Span>| match span {
            Some(span) if has_date(batch.slice(span)) => {
                let text = resolve(batch.slice(span), now, form)?;
                Ok(Some(batch.push_bytes(&text)))
            }
            span => Ok(span),
        };
        let key = resolved(self, key)?;
        let value = resolved(self, value)?;
        for header in headers {
            self.headers[header].value = resolved(self, self.headers[header].value)?;
        }
        let record = &mut self.records[index];
        (record.key, record.value) = (key, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record::lines;

    const HOUR: i128 = 3_600_000_000_000;

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, nanoseconds) in [
            ("-744h0m0s", -744 * HOUR),
            ("1200h0m0s", 1200 * HOUR),
            ("0s", 0),
            ("0", 0),
            ("+1.5h", HOUR + HOUR / 2),
            ("-.5s", -500_000_000),
            ("1m30.000000001s", 90_000_000_001),
            ("7\u{b5}s", 7_000),
            ("3D2h1m5s", 74 * HOUR + 65_000_000_000),
            ("-2d", -48 * HOUR),
            ("-2562047h47m16.854775808s", i128::from(i64::MIN)),
        ] {
            assert_eq!(go_duration(text), Some(nanoseconds), "{text}");
        }
        for text in [
            "",
            "-",
            "1",
            "h",
            "1x",
            "1h-2m",
            "1.2.3s",
            ".s",
            "1 h",
            "-744h0m0s)",
        ] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn dates_keep_their_distance_to_the_time_of_the_replay() {
        let now = "2026-06-05T12:00:00.25Z".parse().expect("a time");
        let of = |text: &str, form| {
            let resolved = resolve(text.as_bytes(), now, form);
            resolved.map(|text| String::from_utf8(text).expect("it was"))
        };
        // 744 hours are 31 days, 24 hours are one.
        let text = r#"{"due":"{speedscale_date(-744h0m0s)}","from":"{speedscale_date(24h0m0s)}"}"#;
        for (form, due, from) in [
            (
                DateForm::Rfc3339,
                "2026-07-06T12:00:00.250Z",
                "2026-06-04T12:00:00.250Z",
            ),
            (DateForm::Date, "2026-07-06", "2026-06-04"),
            (DateForm::Epoch, "1783339200", "1780574400"),
            (DateForm::EpochMs, "1783339200250", "1780574400250"),
        ] {
            let expected = format!(r#"{{"due":"{due}","from":"{from}"}}"#);
            assert_eq!(of(text, form), Ok(expected));
        }
        let said = |text| of(text, DateForm::Date).expect_err(text).to_string();
        assert_eq!(
            said("{speedscale_date(soon)}"),
            "`{speedscale_date(soon)}` does not contain a duration such as `-744h0m0s`"
        );
        assert_eq!(
            said("{speedscale_date(1h"),
            "`{speedscale_date(` is not closed by `)}`"
        );
        assert_eq!(
            said("{speedscale_date(99999999h)}"),
            "`{speedscale_date(99999999h)}` is a date outside the calendar"
        );
    }

    #[test]
    fn a_value_is_redacted_when_it_or_a_string_in_it_has_the_redaction_prefix() {
        for text in [
            "REDACTED-1",
            r#"{"a":"REDACTED-"}"#,
            r#"{"a":"{\"b\":\"REDACTED-9\"}"}"#,
        ] {
            assert!(is_redacted(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            "REDACTED",
            "it was REDACTED-1",
            "redacted-1",
            r#""x REDACTED-1""#,
        ] {
            assert!(!is_redacted(text.as_bytes()), "{text}");
        }
        assert!(is_redacted(br#"x REDACTED-1, then "REDACTED-2""#));
    }

    #[test]
    fn placeholders_in_keys_values_and_headers_are_resolved() {
        let mut batch = Batch::default();
        let date = "{speedscale_date(1h)}";
        for line in [
            r#"{"topic":"t","key":"k","value":"plain"}"#.to_string(),
            format!(r#"{{"topic":"t","key":"{date}","value":null,"headers":[["h","v"]]}}"#),
            r#"{"topic":"t","key":"REDACTED-k","value":"v"}"#.to_string(),
            format!(
                r#"{{"topic":"t","value":"v","headers":[["a",null],["b","at {date}"],["b","REDACTED-"]]}}"#
            ),
        ] {
            let origin = Origin { input: 0, line: 1 };
            lines::read(line.as_bytes(), origin, &mut batch).expect("a record line");
        }
        let found = Substitutes::find(&batch);
        let expected = Substitutes {
            redacted: vec![2, 3],
            dated: vec![1, 3],
        };
        assert_eq!(found, expected);
        let now = Timestamp::from_second(3600).expect("a time");
        assert_eq!(
            batch.resolve_dates(&found.dated, now, DateForm::Rfc3339),
            Ok(())
        );
        let text = |span: Option<Span>| {
            span.map(|span| String::from_utf8_lossy(batch.slice(span)).into_owned())
        };
        let [_, second, _, fourth] = &batch.records[..] else {
            panic!("four records")
        };
        let (zero, at) = ("1970-01-01T00:00:00.000Z", "at 1970-01-01T00:00:00.000Z");
        assert_eq!(
            (text(second.key), text(second.value)),
            (Some(zero.into()), None)
        );
        let headers = batch
            .headers(fourth)
            .iter()
            .map(|header| text(header.value));
        let headers: Vec<Option<String>> = headers.collect();
        assert_eq!(headers, [None, Some(at.into()), Some("REDACTED-".into())]);
        assert_eq!(Substitutes::find(&batch).redacted, [2, 3]);
    }
}
