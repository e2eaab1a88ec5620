//! XPath on the bodies of requests: the part of XPath 1.0 that selects elements and attributes by name,
//! position and value. Everything else is refused by name, never evaluated.
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
//! A filter declares no namespaces: a prefix is compared as it is written in the body, and a name without a
//! prefix is the local name of an element in any namespace.

mod eval;
mod expr;
mod parse;
#[cfg(test)]
mod tests;

use roxmltree::{Document, ParsingOptions};

use self::expr::Expr;
pub(in crate::extract::profile::filter) use self::expr::PathOrigin;

/// An XPath, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::extract::profile::filter) struct XPath {
    paths: Vec<Expr>,
}

impl XPath {
    /// Reads an XPath.
    ///
    /// # Errors
    /// Returns what is wrong or not evaluated, in words, and where: in characters from 0.
    pub(in crate::extract::profile::filter) fn parse(text: &str) -> Result<Self, (usize, String)> {
        parse::parse(text).map(|paths| Self { paths })
    }

    /// Whether `met` holds for one of the texts that it finds in `xml`, or for the empty text if it finds
    /// nothing, as in anything that is not XML.
    pub(in crate::extract::profile::filter) fn any(
        &self,
        xml: &str,
        origin: PathOrigin,
        met: &dyn Fn(&str) -> bool,
    ) -> bool {
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
