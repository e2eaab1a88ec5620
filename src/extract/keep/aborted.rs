//! Records of aborted transactions. A Fetch at isolation level read_committed names them, and its application
//! did not receive them; the rules are the Java consumer's (KIP-98).

use std::collections::HashMap;

use crate::extract::rrpair::fields::{Attributes, FieldSet, Slot};
use crate::extract::rrpair::walk::found::LineFindings;

/// `isolation_level` of a FetchRequest: read_committed (Kafka protocol guide).
const READ_COMMITTED: i64 = 1;

/// Whether an application received a record from the Fetch that carried it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) enum Visibility {
    Visible,
    Withheld,
}

/// A topic and partition, as one line names them.
type ProducerPartition = (Option<u32>, Option<u32>, i64);

fn place(fields: &FieldSet) -> ProducerPartition {
    let partition = fields.number(Slot::Partition).unwrap_or(0);
    (
        fields.topic(Slot::Topic),
        fields.topic(Slot::TopicId),
        partition,
    )
}

/// Transactions of one partition that the response names as aborted.
#[derive(Debug, Default)]
struct Transactions {
    /// (first offset, producer), the earliest last.
    ahead: Vec<(i64, i64)>,
    /// Producers whose aborted transaction is open at the current record.
    open: Vec<i64>,
}

/// Says for each record of `found` whether its application received it. Empty if the line names no aborted
/// transactions: then the application received all.
pub(in crate::extract) fn given(
    found: &LineFindings,
    offset_base_default: Option<i64>,
) -> Vec<Visibility> {
    let mut places: HashMap<ProducerPartition, Transactions> = HashMap::new();
    for fields in &found.aborted {
        let producer = fields.number(Slot::ProducerId).unwrap_or(0);
        let first_offset = fields.number(Slot::FirstOffset).unwrap_or(0);
        places
            .entry(place(fields))
            .or_default()
            .ahead
            .push((first_offset, producer));
    }
    if places.is_empty() {
        return Vec::new();
    }
    places
        .values_mut()
        .for_each(|at| at.ahead.sort_unstable_by(|a, b| b.cmp(a)));
    let mut is_withheld = |fields: &FieldSet| -> Option<bool> {
        if fields.number(Slot::Isolation) != Some(READ_COMMITTED) {
            return None;
        }
        let at = places.get_mut(&place(fields))?;
        let offset = fields.offset(offset_base_default)?;
        while let Some((_, producer)) = at.ahead.pop_if(|(first, _)| *first <= offset) {
            at.open.push(producer);
        }
        let producer = fields.number(Slot::ProducerId).unwrap_or(0);
        let open = at.open.iter().position(|open| *open == producer)?;
        if fields.attributes().has(Attributes::CONTROL) {
            // The marker that ends the transaction.
            at.open.swap_remove(open);
            return None;
        }
        Some(fields.attributes().has(Attributes::TRANSACTIONAL))
    };
    let given = |withheld| {
        if withheld {
            Visibility::Withheld
        } else {
            Visibility::Visible
        }
    };
    found
        .records
        .iter()
        .map(|partial| given(is_withheld(&partial.fields).unwrap_or(false)))
        .collect()
}
