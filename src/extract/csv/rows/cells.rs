//! Turns the cells of a record into its fields.

use ::csv::ByteRecord;

use crate::extract::csv::columns::RecordColumns;
use crate::extract::profile::Encoding;
use crate::extract::rrpair::fields::{Attributes, FieldSet, Slot, SlotClaim};
use crate::record::{Batch, CapturedTopic, NameFault, TopicId};

/// The fields of a record; an error says which cell is wrong.
pub(super) fn fields(
    row: &ByteRecord,
    columns: &RecordColumns,
    batch: &mut Batch,
) -> Result<FieldSet, String> {
    let mut fields = FieldSet::default();
    for column in columns
        .fields
        .iter()
        .filter(|column| !row[column.column].is_empty())
    {
        let cell = &row[column.column];
        let wrong = |what| {
            let cell = String::from_utf8_lossy(cell);
            format!("column {}: `{cell:.40}` is not {what}", column.column + 1)
        };
        if column.slot == Slot::Attributes {
            fields.add_attributes(Attributes::from_text(&String::from_utf8_lossy(cell)));
            continue;
        }
        if fields.claim(column.slot, column.rank) != SlotClaim::Take {
            continue;
        }
        // The bytes of a value are taken as they are, without checking them.
        let takes_bytes = matches!(column.slot, Slot::Value | Slot::Key);
        if takes_bytes && column.encoding != Encoding::Base64 {
            fields.set_bytes(column.slot, Some(batch.push_bytes(cell)));
            continue;
        }
        let text = String::from_utf8_lossy(cell);
        match column.slot {
            Slot::Value | Slot::Key => {
                let bytes = batch.push_base64(&text).ok_or_else(|| wrong("base64"))?;
                fields.set_bytes(column.slot, Some(bytes));
            }
            Slot::Topic => {
                if let Some(fault) = NameFault::of(&text) {
                    return Err(format!("column {}: {fault}", column.column + 1));
                }
                fields.set_topic(Slot::Topic, batch.topic_index_of_name(&text));
            }
            Slot::TopicId => {
                let id = TopicId::parse(&text).ok_or_else(|| wrong("a topic's id"))?;
                fields.set_topic(Slot::TopicId, batch.topic_index(&CapturedTopic::Id(id)));
            }
            slot => {
                let number = slot.number_of(&text).ok_or_else(|| wrong("an integer"))?;
                if slot == Slot::Partition && !i32::try_from(number).is_ok_and(|n| n >= 0) {
                    return Err(wrong("a partition's index"));
                }
                fields.set_number(slot, number);
            }
        }
    }
    Ok(fields)
}
