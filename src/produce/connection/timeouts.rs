//! How long a record may wait for its delivery, and whose clock decides. This file is separate because the
//! connection sets it and the session watches it.

use std::time::Duration;

use crate::config::{Cluster, Destination, Idempotence};

/// librdkafka's `message.timeout.ms` (CONFIGURATION.md).
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
/// Both names that librdkafka has for it.
pub(in crate::produce) const TIMEOUT_NAMES: [&str; 2] =
    ["message.timeout.ms", "delivery.timeout.ms"];

/// How long a record may wait for its delivery by the user's `properties`. 0 means no limit, and any time
/// will do then: the default.
pub(in crate::produce) fn timeout_of(properties: &[(String, String)]) -> Duration {
    limit_of(properties).unwrap_or(DEFAULT_TIMEOUT)
}

/// How long a record may wait for its delivery by the user's `properties`; `None` if it may wait for ever.
pub(in crate::produce) fn limit_of(properties: &[(String, String)]) -> Option<Duration> {
    let mut set = properties.iter().rev();
    let set = set.find(|(name, _)| TIMEOUT_NAMES.contains(&name.as_str()));
    let ms = set.and_then(|(_, value)| value.trim().parse().ok());
    let limit = ms.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    (limit > Duration::ZERO).then_some(limit)
}

/// Whose clock makes records time out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum TimeOuts {
    /// kreplay's, which stops while the process is stopped.
    Kreplay,
    /// librdkafka's, which does not.
    Librdkafka,
}

impl TimeOuts {
    /// Whose clock decides: librdkafka's if nothing is promised, or if nothing can be late.
    pub(in crate::produce) fn of(destination: &Destination) -> Self {
        let is_rehearsal = destination.cluster == Cluster::Rehearsal;
        match destination.idempotence {
            Idempotence::On if !is_rehearsal => Self::Kreplay,
            _ => Self::Librdkafka,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_aliases_counts() {
        let properties = |set: &[(&str, &str)]| {
            let set = set
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()));
            timeout_of(&set.collect::<Vec<_>>()).as_millis()
        };
        assert_eq!(properties(&[]), 300_000);
        assert_eq!(properties(&[("message.timeout.ms", "0")]), 300_000);
        let both = [
            ("message.timeout.ms", "5000"),
            ("delivery.timeout.ms", "7000"),
        ];
        assert_eq!(properties(&both), 7000);
        assert_eq!(properties(&[both[1], both[0]]), 5000);
    }
}
