//! How a timed replay kept its time, for programs.

use serde_json::{Value, json};

use super::{Achieved, Latency, Pacing, SlowedBy};

impl Pacing {
    pub(in crate::report) fn to_json(&self) -> Value {
        let achieved = |known: Option<Achieved>| {
            known.map(|Achieved { asked, reached }| json!({ "asked": asked, "reached": reached.map(round_ms) }))
        };
        let reached = self.speed.and_then(|speed| speed.reached);
        json!({
            "asked": self.speed.map_or_else(|| "max".into(), |speed| format!("{}x", speed.asked)),
            "reached": reached.map(|reached| (reached * 1e4).round() / 1e4),
            "rate": achieved(self.rate),
            "byte_rate": achieved(self.byte_rate),
            "max_lag": self.max_lag,
            "limited_by": self.limited_by.map(SlowedBy::name),
            "gaps": self.gaps,
            "gaps_cut_s": round_ms(self.gaps_cut.as_secs_f64()),
            "clamped": self.clamped,
            "untimed": self.untimed,
            "jumps": self.jumps,
            "lateness_ms": self.lateness.map(latency_json),
            "response_ms": self.response.map(latency_json),
        })
    }
}

impl SlowedBy {
    /// The name in the JSON report.
    fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Input => "input",
            Self::InFlight => "in_flight",
            Self::Cluster => "cluster",
            Self::Kreplay => "kreplay",
        }
    }
}

pub(in crate::report) fn latency_json(latency: Latency) -> Value {
    json!({
        "p50": round_ms(latency.p50),
        "p95": round_ms(latency.p95),
        "p99": round_ms(latency.p99),
        "max": round_ms(latency.max),
    })
}

/// More than three digits after the point would exceed the precision of the clocks.
pub(in crate::report) fn round_ms(x: f64) -> f64 {
    (x * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn unknown_figures_are_null_and_the_others_have_units() {
        let times = Latency {
            p50: 0.0801,
            p95: 0.2,
            p99: 0.4,
            max: 3.1,
        };
        let pacing = Pacing {
            speed: Some(Achieved {
                asked: 1.0,
                reached: Some(0.99981),
            }),
            rate: Some(Achieved {
                asked: 50_000.0,
                reached: Some(49_999.6),
            }),
            limited_by: Some(SlowedBy::Cluster),
            gaps: 2,
            gaps_cut: Duration::from_millis(95_250),
            lateness: Some(times),
            ..Pacing::default()
        };
        let expected = json!({
            "asked": "1x", "reached": 0.9998,
            "rate": { "asked": 50_000.0, "reached": 49_999.6 }, "byte_rate": null,
            "max_lag": null, "limited_by": "cluster",
            "gaps": 2, "gaps_cut_s": 95.25, "clamped": 0, "untimed": 0, "jumps": 0,
            "lateness_ms": { "p50": 0.08, "p95": 0.2, "p99": 0.4, "max": 3.1 },
            "response_ms": null,
        });
        assert_eq!(pacing.to_json(), expected);
        assert_eq!(Pacing::default().to_json()["asked"], "max");
    }
}
