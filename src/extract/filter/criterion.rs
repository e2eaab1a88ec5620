//! One criterion as it was typed, and the keywords with what each reads of an RRPair.

use std::fmt;

/// A keyword of the language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) key: Key,
    pub(super) reads: Reads,
}

/// Whether a keyword is followed by `[key]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Never,
    Optional,
    Needed,
}

/// Where the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// The text of a member.
    Text(&'static [&'static str]),
    /// The text of a tag: this one, or the one that the key names.
    Tag(Option<&'static str>),
    /// A header of the HTTP request.
    Header,
    Uuid,
    /// The time of capture.
    Time,
    /// Nowhere in an RRPair; the words end the sentence "`keyword` ...".
    Nowhere(&'static str),
}

/// Speedscale's keywords, with the members that its documentation names.
pub(super) const KEYWORDS: [Keyword; 21] = [
    text("cluster", &["cluster"]),
    text("command", &["command"]),
    text("direction", &["direction"]),
    keyword("header", Key::Needed, Reads::Header),
    text("l7protocol", &["l7protocol"]),
    text("location", &["location"]),
    text("namespace", &["namespace"]),
    text("networkaddr", &["network_address"]),
    keyword("req_json", Key::Needed, Reads::Nowhere(BODY)),
    keyword("req_xml", Key::Needed, Reads::Nowhere(BODY)),
    keyword("sample", Key::Optional, Reads::Nowhere(SAMPLE)),
    text("service", &["service"]),
    keyword("session", Key::Never, Reads::Nowhere(SESSION)),
    keyword("snapshot", Key::Never, Reads::Nowhere(SNAPSHOT)),
    keyword("source", Key::Never, Reads::Tag(Some("source"))),
    text("status", &["status"]),
    keyword("tag", Key::Needed, Reads::Tag(None)),
    text("tech", &["tech"]),
    keyword("timerange", Key::Never, Reads::Time),
    text("url", &["http", "req", "url"]),
    keyword("uuid", Key::Never, Reads::Uuid),
];

const BODY: &str = "looks its key up in a body in a way that is not documented";
const SAMPLE: &str = "chooses by a hash of Speedscale's own";
const SESSION: &str = "reads a member that is not documented";
const SNAPSHOT: &str = "is not told by an RRPair";

const fn keyword(name: &'static str, key: Key, reads: Reads) -> Keyword {
    Keyword { name, key, reads }
}

const fn text(name: &'static str, member: &'static [&'static str]) -> Keyword {
    keyword(name, Key::Never, Reads::Text(member))
}

impl Keyword {
    /// The keyword of this name, in any case.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KEYWORDS
            .iter()
            .find(|keyword| keyword.name.eq_ignore_ascii_case(name))
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Is,
    Not,
    Contains,
    NotContains,
    Regex,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Is => "IS",
            Self::Not => "NOT",
            Self::Contains => "CONTAINS",
            Self::NotContains => "NOT CONTAINS",
            Self::Regex => "REGEX",
        })
    }
}

/// A value without its quotes, and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) column: usize,
}

/// What stands behind an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operand {
    One(Value),
    /// The start and the end of a time range.
    Range(Value, Value),
}

/// `keyword[key] OPERATOR value`, and where its parts begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Criterion {
    pub(super) keyword: &'static Keyword,
    pub(super) key: Option<String>,
    pub(super) operator: Operator,
    pub(super) operand: Operand,
    pub(super) keyword_column: usize,
    pub(super) operator_column: usize,
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword.name)?;
        if let Some(key) = &self.key {
            f.write_str("[")?;
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            match key.chars().all(plain) {
                true => f.write_str(key)?,
                false => quoted(f, key)?,
            }
            f.write_str("]")?;
        }
        write!(f, " {} ", self.operator)?;
        match &self.operand {
            Operand::One(value) => quoted(f, &value.text),
            Operand::Range(start, end) => {
                quoted(f, &start.text)?;
                f.write_str(" ")?;
                quoted(f, &end.text)
            }
        }
    }
}

/// Writes `text` in double quotes, as the language escapes them.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
