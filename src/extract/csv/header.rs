//! The header row of a CSV: checks whether its columns are enough to make records, and which of the user's
//! paths it lacks.

use ::csv::ByteRecord;

use super::columns::{Columns, RecordColumns};
use crate::config::{Overrides, TopicNames};
use crate::error::Error;
use crate::extract::census::unmatched::{Nearness, explain_column};
use crate::extract::rrpair::engine::Engine;
use crate::extract::rrpair::fields::Slot;

/// How many columns an error names.
const MOST_NAMED: usize = 20;
/// How many characters of a column's name an error shows.
const LONGEST_NAME: usize = 120;

/// The most columns of a CSV. speedctl writes one for each `--path`, and each is compared with all others.
const MOST_COLUMNS: usize = 2000;

/// Refuses a header with more columns than anyone requests from speedctl.
///
/// # Errors
/// Returns [`Error::Config`] for such a header.
pub(in crate::extract) fn check_width(header: &ByteRecord, input: &str) -> Result<(), Error> {
    match header.len() {
        ..=MOST_COLUMNS => Ok(()),
        width => Err(Error::Config {
            message: format!(
                "{input} has {width} columns, but kreplay reads at most {MOST_COLUMNS}"
            ),
            hint: Some("speedctl writes one column for each `--path`".into()),
        }),
    }
}

/// A header row that was read.
pub(in crate::extract) struct HeaderRow {
    texts: Vec<String>,
    pub(in crate::extract) columns: Columns,
    pub(in crate::extract) unmatched: Vec<Unmatched>,
}

/// A path of the user's own that is not the header of any column.
pub(in crate::extract) struct Unmatched {
    flag: &'static str,
    pub(in crate::extract) why: String,
    nearness: Nearness,
}

impl HeaderRow {
    pub(in crate::extract) fn of(
        header: &ByteRecord,
        engine: &Engine,
        overrides: &Overrides,
    ) -> Self {
        let text = |cell| String::from_utf8_lossy(cell).into_owned();
        let texts: Vec<String> = header.iter().map(text).collect();
        let columns = Columns::of(&texts, engine);
        let flags = overrides.by_flag().into_iter();
        let unmatched = flags
            .filter_map(|(flag, path)| Some((flag, path?)))
            .filter(|(flag, _)| !columns.records.iter().any(|record| has(record, flag)))
            .map(|(flag, path)| {
                let (why, nearness) = explain_column((flag, path), &texts);
                Unmatched {
                    flag,
                    why,
                    nearness,
                }
            });
        Self {
            unmatched: unmatched.collect(),
            texts,
            columns,
        }
    }

    /// Returns [`Error::NoValueColumn`] or [`Error::NoTopic`], or [`Error::Config`] if a path of the user's
    /// is the cause: it is close to the column that is missing.
    pub(in crate::extract) fn check(&self, input: &str, topics: &TopicNames) -> Result<(), Error> {
        let records = &self.columns.records;
        if records.is_empty() {
            let shorten = |name: &String| name.chars().take(LONGEST_NAME).collect();
            let columns = self.texts.iter().take(MOST_NAMED).map(shorten).collect();
            return Err(self.blamed(input, "value").unwrap_or(Error::NoValueColumn {
                input: input.into(),
                columns,
            }));
        }
        let has_no_topic = |record: &RecordColumns| !has(record, "topic-path");
        if topics.need_a_name() && records.iter().any(has_no_topic) {
            let place = input.into();
            let blamed = self.blamed(input, "topic-path");
            return Err(blamed.unwrap_or(Error::NoTopic { place }));
        }
        Ok(())
    }

    fn blamed(&self, input: &str, flag: &str) -> Option<Error> {
        let mut unmatched = self.unmatched.iter();
        let is_to_blame =
            |unmatched: &&Unmatched| unmatched.flag == flag && unmatched.nearness == Nearness::Some;
        let Unmatched { why, .. } = unmatched.find(is_to_blame)?;
        Some(Error::config(format!("{input}: {why}")))
    }
}

/// Whether a record has the column of a flag; for the value, any record has one.
fn has(record: &RecordColumns, flag: &str) -> bool {
    match flag {
        "key" => record.has(Slot::Key),
        "headers" => !record.headers.is_empty(),
        "timestamp" => record.has(Slot::Time),
        "topic-path" => record.has(Slot::Topic) || record.has(Slot::TopicId),
        "partition-path" => record.has(Slot::Partition),
        "offset-path" => record.has(Slot::Offset),
        _ => true,
    }
}
