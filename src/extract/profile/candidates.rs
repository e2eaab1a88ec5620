//! The paths of one field in a profile, in the order in which they are tried, and how the bytes that each leads to are
//! encoded.

use serde::Deserialize;

use super::path::{Path, PathError};
use crate::config::Encoding;

/// Paths of one field, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(from = "OneOrMany")]
pub(crate) struct Candidates(pub(crate) Vec<Candidate>);

/// One path, with the encoding of what it leads to unless the name shows that.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) path: String,
    pub(crate) encoding: Option<Encoding>,
}

impl Candidates {
    pub(crate) fn one(path: &str) -> Self {
        Self(vec![Candidate {
            path: path.into(),
            encoding: None,
        }])
    }
}

impl Candidate {
    /// The paths that this one stands for, and the encoding of what they lead to.
    pub(crate) fn resolve(
        &self,
        records: &[Path],
        default: Encoding,
    ) -> Result<(Vec<Path>, Encoding), PathError> {
        let paths = Path::parse_below(&self.path, records)?;
        let ends = |suffixes: [&str; 2]| suffixes.iter().any(|suffix| self.path.ends_with(suffix));
        let encoding = match self.encoding.unwrap_or(default) {
            Encoding::Auto if ends(["Bytes", "Base64"]) => Encoding::Base64,
            // A string by its documented name; anything else there is worth an error.
            Encoding::Auto if self.path.starts_with('@') && self.path.ends_with("String") => {
                Encoding::Text
            }
            encoding => encoding,
        };
        Ok((paths, encoding))
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(TextOrTable),
    Many(Vec<TextOrTable>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrTable {
    Text(String),
    Table { path: String, encoding: Encoding },
}

impl From<OneOrMany> for Candidates {
    fn from(written: OneOrMany) -> Self {
        let candidate = |written| match written {
            TextOrTable::Text(path) => Candidate {
                path,
                encoding: None,
            },
            TextOrTable::Table { path, encoding } => Candidate {
                path,
                encoding: Some(encoding),
            },
        };
        Self(match written {
            OneOrMany::One(one) => vec![candidate(one)],
            OneOrMany::Many(many) => many.into_iter().map(candidate).collect(),
        })
    }
}
