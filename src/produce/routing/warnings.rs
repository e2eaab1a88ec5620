//! What an operator should know about the destination's topics before records go there. These are not
//! reasons to refuse them; each kind is printed once, on one line.

use crate::config::{Destination, Idempotence, Timestamps};
use crate::host::console::Console;
use crate::produce::connection::topics::{TopicSettings, TopicShape};

/// How many topics are named in one line.
const NAMED: usize = 3;

/// Something to know about a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Warning {
    /// The brokers replace the captured times.
    TimesReplaced,
    /// A record is acknowledged although only one broker has it.
    OneCopy,
    /// Brokers may refuse to write with acks=all at all.
    TooFewReplicas,
}

impl Warning {
    fn text(self) -> &'static str {
        match self {
            Self::TimesReplaced => {
                "replaces the captured times with the times of writing (message.timestamp.type is \
                 LogAppendTime)"
            }
            Self::OneCopy => {
                "acknowledges a record that only one broker has, and which may be lost with that broker \
                 (min.insync.replicas is 1)"
            }
            Self::TooFewReplicas => {
                "has fewer replicas than its min.insync.replicas: brokers may refuse every record"
            }
        }
    }
}

/// What is known and not printed yet.
#[derive(Debug, Default)]
pub(in crate::produce) struct Warnings(Vec<(Warning, String)>);

impl Warnings {
    /// Notes what there is to know about `topic`.
    pub(in crate::produce) fn look_at(
        &mut self,
        topic: &str,
        shape: TopicShape,
        settings: &TopicSettings,
        destination: &Destination,
    ) {
        let mut warn = |warning| self.0.push((warning, topic.to_string()));
        if settings.log_append_time && destination.timestamps != Timestamps::Now {
            warn(Warning::TimesReplaced);
        }
        // Without idempotence nothing was promised.
        let Some(least) = settings
            .min_insync_replicas
            .filter(|_| destination.idempotence == Idempotence::On)
        else {
            return;
        };
        if shape.replicas < least {
            warn(Warning::TooFewReplicas);
        } else if least == 1 && shape.replicas > 1 {
            warn(Warning::OneCopy);
        }
    }

    /// Prints each kind on one line.
    pub(in crate::produce) fn print(&mut self, console: &Console) {
        for line in self.lines() {
            console.note(&line);
        }
        self.0.clear();
    }

    fn lines(&self) -> Vec<String> {
        let kinds = [
            Warning::TimesReplaced,
            Warning::OneCopy,
            Warning::TooFewReplicas,
        ];
        let line = |kind: Warning| {
            let topics = self.0.iter().filter(|(warning, _)| *warning == kind);
            let topics: Vec<&str> = topics.map(|(_, topic)| topic.as_str()).collect();
            let names: Vec<String> = topics
                .iter()
                .take(NAMED)
                .map(|t| format!("`{t}`"))
                .collect();
            let more = match topics.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            let names = names.join(", ");
            (!topics.is_empty()).then(|| format!("topic {names}{more} {}", kind.text()))
        };
        kinds.into_iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_warning_is_one_line_for_any_number_of_topics() {
        let mut warnings = Warnings::default();
        for topic in ["a", "b", "c", "d"] {
            warnings.0.push((Warning::OneCopy, topic.into()));
        }
        warnings.0.push((Warning::TimesReplaced, "a".into()));
        assert_eq!(
            warnings.lines(),
            [
                "topic `a` replaces the captured times with the times of writing \
                 (message.timestamp.type is LogAppendTime)",
                "topic `a`, `b`, `c` (and 1 more) acknowledges a record that only one broker has, \
                 and which may be lost with that broker (min.insync.replicas is 1)",
            ]
        );
    }
}
