//! XPath on the bodies of requests: the part of XPath 1.0 that picks elements and attributes by name,
//! place and value. What it has not is refused by name, never answered.
//!
//! ```text
//! paths     = path *("|" path)
//! path      = ["/" / "//"] step *(("/" / "//") step)
//! step      = "." / ".." / ("text()" / "node()" / ["@"] name) *("[" expr "]")
//! name      = "*" / [prefix ":"] (local / "*")
//! expr      = and *("or" and); and = equality *("and" equality); equality = value [("=" / "!=") value]
//! value     = "(" expr ")" / string / number / path / function "(" [expr *("," expr)] ")"
//! function  = last, position, local-name, name, contains, starts-with, normalize-space, not, string
//! ```
//!
//! A filter declares no namespaces: a prefix is compared as it is written in the body, and a name
//! without one is the local name of an element of any namespace.

mod eval;
mod parse;
#[cfg(test)]
mod tests;

use roxmltree::{Document, ParsingOptions};

/// Expressions inside each other; more would only use up the stack.
const DEEPEST: usize = 32;

/// An XPath, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct XPath {
    paths: Vec<Expr>,
}

/// Where a path begins that has no element of its own to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// At the document.
    Document,
    /// At the Body of the SOAP envelope that the document is, or at the document for a path that
    /// names the envelope.
    SoapBody,
}

#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Or(Vec<Self>),
    And(Vec<Self>),
    Equal(Box<Self>, Box<Self>),
    Unequal(Box<Self>, Box<Self>),
    Text(String),
    Number(f64),
    Path(Start, Vec<Step>),
    Call(Function, Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Here,
    Root,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    axis: Axis,
    test: Test,
    predicates: Vec<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Child,
    Attribute,
    Own,
    Parent,
    DescendantOrOwn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Any,
    Text,
    Name {
        prefix: Option<String>,
        /// Any, where there is none.
        local: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Last,
    Position,
    LocalName,
    Name,
    Contains,
    StartsWith,
    NormalizeSpace,
    Not,
    Text,
}

impl XPath {
    /// Reads an XPath.
    ///
    /// # Errors
    /// What is wrong or not evaluated, in words, and where: in characters from 0.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        parse::parse(text)
    }

    /// Whether `met` holds for one of the texts that it finds in `xml`, or for the empty one where it finds
    /// nothing, as in what is no XML.
    pub(super) fn any(&self, xml: &str, origin: Origin, met: &dyn Fn(&str) -> bool) -> bool {
        let xml = xml.trim_start_matches('\u{feff}').trim_start();
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        match Document::parse_with_options(xml, options) {
            Ok(document) => eval::any(&self.paths, &document, origin, met),
            Err(_) => met(""),
        }
    }
}
