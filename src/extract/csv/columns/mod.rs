//! What the columns of a CSV hold, judged by their headers alone: each header is the path that was given to
//! speedctl, and the profile says what such a path leads to. Columns belong together by the array elements
//! that they share, so that several records of a row each find their own key, partition and topic.
//!
//! speedctl takes no wildcards: kreplay asks for a path of the profile with the first element of every array.
//! A column for any other element (a second record, partition or topic) is a *sentinel*: a cell in it shows
//! that there are records that the row does not carry.

mod paths;

pub(in crate::extract) use self::paths::generated_paths;
use self::paths::{BROKER, items, record_fields, wildcards};
use crate::extract::profile::Encoding;
use crate::extract::profile::path::{Path, PathStep};
use crate::extract::rrpair::automaton::shared;
use crate::extract::rrpair::engine::Engine;
use crate::extract::rrpair::fields::Slot;

/// A column that shows what a row does not carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) struct Sentinel {
    pub(in crate::extract) column: usize,
    /// The array that has one more element.
    pub(in crate::extract) array: String,
}

/// A column that holds a field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) struct Column {
    pub(in crate::extract) column: usize,
    pub(in crate::extract) slot: Slot,
    pub(in crate::extract) rank: u8,
    pub(in crate::extract) encoding: Encoding,
}

/// The columns of one record of a row.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::extract) struct RecordColumns {
    /// Those of an earlier spelling first.
    pub(in crate::extract) fields: Vec<Column>,
    /// A cell here shows that the record exists even when its value's cell is empty.
    pub(in crate::extract) traces: Vec<usize>,
    /// A cell here shows that the record has headers, which a row does not carry.
    pub(in crate::extract) headers: Vec<usize>,
    /// A cell here is a member of the record that the profile does not know; this is its name.
    pub(in crate::extract) unknown: Vec<(usize, String)>,
    /// Whether it is the first element of every array, and so its batch's first record.
    pub(in crate::extract) is_first: bool,
}

impl RecordColumns {
    pub(in crate::extract) fn has(&self, slot: Slot) -> bool {
        self.fields.iter().any(|column| column.slot == slot)
    }
}

/// All columns of a CSV.
#[derive(Debug, Default)]
pub(in crate::extract) struct Columns {
    pub(in crate::extract) records: Vec<RecordColumns>,
    pub(in crate::extract) sentinels: Vec<Sentinel>,
    /// What no column would show, in words.
    pub(in crate::extract) unseen: Vec<String>,
    /// Where a row names the broker that it was captured at.
    pub(in crate::extract) broker: Option<usize>,
    /// Where a row says when it was captured: a column for each of the engine's paths to that.
    pub(in crate::extract) capture: Vec<Option<usize>>,
    pub(in crate::extract) width: usize,
}

/// A record that has a value column: its node, and the record path that leads there.
struct RecordNode<'a> {
    steps: &'a [PathStep],
    item: &'a [PathStep],
}

impl Columns {
    /// Finds the meaning of the columns under `headers`. Without a value column there are no records.
    pub(in crate::extract) fn of(headers: &[String], engine: &Engine) -> Self {
        let parsed = headers.iter().map(|header| Path::parse(header.trim()).ok());
        let paths: Vec<Option<Path>> = parsed.collect();
        let steps: Vec<Option<&[PathStep]>> =
            paths.iter().map(|path| path.as_ref()?.steps()).collect();
        let mut nodes: Vec<RecordNode<'_>> = Vec::new();
        for header in steps.iter().flatten() {
            let value = record_fields(engine)
                .find(|(path, slot, ..)| *slot == Slot::Value && fits(path, header));
            let Some((value, ..)) = value else { continue };
            let leads_there =
                |item: &&[PathStep]| shared(value, item) == item.len() && starts(item, header);
            for item in items(engine).filter(leads_there) {
                let node = &header[..item.len()];
                if nodes.iter().all(|known| known.steps != node) {
                    nodes.push(RecordNode { steps: node, item });
                }
            }
        }
        // Columns may come in any order; records go out in the order of their elements.
        nodes.sort_by(|a, b| a.steps.cmp(b.steps));
        let records = nodes
            .iter()
            .map(|node| record_columns(node, &steps, engine));
        let records: Vec<RecordColumns> = records.collect();
        let sentinels = (0..)
            .zip(&steps)
            .filter_map(|(i, header)| sentinel(i, (*header)?, &nodes));
        Self {
            unseen: unseen(&nodes, &records, &steps),
            records,
            sentinels: sentinels.collect(),
            broker: broker(&steps),
            capture: capture(&steps, engine),
            width: headers.len(),
        }
    }
}

/// What the records of a capture may have and no column shows. If each path leads to one node, as the user's
/// own paths do, a row has nothing else.
fn unseen(
    nodes: &[RecordNode<'_>],
    records: &[RecordColumns],
    headers: &[Option<&[PathStep]>],
) -> Vec<String> {
    let mut unseen: Vec<String> = Vec::new();
    for node in nodes {
        for at in wildcards(node.item) {
            let element = |steps: &[PathStep]| match steps.get(at) {
                Some(PathStep::Index(n)) if steps[..at] == node.steps[..at] => Some(*n),
                _ => None,
            };
            let last = nodes.iter().filter_map(|node| element(node.steps)).max();
            let further = headers.iter().flatten().filter_map(|steps| element(steps));
            if further.max() > last {
                continue;
            }
            if let Some(PathStep::Name(array)) = at.checked_sub(1).and_then(|i| node.item.get(i)) {
                let text = format!("a second element of `{array}`");
                if !unseen.contains(&text) {
                    unseen.push(text);
                }
            }
        }
    }
    let is_plain = nodes.iter().all(|node| wildcards(node.item).is_empty());
    if is_plain {
        return unseen;
    }
    for (what, is_present) in [
        ("keys", records.iter().any(|record| record.has(Slot::Key))),
        (
            "headers",
            records.iter().any(|record| !record.headers.is_empty()),
        ),
        (
            "transaction markers",
            records.iter().any(|record| record.has(Slot::Attributes)),
        ),
    ] {
        if !is_present {
            unseen.push(what.into());
        }
    }
    unseen
}

/// The column of the broker, if the other columns are about Kafka: other traffic was captured at no broker.
fn broker(headers: &[Option<&[PathStep]>]) -> Option<usize> {
    let begins = |header: &Option<&[PathStep]>, name: &str| matches!(header.and_then(<[PathStep]>::first), Some(PathStep::Name(first)) if first == name);
    let is_kafka = headers.iter().any(|header| begins(header, "kafka"));
    let mut headers = headers.iter();
    let column = headers.position(|h| begins(h, BROKER) && h.is_some_and(|h| h.len() == 1));
    column.filter(|_| is_kafka)
}

/// The columns of an RRPair's time and duration.
fn capture(headers: &[Option<&[PathStep]>], engine: &Engine) -> Vec<Option<usize>> {
    let column = |path: &Path| {
        let path = path.steps()?;
        let mut headers = headers.iter();
        headers.position(|header| header.is_some_and(|header| fits(path, header)))
    };
    engine.capture_paths().all().map(column).collect()
}

/// Whether a path of the profile leads to the very node of a header.
fn fits(path: &[PathStep], header: &[PathStep]) -> bool {
    path.len() == header.len() && starts(path, header)
}

/// Collects the columns of the record at `node`.
fn record_columns(
    node: &RecordNode<'_>,
    headers: &[Option<&[PathStep]>],
    engine: &Engine,
) -> RecordColumns {
    let mut columns = RecordColumns {
        is_first: !node
            .steps
            .iter()
            .any(|step| matches!(step, PathStep::Index(1..))),
        ..RecordColumns::default()
    };
    for (column, header) in headers.iter().enumerate() {
        let Some(header) = header else { continue };
        let name = unknown_member(node, header, engine);
        columns.unknown.extend(name.map(|name| (column, name)));
        for (path, slot, rank, encoding) in record_fields(engine) {
            let together = shared(path, node.item);
            let same_elements =
                header.len() >= together && header[..together] == node.steps[..together];
            if !same_elements || !starts(path, header) || are_other_shapes(header, node.steps) {
                continue;
            }
            let below = header.len() - path.len();
            match (slot, below) {
                (Slot::Headers, 1..) => columns.headers.push(column),
                (Slot::Attributes, 0 | 1) | (_, 0) => {
                    columns.fields.push(Column {
                        column,
                        slot,
                        rank,
                        encoding,
                    });
                }
                _ => continue,
            }
            let is_own = together == node.item.len();
            let of_batch = matches!(slot, Slot::OffsetBase | Slot::TimeBase | Slot::TimeMax);
            if is_own && slot != Slot::Value || columns.is_first && of_batch {
                columns.traces.push(column);
            }
        }
    }
    columns.fields.sort_by_key(|column| column.rank);
    columns
}

/// The name of a member of the record at `node` that the profile does not know, if `header` leads to one.
fn unknown_member(node: &RecordNode<'_>, header: &[PathStep], engine: &Engine) -> Option<String> {
    let below = header.strip_prefix(node.steps)?;
    let ([PathStep::Name(name)], Some(known)) = (below, engine.known()) else {
        return None;
    };
    let is_known =
        known.contains(name) || record_fields(engine).any(|(path, ..)| fits(path, header));
    (!is_known).then(|| name.clone())
}

/// Whether two nodes cannot both exist: one is in an array where the other is in an object.
fn are_other_shapes(a: &[PathStep], b: &[PathStep]) -> bool {
    let parting = a.iter().zip(b).find(|(a, b)| a != b);
    matches!(
        parting,
        Some((PathStep::Index(_), PathStep::Name(_)) | (PathStep::Name(_), PathStep::Index(_)))
    )
}

/// Whether a header's node is that of `path`, or below it.
fn starts(path: &[PathStep], header: &[PathStep]) -> bool {
    let is_on_the_way = |(step, at): (&PathStep, &PathStep)| match (step, at) {
        // speedctl's paths have indexes where a profile's have wildcards.
        (PathStep::Each, at) => matches!(at, PathStep::Index(_)),
        // A column's number may be a member's name.
        (PathStep::Name(name), PathStep::Index(index)) => *name == index.to_string(),
        (step, at) => step == at,
    };
    header.len() >= path.len() && path.iter().zip(header).all(is_on_the_way)
}

/// A column for an element that no record column covers.
fn sentinel(column: usize, header: &[PathStep], nodes: &[RecordNode<'_>]) -> Option<Sentinel> {
    let common = |node: &RecordNode<'_>| {
        header
            .iter()
            .zip(node.steps)
            .take_while(|(a, b)| a == b)
            .count()
    };
    let at = nodes.iter().map(common).max()?;
    let inside = nodes.iter().any(|node| common(node) == node.steps.len());
    let (Some(PathStep::Index(_)), Some(PathStep::Name(array))) =
        (header.get(at), header.get(at.checked_sub(1)?))
    else {
        return None;
    };
    // If the path continues along a record's path, it leads to a field's own list, such as a batch's
    // attributes.
    (!inside).then(|| Sentinel {
        column,
        array: array.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{BuiltInProfile, Overrides};
    use crate::extract::profile::Profile;

    fn engine(overrides: &Overrides) -> Engine {
        let profile = Profile::built_in(BuiltInProfile::Fetch).with(overrides);
        let filter = profile.parsed_filter().expect("it is a filter");
        Engine::of(&profile, &filter).expect("it is a sound profile")
    }

    fn columns(headers: &[&str]) -> Columns {
        let headers: Vec<String> = headers
            .iter()
            .map(|h| h.replace("R.", "kafka.response.FetchResponse."))
            .collect();
        Columns::of(&headers, &engine(&Overrides::default()))
    }

    fn of(record: &RecordColumns, slot: Slot) -> Vec<usize> {
        record
            .fields
            .iter()
            .filter(|c| c.slot == slot)
            .map(|c| c.column)
            .collect()
    }

    #[test]
    fn the_two_columns_of_the_guide_give_a_value() {
        let columns = columns(&[
            "R.topics.0.partitions.0.records.records.0.valueString",
            "RRPair UUID",
        ]);
        assert_eq!(columns.records.len(), 1);
        assert_eq!(of(&columns.records[0], Slot::Value), [0]);
        assert_eq!(
            (columns.records[0].fields.len(), columns.sentinels.len()),
            (1, 0)
        );
    }

    #[test]
    fn each_record_of_a_row_finds_the_columns_that_share_its_elements() {
        let columns = columns(&[
            "R.topics.1.partitions.0.records.records.0.valueString",
            "R.topics.0.partitions.0.partitionIndex",
            "R.topics.0.partitions.0.records.records.1.valueString",
            "R.topics.0.name",
            "R.topics.1.name",
            "R.topics.0.partitions.0.records.records.0.valueBytes",
            ".R.topics.0.partitions.0.records.records.0.valueString",
            "R.topics.0.partitions.0.records.records.1.keyString",
        ]);
        let slots = [Slot::Value, Slot::Key, Slot::Topic, Slot::Partition];
        let found: Vec<_> = columns
            .records
            .iter()
            .map(|r| slots.map(|slot| of(r, slot)))
            .collect();
        let expected = [
            [vec![6, 5], vec![], vec![3], vec![1]],
            [vec![2], vec![7], vec![3], vec![1]],
            [vec![0], vec![], vec![4], vec![]],
        ];
        assert_eq!(found, expected);
        assert_eq!(columns.sentinels, []);
    }

    #[test]
    fn the_generated_columns_carry_one_record_and_detect_anything_more() {
        let engine = engine(&Overrides::default());
        let headers = generated_paths(&engine);
        let columns = Columns::of(&headers, &engine);
        assert_eq!(columns.records.len(), 2, "one for each shape");
        for record in &columns.records {
            let counts = [
                Slot::Value,
                Slot::Key,
                Slot::Topic,
                Slot::TopicId,
                Slot::Partition,
                Slot::Attributes,
            ];
            assert_eq!(
                counts.map(|slot| of(record, slot).len()),
                [4, 4, 2, 1, 3, 5]
            );
            assert_eq!(record.headers.len(), 2);
            for slot in [
                Slot::OffsetBase,
                Slot::OffsetDelta,
                Slot::TimeBase,
                Slot::TimeDelta,
                Slot::TimeMax,
            ] {
                assert_eq!(of(record, slot).len(), 1, "{slot:?}");
            }
        }
        for wanted in [
            "records.records.1",
            "records.records.1.offsetDelta",
            "partitions.1",
            "partitions.1.partitionIndex",
            "partitions.1.records.baseTimestamp",
            "topics.1",
            "topics.1.topicId",
        ] {
            let at = headers
                .iter()
                .position(|header| header.ends_with(wanted))
                .expect(wanted);
            assert!(
                columns
                    .sentinels
                    .iter()
                    .any(|sentinel| sentinel.column == at),
                "{wanted}"
            );
        }
    }

    #[test]
    fn a_path_of_the_user_names_its_column() {
        let overrides = Overrides {
            value: Some("http.res.body".into()),
            topic: Some("service".into()),
            ..Overrides::default()
        };
        let headers = ["service", ".http.res.body", "RRPair UUID"].map(String::from);
        let columns = Columns::of(&headers, &engine(&overrides));
        let [record] = &columns.records[..] else {
            panic!("one record, not {:?}", columns.records)
        };
        assert_eq!(
            (of(record, Slot::Value), of(record, Slot::Topic)),
            (vec![1], vec![0])
        );
    }

    #[test]
    fn a_csv_without_values_has_no_records() {
        assert!(
            columns(&["foo", "R.topics.0.partitions.0.records.records.0.keyString"])
                .records
                .is_empty()
        );
        assert!(columns(&[]).records.is_empty());
    }
}
