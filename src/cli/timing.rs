//! When records are sent: speed, rates and the start.

use std::time::{Duration, SystemTime};

use clap::Args;

use super::values::duration;

/// When records are sent.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Timing")]
pub(crate) struct TimingArguments {
    /// How fast to replay: `1x` is as captured; `10x`, `0.5x`.
    ///
    /// `max` sends as fast as the cluster takes records. With a factor, each record is due at the start of
    /// the replay + (its time - the time of the first record) / FACTOR, by --clock. A record that is late
    /// does not delay the rest.
    #[arg(long, value_name = "max|FACTOR", default_value = "max", value_parser = speed, allow_hyphen_values = true)]
    pub speed: Speed,
    /// Cut pauses of the capture to this length; the report says how much was cut.
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub max_gap: Option<Duration>,
    /// Send at most N records a second, such as `5k`.
    ///
    /// `200`, `5k` and `5k/s` are rates. kreplay delays records and drops none. With --speed, the slower of
    /// the two wins.
    #[arg(long, value_name = "N", value_parser = rate, allow_hyphen_values = true)]
    pub rate: Option<f64>,
    /// Send at most N bytes of keys, values and headers a second: `20MiB`, `500k`.
    #[arg(long, value_name = "N", value_parser = byte_rate, allow_hyphen_values = true, hide_short_help = true)]
    pub byte_rate: Option<f64>,
    /// Increase speed and rates linearly from 0 over this time.
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, hide_short_help = true)]
    pub ramp: Option<Duration>,
    /// Begin sending at this time (RFC 3339), so that several machines begin together.
    #[arg(long, value_name = "TIME", value_parser = moment, hide_short_help = true)]
    pub start_at: Option<SystemTime>,
}

/// How fast the capture's time passes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Speed {
    /// As fast as the cluster takes records.
    #[default]
    Max,
    /// The number of seconds of the capture that pass in one second.
    Factor(f64),
}

/// Reads `max`, `1x`, `0.5x` or a plain number.
///
/// # Errors
/// Returns a description of what a speed looks like.
fn speed(text: &str) -> Result<Speed, String> {
    let trimmed = text.trim();
    if trimmed.eq_ignore_ascii_case("max") {
        return Ok(Speed::Max);
    }
    let number = trimmed.strip_suffix(['x', 'X']).unwrap_or(trimmed);
    match number.trim_end().parse::<f64>() {
        Ok(factor) if factor.is_finite() && factor > 0.0 => Ok(Speed::Factor(factor)),
        Ok(_) => Err("a speed is above zero: `1x` is the original rhythm".into()),
        Err(_) => Err("expected `max` or a factor such as `1x`, `10x` or `0.5x`".into()),
    }
}

/// Reads records a second: `5k`, `5k/s`, `1.5M`, `200`.
///
/// # Errors
/// Returns a description of what a rate looks like.
fn rate(text: &str) -> Result<f64, String> {
    let units = [("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9)];
    per_second(text, &units).ok_or_else(|| {
        "expected records a second, above zero: `200`, `5k`, `5k/s` or `1.5M`".into()
    })
}

/// Reads bytes a second: `20MiB`, `20MB/s`, `500k`, `4096`.
///
/// # Errors
/// Returns a description of what a rate of bytes looks like.
fn byte_rate(text: &str) -> Result<f64, String> {
    const KIB: f64 = 1024.0;
    let units = [
        ("", 1.0),
        ("B", 1.0),
        ("k", 1e3),
        ("kB", 1e3),
        ("KB", 1e3),
        ("M", 1e6),
        ("MB", 1e6),
        ("G", 1e9),
        ("GB", 1e9),
        ("Ki", KIB),
        ("KiB", KIB),
        ("Mi", KIB * KIB),
        ("MiB", KIB * KIB),
        ("Gi", KIB * KIB * KIB),
        ("GiB", KIB * KIB * KIB),
    ];
    per_second(text, &units).ok_or_else(|| {
        "expected bytes a second, above zero: `20MiB`, `20MB/s`, `500k` or `4096`".into()
    })
}

/// Reads a number above zero with one of `units`, optionally followed by `/s`; `None` for any other text.
fn per_second(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let text = text.strip_suffix("/s").unwrap_or(text).trim_end();
    let unit = text.find(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(unit.unwrap_or(text.len()));
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let rate = number.trim_end().parse::<f64>().ok()? * factor;
    (rate.is_finite() && rate > 0.0).then_some(rate)
}

/// Reads a time in RFC 3339.
///
/// # Errors
/// Returns a description of what such a time looks like.
fn moment(text: &str) -> Result<SystemTime, String> {
    let moment = text.trim().parse::<jiff::Timestamp>();
    let moment = moment.map_err(
        |_| "expected a time as RFC 3339 writes it, with its zone: `2026-03-01T12:00:00Z`",
    )?;
    Ok(SystemTime::from(moment))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_speed_is_max_or_a_factor_above_zero() {
        for (text, expected) in [
            ("max", Speed::Max),
            ("1x", Speed::Factor(1.0)),
            ("10x", Speed::Factor(10.0)),
            ("0.5x", Speed::Factor(0.5)),
            ("2", Speed::Factor(2.0)),
            (" 3 X", Speed::Factor(3.0)),
        ] {
            assert_eq!(speed(text), Ok(expected), "{text}");
        }
        for text in [
            "", "x", "fast", "0", "0x", "-1x", "NaN", "nanx", "inf", "1e999", "1xx", "x1",
        ] {
            assert!(speed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_have_units() {
        for (text, expected) in [
            ("5k", 5_000.0),
            ("5k/s", 5_000.0),
            ("1.5M/s", 1_500_000.0),
            ("0.5", 0.5),
            ("200 /s", 200.0),
            ("2 k", 2_000.0),
        ] {
            assert_eq!(rate(text), Ok(expected), "{text}");
        }
        for text in [
            "", "k", "0", "0k", "-5", "NaN", "inf", "5K", "5m", "5MiB", "5k/m", "5k/s/s", "1e400",
        ] {
            assert!(rate(text).is_err(), "{text}");
        }
        for (text, expected) in [
            ("20MiB", 20.0 * 1_048_576.0),
            ("20MB/s", 20e6),
            ("500k", 5e5),
            ("1GiB", 1_073_741_824.0),
            ("4096", 4096.0),
            ("7 B/s", 7.0),
        ] {
            assert_eq!(byte_rate(text), Ok(expected), "{text}");
        }
        // `Mb` means bits, and nobody knows what `m` means.
        for text in ["", "MiB", "0", "-1MiB", "NaN", "20Mb", "20m", "20MiB/m"] {
            assert!(byte_rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_has_a_zone() {
        let at = |text: &str| {
            let since = moment(text)?.duration_since(SystemTime::UNIX_EPOCH);
            Ok::<_, String>(since.expect("after 1970").as_millis())
        };
        assert_eq!(at("1970-01-02T00:00:00Z"), Ok(86_400_000));
        assert_eq!(at("1970-01-01T02:00:00.5+02:00"), Ok(500));
        for text in ["", "now", "12:00", "2026-03-01T12:00:00", "1764787375"] {
            assert!(at(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn zero_and_infinite_rates_and_durations_are_refused(text in "[-+0-9.eEinfaNkKMGBx/s ]{0,12}") {
            let is_sound = |n: f64| n.is_finite() && n > 0.0;
            prop_assert!(rate(&text).map_or(true, is_sound));
            prop_assert!(byte_rate(&text).map_or(true, is_sound));
            if let Ok(Speed::Factor(factor)) = speed(&text) {
                prop_assert!(is_sound(factor));
            }
        }
    }
}
