//! Parses a text into criteria: only the grammar, not what the criteria mean.

use super::criterion::{
    Criterion, CriterionOperand, CriterionValue, KeyRule, Keyword, Look, Operator, ReadsFrom,
};
use super::error::Mistake;
use super::tree::Tree;

/// How deep parentheses may be nested. No filter written by hand comes near; deeper ones would only use up
/// the stack.
const DEEPEST: usize = 128;
/// The words that join criteria or occur inside one: none is a keyword or a bare value.
const RESERVED: [&str; 6] = ["AND", "OR", "IS", "NOT", "CONTAINS", "REGEX"];
/// How much of a word an error repeats.
const QUOTED: usize = 40;
/// What documents and chats make of plain quotes; in a bare value they would match nothing.
const TYPOGRAPHIC_QUOTES: [char; 5] = ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}'];

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Tree<Criterion>, Mistake> {
    let mut parser = FilterParser {
        text: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    let tree = parser.any()?;
    match parser.peek() {
        None => Ok(tree),
        Some(_) => Err(parser.expected_joint("the end")),
    }
}

struct FilterParser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl FilterParser {
    fn any(&mut self) -> Result<Tree<Criterion>, Mistake> {
        let first = self.all()?;
        let mut more = Vec::new();
        while self.take_word("OR") {
            more.push(self.all()?);
        }
        Ok(Tree::any(first, more))
    }

    fn all(&mut self) -> Result<Tree<Criterion>, Mistake> {
        let first = self.primary()?;
        let mut more = Vec::new();
        while self.take_word("AND") {
            more.push(self.primary()?);
        }
        Ok(Tree::all(first, more))
    }

    fn primary(&mut self) -> Result<Tree<Criterion>, Mistake> {
        if self.peek() != Some('(') {
            return self.criterion().map(Tree::Leaf);
        }
        let opened = self.column();
        if self.depth == DEEPEST {
            let what = format!("more than {DEEPEST} nested parentheses");
            return Err(Mistake::syntax(opened, what));
        }
        self.at += 1;
        self.depth += 1;
        let inner = self.any()?;
        self.depth -= 1;
        match self.peek() {
            Some(')') => self.at += 1,
            _ => return Err(self.expected_joint("`)`")),
        }
        Ok(inner)
    }

    fn criterion(&mut self) -> Result<Criterion, Mistake> {
        let (keyword, keyword_column) = self.keyword()?;
        let (key, key_column) = self.key(&keyword)?;
        let (operator, operator_column) = self.operator()?;
        let first = self.value(operator)?;
        let operand = match keyword.reads {
            ReadsFrom::Time => CriterionOperand::Range(first, self.value(operator)?),
            ReadsFrom::Unknown => {
                let mut values = vec![first];
                while matches!(self.peek(), Some('"' | '\'')) {
                    values.push(self.value(operator)?);
                }
                CriterionOperand::Several(values)
            }
            _ => CriterionOperand::One(first),
        };
        Ok(Criterion {
            keyword,
            key,
            operator,
            operand,
            keyword_column,
            key_column,
            operator_column,
        })
    }

    fn keyword(&mut self) -> Result<(Keyword, usize), Mistake> {
        self.skip_blanks();
        let column = self.column();
        let word = self.word_until(|c| c == '[');
        if word.is_empty() {
            return Err(self.expected("a criterion such as `command IS \"Fetch\"`"));
        }
        if is_reserved(&word) {
            return Err(Mistake::syntax(
                column,
                format!("`{word}` is not a keyword"),
            ));
        }
        self.at += word.chars().count();
        let known = Keyword::named(&word).cloned();
        Ok((known.unwrap_or_else(|| Keyword::unknown(&word)), column))
    }

    /// Reads the key in brackets, and the column at which it begins.
    fn key(&mut self, keyword: &Keyword) -> Result<(Option<String>, usize), Mistake> {
        let name = &keyword.name;
        let has_key = self.peek() == Some('[');
        let opened = self.column();
        match (keyword.key, has_key) {
            (KeyRule::Needed, false) => {
                return Err(self.expected(&format!("a key, as in `{name}[KEY]`")));
            }
            (KeyRule::Never, true) => {
                return Err(Mistake::syntax(opened, format!("`{name}` takes no key")));
            }
            (_, false) => return Ok((None, opened)),
            (_, true) => self.at += 1,
        }
        let first = self.peek();
        let column = self.column();
        let key = match first {
            Some(quote @ ('"' | '\'')) => self.quoted(quote, &[])?,
            _ => self.bare_key(keyword),
        };
        if self.peek() != Some(']') {
            let mistake = Mistake::syntax(opened, "the bracket is not closed");
            return Err(mistake);
        }
        self.at += 1;
        match key.is_empty() {
            true => Err(Mistake::syntax(opened, "the key is empty")),
            false => Ok((Some(key), column)),
        }
    }

    /// Reads a key without quotes, up to its bracket. An XPath contains brackets and quotes.
    fn bare_key(&mut self, keyword: &Keyword) -> String {
        let nests = matches!(
            keyword.reads,
            ReadsFrom::Body(_, Look::XPath | Look::SoapXPath) | ReadsFrom::Unknown
        );
        let (mut depth, mut quote) = (0_usize, None);
        let start = self.at;
        while let Some(&c) = self.text.get(self.at) {
            match (quote, c) {
                (None, ']') if depth == 0 => break,
                (None, ']') => depth -= 1,
                (None, '[') if nests => depth += 1,
                (None, '"' | '\'') if nests => quote = Some(c),
                (Some(open), c) if open == c => quote = None,
                _ => {}
            }
            self.at += 1;
        }
        let key: String = self.text[start..self.at].iter().collect();
        key.trim().to_string()
    }

    fn operator(&mut self) -> Result<(Operator, usize), Mistake> {
        self.skip_blanks();
        let column = self.column();
        let operator = if self.take_word("IS") {
            Operator::Is
        } else if self.take_word("NOT") {
            match self.take_word("CONTAINS") {
                true => Operator::NotContains,
                false => Operator::Not,
            }
        } else if self.take_word("CONTAINS") {
            Operator::Contains
        } else if self.take_word("REGEX") {
            Operator::Regex
        } else {
            return Err(self.expected("`IS`, `NOT`, `CONTAINS`, `NOT CONTAINS` or `REGEX`"));
        };
        Ok((operator, column))
    }

    fn value(&mut self, operator: Operator) -> Result<CriterionValue, Mistake> {
        let first = self.peek();
        let column = self.column();
        if let Some(quote @ ('"' | '\'')) = first {
            // In a pattern the backslash belongs to the pattern: `[a\-z]` is not a range.
            let escaped: &[char] = match operator {
                Operator::Regex => &[],
                _ => &['-'],
            };
            let text = self.quoted(quote, escaped)?;
            return Ok(CriterionValue { text, column });
        }
        let text = self.word_until(|_| false);
        if text.is_empty() {
            return Err(self.expected("a value"));
        }
        if text.starts_with(TYPOGRAPHIC_QUOTES) {
            let what = "expected a value in plain quotes, found typographic ones";
            return Err(Mistake::syntax(column, what).hint("write `\"` or `'`"));
        }
        if is_reserved(&text) {
            let hint = match operator {
                Operator::Is if text.eq_ignore_ascii_case("NOT") => {
                    "`NOT` needs a keyword and a value: `keyword NOT value`".to_string()
                }
                _ => format!("quote it if it is the value: `\"{text}\"`"),
            };
            return Err(self.expected("a value").hint(hint));
        }
        self.at += text.chars().count();
        Ok(CriterionValue { text, column })
    }

    /// A text in quotes; stops after the closing one. A backslash may precede a quote, a backslash or one of
    /// `escaped`.
    fn quoted(&mut self, quote: char, escaped: &[char]) -> Result<String, Mistake> {
        let opened = self.column();
        let mut text = String::new();
        self.at += 1;
        loop {
            let next = self.text.get(self.at + 1).copied();
            match self.text.get(self.at).copied() {
                None => return Err(Mistake::syntax(opened, "the quote is not closed")),
                Some('\\')
                    if next.is_some_and(|c| c == '\\' || c == quote || escaped.contains(&c)) =>
                {
                    text.extend(next);
                    self.at += 2;
                }
                Some(c) => {
                    self.at += 1;
                    match c == quote {
                        true => return Ok(text),
                        false => text.push(c),
                    }
                }
            }
        }
    }

    /// Takes the next word if it is this one.
    fn take_word(&mut self, wanted: &str) -> bool {
        self.skip_blanks();
        let taken = self.word_until(|_| false).eq_ignore_ascii_case(wanted);
        if taken {
            self.at += wanted.len();
        }
        taken
    }

    /// The bare word that begins here, up to a blank, a parenthesis, a quote or where `ends` says.
    fn word_until(&self, ends: impl Fn(char) -> bool) -> String {
        let bare = |c: &char| !c.is_whitespace() && !"()\"'".contains(*c) && !ends(*c);
        self.text[self.at..]
            .iter()
            .copied()
            .take_while(bare)
            .collect()
    }

    fn skip_blanks(&mut self) {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    /// The next character that is not blank; stops at it.
    fn peek(&mut self) -> Option<char> {
        self.skip_blanks();
        self.text.get(self.at).copied()
    }

    fn column(&self) -> usize {
        self.at + 1
    }

    /// The error for what is expected after a criterion: a word that joins, or `end`.
    fn expected_joint(&mut self, end: &str) -> Mistake {
        let mistake = self.expected(&format!("`AND`, `OR` or {end}"));
        match self.peek() {
            Some('(' | '"' | '\'') => {
                mistake.hint("quote a value that contains parentheses, quotes or blanks")
            }
            _ => mistake,
        }
    }

    /// The error for what is expected here and what was found.
    fn expected(&mut self, what: &str) -> Mistake {
        let found = match self.peek() {
            None => "the end".to_string(),
            Some(first) => {
                let word = self.word_until(|_| false);
                match word.is_empty() {
                    true => format!("`{first}`"),
                    false => format!("`{}`", shortened(&word)),
                }
            }
        };
        Mistake::syntax(self.column(), format!("expected {what}, found {found}"))
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| word.eq_ignore_ascii_case(reserved))
}

/// The beginning of a word, without characters that control a terminal.
pub(super) fn shortened(word: &str) -> String {
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = word.chars().take(QUOTED).map(visible).collect();
    if word.chars().count() > QUOTED {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::extract::profile::filter::Filter;
    use crate::extract::profile::filter::criterion::KEYWORDS;

    /// `text` in double quotes, as the language escapes them.
    fn quoted(text: &str) -> String {
        format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
    }

    fn written(criterion: &Criterion) -> String {
        let key = criterion.key.as_ref().map(|key| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            match key.chars().all(plain) {
                true => format!("[{key}]"),
                false => format!("[{}]", quoted(key)),
            }
        });
        let values: Vec<&CriterionValue> = match &criterion.operand {
            CriterionOperand::One(value) => vec![value],
            CriterionOperand::Range(start, end) => vec![start, end],
            CriterionOperand::Several(values) => values.iter().collect(),
        };
        let values: Vec<String> = values.iter().map(|value| quoted(&value.text)).collect();
        let (name, key) = (&criterion.keyword.name, key.unwrap_or_default());
        format!("{name}{key} {} {}", criterion.operator, values.join(" "))
    }

    /// A filter in its canonical form: every value in double quotes, no parenthesis that changes nothing.
    fn canonical(tree: &Tree<Criterion>) -> String {
        let (branches, word) = match tree {
            Tree::All(branches) => (branches, " AND "),
            Tree::Any(branches) => (branches, " OR "),
            Tree::Leaf(criterion) => return written(criterion),
        };
        let branches = branches.iter().map(|branch| match (tree, branch) {
            (Tree::All(_), Tree::Any(_)) => format!("({})", canonical(branch)),
            _ => canonical(branch),
        });
        branches.collect::<Vec<_>>().join(word)
    }

    #[test]
    fn a_filter_has_one_canonical_form() {
        let table = [
            // The spellings of Speedscale's documentation.
            ("command IS POST", r#"command IS "POST""#),
            (r#"(command IS  "Fetch")"#, r#"command IS "Fetch""#),
            // Any case, any blanks.
            (
                "\t( Command\nis 'Fetch'and(TECH not\u{a0} contains  kafka ))",
                r#"command IS "Fetch" AND tech NOT CONTAINS "kafka""#,
            ),
            // AND binds tighter; parentheses that say nothing go.
            (
                "url IS a OR url IS b AND url IS c OR url IS d",
                r#"url IS "a" OR url IS "b" AND url IS "c" OR url IS "d""#,
            ),
            (
                "((url IS a OR (url IS b))) AND ((url IS c) AND (url IS d))",
                r#"(url IS "a" OR url IS "b") AND url IS "c" AND url IS "d""#,
            ),
            (
                r#"header[User-Agent] CONTAINS "ELB\-HealthChecker/""#,
                r#"header[User-Agent] CONTAINS "ELB-HealthChecker/""#,
            ),
            (r#"url REGEX "[a\-z]""#, r#"url REGEX "[a\\-z]""#),
            (r#"url IS "a\\-z""#, r#"url IS "a\\-z""#),
            (
                "req_xpath[//a[@id='1]']/b] IS x",
                r#"req_xpath["//a[@id='1]']/b"] IS "x""#,
            ),
            ("newer[a] IS x 'y' \"z\"", r#"newer[a] IS "x" "y" "z""#),
            // Values.
            (
                r#"networkaddr IS broker-1.kafka:9092"#,
                r#"networkaddr IS "broker-1.kafka:9092""#,
            ),
            (
                r#"url REGEX "^/\d+\\.\"x\"$""#,
                r#"url REGEX "^/\\d+\\.\"x\"$""#,
            ),
            (r#"url IS 'it\'s "so"'"#, r#"url IS "it's \"so\"""#),
            (r#"url IS """#, r#"url IS """#),
            (
                r#"url IS "AND" AND url IS "(""#,
                r#"url IS "AND" AND url IS "(""#,
            ),
            // Keys.
            ("tag[ a.b-c ] IS x", r#"tag[a.b-c] IS "x""#),
            (r#"tag["a]'b"] IS x"#, r#"tag["a]'b"] IS "x""#),
            (
                "header [Content-Type] IS x",
                r#"header[Content-Type] IS "x""#,
            ),
            ("sample is 1/5", r#"sample IS "1/5""#),
            ("sample[rrpair] IS 1/5", r#"sample[rrpair] IS "1/5""#),
            (
                "timerange IS 2024-01-15T00:00:00Z\"2024-01-16T00:00:00Z\"",
                r#"timerange IS "2024-01-15T00:00:00Z" "2024-01-16T00:00:00Z""#,
            ),
        ];
        for (text, expected) in table {
            let read = parse(text).map(|tree| canonical(&tree));
            assert_eq!(read.as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn an_invalid_filter_is_shown_with_the_position_of_the_error() {
        const START: &str = "a criterion such as `command IS \"Fetch\"`";
        const OPERATOR: &str = "`IS`, `NOT`, `CONTAINS`, `NOT CONTAINS` or `REGEX`";
        let expected = |what: &str, found: &str| format!("expected {what}, found {found}");
        let table = [
            ("", 1, expected(START, "the end")),
            ("  ", 3, expected(START, "the end")),
            ("()", 2, expected(START, "`)`")),
            ("\"command\" IS x", 1, expected(START, "`\"`")),
            (
                "comand IS x y",
                13,
                expected("`AND`, `OR` or the end", "`y`"),
            ),
            ("command IS x AND", 17, expected(START, "the end")),
            ("command IS x AND OR", 18, "`OR` is not a keyword".into()),
            ("NOT (command IS x)", 1, "`NOT` is not a keyword".into()),
            ("command", 8, expected(OPERATOR, "the end")),
            ("command = x", 9, expected(OPERATOR, "`=`")),
            ("command IS", 11, expected("a value", "the end")),
            ("command NOT CONTAINS", 21, expected("a value", "the end")),
            ("command IS (x)", 12, expected("a value", "`(`")),
            ("command IS AND", 12, expected("a value", "`AND`")),
            ("command IS NOT x", 12, expected("a value", "`NOT`")),
            (
                "url IS \u{e9} x",
                10,
                expected("`AND`, `OR` or the end", "`x`"),
            ),
            ("url IS a(b", 9, expected("`AND`, `OR` or the end", "`(`")),
            ("url IS x)", 9, expected("`AND`, `OR` or the end", "`)`")),
            ("(url IS x", 10, expected("`AND`, `OR` or `)`", "the end")),
            ("timerange IS x", 15, expected("a value", "the end")),
            ("url IS \"x", 8, "the quote is not closed".into()),
            (r#"url IS "x\""#, 8, "the quote is not closed".into()),
            (
                "url IS \u{201c}x\u{201d}",
                8,
                "expected a value in plain quotes, found typographic ones".into(),
            ),
            ("tag IS x", 5, expected("a key, as in `tag[KEY]`", "`IS`")),
            ("tag[x IS y", 4, "the bracket is not closed".into()),
            ("tag[ ] IS y", 4, "the key is empty".into()),
            ("command[x] IS y", 8, "`command` takes no key".into()),
        ];
        for (text, column, what) in table {
            let mistake = parse(text).expect_err(text).within(text);
            assert_eq!(
                mistake.to_string(),
                format!("column {column}: {what}"),
                "{text}"
            );
        }
    }

    #[test]
    fn an_error_quotes_only_readable_text() {
        let long = format!("url IS x {}", "y".repeat(50));
        let found = format!("`AND`, `OR` or the end, found `{}...`", "y".repeat(40));
        let table = [
            (
                "\u{1b}[2J] IS x",
                "column 1: `\u{fffd}` is not a keyword".into(),
            ),
            (&long, format!("column 10: expected {found}")),
        ];
        for (text, message) in table {
            assert_eq!(Filter::parse(text).expect_err(text).to_string(), message);
        }
    }

    #[test]
    fn a_common_mistake_is_answered_with_its_correction() {
        let table = [
            (
                "command IS NOT x",
                "`NOT` needs a keyword and a value: `keyword NOT value`",
            ),
            ("command IS and", "quote it if it is the value: `\"and\"`"),
            (
                "(url REGEX ^/(a|b)$)",
                "quote a value that contains parentheses, quotes or blanks",
            ),
        ];
        for (text, hint) in table {
            let error = parse(text).expect_err(text).within(text);
            assert_eq!(error.hint(), Some(hint), "{text}");
        }
    }

    #[test]
    fn parentheses_are_bounded_in_depth_and_not_in_number() {
        let nested = |depth: usize| "(".repeat(depth) + "url IS x" + &")".repeat(depth);
        assert!(parse(&nested(DEEPEST)).is_ok());
        let error = parse(&nested(1_000_000)).expect_err("too deep").within("");
        assert_eq!(
            error.to_string(),
            "column 129: more than 128 nested parentheses"
        );
        let wide = vec![nested(DEEPEST); 1_000].join(" AND ");
        assert!(parse(&wide).is_ok());
    }

    /// Trees as the parser makes them: of any depth, with any keys and values, without columns.
    fn trees() -> impl Strategy<Value = Tree<Criterion>> {
        let operators = [
            Operator::Is,
            Operator::Not,
            Operator::Contains,
            Operator::NotContains,
            Operator::Regex,
        ];
        let text = || any::<String>().prop_map(|text| CriterionValue { text, column: 0 });
        let key = any::<String>().prop_filter("keys are not empty", |key| !key.is_empty());
        let parts = (
            0..KEYWORDS.len(),
            key,
            select(operators.to_vec()),
            text(),
            text(),
        );
        let criterion = parts.prop_map(|(keyword, key, operator, first, second)| {
            let keyword = KEYWORDS[keyword].clone();
            Criterion {
                key: (keyword.key != KeyRule::Never).then_some(key),
                operator,
                operand: match keyword.reads {
                    ReadsFrom::Time => CriterionOperand::Range(first, second),
                    _ => CriterionOperand::One(first),
                },
                keyword,
                keyword_column: 0,
                key_column: 0,
                operator_column: 0,
            }
        });
        criterion
            .prop_map(Tree::Leaf)
            .prop_recursive(6, 24, 3, |inner| {
                let join = select(vec![Tree::all as fn(_, _) -> _, Tree::any]);
                (inner.clone(), vec(inner, 0..3), join)
                    .prop_map(|(first, more, join)| join(first, more))
            })
    }

    /// The tree with all columns 0.
    fn without_columns(tree: &Tree<Criterion>) -> Tree<Criterion> {
        let strip = |value: &CriterionValue| CriterionValue {
            column: 0,
            ..value.clone()
        };
        let stripped = tree.try_map(&mut |criterion: &Criterion| {
            Ok::<_, ()>(Criterion {
                operand: match &criterion.operand {
                    CriterionOperand::One(value) => CriterionOperand::One(strip(value)),
                    CriterionOperand::Range(start, end) => {
                        CriterionOperand::Range(strip(start), strip(end))
                    }
                    CriterionOperand::Several(values) => {
                        CriterionOperand::Several(values.iter().map(strip).collect())
                    }
                },
                keyword_column: 0,
                key_column: 0,
                operator_column: 0,
                ..criterion.clone()
            })
        });
        stripped.expect("stripping cannot fail")
    }

    /// Texts that come near to being filters.
    fn near_filters() -> impl Strategy<Value = String> {
        let pieces = [
            "(",
            ")",
            "[",
            "]",
            "\"",
            "'",
            "\\",
            " ",
            "and",
            "OR",
            "is",
            "NOT",
            "CONTAINS",
            "regex",
            "command",
            "header[a]",
            "timerange",
            "sample",
            "uuid",
            "x",
            "\u{e9}",
            "\u{2028}",
            "url IS x",
        ];
        vec(select(pieces.to_vec()), 0..24).prop_map(|pieces| pieces.join(" "))
    }

    proptest! {
        #[test]
        fn a_printed_filter_parses_to_the_same_tree(tree in trees()) {
            let text = canonical(&tree);
            let read = parse(&text).map(|tree| without_columns(&tree));
            prop_assert_eq!(read, Ok(tree), "{}", text);
        }

        #[test]
        fn no_input_makes_the_parser_panic(text in prop_oneof![any::<String>(), near_filters()]) {
            match Filter::parse(&text) {
                Ok(_) => {
                    let read = parse(&text).map(|tree| canonical(&tree));
                    let written = read.expect("it was read before");
                    let again = parse(&written).map(|tree| canonical(&tree));
                    prop_assert_eq!(again, Ok(written));
                }
                Err(error) => {
                    prop_assert!((1..=text.chars().count() + 1).contains(&error.column()));
                    prop_assert_eq!(error.rendered().lines().count(), 3);
                }
            }
        }
    }
}
