//! Profiles: which RRPairs are replayed, and which paths of an RRPair hold which part of a record.
//! The built-in ones are TOML files like any user's; nothing else in the program knows the shape
//! of an RRPair's payload.

pub(super) mod candidates;
pub(super) mod capture;
pub(super) mod filter;
mod overrides;
pub(super) mod path;
mod query;
pub(super) mod written;

use serde::Deserialize;

pub(crate) use self::candidates::Candidates;
use self::filter::Filter;
use self::written::Written;
pub(super) use crate::config::Encoding;
use crate::config::{BuiltInProfile, Extraction, ProfileChoice};
use crate::error::Error;

/// A profile as it is written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Profile {
    pub(crate) filter: String,
    /// Where RRPairs are in a text that is not one itself.
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

/// Where a capture names the aborted transactions (Fetch response, KIP-98).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AbortedTransactionPaths {
    pub(crate) transaction: String,
    pub(crate) producer_id: String,
    pub(crate) first_offset: String,
}

/// Where a capture has a broker's answers to the batches of a Produce request, in one spelling.
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

/// The text of a built-in profile.
pub(crate) fn built_in_text(profile: BuiltInProfile) -> &'static str {
    match profile {
        BuiltInProfile::Fetch => include_str!("profiles/fetch.toml"),
        BuiltInProfile::Produce => include_str!("profiles/produce.toml"),
        BuiltInProfile::Byoc => concat!(
            include_str!("profiles/byoc.toml"),
            include_str!("profiles/fetch.toml")
        ),
    }
}

impl Profile {
    /// The profile that the user chose, with the user's paths in it.
    ///
    /// # Errors
    /// Returns [`Error::Config`] if it is not a profile.
    pub(crate) fn chosen(options: &Extraction) -> Result<Self, Error> {
        let profile = match &options.profile {
            ProfileChoice::BuiltIn(profile) => Self::built_in(*profile),
            ProfileChoice::File { name, text } => Self::parse(name, text)?,
        };
        let mut profile = profile.with(&options.overrides);
        if profile.filter.trim().is_empty() {
            profile.filter = filter::EVERYTHING.into();
        }
        Ok(profile)
    }

    /// Parses the profile's filter.
    ///
    /// # Errors
    /// Returns [`Error::Config`], which shows the place.
    pub(super) fn parsed_filter(&self) -> Result<Filter, Error> {
        Filter::parse(&self.filter).map_err(|error| {
            match (&self.written.file, Error::from(error)) {
                // The message names the place that it shows; only where the filter was written has to be added.
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

    pub(crate) fn built_in(profile: BuiltInProfile) -> Self {
        toml::from_str(built_in_text(profile))
            .expect("the built-in profiles are TOML, as the tests show")
    }

    /// Reads a profile; `name` is for the error.
    ///
    /// # Errors
    /// Returns [`Error::Config`] with the place.
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

    /// Refuses a profile that could only produce tombstones.
    ///
    /// # Errors
    /// Returns [`Error::Config`] for a record path without a value path.
    pub(crate) fn check_values(&self) -> Result<(), Error> {
        match (self.record.0.is_empty(), self.value.0.is_empty()) {
            (false, true) => Err(Error::Config {
                message:
                    "the profile has a record path but no value path: every record would be a tombstone"
                        .into(),
                hint: Some("name the value with `--value PATH`".into()),
            }),
            _ => Ok(()),
        }
    }

    /// Whether the profile knows where a producer's sequences or a broker's answers are.
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

/// The words of an error. The file may be another one, with passwords in it: this leaves out its lines, and the values
/// that the words repeat in quotes.
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
        for built_in in BuiltInProfile::ALL {
            let profile = Profile::built_in(built_in);
            assert!(
                !profile.filter.is_empty() && profile.record.0.len() == 2,
                "{built_in:?}"
            );
        }
    }

    #[test]
    fn an_unknown_name_in_a_profile_is_named() {
        let error = Profile::parse("p.toml", "vallue = '$.a'\n").expect_err("a misspelt name");
        assert!(error.to_string().contains("vallue"), "{error}");
    }
}
