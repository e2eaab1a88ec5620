//! How a timed replay kept its time, for people.

use std::fmt;

use super::{Achieved, Latency, Pacing, SlowedBy};
use crate::report::rendering::figures::HumanCount;

impl SlowedBy {
    fn words(self) -> &'static str {
        match self {
            Self::Rate => "the rate that was asked for",
            Self::Input => "the input, which came too slowly",
            Self::InFlight => "what may be in flight at once",
            Self::Cluster => "the cluster",
            Self::Kreplay => "kreplay and this machine",
        }
    }
}

impl Pacing {
    fn write_limit(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limited_by {
            Some(by) => write!(f, "; limited by {}", by.words()),
            None => Ok(()),
        }
    }
}

/// Two or three lines of the text report.
impl fmt::Display for Pacing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.speed
                .map(|speed| said(speed.reached.map(factor), format!("{}x", speed.asked))),
            self.rate.map(|rate| rate.said("records/s")),
            self.byte_rate.map(|rate| rate.said("bytes/s")),
            self.max_lag
                .map(|lag| format!("asked for a lag of {} records", HumanCount(lag))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        write!(f, "timing     {}", parts.join("; "))?;
        self.write_limit(f)?;
        f.write_str("\n")?;
        let times = [("sent", self.lateness), ("acknowledged", self.response)];
        for (i, (what, times)) in times.into_iter().enumerate() {
            if let Some(Latency { p50, p95, p99, max }) = times {
                let head = if i == 0 { "lateness" } else { "" };
                writeln!(
                    f,
                    "{head:<10} {what} p50 {p50:.2} ms, p95 {p95:.2} ms, p99 {p99:.2} ms, max {max:.2} ms after plan"
                )?;
            }
        }
        if self.gaps > 0 {
            let (gaps, cut) = (HumanCount(self.gaps), self.gaps_cut.as_secs_f64());
            writeln!(f, "gaps       {gaps} cut by {cut:.1} s in all")?;
        }
        Ok(())
    }
}

impl Achieved {
    fn said(self, unit: &str) -> String {
        let in_units = |n| format!("{} {unit}", rounded(n));
        said(self.reached.map(in_units), in_units(self.asked))
    }
}

fn said(reached: Option<String>, asked: String) -> String {
    let reached = reached.map_or_else(String::new, |reached| format!(", reached {reached}"));
    format!("asked {asked}{reached}")
}

/// A speed with four digits.
fn factor(factor: f64) -> String {
    let decimals = match factor {
        f if f < 10.0 => 4,
        f if f < 100.0 => 2,
        _ => 0,
    };
    let text = format!("{factor:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text}x")
}

/// A rate without meaningless digits.
fn rounded(rate: f64) -> String {
    if rate < 100.0 {
        let text = format!("{rate:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').into();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is above zero, and beyond u64 nobody counts"
    )]
    let whole = rate.round() as u64;
    HumanCount(whole).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LATE: Latency = Latency {
        p50: 0.08,
        p95: 0.2,
        p99: 0.4,
        max: 3.1,
    };

    #[test]
    fn a_replay_that_keeps_up_takes_three_lines() {
        let pacing = Pacing {
            speed: Some(Achieved {
                asked: 1.0,
                reached: Some(0.99981),
            }),
            lateness: Some(LATE),
            response: Some(Latency { p50: 1.5, ..LATE }),
            ..Pacing::default()
        };
        let expected = "\
timing     asked 1x, reached 0.9998x
lateness   sent p50 0.08 ms, p95 0.20 ms, p99 0.40 ms, max 3.10 ms after plan
           acknowledged p50 1.50 ms, p95 0.20 ms, p99 0.40 ms, max 3.10 ms after plan
";
        assert_eq!(pacing.to_string(), expected);
    }

    #[test]
    fn the_report_names_the_limit_of_a_replay_and_the_cut_pauses() {
        let pacing = Pacing {
            speed: Some(Achieved {
                asked: 100.0,
                reached: Some(31.234),
            }),
            rate: Some(Achieved {
                asked: 50_000.0,
                reached: Some(49_999.6),
            }),
            byte_rate: Some(Achieved {
                asked: 0.5,
                reached: None,
            }),
            limited_by: Some(SlowedBy::Cluster),
            gaps: 2,
            gaps_cut: Duration::from_millis(95_250),
            ..Pacing::default()
        };
        let expected = "\
timing     asked 100x, reached 31.23x; asked 50,000 records/s, reached 50,000 records/s; asked 0.5 bytes/s; limited by the cluster
gaps       2 cut by 95.2 s in all
";
        assert_eq!(pacing.to_string(), expected);
    }

    #[test]
    fn speeds_have_four_digits() {
        for (n, text) in [
            (1.0, "1x"),
            (0.5, "0.5x"),
            (9.99812, "9.9981x"),
            (31.239, "31.24x"),
            (100.0, "100x"),
            (1234.5, "1234x"),
        ] {
            assert_eq!(factor(n), text);
        }
    }
}
