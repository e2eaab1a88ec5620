//! `--topics`: what the name of a captured topic has to match, and what it must not match.

use std::fmt;

use regex::Regex;

/// Globs of topics; by default all topics are selected.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TopicGlobs(Vec<TopicGlob>);

/// One glob: `*` matches any characters, `?` matches one.
#[derive(Debug, Clone)]
struct TopicGlob {
    /// As it was written.
    text: String,
    pattern: Regex,
    verdict: OnMatch,
    /// Whether a topic has matched it.
    is_met: bool,
}

/// What a match means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnMatch {
    Take,
    LeaveOut,
}

impl PartialEq for TopicGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TopicGlob {}

impl TopicGlob {
    fn of(text: &str) -> Result<Self, String> {
        let (verdict, glob) = match text.strip_prefix('!') {
            Some(glob) => (OnMatch::LeaveOut, glob),
            None => (OnMatch::Take, text),
        };
        if glob.is_empty() {
            return Err("a glob is missing between two commas".into());
        }
        let is_known = |c: &char| c.is_ascii_alphanumeric() || "._-*?".contains(*c);
        if let Some(odd) = glob.chars().find(|c| !is_known(c)) {
            return Err(format!(
                "`{glob}` matches no topic, because no name has a `{odd}`; `*` matches any characters, \
                 `?` matches one"
            ));
        }
        let pattern = regex::escape(glob).replace(r"\*", ".*").replace(r"\?", ".");
        let pattern = Regex::new(&format!("^{pattern}$")).map_err(|e| e.to_string())?;
        Ok(Self {
            text: text.into(),
            pattern,
            verdict,
            is_met: false,
        })
    }

    fn is_name(&self) -> bool {
        !self.text.contains(['*', '?'])
    }
}

impl TopicGlobs {
    /// Reads globs; a `!` before one excludes.
    ///
    /// # Errors
    /// Returns what is wrong with one of them, or that two contradict each other.
    pub(crate) fn parse(texts: &[String]) -> Result<Self, String> {
        let globs = texts.iter().map(|text| TopicGlob::of(text.trim()));
        let globs: Vec<TopicGlob> = globs.collect::<Result<_, String>>()?;
        let excluded = |text: &str| globs.iter().any(|glob| glob.text == format!("!{text}"));
        match globs.iter().find(|glob| excluded(&glob.text)) {
            Some(TopicGlob { text, .. }) => Err(format!(
                "`{text}` and `!{text}` contradict each other: select the topic or exclude it"
            )),
            None => Ok(Self(globs)),
        }
    }

    /// The globs as they were written.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|glob| glob.text.as_str())
    }

    pub(super) fn takes(&mut self, topic: &str) -> bool {
        let mut matches = Vec::new();
        for glob in &mut self.0 {
            if glob.pattern.is_match(topic) {
                glob.is_met = true;
                matches.push(glob.verdict);
            }
        }
        match matches.contains(&OnMatch::LeaveOut) {
            true => false,
            false => matches.contains(&OnMatch::Take) || self.takes_unnamed(),
        }
    }

    /// Whether records without a topic, and topics that nothing matches, are selected.
    pub(super) fn takes_unnamed(&self) -> bool {
        self.0.iter().all(|glob| glob.verdict == OnMatch::LeaveOut)
    }

    /// Globs that matched no topic. A pattern that excludes may be there just to be safe; an excluded name
    /// that does not occur is misspelt.
    pub(super) fn unmatched(&self) -> impl Iterator<Item = &str> {
        let counts = |glob: &&TopicGlob| glob.verdict == OnMatch::Take || glob.is_name();
        let unmet = self.0.iter().filter(counts).filter(|glob| !glob.is_met);
        unmet.map(|glob| glob.text.as_str())
    }
}

impl fmt::Display for TopicGlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<&str> = self.texts().collect();
        f.write_str(&texts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globs(texts: &[&str]) -> Result<TopicGlobs, String> {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_string()).collect();
        TopicGlobs::parse(&texts)
    }

    #[test]
    fn a_glob_takes_whole_names() {
        for (texts, taken, left_out) in [
            (
                &["orders"][..],
                &["orders"][..],
                &["orders2", "Orders", "my.orders"][..],
            ),
            (
                &["orders*"],
                &["orders", "orders.eu", "orders2"],
                &["my.orders"],
            ),
            (
                &["*.eu"],
                &["orders.eu", ".eu"],
                &["orders-eu", "orders.eu1"],
            ),
            (&["orders-?"], &["orders-1"], &["orders-", "orders-12"]),
            (&["a", "b"], &["a", "b"], &["c"]),
            (&["!b"], &["a", "c"], &["b"]),
            (&["*", "!__*"], &["a", "_b"], &["__consumer_offsets"]),
            (&["a*", "!ab", "abc"], &["a", "abc"], &["ab", "b"]),
            (&[], &["a"], &[]),
        ] {
            let mut globs = globs(texts).expect("they are globs");
            for topic in taken {
                assert!(globs.takes(topic), "{texts:?} {topic}");
            }
            for topic in left_out {
                assert!(!globs.takes(topic), "{texts:?} {topic}");
            }
        }
    }

    #[test]
    fn a_record_without_a_topic_is_taken_unless_a_topic_is_asked_for() {
        let unnamed = |texts| globs(texts).expect("they are globs").takes_unnamed();
        assert!(unnamed(&[]) && unnamed(&["!a"]));
        assert!(!unnamed(&["*"]) && !unnamed(&["!a", "b"]));
    }

    #[test]
    fn an_invalid_glob_is_named() {
        for (texts, expected) in [
            (&["a", ""][..], "a glob is missing"),
            (&["!"], "a glob is missing"),
            (&["orders|payments"], "no name has a `|`"),
            (&["a", "!a"], "`a` and `!a` contradict"),
        ] {
            let why = globs(texts).expect_err("they are none");
            assert!(why.contains(expected), "{why}");
        }
    }

    #[test]
    fn a_name_that_does_not_occur_is_unmatched_and_a_pattern_that_excludes_is_not() {
        let mut globs = globs(&["a*", "b", "!c", "!d*", "e?"]).expect("they are globs");
        let taken = ["a", "ab", "x"].map(|topic| globs.takes(topic));
        assert_eq!(taken, [true, true, false]);
        assert_eq!(globs.unmatched().collect::<Vec<_>>(), ["b", "!c", "e?"]);
    }
}
