//! Profiles: which paths of an RRPair hold which part of a record. The names tried stand in the
//! order in which they win. What Speedscale documents of the Kafka payload is `valueString`, the
//! shape around it and the batch's members; the other spellings are assumptions, and a record that
//! has none of them is counted as unreadable, never dropped.

use super::path::{Path, Step};
use super::plan::Plan;

/// What a path's node means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Value(Encoding),
    Key(Encoding),
    HeaderName,
    HeaderValue(Encoding),
    Topic,
    TopicId,
    Partition,
    /// The batch's base offset, to which a record's delta is added (KIP-98, record batch v2).
    OffsetBase,
    OffsetDelta,
    /// Milliseconds, to which a record's delta is added.
    TimeBase,
    TimeDelta,
    /// The batch's largest timestamp: the append time, where the topic has LogAppendTime.
    TimeMax,
    /// The batch's attributes: names or a bit mask.
    Attributes,
    /// The RRPair's command.
    Command,
    /// A topic's name beside its id, in a MetadataResponse.
    KnownName,
    KnownId,
}

/// How the text of a member becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// The string's UTF-8 bytes.
    Text,
    Base64,
}

/// What an object or array element on the way means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Its fields belong to every record below it.
    Shared,
    Record,
    Header,
    /// A topic of a MetadataResponse.
    KnownTopic,
}

/// A profile: RRPairs of one command, and where their records are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    /// The RRPairs that are replayed: `(command IS "Fetch")`.
    pub(super) command: &'static str,
    /// The object that holds `topics[]`.
    response: &'static str,
}

/// What the service consumed: every record of every Fetch response.
pub(super) const FETCH: Profile = Profile {
    command: "Fetch",
    response: "$.kafka.response.FetchResponse",
};

/// Spellings of a byte string, in the order in which they are tried.
pub(super) const SPELLINGS: [(&str, Encoding); 4] = [
    ("String", Encoding::Text),
    ("Bytes", Encoding::Base64),
    ("Base64", Encoding::Base64),
    ("", Encoding::Base64),
];
pub(super) const TOPIC_NAMES: [&str; 2] = ["name", "topic"];
pub(super) const TOPIC_ID: &str = "topicId";
pub(super) const PARTITION_NAMES: [&str; 3] = ["partitionIndex", "index", "partition"];
const HEADER_NAMES: [&str; 3] = ["key", "keyString", "name"];

/// Members of a batch with their meaning.
pub(super) const BATCH_MEMBERS: [(&str, Field); 4] = [
    ("baseOffset", Field::OffsetBase),
    ("baseTimestamp", Field::TimeBase),
    ("maxTimestamp", Field::TimeMax),
    ("attributes", Field::Attributes),
];
/// Members of a record with their meaning, besides key, value and headers.
pub(super) const RECORD_MEMBERS: [(&str, Field); 2] = [
    ("offsetDelta", Field::OffsetDelta),
    ("timestampDelta", Field::TimeDelta),
];
/// Members that a record may have and that say nothing about its value.
const SILENT_MEMBERS: [&str; 6] = [
    "attributes",
    "length",
    "keyLength",
    "valueLength",
    "headersCount",
    "sequence",
];

impl Profile {
    /// The plan by which lines are read.
    pub(super) fn plan(&self) -> Plan {
        let mut plan = Plan::new();
        let mut add = |path: &str, field| plan.add_field(&built_in(path), field);
        add("$.command", Field::Command);
        let known = "$.kafka.response.MetadataResponse.topics[*]";
        add(&format!("{known}.name"), Field::KnownName);
        add(&format!("{known}.{TOPIC_ID}"), Field::KnownId);
        plan.set_scope(&built_in(known), Scope::KnownTopic);

        let topic = format!("{}.topics[*]", self.response);
        let partition = format!("{topic}.partitions[*]");
        plan.set_scope(&built_in("$"), Scope::Shared);
        plan.set_scope(&built_in(&topic), Scope::Shared);
        plan.set_scope(&built_in(&partition), Scope::Shared);
        for name in TOPIC_NAMES {
            plan.add_field(&built_in(&format!("{topic}.{name}")), Field::Topic);
        }
        plan.add_field(&built_in(&format!("{topic}.{TOPIC_ID}")), Field::TopicId);
        for name in PARTITION_NAMES {
            plan.add_field(&built_in(&format!("{partition}.{name}")), Field::Partition);
        }
        // One batch with the partition repeated, or a list of batches.
        add_batch(&mut plan, &format!("{partition}.records"));
        plan.set_scope(&built_in(&format!("{partition}.records[*]")), Scope::Shared);
        add_batch(&mut plan, &format!("{partition}.records[*]"));
        plan
    }
}

fn add_batch(plan: &mut Plan, batch: &str) {
    for (name, field) in BATCH_MEMBERS {
        plan.add_field(&built_in(&format!("{batch}.{name}")), field);
    }
    let record = format!("{batch}.records[*]");
    plan.set_scope(&built_in(&record), Scope::Record);
    for (name, field) in RECORD_MEMBERS {
        plan.add_field(&built_in(&format!("{record}.{name}")), field);
    }
    for name in SILENT_MEMBERS {
        plan.ignore(&built_in(&format!("{record}.{name}")));
    }
    let header = format!("{record}.headers[*]");
    plan.set_scope(&built_in(&header), Scope::Header);
    for name in HEADER_NAMES {
        plan.add_field(&built_in(&format!("{header}.{name}")), Field::HeaderName);
    }
    for (suffix, encoding) in SPELLINGS {
        plan.add_field(
            &built_in(&format!("{record}.value{suffix}")),
            Field::Value(encoding),
        );
        plan.add_field(
            &built_in(&format!("{record}.key{suffix}")),
            Field::Key(encoding),
        );
        plan.add_field(
            &built_in(&format!("{header}.value{suffix}")),
            Field::HeaderValue(encoding),
        );
    }
}

fn built_in(path: &str) -> Vec<Step> {
    Path::parse(path)
        .expect("the built-in paths are plain, as the tests show")
        .steps()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profile_has_a_plan() {
        assert!(FETCH.plan().len() > 40);
    }
}
