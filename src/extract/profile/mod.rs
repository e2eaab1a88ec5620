//! Profiles: which RRPairs are replayed, and which paths of an RRPair hold which part of a record.
//! The built-in ones are TOML files like any user's; nothing else in the program knows the shape
//! of an RRPair's payload.

pub(super) mod capture;
pub(super) mod filter;
pub(super) mod path;
mod query;
mod step;
pub(super) mod written;

use serde::Deserialize;

use self::filter::Filter;
use self::path::{Path, PathError};
use self::written::Written;
pub(super) use crate::config::Encoding;
use crate::config::{Extraction, Overrides, ProfileChoice};
use crate::error::Error;

/// The built-in profiles by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("fetch", include_str!("profiles/fetch.toml")),
    ("produce", include_str!("profiles/produce.toml")),
    (
        "byoc",
        concat!(
            include_str!("profiles/byoc.toml"),
            include_str!("profiles/fetch.toml")
        ),
    ),
];

/// The filter of a profile that has none.
const EVERYTHING: &str = "command CONTAINS \"\"";

/// A profile as it is written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Profile {
    pub(crate) filter: String,
    /// Where RRPairs are in a text that is none itself.
    pub(crate) rrpair: Candidates,
    pub(crate) record: Candidates,
    pub(crate) value: Candidates,
    pub(crate) key: Candidates,
    pub(crate) headers: Candidates,
    pub(crate) known: Option<Vec<String>>,
    pub(crate) value_encoding: Encoding,
    pub(crate) key_encoding: Encoding,
    pub(crate) header_encoding: Encoding,
    pub(crate) topic_path: Candidates,
    pub(crate) topic_id_path: Candidates,
    pub(crate) partition_path: Candidates,
    pub(crate) partition_default: Option<i32>,
    pub(crate) offset_path: Candidates,
    pub(crate) offset_delta: Candidates,
    pub(crate) offset_base: Candidates,
    pub(crate) offset_base_default: Option<i64>,
    pub(crate) timestamp: Candidates,
    pub(crate) timestamp_delta: Candidates,
    pub(crate) timestamp_base: Candidates,
    pub(crate) timestamp_max: Candidates,
    pub(crate) capture_time: Candidates,
    pub(crate) capture_duration: Candidates,
    pub(crate) batch_crc: Candidates,
    pub(crate) attributes: Candidates,
    pub(crate) producer_id: Candidates,
    pub(crate) producer_epoch: Candidates,
    pub(crate) sequence: Candidates,
    pub(crate) isolation_level: Candidates,
    pub(crate) client_id: Candidates,
    pub(crate) group: Candidates,
    pub(crate) cluster_id: Candidates,
    pub(crate) aborted: Option<AbortedTransactionPaths>,
    pub(crate) answers: Vec<AnswerPaths>,
    pub(crate) topic_names: Option<KnownTopics>,
    #[serde(skip)]
    pub(super) written: Written,
}

/// Where a capture names the transactions that were aborted (Fetch response, KIP-98).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AbortedTransactionPaths {
    pub(crate) transaction: String,
    pub(crate) producer_id: String,
    pub(crate) first_offset: String,
}

/// Where a capture has what a broker made of the batches of a Produce request, in one spelling.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AnswerPaths {
    pub(crate) partition: String,
    pub(crate) topic: String,
    pub(crate) topic_id: String,
    pub(crate) index: String,
    pub(crate) error: String,
}

/// Where a capture names topics beside their ids (Metadata response, KIP-516).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KnownTopics {
    pub(crate) topic: String,
    pub(crate) name: String,
    pub(crate) id: String,
}

/// Paths of one field, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "OneOrMany")]
pub(crate) struct Candidates(pub(crate) Vec<Candidate>);

/// One path, with the encoding of what it leads to where that is not told by its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) path: String,
    pub(crate) encoding: Option<Encoding>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(TextOrTable),
    Many(Vec<TextOrTable>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrTable {
    Text(String),
    Table { path: String, encoding: Encoding },
}

impl From<OneOrMany> for Candidates {
    fn from(written: OneOrMany) -> Self {
        let candidate = |written| match written {
            TextOrTable::Text(path) => Candidate {
                path,
                encoding: None,
            },
            TextOrTable::Table { path, encoding } => Candidate {
                path,
                encoding: Some(encoding),
            },
        };
        Self(match written {
            OneOrMany::One(one) => vec![candidate(one)],
            OneOrMany::Many(many) => many.into_iter().map(candidate).collect(),
        })
    }
}

impl Candidates {
    pub(crate) fn one(path: &str) -> Self {
        Self(vec![Candidate {
            path: path.into(),
            encoding: None,
        }])
    }
}

/// The text of a built-in profile.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// There is no such profile.
pub(crate) fn unknown(name: &str) -> Error {
    Error::Config {
        message: format!("there is no built-in profile `{name}`"),
        hint: Some(format!(
            "there are {}",
            BUILT_IN.map(|(name, _)| format!("`{name}`")).join(", ")
        )),
    }
}

impl Profile {
    /// The profile that the user chose, with the user's paths in it.
    ///
    /// # Errors
    /// [`Error::Config`] when it is none.
    pub(crate) fn chosen(options: &Extraction) -> Result<Self, Error> {
        let profile = match &options.profile {
            ProfileChoice::BuiltIn(name) => Self::built_in(name).ok_or_else(|| unknown(name))?,
            ProfileChoice::File { name, text } => Self::parse(name, text)?,
        };
        let mut profile = profile.with(&options.overrides);
        if profile.filter.trim().is_empty() {
            profile.filter = EVERYTHING.into();
        }
        Ok(profile)
    }

    /// Its filter, parsed.
    ///
    /// # Errors
    /// [`Error::Config`] that shows the place.
    pub(super) fn parsed_filter(&self) -> Result<Filter, Error> {
        Filter::parse(&self.filter).map_err(|error| {
            match (&self.written.file, Error::from(error)) {
                // The message names what it shows: only where it was written has to be added.
                (Some(_), Error::Config { message, hint })
                    if !self.written.flags.contains(&"filter") =>
                {
                    let place = self.written.place("filter", &self.filter);
                    let place = place.trim_end_matches(": filter");
                    let message = format!("{place}: {message}");
                    Error::Config { message, hint }
                }
                (_, error) => error,
            }
        })
    }

    /// The built-in profile `name`.
    pub(crate) fn built_in(name: &str) -> Option<Self> {
        let text = built_in(name)?;
        Some(toml::from_str(text).expect("the built-in profiles are TOML, as the tests show"))
    }

    /// Reads a profile; `name` is for the error.
    ///
    /// # Errors
    /// [`Error::Config`] with the place.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, Error> {
        let mut profile: Self = toml::from_str(text).map_err(|e| Error::Config {
            message: format!(
                "{name}{} is not a profile: {}",
                place(text, &e),
                without_values(&e)
            ),
            hint: Some("`kreplay profile fetch` prints one to begin with".into()),
        })?;
        profile.written.file = Some((name.into(), text.into()));
        Ok(profile)
    }

    /// Puts the user's paths in the place of the profile's. A value without a record path drops
    /// the profile's record path: then each node that the value path matches is a record, and what
    /// the profile knew of its own records goes with them.
    pub(crate) fn with(mut self, overrides: &Overrides) -> Self {
        if let Some(record) = &overrides.record {
            self = self.without_records();
            self.record = Candidates::one(record);
        } else if overrides.value.is_some() {
            self = self.without_records();
        }
        let paths = [
            (&overrides.value, &mut self.value),
            (&overrides.key, &mut self.key),
            (&overrides.headers, &mut self.headers),
            (&overrides.topic, &mut self.topic_path),
            (&overrides.partition, &mut self.partition_path),
        ];
        for (path, field) in paths {
            if let Some(path) = path {
                *field = Candidates::one(path);
            }
        }
        if let Some(path) = &overrides.timestamp {
            self.timestamp = Candidates::one(path);
            self.timestamp_delta = Candidates::default();
            self.timestamp_base = Candidates::default();
        }
        if let Some(path) = &overrides.offset {
            self.offset_path = Candidates::one(path);
            self.offset_delta = Candidates::default();
            self.offset_base = Candidates::default();
            self.offset_base_default = None;
        }
        if overrides.topic.is_some() {
            self.topic_id_path = Candidates::default();
        }
        self.value_encoding = overrides.value_encoding.unwrap_or(self.value_encoding);
        self.key_encoding = overrides.key_encoding.unwrap_or(self.key_encoding);
        if let Some(encoding) = overrides.header_encoding {
            self.header_encoding = encoding;
            // What a profile says of its own headers is no more certain than what the user says.
            let headers = self.headers.0.iter_mut();
            headers.for_each(|candidate| candidate.encoding = None);
        }
        if let Some(filter) = &overrides.filter {
            self.filter.clone_from(filter);
        }
        let mut flags: Vec<_> = overrides.by_flag().into();
        flags.push(("filter", overrides.filter.as_deref()));
        let given = flags.iter().filter(|(_, text)| text.is_some());
        self.written.flags = given.map(|(flag, _)| *flag).collect();
        self
    }

    /// Refuses a profile that could only give tombstones.
    ///
    /// # Errors
    /// [`Error::Config`] for a record path without a value path.
    pub(crate) fn check_values(&self) -> Result<(), Error> {
        match (self.record.0.is_empty(), self.value.0.is_empty()) {
            (false, true) => Err(Error::Config {
                message:
                    "there is a record path and no value path: every record would be a tombstone"
                        .into(),
                hint: Some("say where the value is with `--value PATH`".into()),
            }),
            _ => Ok(()),
        }
    }

    /// Whether it knows where a producer's sequences are, or what a broker answered.
    pub(super) fn shows_retries(&self) -> bool {
        !self.sequence.0.is_empty() || !self.answers.is_empty()
    }

    /// The texts of all paths that lead to records and their fields.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        let fields = [
            &self.record,
            &self.value,
            &self.key,
            &self.headers,
            &self.topic_path,
            &self.topic_id_path,
            &self.partition_path,
            &self.offset_path,
            &self.offset_delta,
            &self.offset_base,
            &self.timestamp,
            &self.timestamp_delta,
            &self.timestamp_base,
            &self.timestamp_max,
            &self.batch_crc,
            &self.attributes,
            &self.producer_id,
            &self.producer_epoch,
            &self.sequence,
        ];
        fields
            .into_iter()
            .flat_map(|field| &field.0)
            .map(|candidate| candidate.path.as_str())
    }

    /// Forgets the record path, and the paths that begin with it.
    fn without_records(mut self) -> Self {
        self.record = Candidates::default();
        self.known = None;
        let fields = [
            &mut self.value,
            &mut self.key,
            &mut self.headers,
            &mut self.offset_path,
            &mut self.offset_delta,
            &mut self.timestamp,
            &mut self.timestamp_delta,
        ];
        for field in fields {
            field.0.retain(|candidate| !candidate.path.starts_with('@'));
        }
        // Without a record's own delta a batch's first time would be wrong for the others.
        self.timestamp_base = Candidates::default();
        self
    }
}

impl Candidate {
    /// The paths that this one stands for, and the encoding of what they lead to.
    pub(crate) fn resolve(
        &self,
        records: &[Path],
        default: Encoding,
    ) -> Result<(Vec<Path>, Encoding), PathError> {
        let paths = Path::parse_below(&self.path, records)?;
        let ends = |suffixes: [&str; 2]| suffixes.iter().any(|suffix| self.path.ends_with(suffix));
        let encoding = match self.encoding.unwrap_or(default) {
            Encoding::Auto if ends(["Bytes", "Base64"]) => Encoding::Base64,
            // A string by its documented name; anything else there is worth an error.
            Encoding::Auto if self.path.starts_with('@') && self.path.ends_with("String") => {
                Encoding::Text
            }
            encoding => encoding,
        };
        Ok((paths, encoding))
    }
}

/// Where in a profile an error is: `:LINE:COLUMN`.
fn place(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span() else {
        return String::new();
    };
    let before = &text[..text.floor_char_boundary(span.start)];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    format!(":{line}:{column}")
}

/// The words of an error. The file may be another one, with passwords in it: neither its lines are shown
/// nor values, which the words repeat in quotes.
fn without_values(error: &toml::de::Error) -> String {
    let words = error.message().trim_end();
    let mut shown = String::new();
    for (i, part) in words.split('"').enumerate() {
        shown.push_str(if i % 2 == 0 { part } else { "..." });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_profiles_are_sound() {
        for (name, _) in BUILT_IN {
            let profile = Profile::built_in(name).expect(name);
            assert!(
                !profile.filter.is_empty() && profile.record.0.len() == 2,
                "{name}"
            );
        }
        assert!(Profile::built_in("other").is_none());
    }

    #[test]
    fn a_value_without_a_record_drops_the_record_path_and_what_is_below_it() {
        let overrides = Overrides {
            value: Some("$.a".into()),
            ..Overrides::default()
        };
        let profile = Profile::built_in("fetch")
            .expect("it is built in")
            .with(&overrides);
        assert_eq!(
            (
                profile.record.0.len(),
                profile.key.0.len(),
                profile.headers.0.len()
            ),
            (0, 0, 0)
        );
        assert_eq!(profile.value, Candidates::one("$.a"));
        assert_eq!(profile.topic_path.0.len(), 2);
    }

    #[test]
    fn an_unknown_name_in_a_profile_is_named() {
        let error = Profile::parse("p.toml", "vallue = '$.a'\n").expect_err("a misspelt name");
        assert!(error.to_string().contains("vallue"), "{error}");
    }
}
