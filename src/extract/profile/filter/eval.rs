//! Turns criteria into tests on captured members.

use jiff::Timestamp;
use regex::Regex;
use serde_json::Value as Json;

use super::body;
use super::body::JsonKey;
use super::body::xpath::{PathOrigin, XPath};
use super::criterion::{
    Criterion, CriterionOperand, CriterionValue, KEYWORDS, Keyword, Look, Operator, ReadsFrom,
};
use super::error::{Fault, Mistake};
use super::field::{CaptureKind, Captured, FieldPath};
use super::parse::shortened;
use super::tree::Tree;
use crate::record::uuid;

/// One criterion, ready to be tried.
#[derive(Debug, Clone)]
pub(super) struct CriterionTest {
    field: usize,
    reading: Reading,
    wanted: Wanted,
    sense: Expectation,
}

/// How to get the texts to compare from what was captured.
#[derive(Debug, Clone)]
enum Reading {
    Plain,
    /// UUIDs in their hyphenated spelling.
    Uuid,
    /// The values of a header, taken from the JSON of all.
    Header(String),
    /// Every scalar of the RRPair.
    AnyText,
    /// A body; the next field holds it as base64.
    Body(BodyPart, usize),
}

/// What is read from a body.
#[derive(Debug, Clone)]
enum BodyPart {
    Whole,
    At(JsonKey),
    Found(XPath, PathOrigin),
}

/// What a text is compared with.
#[derive(Debug, Clone)]
enum Wanted {
    Text(String),
    Part(String),
    Pattern(Regex),
    Within(Timestamp, Timestamp),
    /// The same JSON, whatever the order of members.
    Document(Json),
    /// JSON that contains all of this.
    PartOfDocument(Json),
}

/// Whether a test requires the comparison to hold or to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expectation {
    Holds,
    Fails,
}

/// The tests of all criteria, and the fields that they read.
pub(super) fn compile(
    criteria: &Tree<Criterion>,
) -> Result<(Tree<CriterionTest>, Vec<FieldPath>), Mistake> {
    // Reports faults first, and only then what no RRPair contains or kreplay does not know.
    criteria.try_map(&mut |criterion| match criterion.keyword.reads {
        ReadsFrom::Unknown => Ok(()),
        _ => Wanted::of(criterion).map(drop),
    })?;
    let mut fields = Vec::new();
    let tests = criteria.try_map(&mut |criterion| CriterionTest::of(criterion, &mut fields))?;
    Ok((tests, fields))
}

impl CriterionTest {
    fn of(criterion: &Criterion, fields: &mut Vec<FieldPath>) -> Result<Self, Mistake> {
        let (reading, field) = source(criterion, fields)?;
        Ok(Self {
            field: add(fields, field),
            reading,
            wanted: Wanted::of(criterion)?,
            sense: match criterion.operator {
                Operator::Is | Operator::Contains | Operator::Regex => Expectation::Holds,
                Operator::Not | Operator::NotContains => Expectation::Fails,
            },
        })
    }

    pub(super) fn holds(&self, captured: &Captured) -> bool {
        let texts = captured.texts(self.field);
        let met = match &self.reading {
            Reading::Plain => self.wanted.is_met_by_any(texts),
            Reading::Uuid => {
                let uuids = texts.iter().map(|text| uuid::hyphenated(text));
                self.wanted.is_met_by_any(uuids)
            }
            Reading::Header(name) => {
                let values = texts.iter().flat_map(|json| header_values(json, name));
                self.wanted.is_met_by_any(values)
            }
            Reading::AnyText => {
                let scalars = texts.iter().flat_map(|json| body::scalars(json));
                self.wanted.is_met_by_any(scalars)
            }
            Reading::Body(part, base64) => {
                let body = body::text(texts, captured.texts(*base64)).unwrap_or_default();
                match part {
                    BodyPart::Whole => self.wanted.is_met_by(&body),
                    BodyPart::At(key) => self.wanted.is_met_by_any(key.texts(&body)),
                    BodyPart::Found(xpath, origin) => {
                        xpath.any(&body, *origin, &|text| self.wanted.is_met_by(text))
                    }
                }
            }
        };
        met == (self.sense == Expectation::Holds)
    }
}

/// The index of `field` among those that are captured, each once.
fn add(fields: &mut Vec<FieldPath>, field: FieldPath) -> usize {
    let known = fields.iter().position(|known| *known == field);
    known.unwrap_or_else(|| {
        fields.push(field);
        fields.len() - 1
    })
}

/// Where a criterion's texts come from.
fn source(
    criterion: &Criterion,
    fields: &mut Vec<FieldPath>,
) -> Result<(Reading, FieldPath), Mistake> {
    let field = |kind, members, key| FieldPath { kind, members, key };
    Ok(match criterion.keyword.reads {
        ReadsFrom::Text(members) => (Reading::Plain, field(CaptureKind::Text, members, None)),
        ReadsFrom::Tag(name) => {
            let key = name.map(String::from).or_else(|| criterion.key.clone());
            (Reading::Plain, field(CaptureKind::Text, &["tags"], key))
        }
        ReadsFrom::Header => {
            let name = criterion.key.clone().unwrap_or_default();
            // Names are the same in any case (RFC 9110, section 5.1), paths are not.
            let all = field(CaptureKind::Json, &["http", "req", "headers"], None);
            (Reading::Header(name), all)
        }
        ReadsFrom::Uuid => (Reading::Uuid, field(CaptureKind::Text, &["uuid"], None)),
        ReadsFrom::Time => (Reading::Plain, field(CaptureKind::Text, &["ts"], None)),
        ReadsFrom::AnyText => (Reading::AnyText, field(CaptureKind::Json, &[], None)),
        ReadsFrom::Body(half, look) => {
            let part = body_part(criterion, look)?;
            let [text, base64] = body::members(half);
            let base64 = add(fields, field(CaptureKind::Text, base64, None));
            (
                Reading::Body(part, base64),
                field(CaptureKind::Json, text, None),
            )
        }
        ReadsFrom::Nowhere(absent) => {
            let what = format!("`{}` {}", criterion.keyword.name, absent.why);
            let column = criterion.keyword_column;
            return Err(Mistake::of(Fault::Unknowable, column, what).hint(absent.hint));
        }
        ReadsFrom::Unknown => return Err(unknown_keyword(criterion)),
    })
}

fn body_part(criterion: &Criterion, look: Look) -> Result<BodyPart, Mistake> {
    let key = criterion.key.as_deref().unwrap_or_default();
    let part = match look {
        Look::Document => Ok(BodyPart::Whole),
        Look::JsonKey => JsonKey::parse(key).map(BodyPart::At),
        Look::XPath => XPath::parse(key).map(|it| BodyPart::Found(it, PathOrigin::Document)),
        Look::SoapXPath => XPath::parse(key).map(|it| BodyPart::Found(it, PathOrigin::SoapBody)),
    };
    part.map_err(|(at, what)| Mistake::syntax(criterion.key_column + at, what))
}

fn unknown_keyword(criterion: &Criterion) -> Mistake {
    let name = &criterion.keyword.name;
    let what = format!("`{}` is not a keyword", shortened(name));
    let known: Vec<&str> = KEYWORDS.iter().map(|keyword| &*keyword.name).collect();
    let known = format!("the keywords are {}", known.join(", "));
    let hint = match Keyword::nearest(name) {
        Some(nearest) => format!("did you mean `{nearest}`? {known}"),
        None => known,
    };
    Mistake::of(Fault::UnknownKeyword, criterion.keyword_column, what).hint(hint)
}

impl Wanted {
    fn of(criterion: &Criterion) -> Result<Self, Mistake> {
        let is_uuid = criterion.keyword.reads == ReadsFrom::Uuid;
        let value = match &criterion.operand {
            CriterionOperand::Range(start, end) => return Self::range(criterion, start, end),
            CriterionOperand::One(value) => value,
            CriterionOperand::Several(_) => return Err(unknown_keyword(criterion)),
        };
        if let ReadsFrom::Body(_, Look::Document) = criterion.keyword.reads {
            return Self::document(criterion.operator, value);
        }
        Ok(match criterion.operator {
            Operator::Is | Operator::Not if is_uuid => match uuid::of_rrpair(&value.text) {
                Some(uuid) => Self::Text(uuid.to_string()),
                None => {
                    let what = "expected a UUID: hyphenated, or base64 of its 16 bytes";
                    return Err(Mistake::syntax(value.column, what));
                }
            },
            Operator::Is | Operator::Not => Self::Text(value.text.clone()),
            Operator::Contains | Operator::NotContains if is_uuid => {
                Self::Part(value.text.to_ascii_lowercase())
            }
            Operator::Contains | Operator::NotContains => Self::Part(value.text.clone()),
            Operator::Regex => Self::Pattern(pattern(value)?),
        })
    }

    /// What a whole body is compared with: JSON, except for patterns and plain text that it contains.
    fn document(operator: Operator, value: &CriterionValue) -> Result<Self, Mistake> {
        let json = body::parse(&value.text);
        Ok(match (operator, json) {
            (Operator::Regex, _) => Self::Pattern(pattern(value)?),
            (Operator::Is | Operator::Not, Some(json)) => Self::Document(json),
            (Operator::Is | Operator::Not, None) => {
                let what = "expected JSON such as `'{\"id\":7}'`";
                return Err(Mistake::syntax(value.column, what)
                    .hint("`CONTAINS` looks for any text in the body"));
            }
            (_, Some(json @ (Json::Object(_) | Json::Array(_)))) => Self::PartOfDocument(json),
            (_, _) => Self::Part(value.text.clone()),
        })
    }

    fn range(
        criterion: &Criterion,
        start: &CriterionValue,
        end: &CriterionValue,
    ) -> Result<Self, Mistake> {
        let Criterion {
            keyword, operator, ..
        } = criterion;
        if !matches!(operator, Operator::Is | Operator::Not) {
            let what = format!(
                "expected `IS` or `NOT` after `{}`, found `{operator}`",
                keyword.name
            );
            return Err(Mistake::syntax(criterion.operator_column, what));
        }
        let (first, last) = (instant(start)?, instant(end)?);
        if last < first {
            let what = "the range ends before it starts";
            return Err(Mistake::syntax(end.column, what));
        }
        Ok(Self::Within(first, last))
    }

    /// Whether one of `texts` matches; no text at all counts as the empty text.
    fn is_met_by_any<T: AsRef<str>>(&self, texts: impl IntoIterator<Item = T>) -> bool {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_none() {
            return self.is_met_by("");
        }
        texts.any(|text| self.is_met_by(text.as_ref()))
    }

    fn is_met_by(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => text == wanted,
            Self::Part(wanted) => text.contains(wanted.as_str()),
            Self::Pattern(wanted) => wanted.is_match(text),
            Self::Within(first, last) => text
                .parse()
                .is_ok_and(|time: Timestamp| *first <= time && time <= *last),
            Self::Document(wanted) => body::parse(text).is_some_and(|body| body == *wanted),
            Self::PartOfDocument(wanted) => {
                body::parse(text).is_some_and(|body| body::contains(&body, wanted))
            }
        }
    }
}

fn instant(value: &CriterionValue) -> Result<Timestamp, Mistake> {
    value.text.parse().map_err(|_| {
        let what = "expected a time such as `2024-01-15T10:30:45.123Z` (RFC 3339)";
        Mistake::syntax(value.column, what)
    })
}

fn pattern(value: &CriterionValue) -> Result<Regex, Mistake> {
    Regex::new(&value.text).map_err(|e| {
        let what = match e {
            regex::Error::CompiledTooBig(_) => "the regular expression is too large".to_string(),
            // The crate draws its own picture; the last line says what is wrong.
            e => {
                let text = e.to_string();
                let reason = text.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                format!("the regular expression does not parse: {reason}")
            }
        };
        Mistake::syntax(value.column, what)
    })
}

/// The values of the header `name` in the JSON of all headers: an object of lists, or of texts.
fn header_values(json: &str, name: &str) -> Vec<String> {
    let Some(Json::Object(headers)) = body::parse(json) else {
        return Vec::new();
    };
    let same_name = headers
        .into_iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    same_name
        .flat_map(|(_, value)| match value {
            Json::Array(values) => values,
            value => vec![value],
        })
        .filter_map(|value| match value {
            Json::String(text) => Some(text),
            Json::Null => None,
            other => Some(other.to_string()),
        })
        .collect()
}
