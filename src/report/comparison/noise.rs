//! What differs from run to run of one version, as it appears in a report and a file of `--learn`.

use serde_json::{Value, json};

/// The kind of a value that differs from run to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseKind {
    /// A time as text (RFC 3339).
    Time,
    /// A time as a number since 1970: seconds, milliseconds, microseconds or nanoseconds.
    Epoch,
    /// A UUID.
    Uuid,
    /// Any other number.
    Number,
    /// Any other text.
    Text,
    /// True or false.
    Boolean,
    /// Any value, or none.
    Any,
}

impl NoiseKind {
    const ALL: [(Self, &str); 7] = [
        (Self::Time, "time"),
        (Self::Epoch, "epoch"),
        (Self::Uuid, "uuid"),
        (Self::Number, "number"),
        (Self::Text, "text"),
        (Self::Boolean, "boolean"),
        (Self::Any, "any"),
    ];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(kind, _)| *kind == self);
        known.map_or("any", |(_, name)| name)
    }

    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == name);
        known.map(|(kind, _)| *kind)
    }

    /// The narrowest kind of a value.
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) if is_epoch(value) => Self::Epoch,
            Value::Number(_) => Self::Number,
            Value::String(text) if is_uuid(text) => Self::Uuid,
            Value::String(text) if is_time(text) => Self::Time,
            Value::String(_) => Self::Text,
            Value::Null | Value::Array(_) | Value::Object(_) => Self::Any,
        }
    }

    /// The narrowest kind of both values of a change; `None` is a missing value.
    pub(crate) fn of_change(old: Option<&Value>, new: Option<&Value>) -> Self {
        match (old, new) {
            (Some(old), Some(new)) => Self::of(old).merge(Self::of(new)),
            _ => Self::Any,
        }
    }

    /// The narrowest kind that holds both.
    pub(crate) fn merge(self, other: Self) -> Self {
        let text = [Self::Time, Self::Uuid, Self::Text];
        let number = [Self::Epoch, Self::Number];
        match (self, other) {
            (one, other) if one == other => one,
            (one, other) if text.contains(&one) && text.contains(&other) => Self::Text,
            (one, other) if number.contains(&one) && number.contains(&other) => Self::Number,
            _ => Self::Any,
        }
    }

    /// Whether `value` is of this kind.
    pub(crate) fn matches(self, value: &Value) -> bool {
        self.merge(Self::of(value)) == self
    }

    /// Whether values of this kind may be ids.
    pub(crate) fn is_id(self) -> bool {
        matches!(self, Self::Uuid | Self::Text | Self::Number)
    }
}

fn is_uuid(text: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_right)
}

/// A date and a time of day, with or without a fraction and a zone (RFC 3339, section 5.6).
fn is_time(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        form => byte == form,
    };
    if bytes.len() < FORM.len() || !bytes.iter().zip(FORM).all(fits) {
        return false;
    }
    let zone = text[FORM.len()..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let is_offset = |zone: &str| {
        zone.len() == 6
            && zone.starts_with(['+', '-'])
            && zone[1..].bytes().all(|b| b.is_ascii_digit() || b == b':')
    };
    zone.is_empty() || zone.eq_ignore_ascii_case("z") || is_offset(zone)
}

/// A number that is a time from 2001 to 2099 in one of the usual units.
fn is_epoch(value: &Value) -> bool {
    let Some(number) = value.as_u64() else {
        return false;
    };
    let units = [1, 1_000, 1_000_000, 1_000_000_000];
    units
        .into_iter()
        .any(|unit| (1_000_000_000 * unit..4_100_000_000 * unit).contains(&number))
}

/// A path whose values differ from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LearnedPath {
    /// The topic, as it was captured.
    pub topic: String,
    /// The JSONPath within the value, or `header NAME`.
    pub path: String,
    /// The kind of its values.
    pub kind: NoiseKind,
    /// Whether each old value has always had one new value.
    pub is_consistent: bool,
    /// How often it differed.
    pub records: u64,
}

impl LearnedPath {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "topic": self.topic,
            "path": self.path,
            "kind": self.kind.name(),
            "consistent": self.is_consistent,
            "records": self.records,
        })
    }

    /// Reads what [`LearnedPath::to_json`] returns.
    pub(crate) fn of_json(json: &Value) -> Option<Self> {
        Some(Self {
            topic: json["topic"].as_str()?.to_owned(),
            path: json["path"].as_str()?.to_owned(),
            kind: NoiseKind::of_name(json["kind"].as_str()?)?,
            is_consistent: json["consistent"].as_bool()?,
            records: json["records"].as_u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_the_narrowest_that_holds_both_values() {
        let [uuid, other] = [
            "0f8fad5b-d9cb-469f-a165-70867728950e",
            "7c9e6679-7425-40de-944b-e07fc1f90ae7",
        ];
        let cases = [
            (json!(uuid), json!(other), "uuid"),
            (
                json!("2026-01-01T10:00:00Z"),
                json!("2026-11-27T14:00:00.123+01:00"),
                "time",
            ),
            (
                json!(1_767_603_600_000_u64),
                json!(1_795_000_000_123_u64),
                "epoch",
            ),
            (json!(1_767_603_600), json!(3), "number"),
            (json!(1.5), json!(2), "number"),
            (json!(uuid), json!("none"), "text"),
            (json!(true), json!(false), "boolean"),
            (json!("1"), json!(1), "any"),
            (json!(null), json!(1), "any"),
        ];
        for (old, new, kind) in cases {
            assert_eq!(
                NoiseKind::of_change(Some(&old), Some(&new)).name(),
                kind,
                "{old} {new}"
            );
        }
        assert_eq!(NoiseKind::of_change(Some(&json!(1)), None), NoiseKind::Any);
    }

    #[test]
    fn another_kind_of_value_is_not_the_noise_that_was_learned() {
        for (kind, value, matches) in [
            (
                NoiseKind::Uuid,
                json!("0f8fad5b-d9cb-469f-a165-70867728950e"),
                true,
            ),
            (NoiseKind::Uuid, json!("unknown"), false),
            (NoiseKind::Time, json!("2026-01-01T10:00:00"), true),
            (NoiseKind::Time, json!("2026-01-01"), false),
            (NoiseKind::Number, json!(1_767_603_600), true),
            (NoiseKind::Epoch, json!(7), false),
            (NoiseKind::Text, json!("2026-01-01T10:00:00"), true),
            (NoiseKind::Any, json!({}), true),
        ] {
            assert_eq!(kind.matches(&value), matches, "{kind:?} {value}");
        }
    }

    #[test]
    fn a_learned_path_is_read_as_it_was_written() {
        let path = LearnedPath {
            topic: "bills".into(),
            path: "$.items[*].id".into(),
            kind: NoiseKind::Uuid,
            is_consistent: true,
            records: 7,
        };
        assert_eq!(LearnedPath::of_json(&path.to_json()), Some(path));
    }
}
