//! The paths of a profile, parsed once, each with its purpose. This file is separate from `engine.rs`, which
//! reads lines with them.

use super::automaton::{Group, Role};
use super::fields::Slot;
use crate::error::Error;
use crate::extract::profile::filter::{CaptureKind, Filter};
use crate::extract::profile::path::{Path, PathError};
use crate::extract::profile::written::Written;
use crate::extract::profile::{AnswerPaths, Candidates, Encoding, Profile};

/// One of the profile's paths.
#[derive(Debug, Clone)]
pub(in crate::extract) struct FieldSource {
    /// Its name in the profile.
    pub(in crate::extract) name: &'static str,
    pub(in crate::extract) path: Path,
    pub(in crate::extract) role: Role,
}

/// The profile's fields by their names.
fn fields(profile: &Profile) -> [(&'static str, &Candidates, Slot); 19] {
    [
        ("value", &profile.value, Slot::Value),
        ("key", &profile.key, Slot::Key),
        ("headers", &profile.headers, Slot::Headers),
        ("topic-path", &profile.topic_path, Slot::Topic),
        ("topic-id-path", &profile.topic_id_path, Slot::TopicId),
        ("partition-path", &profile.partition_path, Slot::Partition),
        ("offset-path", &profile.offset_path, Slot::Offset),
        ("offset-delta", &profile.offset_delta, Slot::OffsetDelta),
        ("offset-base", &profile.offset_base, Slot::OffsetBase),
        ("timestamp", &profile.timestamp, Slot::Time),
        ("timestamp-delta", &profile.timestamp_delta, Slot::TimeDelta),
        ("timestamp-base", &profile.timestamp_base, Slot::TimeBase),
        ("timestamp-max", &profile.timestamp_max, Slot::TimeMax),
        ("batch-crc", &profile.batch_crc, Slot::Crc),
        ("attributes", &profile.attributes, Slot::Attributes),
        ("producer-id", &profile.producer_id, Slot::ProducerId),
        (
            "producer-epoch",
            &profile.producer_epoch,
            Slot::ProducerEpoch,
        ),
        ("sequence", &profile.sequence, Slot::Sequence),
        ("isolation-level", &profile.isolation_level, Slot::Isolation),
    ]
}

/// All of the profile's paths, parsed.
///
/// # Errors
/// Returns [`Error::Config`], which shows the place.
pub(in crate::extract) fn sources(profile: &Profile) -> Result<Vec<FieldSource>, Error> {
    let mut sources = FieldSources {
        all: Vec::new(),
        records: Vec::new(),
        written: &profile.written,
    };
    let records = &profile.record;
    for candidate in &records.0 {
        let text = &candidate.path;
        let path = Path::parse(text).map_err(|e| sources.bad("record", text, &e))?;
        sources.records.push(path);
    }
    if records.0.is_empty() {
        // Only the value path decides what a record is.
        let [value] = &profile.value.0[..] else {
            return Err(Error::config(
                "without a record path there must be one value path",
            ));
        };
        let text = &value.path;
        let path = Path::parse(text).map_err(|e| sources.bad("value", text, &e))?;
        sources.all.push(FieldSource {
            name: "value",
            path,
            role: Role::Item(Group::Record),
        });
    }
    for path in sources.records.clone() {
        sources.all.push(FieldSource {
            name: "record",
            path,
            role: Role::Item(Group::Record),
        });
    }
    for (name, candidates, slot) in fields(profile) {
        let default = match slot {
            Slot::Value => profile.value_encoding,
            Slot::Key => profile.key_encoding,
            Slot::Headers => profile.header_encoding,
            _ => Encoding::Auto,
        };
        sources.add_field(name, candidates, slot, default)?;
    }
    sources.add_besides(profile)?;
    Ok(sources.all)
}

/// What is captured: the members that the filter reads, and `others` after them.
pub(in crate::extract) fn captured<'p>(
    filter: &Filter,
    others: impl IntoIterator<Item = &'p Path>,
) -> Vec<FieldSource> {
    let fields = filter.fields().iter().map(|field| {
        let encoding = match field.kind {
            CaptureKind::Text => Encoding::Auto,
            CaptureKind::Json => Encoding::Json,
        };
        (Path::of_names(field.members()), encoding)
    });
    let others = others
        .into_iter()
        .map(|path| (path.clone(), Encoding::Auto));
    let all = fields.chain(others).enumerate();
    all.map(|(index, (path, encoding))| FieldSource {
        name: "filter",
        path,
        role: Role::Filter(index, encoding),
    })
    .collect()
}

struct FieldSources<'a> {
    all: Vec<FieldSource>,
    records: Vec<Path>,
    written: &'a Written,
}

impl FieldSources<'_> {
    /// What is wrong with a path that was written as `text`.
    fn bad(&self, name: &str, text: &str, error: &PathError) -> Error {
        Error::config(format!("{}: {error}", self.written.place(name, text)))
    }

    fn add_field(
        &mut self,
        name: &'static str,
        candidates: &Candidates,
        slot: Slot,
        default: Encoding,
    ) -> Result<(), Error> {
        for (rank, candidate) in (0..).zip(&candidates.0) {
            let (paths, encoding) = candidate
                .resolve(&self.records, default)
                .map_err(|e| self.bad(name, &candidate.path, &e))?;
            for (item, path) in paths.into_iter().enumerate() {
                // A path at or below the record's node is its own field; record paths come first.
                let is_record = slot == Slot::Value && self.records.is_empty();
                let own = (is_record || candidate.path.starts_with('@')).then_some(item);
                let role = Role::Field {
                    group: Group::Record,
                    own,
                    slot,
                    encoding,
                    rank,
                };
                self.all.push(FieldSource { name, path, role });
            }
        }
        Ok(())
    }

    /// Adds the paths to what has to be known besides records.
    fn add_besides(&mut self, profile: &Profile) -> Result<(), Error> {
        if let Some(aborted) = &profile.aborted {
            let group = Group::AbortedTransaction;
            let below = [
                (
                    "aborted.producer-id",
                    &aborted.producer_id,
                    Slot::ProducerId,
                ),
                (
                    "aborted.first-offset",
                    &aborted.first_offset,
                    Slot::FirstOffset,
                ),
            ];
            self.add_group("aborted.transaction", group, &aborted.transaction, &below)?;
            // A transaction belongs to a partition of a topic, which the paths of the records name.
            let around = [
                ("topic-path", &profile.topic_path, Slot::Topic),
                ("topic-id-path", &profile.topic_id_path, Slot::TopicId),
                ("partition-path", &profile.partition_path, Slot::Partition),
            ];
            for (name, candidates, slot) in around {
                for (rank, candidate) in (0..).zip(&candidates.0) {
                    let text = &candidate.path;
                    let path = Path::parse(text).map_err(|e| self.bad(name, text, &e))?;
                    let role = Role::Field {
                        group,
                        own: None,
                        slot,
                        encoding: Encoding::Auto,
                        rank,
                    };
                    self.all.push(FieldSource { name, path, role });
                }
            }
        }
        for answer in &profile.answers {
            self.add_answer(answer)?;
        }
        if let Some(names) = &profile.topic_names {
            let below = [
                ("topic-names.name", &names.name, Slot::Topic),
                ("topic-names.id", &names.id, Slot::TopicId),
            ];
            self.add_group("topic-names.topic", Group::KnownTopic, &names.topic, &below)?;
        }
        Ok(())
    }

    fn add_answer(&mut self, answer: &AnswerPaths) -> Result<(), Error> {
        let below = [
            ("answers.error", &answer.error, Slot::ErrorCode),
            ("answers.index", &answer.index, Slot::Partition),
        ];
        self.add_group(
            "answers.partition",
            Group::Answer,
            &answer.partition,
            &below,
        )?;
        let around = [
            ("answers.topic", &answer.topic, Slot::Topic),
            ("answers.topic-id", &answer.topic_id, Slot::TopicId),
        ];
        for (name, text, slot) in around {
            let path = Path::parse(text).map_err(|e| self.bad(name, text, &e))?;
            let role = Role::Field {
                group: Group::Answer,
                own: None,
                slot,
                encoding: Encoding::Auto,
                rank: 0,
            };
            self.all.push(FieldSource { name, path, role });
        }
        Ok(())
    }

    fn add_group(
        &mut self,
        name: &'static str,
        group: Group,
        item: &str,
        fields: &[(&'static str, &String, Slot)],
    ) -> Result<(), Error> {
        let item = Path::parse(item).map_err(|e| self.bad(name, item, &e))?;
        for (name, text, slot) in fields {
            let paths = Path::parse_below(text, std::slice::from_ref(&item));
            let role = Role::Field {
                group,
                own: None,
                slot: *slot,
                encoding: Encoding::Auto,
                rank: 0,
            };
            let paths = paths.map_err(|e| self.bad(name, text, &e))?;
            self.all.extend(
                paths
                    .into_iter()
                    .map(|path| FieldSource { name, path, role }),
            );
        }
        self.all.push(FieldSource {
            name,
            path: item,
            role: Role::Item(group),
        });
        Ok(())
    }
}
