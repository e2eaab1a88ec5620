//! What the columns of a CSV hold, told from their headers alone: each header is the path that was
//! given to speedctl. Columns belong together by the array elements that they share, so that
//! several records of a row each find their own key, partition and topic.
//!
//! A column that stands for an element besides those (a second record, partition or topic) is a
//! *sentinel*: a cell in it tells of records that the row does not carry.

use super::path::{Path, Step};
use super::profile::{
    BATCH_MEMBERS, Encoding, Field, PARTITION_NAMES, RECORD_MEMBERS, SPELLINGS, TOPIC_ID,
    TOPIC_NAMES,
};

/// The object in which an RRPair of Fetch holds its topics.
const RESPONSE: &str = "kafka.response.FetchResponse";
/// Elements of a batch's attributes that are asked for.
const MOST_ATTRIBUTES: usize = 4;

/// The paths that kreplay asks speedctl for: all that a row can carry of one record, and sentinels.
pub(super) fn generated_paths() -> Vec<String> {
    let topic = format!("{RESPONSE}.topics.0");
    let partition = format!("{topic}.partitions.0");
    let batch = format!("{partition}.records");
    let record = format!("{batch}.records.0");
    let mut paths = Vec::new();
    for member in ["value", "key"] {
        paths.extend(
            SPELLINGS
                .iter()
                .map(|(suffix, _)| format!("{record}.{member}{suffix}")),
        );
    }
    paths.extend(TOPIC_NAMES.iter().map(|name| format!("{topic}.{name}")));
    paths.push(format!("{topic}.{TOPIC_ID}"));
    paths.extend(
        PARTITION_NAMES
            .iter()
            .map(|name| format!("{partition}.{name}")),
    );
    paths.extend(
        RECORD_MEMBERS
            .iter()
            .map(|(name, _)| format!("{record}.{name}")),
    );
    paths.extend(
        BATCH_MEMBERS
            .iter()
            .map(|(name, _)| format!("{batch}.{name}")),
    );
    paths.extend((0..MOST_ATTRIBUTES).map(|i| format!("{batch}.attributes.{i}")));
    paths.push(".ts".into());
    // Sentinels: an object, where speedctl prints objects, and its likeliest members.
    paths.push(format!("{batch}.batchLength"));
    for below in ["headers.0", "headers.0.key"] {
        paths.push(format!("{record}.{below}"));
    }
    for below in [
        "records.1",
        "records.1.offsetDelta",
        "0",
        "0.baseTimestamp",
        "0.batchLength",
    ] {
        paths.push(format!("{batch}.{below}"));
    }
    for below in [
        "",
        ".partitionIndex",
        ".records.baseTimestamp",
        ".records.batchLength",
    ] {
        paths.push(format!("{topic}.partitions.1{below}"));
    }
    for below in ["", ".name", ".topic", ".topicId"] {
        paths.push(format!("{RESPONSE}.topics.1{below}"));
    }
    paths
}

/// A column that tells of what a row does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sentinel {
    pub(super) column: usize,
    /// The array of which there is one more element, or `headers`.
    pub(super) array: String,
}

/// The columns of one record of a row, by index; of several spellings the first that holds
/// something wins.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RecordColumns {
    pub(super) values: Vec<(usize, Encoding)>,
    pub(super) keys: Vec<(usize, Encoding)>,
    pub(super) topics: Vec<usize>,
    pub(super) topic_id: Option<usize>,
    pub(super) partitions: Vec<usize>,
    pub(super) attributes: Vec<usize>,
    pub(super) offset_base: Option<usize>,
    pub(super) offset_delta: Option<usize>,
    pub(super) time_base: Option<usize>,
    pub(super) time_delta: Option<usize>,
    pub(super) time_max: Option<usize>,
    /// A cell here shows that the record exists even when its value's cell is empty.
    pub(super) traces: Vec<usize>,
    pub(super) headers: Vec<Sentinel>,
}

/// All columns of a CSV.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) records: Vec<RecordColumns>,
    pub(super) sentinels: Vec<Sentinel>,
    pub(super) width: usize,
}

impl Columns {
    /// Tells what the columns under `headers` are. Without a value column there are no records.
    pub(super) fn of(headers: &[String]) -> Self {
        let paths: Vec<Option<Path>> = headers
            .iter()
            .map(|header| Path::parse(header.trim()).ok())
            .collect();
        let mut nodes: Vec<&[Step]> = Vec::new();
        for path in paths.iter().flatten() {
            if spelling(path, "value").is_some() && !has_name(path, "headers") {
                let node = parent(path);
                if !nodes.contains(&node) {
                    nodes.push(node);
                }
            }
        }
        let mut columns = Self {
            width: headers.len(),
            ..Self::default()
        };
        columns.records = nodes
            .iter()
            .map(|node| record_columns(node, &paths))
            .collect();
        columns.sentinels = (0..)
            .zip(&paths)
            .filter_map(|(i, path)| sentinel(i, path.as_ref()?, &nodes))
            .collect();
        columns
    }
}

fn parent(path: &Path) -> &[Step] {
    path.steps()
        .split_last()
        .map_or(&[], |(_, parents)| parents)
}

fn has_name(path: &Path, wanted: &str) -> bool {
    path.steps()
        .iter()
        .any(|step| matches!(step, Step::Name(name) if name == wanted))
}

/// The rank and encoding of a path that ends in `member` plus one of the spellings' suffixes.
fn spelling(path: &Path, member: &str) -> Option<(usize, Encoding)> {
    let Some(Step::Name(name)) = path.steps().last() else {
        return None;
    };
    let suffix = name.strip_prefix(member)?;
    let rank = SPELLINGS.iter().position(|(known, _)| *known == suffix)?;
    Some((rank, SPELLINGS[rank].1))
}

/// Collects the columns of the record at `node`.
fn record_columns(node: &[Step], paths: &[Option<Path>]) -> RecordColumns {
    let mut columns = RecordColumns::default();
    let (mut values, mut keys) = (Vec::new(), Vec::new());
    let (mut topics, mut partitions) = (Vec::new(), Vec::new());
    let is_first = matches!(node.last(), None | Some(Step::Index(0) | Step::Name(_)));
    for (i, path) in paths.iter().enumerate() {
        let Some(path) = path else { continue };
        let name = path.last_name().unwrap_or_default();
        if parent(path) == node {
            match (spelling(path, "value"), spelling(path, "key"), name) {
                (Some((rank, encoding)), ..) => values.push((rank, i, encoding)),
                (_, Some((rank, encoding)), _) => keys.push((rank, i, encoding)),
                (.., "offsetDelta") => columns.offset_delta = Some(i),
                (.., "timestampDelta") => columns.time_delta = Some(i),
                _ => continue,
            }
            columns.traces.push(i);
        } else if path.steps().starts_with(node) && has_name(path, "headers") {
            columns.headers.push(Sentinel {
                column: i,
                array: "headers".into(),
            });
        } else if shares_elements(path, node) {
            if let Some(rank) = TOPIC_NAMES.iter().position(|known| *known == name) {
                topics.push((rank, i));
            } else if let Some(rank) = PARTITION_NAMES.iter().position(|known| *known == name) {
                partitions.push((rank, i));
            } else if name == TOPIC_ID {
                columns.topic_id = Some(i);
            } else if let Some(field) = batch_field(name) {
                columns.add_batch_field(field, i);
            }
            if is_first && ["baseTimestamp", "maxTimestamp", "batchLength"].contains(&name) {
                columns.traces.push(i);
            }
        }
    }
    values.sort_unstable_by_key(|(rank, ..)| *rank);
    keys.sort_unstable_by_key(|(rank, ..)| *rank);
    topics.sort_unstable();
    partitions.sort_unstable();
    columns.values = values
        .into_iter()
        .map(|(_, i, encoding)| (i, encoding))
        .collect();
    columns.keys = keys
        .into_iter()
        .map(|(_, i, encoding)| (i, encoding))
        .collect();
    columns.topics = topics.into_iter().map(|(_, i)| i).collect();
    columns.partitions = partitions.into_iter().map(|(_, i)| i).collect();
    columns
}

impl RecordColumns {
    fn add_batch_field(&mut self, field: Field, column: usize) {
        match field {
            Field::OffsetBase => self.offset_base = Some(column),
            Field::TimeBase => self.time_base = Some(column),
            Field::TimeMax => self.time_max = Some(column),
            _ => self.attributes.push(column),
        }
    }
}

fn batch_field(name: &str) -> Option<Field> {
    BATCH_MEMBERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, field)| *field)
}

/// Whether the object that holds the path's last name is on the way to `node`.
fn shares_elements(path: &Path, node: &[Step]) -> bool {
    let names = path
        .steps()
        .iter()
        .rposition(|step| matches!(step, Step::Name(_)));
    names.is_some_and(|last| last < node.len() && node.starts_with(&path.steps()[..last]))
}

/// A column for an element that no record column covers.
fn sentinel(column: usize, path: &Path, nodes: &[&[Step]]) -> Option<Sentinel> {
    let common = |node: &&[Step]| {
        path.steps()
            .iter()
            .zip(*node)
            .take_while(|(a, b)| a == b)
            .count()
    };
    let at = nodes.iter().map(common).max()?;
    let is_element = matches!(path.steps().get(at), Some(Step::Index(_)));
    let inside = nodes.iter().any(|node| path.steps().starts_with(node));
    let Some(Step::Name(array)) = path.steps().get(at.checked_sub(1)?) else {
        return None;
    };
    let is_attribute = array == "attributes";
    (is_element && !inside && !is_attribute).then(|| Sentinel {
        column,
        array: array.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(headers: &[&str]) -> Columns {
        Columns::of(&headers.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn the_two_columns_of_the_guide_give_a_value() {
        let guide =
            "kafka.response.FetchResponse.topics.0.partitions.0.records.records.0.valueString";
        let columns = columns(&[guide, "RRPair UUID"]);
        assert_eq!(columns.records.len(), 1);
        assert_eq!(columns.records[0].values, [(0, Encoding::Text)]);
        assert_eq!(
            (columns.records[0].topics.len(), columns.sentinels.len()),
            (0, 0)
        );
    }

    #[test]
    fn each_record_of_a_row_finds_the_columns_that_share_its_elements() {
        let columns = columns(&[
            "a.t.1.p.0.r.0.valueString",
            "a.t.0.partitions.0.partitionIndex",
            "a.t.0.partitions.0.records.records.1.valueString",
            "a.t.0.name",
            "a.t.1.name",
            "a.t.0.partitions.0.records.records.0.valueBytes",
            "a.t.0.partitions.0.records.records.0.valueString",
            "a.t.0.partitions.0.records.records.1.keyString",
        ]);
        let found: Vec<_> = columns
            .records
            .iter()
            .map(|r| {
                (
                    r.values.len(),
                    r.keys.len(),
                    r.topics.clone(),
                    r.partitions.clone(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (1, 0, vec![4], vec![]),
                (1, 1, vec![3], vec![1]),
                (2, 0, vec![3], vec![1])
            ]
        );
        assert_eq!(
            columns.records[2].values,
            [(6, Encoding::Text), (5, Encoding::Base64)]
        );
        assert_eq!(columns.sentinels, []);
    }

    #[test]
    fn the_generated_paths_carry_one_record_and_watch_for_everything_else() {
        let headers = generated_paths();
        let columns = Columns::of(&headers);
        let [record] = &columns.records[..] else {
            panic!("one record, not {:?}", columns.records)
        };
        assert_eq!(
            (record.values.len(), record.keys.len(), record.topics.len()),
            (4, 4, 2)
        );
        assert_eq!(
            (
                record.partitions.len(),
                record.attributes.len(),
                record.headers.len()
            ),
            (3, 5, 2)
        );
        assert!(
            record.topic_id.is_some()
                && record.offset_base.is_some()
                && record.time_delta.is_some()
        );
        assert!(
            record.time_base.is_some()
                && record.time_max.is_some()
                && record.offset_delta.is_some()
        );
        let arrays: Vec<&str> = columns.sentinels.iter().map(|s| s.array.as_str()).collect();
        assert_eq!(
            arrays,
            [
                "records",
                "records",
                "records",
                "records",
                "records",
                "partitions",
                "partitions",
                "partitions",
                "partitions",
                "topics",
                "topics",
                "topics",
                "topics"
            ]
        );
    }

    #[test]
    fn a_csv_without_values_has_no_records() {
        assert!(
            columns(&["foo", "a.0.keyString", "RRPair UUID"])
                .records
                .is_empty()
        );
        assert!(columns(&[]).records.is_empty());
    }
}
