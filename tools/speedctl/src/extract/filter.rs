//! Speedscale's filter language, evaluated on RRPairs: `keyword OP value`, joined by `AND` (binds tighter) and `OR`,
//! grouped in parentheses. Operators are upper case and values compare exactly; an absent member reads as empty text.

use jsonpath_rust::JsonPath;
use serde_json::{Value, json};

use super::path::{Objects, cell_text};
use crate::failure::Failure;
use crate::snapshot::uuid_text;

/// A parsed filter.
#[derive(Debug)]
pub(crate) enum SnapshotFilter {
    All(Vec<Self>),
    Any(Vec<Self>),
    Is(FilterKeyword, FilterOperator, String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum FilterOperator {
    Is,
    Not,
    Contains,
    NotContains,
    Regex,
}

#[derive(Debug)]
pub(crate) enum FilterKeyword {
    Member(&'static str),
    Tag(String),
    Header(String),
    Url,
    Uuid,
}

impl SnapshotFilter {
    /// Parses a filter.
    ///
    /// # Errors
    /// Returns an error if it does not follow the language; the message names the word at which it fails.
    pub(crate) fn parse(typed: &str) -> Result<Self, Failure> {
        let mut tokens = FilterTokens {
            list: tokens(typed).map_err(|why| invalid(typed, &why))?,
            next: 0,
        };
        let filter = tokens.any().map_err(|why| invalid(typed, &why))?;
        match tokens.take() {
            None => Ok(filter),
            Some(extra) => Err(invalid(typed, &format!("unexpected {}", extra.shown()))),
        }
    }

    /// Whether the filter passes the RRPair.
    pub(crate) fn matches(&self, pair: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(pair)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(pair)),
            Self::Is(keyword, operator, wanted) => {
                let texts = keyword.texts(pair);
                let some = |test: &dyn Fn(&str) -> bool| texts.iter().any(|text| test(text));
                match operator {
                    FilterOperator::Is => some(&|text| text == wanted),
                    FilterOperator::Not => !some(&|text| text == wanted),
                    FilterOperator::Contains => some(&|text| text.contains(wanted)),
                    FilterOperator::NotContains => !some(&|text| text.contains(wanted)),
                    FilterOperator::Regex => some(&|text| found(text, wanted)),
                }
            }
        }
    }
}

impl FilterKeyword {
    fn parse(word: &str) -> Result<Self, String> {
        let indexed = |name: &str| {
            word.strip_prefix(name)?
                .strip_prefix('[')?
                .strip_suffix(']')
                .map(|key| key.trim_matches('"').to_owned())
        };
        if let Some(key) = indexed("tag") {
            return Ok(Self::Tag(key));
        }
        if let Some(name) = indexed("header") {
            return Ok(Self::Header(name));
        }
        Ok(match word {
            "cluster" => Self::Member("cluster"),
            "command" => Self::Member("command"),
            "direction" => Self::Member("direction"),
            "l7protocol" => Self::Member("l7protocol"),
            "location" => Self::Member("location"),
            "namespace" => Self::Member("namespace"),
            "networkaddr" => Self::Member("network_address"),
            "service" => Self::Member("service"),
            "status" => Self::Member("status"),
            "tech" => Self::Member("tech"),
            "source" => Self::Tag("source".to_owned()),
            "url" => Self::Url,
            "uuid" => Self::Uuid,
            _ => return Err(format!("unknown keyword `{word}`")),
        })
    }

    fn texts(&self, pair: &Value) -> Vec<String> {
        let text = |node: &Value| vec![cell_text(Some(node), Objects::Json)];
        match self {
            Self::Member(name) => text(&pair[name]),
            Self::Tag(key) => text(&pair["tags"][key]),
            Self::Url => text(&pair["http"]["req"]["url"]),
            Self::Uuid => vec![uuid_text(pair)],
            Self::Header(name) => header_texts(&pair["http"]["req"]["headers"], name),
        }
    }
}

fn header_texts(headers: &Value, wanted: &str) -> Vec<String> {
    let all = headers.as_object().into_iter().flatten();
    all.filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .flat_map(|(_, values)| values.as_array().into_iter().flatten())
        .map(|value| cell_text(Some(value), Objects::Json))
        .collect()
}

/// Whether the pattern occurs in the text. jsonpath-rust's `search` does it, so that no regex crate is needed.
fn found(text: &str, pattern: &str) -> bool {
    let document = json!([{ "text": text, "pattern": pattern }]);
    document
        .query("$[?search(@.text, @.pattern)]")
        .is_ok_and(|hits| !hits.is_empty())
}

fn invalid(typed: &str, why: &str) -> Failure {
    Failure::new(format!("invalid filter `{typed}`: {why}"))
}

#[derive(Clone, Debug, PartialEq)]
enum FilterToken {
    Open,
    Close,
    Word(String),
    Quoted(String),
}

impl FilterToken {
    fn shown(&self) -> String {
        match self {
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Word(word) => format!("`{word}`"),
            Self::Quoted(text) => format!("`\"{text}\"`"),
        }
    }
}

/// Splits into parentheses, bare words and quoted values; `[...]` belongs to the word before it, spaces and all.
fn tokens(typed: &str) -> Result<Vec<FilterToken>, String> {
    let mut list = Vec::new();
    let mut rest = typed.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            space if space.is_whitespace() => {}
            '(' => list.push(FilterToken::Open),
            ')' => list.push(FilterToken::Close),
            '"' => list.push(FilterToken::Quoted(quoted(&mut rest)?)),
            first => {
                let mut word = String::from(first);
                let mut depth = 0_i32;
                while let Some(more) = rest.next_if(|&more| {
                    depth > 0 || !(more.is_whitespace() || matches!(more, '(' | ')' | '"'))
                }) {
                    depth += i32::from(more == '[') - i32::from(more == ']');
                    word.push(more);
                }
                list.push(FilterToken::Word(word));
            }
        }
    }
    Ok(list)
}

fn quoted(rest: &mut impl Iterator<Item = char>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(next) = rest.next() {
        match next {
            '"' => return Ok(text),
            '\\' => match rest.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                // A pattern such as `\d` keeps its backslash.
                Some(other) => text.extend(['\\', other]),
                None => break,
            },
            other => text.push(other),
        }
    }
    Err("a quote is not closed".to_owned())
}

struct FilterTokens {
    list: Vec<FilterToken>,
    next: usize,
}

impl FilterTokens {
    fn take(&mut self) -> Option<FilterToken> {
        let token = self.list.get(self.next).cloned();
        self.next += 1;
        token
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let here =
            matches!(self.list.get(self.next), Some(FilterToken::Word(word)) if word == wanted);
        self.next += usize::from(here);
        here
    }

    fn any(&mut self) -> Result<SnapshotFilter, String> {
        let mut parts = vec![self.all()?];
        while self.take_word("OR") {
            parts.push(self.all()?);
        }
        Ok(SnapshotFilter::Any(parts))
    }

    fn all(&mut self) -> Result<SnapshotFilter, String> {
        let mut parts = vec![self.one()?];
        while self.take_word("AND") {
            parts.push(self.one()?);
        }
        Ok(SnapshotFilter::All(parts))
    }

    fn one(&mut self) -> Result<SnapshotFilter, String> {
        match self.take() {
            Some(FilterToken::Open) => {
                let inner = self.any()?;
                match self.take() {
                    Some(FilterToken::Close) => Ok(inner),
                    _ => Err("a parenthesis is not closed".to_owned()),
                }
            }
            Some(FilterToken::Word(word)) => {
                let keyword = FilterKeyword::parse(&word)?;
                let operator = self.operator(&word)?;
                match self.take() {
                    Some(FilterToken::Word(value) | FilterToken::Quoted(value)) => {
                        Ok(SnapshotFilter::Is(keyword, operator, value))
                    }
                    _ => Err(format!("`{word}` has no value")),
                }
            }
            Some(other) => Err(format!("expected a keyword, found {}", other.shown())),
            None => Err("expected a keyword at the end".to_owned()),
        }
    }

    fn operator(&mut self, keyword: &str) -> Result<FilterOperator, String> {
        match self.take() {
            Some(FilterToken::Word(word)) => match word.as_str() {
                "IS" => Ok(FilterOperator::Is),
                "NOT" if self.take_word("CONTAINS") => Ok(FilterOperator::NotContains),
                "NOT" => Ok(FilterOperator::Not),
                "CONTAINS" => Ok(FilterOperator::Contains),
                "REGEX" => Ok(FilterOperator::Regex),
                _ => Err(format!("unknown operator `{word}`")),
            },
            _ => Err(format!("expected an operator after `{keyword}`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SnapshotFilter;
    use serde_json::json;

    fn matches(filter: &str) -> bool {
        let pair = json!({"command": "Fetch", "direction": "OUT", "l7protocol": "kafka", "service": "fulfilment",
            "tags": {"app name": "shop (eu)", "k": "v"}, "uuid": "1bIox8y3SwCCZkICqaqJjg==",
            "http": {"req": {"url": "/a?b=1", "headers": {"Accept": ["*/*", "text/html"]}}}});
        SnapshotFilter::parse(filter).expect(filter).matches(&pair)
    }

    #[test]
    fn a_filter_chooses_rrpairs() {
        for (filter, expected) in [
            ("(command IS \"Fetch\")", true),
            ("(command IS  \"Fetch\")", true),
            ("  command   IS Fetch ", true),
            ("command IS fetch", false),
            ("command NOT \"Fetch\"", false),
            ("command NOT Produce", true),
            ("command CONTAINS etc", true),
            ("command NOT CONTAINS etc", false),
            ("service REGEX \"^ful.*t$\"", true),
            ("service REGEX filment", true),
            ("service REGEX \"\\d\"", false),
            ("(command IS Fetch)AND(direction IS IN)", false),
            ("command IS Fetch OR direction IS IN AND status IS 9", true),
            (
                "(command IS Fetch OR direction IS IN) AND status IS 9",
                false,
            ),
            ("status IS \"\"", true),
            ("tag[app name] IS \"shop (eu)\"", true),
            ("tag[k] IS v AND header[accept] IS text/html", true),
            ("tag[none] NOT v", true),
            ("url CONTAINS ?b=", true),
            ("uuid IS d5b228c7-ccb7-4b00-8266-4202a9aa898e", true),
        ] {
            assert_eq!(matches(filter), expected, "{filter}");
        }
    }

    #[test]
    fn a_bad_filter_is_refused_with_its_reason() {
        for (filter, why) in [
            ("", "expected a keyword at the end"),
            ("(command IS Fetch", "a parenthesis is not closed"),
            ("command IS Fetch)", "unexpected `)`"),
            ("command IS \"Fetch", "a quote is not closed"),
            ("command EQUALS Fetch", "unknown operator `EQUALS`"),
            ("colour IS red", "unknown keyword `colour`"),
            ("command IS", "`command` has no value"),
            ("command IS Fetch AND", "expected a keyword at the end"),
            ("command IS Fetch service IS x", "unexpected `service`"),
        ] {
            let failure = SnapshotFilter::parse(filter).expect_err(filter);
            assert!(failure.message.ends_with(why), "{}", failure.message);
        }
    }
}
