//! The capacity of a service, measured by a run that held the lag of its group, and how the report for
//! programs shows it.

use std::time::Duration;

use serde_json::{Value, json};

use super::ConsumptionRates;
use crate::report::pacing::json::round_ms;

/// What limited the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CapacityBound {
    /// The service: kreplay held back records for it.
    Service,
    /// The source provided no more.
    Input,
    /// The cluster took no more.
    Cluster,
    /// `--speed` or `--rate` allowed no more.
    Timing,
}

impl CapacityBound {
    /// Its name in both reports.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Input => "input",
            Self::Cluster => "cluster",
            Self::Timing => "timing",
        }
    }
}

/// The capacity of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceCapacity {
    /// Records a second that the group committed while its lag was steady.
    pub rates: ConsumptionRates,
    /// The share of the steady periods in which kreplay held back records.
    pub held_share: f64,
    /// What limited the rate.
    pub bound: CapacityBound,
}

/// Whether the service can do nearly what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmed {
    /// It can: its lag did not grow.
    Yes,
    /// It cannot.
    LagGrew,
    /// Unknown, because less was sent.
    SentTooLittle,
}

impl Confirmed {
    /// Its name in the report for programs.
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::LagGrew => "lag_grew",
            Self::SentTooLittle => "sent_too_little",
        }
    }
}

/// The result of sending a share of the capacity, whatever the lag was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Confirmation {
    /// The verdict.
    pub confirmed: Confirmed,
    /// Records a second that had to be sent.
    pub rate: f64,
    /// Records a second that were sent.
    pub sent: f64,
    /// Records a second by which the lag grew, by least squares; below zero if it fell.
    pub growth: f64,
    /// For how long.
    pub time: Duration,
    /// The number of periods.
    pub windows: usize,
}

impl Confirmation {
    fn to_json(self) -> Value {
        json!({
            "confirmed": self.confirmed.name(),
            "rate": round_ms(self.rate),
            "sent": round_ms(self.sent),
            "lag_growth": round_ms(self.growth),
            "windows": self.windows,
            "time_s": round_ms(self.time.as_secs_f64()),
        })
    }
}

/// One period of a run that held a lag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LagPoint {
    /// When it ended, since the first record was due.
    pub end: Duration,
    /// Records a second that were allowed.
    pub allowed: f64,
    /// Records a second that were sent.
    pub sent: f64,
    /// Records a second that the group committed.
    pub committed: f64,
    /// The least lag.
    pub lag: u64,
}

/// The result of holding a lag.
#[derive(Debug, Clone, PartialEq)]
pub struct LagControl {
    /// The lag that was asked for.
    pub max_lag: u64,
    /// The measured capacity; `None` if the lag was never steady.
    pub capacity: Option<ServiceCapacity>,
    /// The result of the confirmation; `None` if it was not tried.
    pub confirmation: Option<Confirmation>,
    /// Period by period.
    pub series: Vec<LagPoint>,
}

impl LagControl {
    pub(in crate::report) fn to_json(&self) -> Value {
        let capacity = self.capacity.as_ref();
        let rate = |of: fn(&ConsumptionRates) -> f64| {
            capacity.map(|capacity| round_ms(of(&capacity.rates)))
        };
        json!({
            "max_lag": self.max_lag,
            "rate": rate(|rates| rates.median),
            "rate_p10": rate(|rates| rates.p10),
            "rate_p90": rate(|rates| rates.p90),
            "windows": capacity.map(|capacity| capacity.rates.windows),
            "window_s": rate(|rates| rates.window.as_secs_f64()),
            "held_share": capacity.map(|capacity| round_ms(capacity.held_share)),
            "bounded_by": capacity.map(|capacity| capacity.bound.name()),
            "confirmation": self.confirmation.map(Confirmation::to_json),
        })
    }

    pub(in crate::report) fn series_json(&self) -> Value {
        let points = self.series.iter().map(|point| {
            json!({
                "t_s": round_ms(point.end.as_secs_f64()),
                "allowed": round_ms(point.allowed),
                "sent": round_ms(point.sent),
                "committed": round_ms(point.committed),
                "lag": point.lag,
            })
        });
        points.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(bound: CapacityBound) -> LagControl {
        let mut rates = [8900.0, 9120.0, 9300.0];
        LagControl {
            max_lag: 5000,
            capacity: ConsumptionRates::of(&mut rates, Duration::from_secs(2)).map(|rates| {
                ServiceCapacity {
                    rates,
                    held_share: 0.96,
                    bound,
                }
            }),
            confirmation: None,
            series: vec![LagPoint {
                end: Duration::from_millis(500),
                allowed: 9100.0,
                sent: 9099.0,
                committed: 9120.0,
                lag: 4900,
            }],
        }
    }

    #[test]
    fn a_capacity_is_reported_only_where_the_service_was_the_limit() {
        let service = control(CapacityBound::Service);
        assert_eq!(
            service.to_string(),
            "capacity   9120 records/s (p10 8900, p90 9300) with a lag of 5,000: bounded by the service\n           \
                        not confirmed: a longer `--for` leaves time for it\n"
        );
        assert_eq!(
            control(CapacityBound::Input).to_string(),
            "capacity   at least 9120 records/s (p10 8900, p90 9300) with a lag of 5,000: bounded by the input\n"
        );
        let unknown = LagControl {
            capacity: None,
            ..service.clone()
        };
        let expected = "capacity   unknown: the lag was not steady in 1 period\n";
        assert_eq!(unknown.to_string(), expected);
        assert_eq!(unknown.to_json()["bounded_by"], Value::Null);
        assert_eq!(service.to_json()["bounded_by"], "service");
        let series = json!([{
            "t_s": 0.5, "allowed": 9100.0, "sent": 9099.0, "committed": 9120.0, "lag": 4900,
        }]);
        assert_eq!(service.series_json(), series);
    }

    #[test]
    fn a_confirmation_says_what_the_lag_did() {
        for (confirmed, growth, said, name) in [
            (
                Confirmed::Yes,
                -430.2,
                "confirmed: at 8664 records/s for 10.10 s the lag did not grow",
                "yes",
            ),
            (
                Confirmed::LagGrew,
                211.0,
                "not confirmed: at 8664 records/s for 10.10 s the lag grew by 211 records/s",
                "lag_grew",
            ),
            (
                Confirmed::SentTooLittle,
                0.0,
                "not confirmed: 6000 records/s were sent for 10.10 s instead of 8664",
                "sent_too_little",
            ),
        ] {
            let confirmation = Confirmation {
                confirmed,
                rate: 8664.0,
                sent: 6000.0,
                growth,
                time: Duration::from_millis(10_100),
                windows: 20,
            };
            let control = LagControl {
                confirmation: Some(confirmation),
                ..control(CapacityBound::Service)
            };
            let text = control.to_string();
            assert_eq!(text.lines().nth(1).map(str::trim), Some(said));
            let json = json!({
                "confirmed": name, "rate": 8664.0, "sent": 6000.0, "lag_growth": growth, "windows": 20, "time_s": 10.1,
            });
            assert_eq!(control.to_json()["confirmation"], json);
        }
    }
}
