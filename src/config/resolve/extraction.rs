//! Resolves which RRPairs to replay, and where to find records in them.

use std::path::{Path, PathBuf};

use super::selection::resolve_selection;
use crate::cli;
use crate::config::small_file;
use crate::config::{
    AbortedRecords, BuiltInProfile, Duplicates, Extraction, Overrides, ProfileChoice,
    RetriedRequests, TopicIdNames,
};
use crate::error::Error;
use crate::record::TopicId;

/// The profile that `kreplay profile` prints.
pub(super) fn resolve_built_in(name: &str) -> Result<BuiltInProfile, Error> {
    BuiltInProfile::named(name).ok_or_else(|| Error::Config {
        message: format!("`{name}` is not a built-in profile"),
        hint: Some(BuiltInProfile::hint()),
    })
}

/// The file of `--profile`, if it is one.
pub(super) fn profile_file(args: &cli::ExtractionArguments) -> Option<(String, PathBuf)> {
    let name = args.profile.as_ref();
    let name = name.filter(|name| BuiltInProfile::named(name).is_none())?;
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
        None => ProfileChoice::BuiltIn(BuiltInProfile::Fetch),
        Some(name) => resolve_profile(name)?,
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

/// A built-in profile, or the file of this name.
fn resolve_profile(name: String) -> Result<ProfileChoice, Error> {
    if let Some(profile) = BuiltInProfile::named(&name) {
        return Ok(ProfileChoice::BuiltIn(profile));
    }
    let text = small_file::read_text(Path::new(&name)).map_err(|e| Error::Config {
        message: format!("cannot read the profile {name}: {e}"),
        hint: Some(BuiltInProfile::hint()),
    })?;
    Ok(ProfileChoice::File { name, text })
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
