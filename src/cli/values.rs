//! Parsers for flags whose values have a format of their own. They are separate because clap reports a
//! wrong value while it reads the flag, before the rest of the command line.

use std::ffi::OsStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;

use crate::record::{NameFault, TopicId};

/// Splits a property. Its error does not repeat the text, which may be a password.
#[derive(Debug, Clone, Copy)]
pub(super) struct PropertyParser;

impl TypedValueParser for PropertyParser {
    type Value = (String, String);

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        value
            .to_str()
            .and_then(|text| pair(text).ok())
            .ok_or_else(|| {
                let text = "the argument of `-X` is not of the form KEY=VALUE\n";
                clap::Error::raw(ErrorKind::ValueValidation, text).with_cmd(command)
            })
    }
}

/// Splits `KEY=VALUE` at the first `=`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.into())),
        _ => Err("expected `KEY=VALUE`".into()),
    }
}

/// Splits `ID=NAME` at the last `=`: an id in base64 may end with `=`, the name of a topic contains none.
pub(super) fn naming(text: &str) -> Result<(String, String), String> {
    let Some((id, name)) = text.rsplit_once('=') else {
        return Err("expected `ID=NAME`".into());
    };
    if TopicId::parse(id).is_none() {
        return Err(format!(
            "`{id}` is not a topic id: expected a UUID, or Kafka's base64 of one (22 characters)"
        ));
    }
    Ok((id.into(), topic_name(name)?))
}

/// Splits `FROM=TO` at the last `=`: the name of a topic contains none.
pub(super) fn renaming(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            // A valid name takes the place of `{topic}` for this check.
            topic_name(&to.replace("{topic}", "t"))?;
            Ok((from.into(), to.into()))
        }
        _ => Err("expected `FROM=TO`".into()),
    }
}

/// Checks that Kafka accepts the name of a topic.
pub(super) fn topic_name(text: &str) -> Result<String, String> {
    match NameFault::of(text) {
        Some(fault) => Err(fault.to_string()),
        None => Ok(text.into()),
    }
}

/// Reads a duration above zero: `5s`, `1m 30s`.
///
/// # Errors
/// Returns a description of what a duration looks like.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration > Duration::ZERO => Ok(duration),
        Ok(_) => Err("a duration is above zero".into()),
        Err(_) => Err("expected a duration above zero, such as `500ms`, `5s` or `1m 30s`".into()),
    }
}

/// Reads a duration of which zero has a meaning: not to wait at all.
///
/// # Errors
/// Fails as [`duration`] does.
pub(super) fn duration_or_zero(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Ok(Duration::ZERO),
        _ => duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_above_zero() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        for text in ["", "0s", "0ms", "-5s", "5", "90", "soon"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wait_may_be_no_time_at_all() {
        for zero in ["0s", "0ms", "0m 0s"] {
            assert_eq!(duration_or_zero(zero), Ok(Duration::ZERO), "{zero}");
        }
        for text in ["1m 30s", "", "-5s", "-0s", "5", "soon"] {
            assert_eq!(duration_or_zero(text), duration(text), "{text}");
        }
    }

    #[test]
    fn a_topic_id_is_accepted_in_either_notation_with_a_legal_name() {
        for id in [
            "F6sC8x-GQPaI5g9Nn7Nhwg",
            "F6sC8x+GQPaI5g9Nn7Nhwg==",
            "17ab02f3-1f86-40f6-88e6-0f4d9fb361c2",
        ] {
            let given = naming(&format!("{id}=orders"));
            assert_eq!(given, Ok((id.into(), "orders".into())));
        }
        for wrong in [
            "orders",
            "orders=orders",
            "=orders",
            "F6sC8x-GQPaI5g9Nn7Nhw=orders",
            "AAAAAAAAAAAAAAAAAAAAAA=orders",
            "F6sC8x-GQPaI5g9Nn7Nhwg=",
            "F6sC8x-GQPaI5g9Nn7Nhwg=a b",
        ] {
            assert!(naming(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pair_is_split_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("=b").is_err());
        assert!(pair("ab").is_err());
    }
}
