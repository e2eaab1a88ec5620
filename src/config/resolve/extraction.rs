//! Resolves which RRPairs to replay, and where to find records in them.

use std::path::{Path, PathBuf};

use super::selection::resolve_selection;
use crate::cli;
use crate::config::small_file;
use crate::config::{
    AbortedRecords, Duplicates, Extraction, Overrides, ProfileChoice, RetriedRequests, TopicIdNames,
};
use crate::error::Error;
use crate::record::TopicId;

/// The profiles that need no file.
const BUILT_IN: [&str; 3] = ["fetch", "produce", "byoc"];

/// The file of `--profile`, if it is one.
pub(super) fn profile_file(args: &cli::ExtractionArguments) -> Option<(String, PathBuf)> {
    let name = args.profile.as_ref();
    let name = name.filter(|name| !BUILT_IN.contains(&name.as_str()))?;
    Some(("--profile".into(), name.into()))
}

pub(super) fn profile_file_of(profile: &ProfileChoice) -> Option<(String, PathBuf)> {
    match profile {
        ProfileChoice::File { name, .. } => Some(("--profile".into(), name.into())),
        ProfileChoice::BuiltIn(_) => None,
    }
}

pub(super) fn resolve_extraction(args: cli::ExtractionArguments) -> Result<Extraction, Error> {
    let profile = match args.profile {
        None => ProfileChoice::BuiltIn("fetch".into()),
        Some(name) if BUILT_IN.contains(&name.as_str()) => ProfileChoice::BuiltIn(name),
        Some(name) => {
            let text = small_file::read_text(Path::new(&name)).map_err(|e| Error::Config {
                message: format!("cannot read the profile {name}: {e}"),
                hint: Some("the built-in profiles are `fetch`, `produce` and `byoc`".into()),
            })?;
            ProfileChoice::File { name, text }
        }
    };
    let overrides = Overrides {
        filter: args.filter,
        record: args.record,
        value: args.value,
        key: args.key,
        headers: args.headers,
        timestamp: args.timestamp,
        topic: args.topic_path,
        partition: args.partition_path,
        offset: args.offset_path,
        value_encoding: args.value_encoding,
        key_encoding: args.key_encoding,
        header_encoding: args.header_encoding,
    };
    let duplicates = if args.keep_duplicates {
        Duplicates::Keep
    } else {
        Duplicates::LeaveOut
    };
    let aborted = if args.with_aborted {
        AbortedRecords::Keep
    } else {
        AbortedRecords::LeaveOut
    };
    Ok(Extraction {
        profile,
        overrides,
        duplicates,
        aborted,
        retried: RetriedRequests::Keep,
        topic_ids: resolve_naming(&args.topic_id)?,
        selection: resolve_selection(&args.selection)?,
    })
}

/// The names given to ids, each id once whatever its notation.
fn resolve_naming(given: &[(String, String)]) -> Result<TopicIdNames, Error> {
    let mut names: Vec<(TopicId, String)> = Vec::new();
    for (text, name) in given {
        let id = TopicId::parse(text)
            .ok_or_else(|| Error::config(format!("`{text}` is not a topic id")))?;
        match names.iter().find(|(known, _)| *known == id) {
            Some((_, first)) if first != name => {
                let message =
                    format!("`--topic-id` gives `{id}` two names: `{first}` and `{name}`");
                return Err(Error::config(message));
            }
            Some(_) => {}
            None => names.push((id, name.clone())),
        }
    }
    Ok(TopicIdNames::of(names))
}
