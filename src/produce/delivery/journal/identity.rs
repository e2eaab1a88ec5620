//! What a journal belongs to: it must not be used for another replay. Everything that changes the numbers of
//! the source's records is part of it, under names of its own, because later builds have to read what is
//! written today.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{
    AbortedRecords, Config, Duplicates, Encoding, Extraction, Input, InputKind, Inputs, Overrides,
    Selection, Snapshot, Source, TopicNames, Uncertain, Via,
};
use crate::record::select::Clock;

/// The version of the format.
const VERSION: u32 = 3;
/// The kind of a source that is read before its kind is known. It needs no other name: the checksums of the
/// records distinguish one stream from another.
const STREAM: &str = "stream";
/// Longer values are not shown when they differ.
const LONGEST_SHOWN: usize = 400;

/// What a journal belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    kreplay_journal: u32,
    input: InputIdentity,
    extraction: ExtractionIdentity,
    /// The cluster's id, or its bootstrap servers if it has none.
    cluster: String,
    destination: TopicsIdentity,
}

/// Where records come from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct InputIdentity {
    /// The kind of source; [`STREAM`] if only its content shows it.
    kind: String,
    /// A snapshot's id, or the files by their absolute paths.
    inputs: Vec<String>,
    /// `--via`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<String>,
    /// `--speedctl-arg`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    speedctl_arguments: Vec<String>,
    /// `--send-unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unknown: Option<String>,
}

/// What selects records there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ExtractionIdentity {
    /// The paths and the filter to begin with.
    profile: String,
    /// What the user changes in them, by the names of the flags.
    flags: Vec<(String, String)>,
    duplicates: String,
    aborted: String,
    /// `--topic-id`, by Kafka's notation of the ids, sorted: kreplay finds duplicates by these names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    topic_ids: Vec<(String, String)>,
    /// The selection, by the names of the flags: records are numbered after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    selection: Vec<(String, String)>,
}

/// What topics are called at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TopicsIdentity {
    Topic(String),
    Map(Vec<(String, String)>),
}

impl Identity {
    /// The identity of a run whose cluster is not known yet. `kind` is what the source shows before it is
    /// read, `profile` the text of the profile.
    pub(crate) fn of(config: &Config, kind: Option<&str>, profile: &str) -> Self {
        Self {
            kreplay_journal: VERSION,
            input: InputIdentity::of(&config.source, kind),
            extraction: ExtractionIdentity::of(&config.extraction, profile),
            cluster: String::new(),
            destination: match &config.destination.topics {
                TopicNames::One(name) => TopicsIdentity::Topic(name.clone()),
                TopicNames::Mapped(map) => TopicsIdentity::Map(map.clone()),
            },
        }
    }

    pub(in crate::produce) fn of_cluster(self, cluster: String) -> Self {
        Self { cluster, ..self }
    }

    pub(super) fn is_of_this_version(&self) -> bool {
        self.kreplay_journal == VERSION
    }

    /// How `other` differs from this identity, in words.
    pub(super) fn differs_from(&self, other: &Self) -> Option<String> {
        let (mine, others) = (json(self), json(other));
        let parts = ["input", "extraction", "cluster", "destination"];
        let part = parts.into_iter().find(|part| mine[part] != others[part])?;
        let (mine, others) = (&mine[part], &others[part]);
        let names = [mine, others].into_iter().filter_map(Value::as_object);
        let mut names = names.flat_map(serde_json::Map::keys);
        let differs = |name: &&String| mine.get(name) != others.get(name);
        let name = names.find(differs).map(String::as_str);
        let member = |value: &Value| match name {
            Some(name) => value.get(name).map_or("not there".into(), Value::to_string),
            None => value.to_string(),
        };
        let (was, is) = (member(mine), member(others));
        let of = name.map_or(String::new(), |name| format!(" (`{name}`)"));
        Some(match was.len() + is.len() > LONGEST_SHOWN {
            true => format!("{part}{of}"),
            false => format!("{part}{of}: `{was}`, but this is `{is}`"),
        })
    }
}

fn json<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("no map of it has keys that are not strings")
}

impl InputIdentity {
    fn of(source: &Source, kind: Option<&str>) -> Self {
        let kind = kind.unwrap_or(STREAM).to_string();
        match source {
            Source::Snapshot(Snapshot {
                id,
                via,
                speedctl: _,
                arguments,
                timeout: _,
                action: _,
            }) => {
                let via = match via {
                    Via::Auto => "auto",
                    Via::Csv => "csv",
                    Via::Raw => "raw",
                };
                Self {
                    kind,
                    inputs: vec![id.clone()],
                    via: Some(via.into()),
                    speedctl_arguments: arguments.clone(),
                    unknown: None,
                }
            }
            Source::Inputs(Inputs {
                all,
                forced: _,
                uncertain,
            }) => {
                // Only record lines can come from an earlier run.
                let may_be_lines = kind == InputKind::Records.reported() || kind == STREAM;
                let unknown = match uncertain {
                    Uncertain::LeaveOut => "left_out",
                    Uncertain::Send => "sent",
                };
                Self {
                    kind,
                    inputs: all.iter().map(name).collect(),
                    unknown: may_be_lines.then(|| unknown.into()),
                    ..Self::default()
                }
            }
        }
    }
}

/// An input by its absolute path.
fn name(input: &Input) -> String {
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    match input {
        Input::Stdin => "-".into(),
        Input::File(path) => absolute(path).display().to_string(),
    }
}

impl ExtractionIdentity {
    fn of(extraction: &Extraction, profile: &str) -> Self {
        let Extraction {
            profile: _,
            overrides,
            duplicates,
            aborted,
            retried: _,
            topic_ids,
            selection,
        } = extraction;
        let names = topic_ids.iter();
        let mut topic_ids: Vec<(String, String)> = names
            .map(|(id, name)| (id.to_string(), name.into()))
            .collect();
        topic_ids.sort_unstable();
        Self {
            profile: profile.into(),
            flags: flags(overrides),
            duplicates: match duplicates {
                Duplicates::LeaveOut => "left_out".into(),
                Duplicates::Keep => "kept".into(),
            },
            aborted: match aborted {
                AbortedRecords::LeaveOut => "left_out".into(),
                AbortedRecords::Keep => "kept".into(),
            },
            topic_ids,
            selection: selection_flags(selection),
        }
    }
}

/// The given changes, by the names of the flags.
fn selection_flags(selection: &Selection) -> Vec<(String, String)> {
    let Selection {
        topics,
        clock,
        from,
        to,
        skip,
        limit,
        sample,
        shard,
        // This selection depends on times.
        longest_pause: _,
    } = selection;
    let clock = match clock {
        Clock::Capture => "capture",
        Clock::Record => "record",
    };
    let clock = selection.has_window().then(|| clock.to_string());
    let globs = topics.to_string();
    let all = [
        ("topics", Some(globs).filter(|globs| !globs.is_empty())),
        ("clock", clock),
        ("from", from.map(|from| from.to_string())),
        ("to", to.map(|to| to.to_string())),
        ("skip", (*skip > 0).then(|| skip.to_string())),
        ("limit", limit.map(|limit| limit.to_string())),
        ("sample", sample.map(|sample| sample.to_string())),
        ("shard", shard.map(|shard| shard.to_string())),
    ];
    let given = all.into_iter();
    given
        .filter_map(|(flag, value)| Some((flag.to_string(), value?)))
        .collect()
}

fn flags(overrides: &Overrides) -> Vec<(String, String)> {
    let Overrides {
        filter,
        record,
        value,
        key,
        headers,
        timestamp,
        topic,
        partition,
        offset,
        value_encoding,
        key_encoding,
        header_encoding,
    } = overrides;
    let encoding = |encoding: &Option<Encoding>| {
        encoding.map(|encoding| match encoding {
            Encoding::Auto => "auto".to_string(),
            Encoding::Text => "text".into(),
            Encoding::Base64 => "base64".into(),
            Encoding::Json => "json".into(),
        })
    };
    let all = [
        ("filter", filter.clone()),
        ("record", record.clone()),
        ("value", value.clone()),
        ("key", key.clone()),
        ("headers", headers.clone()),
        ("timestamp", timestamp.clone()),
        ("topic-path", topic.clone()),
        ("partition-path", partition.clone()),
        ("offset-path", offset.clone()),
        ("value-encoding", encoding(value_encoding)),
        ("key-encoding", encoding(key_encoding)),
        ("header-encoding", encoding(header_encoding)),
    ];
    let set = all
        .into_iter()
        .filter_map(|(flag, value)| Some((flag.to_string(), value?)));
    set.collect()
}
