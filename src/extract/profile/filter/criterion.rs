//! One criterion as it was typed, and the keywords with what each reads from an RRPair.

use std::borrow::Cow;
use std::fmt;

use crate::config::nearest::distance;

/// A keyword of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keyword {
    pub(super) name: Cow<'static, str>,
    pub(super) key: KeyRule,
    pub(super) reads: ReadsFrom,
}

/// Whether a keyword is followed by `[key]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyRule {
    Never,
    Optional,
    Needed,
}

/// Where the value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadsFrom {
    /// The text of a member.
    Text(&'static [&'static str]),
    /// The text of a tag: this one, or the one that the key names.
    Tag(Option<&'static str>),
    /// A header of the HTTP request.
    Header,
    Uuid,
    /// The time of capture.
    Time,
    /// Any text of the RRPair.
    AnyText,
    /// A body, read in a special way.
    Body(Half, Look),
    /// Nowhere in an RRPair.
    Nowhere(Absent),
    /// kreplay does not know the keyword; speedctl may.
    Unknown,
}

/// Which side's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    Request,
    Response,
}

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// The whole of it, as JSON.
    Document,
    /// The JSON at the key.
    JsonKey,
    /// What the key, an XPath, finds in it.
    XPath,
    /// The same, from the Body of a SOAP envelope.
    SoapXPath,
}

/// Why a keyword reads nothing from an RRPair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Absent {
    /// Ends the sentence "`keyword` ...".
    pub(super) why: &'static str,
    pub(super) hint: &'static str,
}

/// Speedscale's keywords, with the members that its documentation names.
pub(super) static KEYWORDS: [Keyword; 27] = [
    text("cluster", &["cluster"]),
    text("command", &["command"]),
    text("direction", &["direction"]),
    keyword("header", KeyRule::Needed, ReadsFrom::Header),
    text("l7protocol", &["l7protocol"]),
    text("location", &["location"]),
    text("method", &["http", "req", "method"]),
    text("namespace", &["namespace"]),
    text("networkaddr", &["network_address"]),
    body("req_json", KeyRule::Needed, Half::Request, Look::JsonKey),
    body(
        "req_soapxpath",
        KeyRule::Needed,
        Half::Request,
        Look::SoapXPath,
    ),
    keyword("req_xml", KeyRule::Needed, ReadsFrom::Nowhere(REQ_XML)),
    body("req_xpath", KeyRule::Needed, Half::Request, Look::XPath),
    body("reqbodyjson", KeyRule::Never, Half::Request, Look::Document),
    body("resp_json", KeyRule::Needed, Half::Response, Look::JsonKey),
    keyword("sample", KeyRule::Optional, ReadsFrom::Nowhere(SAMPLE)),
    text("service", &["service"]),
    text("session", &["session"]),
    keyword("snapshot", KeyRule::Never, ReadsFrom::Nowhere(SNAPSHOT)),
    keyword("source", KeyRule::Never, ReadsFrom::Tag(Some("source"))),
    text("status", &["status"]),
    keyword("tag", KeyRule::Needed, ReadsFrom::Tag(None)),
    text("tech", &["tech"]),
    keyword("text", KeyRule::Never, ReadsFrom::AnyText),
    keyword("timerange", KeyRule::Never, ReadsFrom::Time),
    text("url", &["http", "req", "url"]),
    keyword("uuid", KeyRule::Never, ReadsFrom::Uuid),
];

const REQ_XML: Absent = Absent {
    why: "looks up its key in a body in an undocumented way",
    hint: "use `req_xpath[//KEY]` for the elements called KEY",
};
const ELSEWHERE: &str = "leave it out here, and apply it in Speedscale when the snapshot is made";
const SAMPLE: Absent = Absent {
    why: "selects by a hash that is internal to Speedscale",
    hint: ELSEWHERE,
};
const SNAPSHOT: Absent = Absent {
    why: "is not recorded in an RRPair",
    hint: ELSEWHERE,
};

const fn keyword(name: &'static str, key: KeyRule, reads: ReadsFrom) -> Keyword {
    let name = Cow::Borrowed(name);
    Keyword { name, key, reads }
}

const fn body(name: &'static str, key: KeyRule, half: Half, look: Look) -> Keyword {
    keyword(name, key, ReadsFrom::Body(half, look))
}

const fn text(name: &'static str, member: &'static [&'static str]) -> Keyword {
    keyword(name, KeyRule::Never, ReadsFrom::Text(member))
}

impl Keyword {
    /// The keyword of this name, in any case.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        KEYWORDS
            .iter()
            .find(|keyword| keyword.name.eq_ignore_ascii_case(name))
    }

    /// A keyword that kreplay does not know: anything well-formed may follow.
    pub(super) fn unknown(name: &str) -> Self {
        Self {
            name: Cow::Owned(name.into()),
            key: KeyRule::Optional,
            reads: ReadsFrom::Unknown,
        }
    }

    /// The known keyword that was most likely meant, if any is near.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        let letters = |name: &str| -> Vec<char> { name.to_lowercase().chars().collect() };
        let wanted = letters(name);
        let unlike =
            |known: &str| distance(&wanted, &letters(known), 1, |a, b| usize::from(a != b));
        let names = KEYWORDS.iter().filter_map(|keyword| match keyword.name {
            Cow::Borrowed(name) => Some((unlike(name), name)),
            Cow::Owned(_) => None,
        });
        let (unlike, nearest) = names.min()?;
        (unlike <= (wanted.len() / 3).max(1)).then_some(nearest)
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
pub(super) struct CriterionValue {
    pub(super) text: String,
    pub(super) column: usize,
}

/// What follows an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CriterionOperand {
    One(CriterionValue),
    /// The start and the end of a time range.
    Range(CriterionValue, CriterionValue),
    /// What follows a keyword that kreplay does not know.
    Several(Vec<CriterionValue>),
}

/// `keyword[key] OPERATOR value`, and where its parts begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Criterion {
    pub(super) keyword: Keyword,
    pub(super) key: Option<String>,
    pub(super) operator: Operator,
    pub(super) operand: CriterionOperand,
    pub(super) keyword_column: usize,
    pub(super) key_column: usize,
    pub(super) operator_column: usize,
}
