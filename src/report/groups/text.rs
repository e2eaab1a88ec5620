//! A consumer group in the report for people.

use std::fmt::{self, Write};

use super::{
    CapacityBound, Confirmation, Confirmed, ConsumptionRates, GroupReport, LagControl,
    ServiceCapacity,
};
use crate::host::visible::visible;
use crate::report::rendering::figures::{HumanCount, count, seconds};

/// How many partitions of an undrained group the page names.
const MOST_NAMED: usize = 3;

impl fmt::Display for GroupReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group      {}: {}", visible(&self.group), self.verdict)?;
        if let Some(drain) = self.drain.filter(|_| self.is_drained()) {
            write!(f, " {} after the last delivery", seconds(drain))?;
        }
        let (lag, time) = (HumanCount(self.peak_lag), seconds(self.peak_lag_time));
        write!(f, "\n           peak lag {lag} records, {time}")?;
        if let Some(ConsumptionRates {
            median, p10, p90, ..
        }) = self.rates
        {
            write!(
                f,
                "; read {median:.0} records/s (p10 {p10:.0}, p90 {p90:.0})"
            )?;
        }
        let members = count(self.members.into(), "member");
        write!(f, "\n           {members}")?;
        if let Some(interval) = self.commit_interval {
            write!(f, ", a commit every {}", seconds(interval))?;
        }
        write!(f, "; times to {}", seconds(self.resolution()))?;
        match self.slowest() {
            Some(slowest) if self.partitions.len() > 1 => {
                let (topic, partition) = (visible(&slowest.topic), slowest.partition);
                writeln!(f, "; slowest {topic} [{partition}]")?;
            }
            _ => f.write_char('\n')?,
        }
        self.write_undrained(f)
    }
}

impl GroupReport {
    fn write_undrained(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for found in self.undrained().take(MOST_NAMED) {
            let (topic, target) = (visible(&found.topic), found.target);
            let (partition, state) = (found.partition, found.state.words());
            let committed = match found.committed {
                Some(committed) => committed.to_string(),
                None => "nothing".into(),
            };
            writeln!(
                f,
                "           {topic} [{partition}]: {state}, committed {committed} of {target}"
            )?;
        }
        match self.undrained().count().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => writeln!(f, "           and {}", count(more as u64, "more partition")),
        }
    }
}

impl fmt::Display for LagControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let periods = self.series.len();
        let Some(ServiceCapacity { rates, bound, .. }) = self.capacity else {
            let periods = count(periods as u64, "period");
            return writeln!(f, "capacity   unknown: the lag was not steady in {periods}");
        };
        let least = match bound {
            CapacityBound::Service => "",
            _ => "at least ",
        };
        let ConsumptionRates {
            median, p10, p90, ..
        } = rates;
        let lag = HumanCount(self.max_lag);
        writeln!(
            f,
            "capacity   {least}{median:.0} records/s (p10 {p10:.0}, p90 {p90:.0}) with a lag of {lag}: bounded by the {}",
            bound.name()
        )?;
        match self.confirmation {
            Some(confirmation) => confirmation.fmt(f),
            None if bound == CapacityBound::Service => writeln!(
                f,
                "           not confirmed: a longer `--for` leaves time for it"
            ),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, sent, growth) = (self.rate, self.sent, self.growth);
        let time = seconds(self.time);
        f.write_str("           ")?;
        match self.confirmed {
            Confirmed::Yes => writeln!(
                f,
                "confirmed: at {rate:.0} records/s for {time} the lag did not grow"
            ),
            Confirmed::LagGrew => writeln!(
                f,
                "not confirmed: at {rate:.0} records/s for {time} the lag grew by {growth:.0} records/s"
            ),
            Confirmed::SentTooLittle => writeln!(
                f,
                "not confirmed: {sent:.0} records/s were sent for {time} instead of {rate:.0}"
            ),
        }
    }
}
