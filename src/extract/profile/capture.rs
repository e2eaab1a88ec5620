//! When an RRPair was captured: the paths of a profile to its time and its duration, and what the two texts
//! mean together. This file is separate from the fields of records because an RRPair has one time for all of
//! its records, and because a fault there makes no record unreadable.

use super::Profile;
use super::path::Path;
use crate::error::Error;
use crate::record::captured;

/// The paths of a profile to an RRPair's time and duration, each in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub(in crate::extract) struct CapturePaths {
    times: Vec<Path>,
    durations: Vec<Path>,
}

impl CapturePaths {
    /// # Errors
    /// Returns [`Error::Config`], which shows the place in a path.
    pub(in crate::extract) fn of(profile: &Profile) -> Result<Self, Error> {
        let parse = |name, candidates: &super::Candidates| {
            let texts = candidates.0.iter().map(|candidate| &candidate.path);
            let paths = texts.map(|text| {
                let bad = |e| Error::config(format!("{}: {e}", profile.written.place(name, text)));
                Path::parse(text).map_err(bad)
            });
            paths.collect::<Result<Vec<Path>, Error>>()
        };
        Ok(Self {
            times: parse("capture-time", &profile.capture_time)?,
            durations: parse("capture-duration", &profile.capture_duration)?,
        })
    }

    /// All of them, the times first.
    pub(in crate::extract) fn all(&self) -> impl Iterator<Item = &Path> {
        self.times.iter().chain(&self.durations)
    }

    pub(in crate::extract) fn len(&self) -> usize {
        self.times.len() + self.durations.len()
    }

    /// The time at which the application received the records, in nanoseconds since 1970; `text` returns what
    /// was found at the path with an index in [`CapturePaths::all`].
    pub(in crate::extract) fn captured_ns<'t>(
        &self,
        text: impl Fn(usize) -> Option<&'t str>,
    ) -> Option<i64> {
        let (times, durations) = (0..self.times.len(), self.times.len()..self.len());
        let began = times.filter_map(&text).find_map(captured::parse)?;
        let took = durations.filter_map(&text).find_map(duration_ns);
        began.checked_add(took.unwrap_or(0))
    }
}

/// A duration in milliseconds, whole as Speedscale writes it or not; protobuf's JSON mapping leaves out 0.
fn duration_ns(text: &str) -> Option<i64> {
    /// Far longer than a request may take: anything beyond is not a duration.
    const LONGEST_MS: f64 = 1e9;
    let millis: f64 = text.trim().parse().ok()?;
    let fits = (0.0..=LONGEST_MS).contains(&millis);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "1e9 ms are 1e15 ns, which 64 bits hold"
    )]
    fits.then(|| (millis * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BuiltInProfile;

    /// 2026-01-05T09:00:00Z.
    const NINE: i64 = 1_767_603_600_000_000_000;

    fn captured_ns(time: Option<&str>, duration: Option<&str>) -> Option<i64> {
        let profile = Profile::built_in(BuiltInProfile::Fetch);
        let paths = CapturePaths::of(&profile).expect("its paths are sound");
        let texts = [time, duration];
        paths.captured_ns(|index| texts[index])
    }

    #[test]
    fn the_duration_in_milliseconds_comes_on_top_of_the_time() {
        let time = Some("2026-01-05T09:00:00.026253927Z");
        assert_eq!(captured_ns(time, None), Some(NINE + 26_253_927));
        for (duration, ns) in [
            ("5", 5_000_000),
            ("0", 0),
            ("1.25", 1_250_000),
            ("500.0", 500_000_000),
        ] {
            let expected = Some(NINE + 26_253_927 + ns);
            assert_eq!(captured_ns(time, Some(duration)), expected, "{duration}");
        }
    }

    #[test]
    fn an_invalid_duration_is_ignored_and_without_a_time_there_is_no_capture_time() {
        let time = Some("2026-01-05T09:00:00Z");
        for odd in ["", "soon", "-5", "NaN", "inf", "1e300"] {
            assert_eq!(captured_ns(time, Some(odd)), Some(NINE), "{odd}");
        }
        assert_eq!(captured_ns(None, Some("5")), None);
        assert_eq!(captured_ns(Some("at nine"), Some("5")), None);
    }

    #[test]
    fn a_produced_record_has_the_time_of_its_request() {
        let profile = Profile::built_in(BuiltInProfile::Produce);
        let paths = CapturePaths::of(&profile).expect("its paths are sound");
        assert_eq!((paths.times.len(), paths.durations.len()), (1, 0));
    }
}
