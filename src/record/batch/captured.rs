//! When records were captured, as nanoseconds since 1970. Records of one RRPair share an entry, so the time
//! costs a record only an index.

use std::io::Write;

use jiff::Timestamp;

/// The times of the records of one batch.
#[derive(Debug, Default)]
pub(super) struct CaptureTimes(Vec<i64>);

impl CaptureTimes {
    /// Bytes of memory that one entry takes.
    const ENTRY: usize = size_of::<i64>();

    pub(super) fn with_room(entries: usize) -> Self {
        Self(Vec::with_capacity(entries))
    }

    /// The index of `time_ns`. Records of one RRPair follow each other: only the last entry is compared.
    pub(super) fn index(&mut self, time_ns: i64) -> u32 {
        if self.0.last() != Some(&time_ns) {
            self.0.push(time_ns);
        }
        u32::try_from(self.0.len() - 1).expect("fewer times than records, see `Batch::span_from`")
    }

    pub(super) fn get(&self, index: u32) -> i64 {
        self.0[index as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn truncate(&mut self, entries: usize) {
        self.0.truncate(entries);
    }

    pub(super) fn weight(&self) -> usize {
        self.0.len() * Self::ENTRY
    }
}

/// Reads RFC 3339; `None` for any other text, and outside the years 1678 to 2262, which 64 bits of
/// nanoseconds cover.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let time: Timestamp = text.trim().parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// The time in RFC 3339.
pub(crate) fn text(time_ns: i64) -> String {
    let mut text = Vec::new();
    write(time_ns, &mut text);
    String::from_utf8(text).expect("a time is written in ASCII")
}

/// Appends RFC 3339 with as many digits as the time has.
pub(crate) fn write(time_ns: i64, out: &mut Vec<u8>) {
    let time = Timestamp::from_nanosecond(time_ns.into());
    let time = time.expect("64 bits of nanoseconds end long before jiff's years do");
    write!(out, "{time}").expect("a Vec takes what is written to it");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_written_to_the_nanosecond() {
        for (text_form, time_ns) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-12-03T18:42:55.659123456Z", 1_764_787_375_659_123_456),
            ("2025-12-03T18:42:55.6Z", 1_764_787_375_600_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
        ] {
            assert_eq!(parse(text_form), Some(time_ns), "{text_form}");
            let mut written = Vec::new();
            write(time_ns, &mut written);
            assert_eq!(written, text_form.as_bytes());
        }
        assert_eq!(
            parse("2025-12-03T19:42:55+01:00"),
            Some(1_764_787_375_000_000_000)
        );
    }

    #[test]
    fn an_invalid_time_is_none() {
        for text in [
            "",
            "yesterday",
            "1764787375",
            "2025-12-03",
            "9999-01-01T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn records_of_one_rrpair_share_an_entry() {
        let mut times = CaptureTimes::default();
        assert_eq!(
            [7, 7, 8, 7].map(|time_ns| times.index(time_ns)),
            [0, 0, 1, 2]
        );
        assert_eq!([0, 1, 2].map(|index| times.get(index)), [7, 8, 7]);
        assert_eq!(times.weight(), 24);
    }
}
