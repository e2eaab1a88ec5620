//! Shows under a filter's text where it is wrong.

use std::fmt;

use crate::error::Error;

/// The longest piece of a filter that is shown on one line.
const SHOWN: usize = 76;
/// How much of it is shown before the place.
const SHOWN_BEFORE: usize = 50;

/// What kind of fault a filter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The text is not a filter.
    Syntax,
    /// It is a filter, but no RRPair contains what it asks for; speedctl may know.
    Unknowable,
    /// It has a keyword that kreplay does not know; speedctl may.
    UnknownKeyword,
}

/// A fault and its place, before the text is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    fault: Fault,
    column: usize,
    what: String,
    hint: Option<String>,
}

impl Mistake {
    pub(super) fn syntax(column: usize, what: impl Into<String>) -> Self {
        Self {
            fault: Fault::Syntax,
            column,
            what: what.into(),
            hint: None,
        }
    }

    pub(super) fn of(fault: Fault, column: usize, what: impl Into<String>) -> Self {
        Self {
            fault,
            ..Self::syntax(column, what)
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(super) fn within(self, text: &str) -> FilterError {
        FilterError {
            mistake: self,
            text: text.to_string(),
        }
    }
}

/// Why a text cannot be used as a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterError {
    mistake: Mistake,
    text: String,
}

impl FilterError {
    /// What kind of fault it is.
    pub(crate) fn fault(&self) -> Fault {
        self.mistake.fault
    }

    /// Where the fault is: characters from 1.
    pub(crate) fn column(&self) -> usize {
        self.mistake.column
    }

    /// What the user can do about it.
    #[cfg(test)]
    pub(crate) fn hint(&self) -> Option<&str> {
        self.mistake.hint.as_deref()
    }

    /// The error with one more hint.
    pub(crate) fn into_error_with(mut self, more: &str) -> Error {
        let hint = self.mistake.hint.take();
        self.mistake.hint = Some(hint.map_or(more.into(), |hint| format!("{hint}; {more}")));
        self.into()
    }

    /// The message with the filter below it and a caret under the place: three lines.
    pub(crate) fn rendered(&self) -> String {
        let Mistake { fault, what, .. } = &self.mistake;
        let failure = match fault {
            Fault::Syntax | Fault::UnknownKeyword => "does not parse",
            Fault::Unknowable => "cannot be evaluated on RRPairs",
        };
        let (shown, caret) = self.excerpt();
        format!("the filter {failure}: {what}\n    {shown}\n    {caret}")
    }

    /// The part of the filter that is shown, and the line with the caret. A long filter is cut around the
    /// place, so that no terminal wraps it; characters that would move the caret are shown as blanks.
    fn excerpt(&self) -> (String, String) {
        let place = self.column() - 1;
        let length = self.text.chars().count();
        let skipped = match length > SHOWN {
            true => place.saturating_sub(SHOWN_BEFORE),
            false => 0,
        };
        let (before, after) = (
            if skipped > 0 { "..." } else { "" },
            if length > skipped + SHOWN { "..." } else { "" },
        );
        let one_column = |c: char| if c.is_control() { ' ' } else { c };
        let shown = self.text.chars().skip(skipped).take(SHOWN).map(one_column);
        let shown = format!("{before}{}{after}", shown.collect::<String>());
        let caret = " ".repeat(before.len() + place - skipped) + "^";
        (shown.trim_end().to_string(), caret)
    }
}

impl fmt::Display for FilterError {
    /// One line, for a place where the filter itself is visible.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column(), self.mistake.what)
    }
}

impl std::error::Error for FilterError {}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::Config {
            message: error.rendered(),
            hint: error.mistake.hint,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_points_at_the_error() {
        let rendered = |text: &str, column| {
            Mistake::syntax(column, "expected a value")
                .within(text)
                .rendered()
        };
        let expected = "the filter does not parse: expected a value\n    \
                        command IS\n    \
                        \u{20}         ^";
        assert_eq!(rendered("command IS ", 11), expected);
        let with_controls = "the filter does not parse: expected a value\n    \
                             a  b \u{e9}\n    \
                             \u{20}    ^";
        assert_eq!(rendered("a\t\nb \u{e9}", 6), with_controls);
    }

    #[test]
    fn a_long_filter_is_cut_to_the_part_around_the_error() {
        let text = "x".repeat(100) + "(" + &"y".repeat(100);
        let rendered = Mistake::syntax(101, "odd").within(&text).rendered();
        let expected = format!(
            "the filter does not parse: odd\n    ...{}({}...\n    {}^",
            "x".repeat(50),
            "y".repeat(25),
            " ".repeat(53),
        );
        assert_eq!(rendered, expected);
        let rendered = Mistake::syntax(1, "odd").within(&text).rendered();
        let expected = format!(
            "the filter does not parse: odd\n    {}...\n    ^",
            "x".repeat(76)
        );
        assert_eq!(rendered, expected);
    }
}
