//! Topics that are known only by an id without a name: all of them, in the form of the flag that names them.

use crate::report::rendering::figures::{count, records};
use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};

use crate::host::visible::visible;
use crate::record::TopicId;

/// How many ids are kept apart. A capture has more only if a path leads to something that is not a topic's
/// id.
const MOST_IDS: usize = 10_000;

/// Ids without a name, with how many records each has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnresolvedIds {
    records: HashMap<TopicId, u64>,
    /// Records of ids that were not kept.
    other_records: u64,
    /// Names under which the same batches occur, also of ids that have no records here.
    names: HashMap<TopicId, String>,
}

/// One id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnresolvedId {
    /// As Kafka's tools print it.
    pub topic_id: String,
    /// Its records that were found, without copies.
    pub records: u64,
    /// The name under which the same batches occur.
    pub occurs_as: Option<String>,
}

impl UnresolvedIds {
    /// Counts a record.
    pub(crate) fn add(&mut self, id: TopicId) {
        self.add_all(id, 1);
    }

    /// Takes back the count of a record that is not used after all.
    pub(crate) fn remove(&mut self, id: TopicId) {
        match self.records.get_mut(&id) {
            Some(1) => _ = self.records.remove(&id),
            Some(records) => *records -= 1,
            None => self.other_records = self.other_records.saturating_sub(1),
        }
    }

    fn add_all(&mut self, id: TopicId, records: u64) {
        let has_room = self.records.len() < MOST_IDS;
        match self.records.get_mut(&id) {
            Some(known) => *known += records,
            None if has_room => _ = self.records.insert(id, records),
            None => self.other_records += records,
        }
    }

    /// Bytes of memory that they take.
    pub(in crate::report) fn weight(&self) -> usize {
        let names = self.names.values().map(String::len).sum::<usize>();
        self.records.len() * size_of::<(TopicId, u64)>()
            + self.names.len() * size_of::<(TopicId, String)>()
            + names
    }

    /// Takes note of the name under which the same batches occur.
    pub(crate) fn occurs_as(&mut self, id: TopicId, name: &str) {
        self.names.insert(id, name.into());
    }

    /// Adds what a later part of the run counted.
    pub(crate) fn merge(&mut self, later: Self) {
        for (id, records) in later.records {
            self.add_all(id, records);
        }
        self.other_records += later.other_records;
        self.names.extend(later.names);
    }

    /// All of them, the one with the most records first.
    #[must_use]
    pub fn all(&self) -> Vec<UnresolvedId> {
        let ids = self.records.iter().map(|(id, records)| UnresolvedId {
            topic_id: id.to_string(),
            records: *records,
            occurs_as: self.names.get(id).cloned(),
        });
        let mut ids: Vec<UnresolvedId> = ids.collect();
        ids.sort_by(|a, b| (b.records.cmp(&a.records)).then_with(|| a.topic_id.cmp(&b.topic_id)));
        ids
    }

    pub(in crate::report) fn to_json(&self) -> Value {
        let ids = self.all().into_iter().map(|id| {
            json!({ "topic_id": id.topic_id, "records": id.records, "occurs_as": id.occurs_as })
        });
        ids.collect()
    }
}

impl fmt::Display for UnresolvedIds {
    /// Writes a line for each below one that says what they are; nothing if there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.all();
        if ids.is_empty() {
            return Ok(());
        }
        let kinds = count(ids.len() as u64, "topic id");
        writeln!(f, "unnamed    nothing in the capture names {kinds}")?;
        let flag = |id: &UnresolvedId| {
            let name = visible(id.occurs_as.as_deref().unwrap_or("NAME"));
            format!("--topic-id {}={name}", id.topic_id)
        };
        let width = ids.iter().map(|id| flag(id).len()).max().unwrap_or(0);
        for id in &ids {
            write!(
                f,
                "           {:<width$}   {}",
                flag(id),
                records(id.records)
            )?;
            match &id.occurs_as {
                Some(name) => writeln!(f, "; the same batches occur as {}", visible(name))?,
                None => writeln!(f)?,
            }
        }
        match self.other_records {
            0 => Ok(()),
            more => writeln!(f, "           and more ids with {}", records(more)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> TopicId {
        TopicId::parse(text).expect("an id")
    }

    #[test]
    fn all_unresolved_ids_read_as_the_manual_shows_them() {
        let mut ids = UnresolvedIds::default();
        assert_eq!(ids.to_string(), "");
        let (orders, other) = (id("F6sC8x-GQPaI5g9Nn7Nhwg"), id("4jfhP0BF2SmV6Nl7qrdn9Q"));
        (0..983).for_each(|_| ids.add(orders));
        let mut later = UnresolvedIds::default();
        later.add(other);
        later.add(orders);
        later.occurs_as(orders, "orders");
        ids.merge(later);
        let text = "\
unnamed    nothing in the capture names 2 topic ids
           --topic-id F6sC8x-GQPaI5g9Nn7Nhwg=orders   984 records; the same batches occur as orders
           --topic-id 4jfhP0BF2SmV6Nl7qrdn9Q=NAME     1 record
";
        assert_eq!(ids.to_string(), text);
        let json = json!([
            { "topic_id": "F6sC8x-GQPaI5g9Nn7Nhwg", "records": 984, "occurs_as": "orders" },
            { "topic_id": "4jfhP0BF2SmV6Nl7qrdn9Q", "records": 1, "occurs_as": null },
        ]);
        assert_eq!(ids.to_json(), json);
    }
}
