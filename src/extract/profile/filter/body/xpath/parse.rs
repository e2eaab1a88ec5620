//! Parses a text into an XPath.

use super::expr::{Axis, DEEPEST, Expr, Function, NodeTest, PathStart, XPathStep};

/// What is wrong, and where: in characters from 0.
type Wrong = (usize, String);

pub(super) fn parse(text: &str) -> Result<Vec<Expr>, Wrong> {
    let mut parser = XPathParser {
        text: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    let mut paths = vec![parser.whole_path()?];
    while parser.take("|") {
        paths.push(parser.whole_path()?);
    }
    match parser.peek() {
        None => Ok(paths),
        Some(_) => Err(parser.expected("`/`, `[`, `|` or the end")),
    }
}

struct XPathParser {
    text: Vec<char>,
    at: usize,
    depth: usize,
}

impl XPathParser {
    fn whole_path(&mut self) -> Result<Expr, Wrong> {
        match self.peek() {
            Some(c) if c == '/' || begins_step(c) => self.path(),
            _ => Err(self.expected("a path such as `//order/id`")),
        }
    }

    fn path(&mut self) -> Result<Expr, Wrong> {
        let (mut start, mut steps) = (PathStart::Here, Vec::new());
        if self.take("//") {
            start = PathStart::Root;
            steps.push(every());
        } else if self.take("/") {
            start = PathStart::Root;
            if !self.peek().is_some_and(begins_step) {
                return Ok(Expr::Path(start, steps));
            }
        }
        loop {
            steps.push(self.step()?);
            if self.take("//") {
                steps.push(every());
            } else if !self.take("/") {
                return Ok(Expr::Path(start, steps));
            }
        }
    }

    fn step(&mut self) -> Result<XPathStep, Wrong> {
        let bare = |axis| XPathStep {
            axis,
            test: NodeTest::Any,
            predicates: Vec::new(),
        };
        if self.take("..") {
            return Ok(bare(Axis::Parent));
        }
        if self.take(".") {
            return Ok(bare(Axis::Own));
        }
        let axis = match self.take("@") {
            true => Axis::Attribute,
            false => Axis::Child,
        };
        self.peek();
        let began = self.at;
        let name = match self.take("*") {
            true => None,
            false => Some(self.name()?),
        };
        if self.looking_at("::") {
            return Err((
                began,
                "kreplay evaluates only the axes `/`, `//`, `@`, `.` and `..`".into(),
            ));
        }
        let test = match name {
            Some(name) if self.take("(") => self.node_test(&name, began)?,
            name => self.name_test(name)?,
        };
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.nested(Self::or)?);
            self.need("]")?;
        }
        Ok(XPathStep {
            axis,
            test,
            predicates,
        })
    }

    fn node_test(&mut self, name: &str, began: usize) -> Result<NodeTest, Wrong> {
        let test = match name {
            "text" => NodeTest::Text,
            "node" => NodeTest::Any,
            _ => return Err((began, format!("kreplay does not evaluate `{name}()` here"))),
        };
        self.need(")")?;
        Ok(test)
    }

    fn name_test(&mut self, first: Option<String>) -> Result<NodeTest, Wrong> {
        let (prefix, local) = match (first, self.looking_at(":")) {
            (Some(prefix), true) => {
                self.at += 1;
                let local = match self.take("*") {
                    true => None,
                    false => Some(self.name()?),
                };
                (Some(prefix), local)
            }
            (name, _) => (None, name),
        };
        Ok(NodeTest::Name { prefix, local })
    }

    fn or(&mut self) -> Result<Expr, Wrong> {
        let mut branches = vec![self.and()?];
        while self.take_word("or") {
            branches.push(self.and()?);
        }
        Ok(one_or(branches, Expr::Or))
    }

    fn and(&mut self) -> Result<Expr, Wrong> {
        let mut branches = vec![self.equality()?];
        while self.take_word("and") {
            branches.push(self.equality()?);
        }
        Ok(one_or(branches, Expr::And))
    }

    fn equality(&mut self) -> Result<Expr, Wrong> {
        let left = self.value()?;
        self.peek();
        let began = self.at;
        if self.take("!=") {
            return Ok(Expr::Unequal(Box::new(left), Box::new(self.value()?)));
        }
        if self.take("=") {
            return Ok(Expr::Equal(Box::new(left), Box::new(self.value()?)));
        }
        match self.peek() {
            Some(c @ ('<' | '>' | '+' | '-' | '*' | '|')) => Err((
                began,
                format!("kreplay does not evaluate `{c}` in a predicate"),
            )),
            _ => Ok(left),
        }
    }

    fn value(&mut self) -> Result<Expr, Wrong> {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.nested(Self::or)?;
                self.need(")")?;
                Ok(inner)
            }
            Some(quote @ ('"' | '\'')) => self.string(quote),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c == '/' || begins_step(c) => match self.function()? {
                Some(call) => Ok(call),
                None => self.path(),
            },
            _ => Err(self.expected("a value")),
        }
    }

    /// Reads a call, if one begins here.
    fn function(&mut self) -> Result<Option<Expr>, Wrong> {
        let began = self.at;
        let Ok(name) = self.name() else {
            self.at = began;
            return Ok(None);
        };
        if !self.take("(") || matches!(name.as_str(), "text" | "node") {
            self.at = began;
            return Ok(None);
        }
        let (function, least, most) = match name.as_str() {
            "last" => (Function::Last, 0, 0),
            "position" => (Function::Position, 0, 0),
            "local-name" => (Function::LocalName, 0, 1),
            "name" => (Function::Name, 0, 1),
            "contains" => (Function::Contains, 2, 2),
            "starts-with" => (Function::StartsWith, 2, 2),
            "normalize-space" => (Function::NormalizeSpace, 0, 1),
            "not" => (Function::Not, 1, 1),
            "string" => (Function::Text, 0, 1),
            _ => return Err((began, format!("kreplay does not evaluate `{name}()`"))),
        };
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.nested(Self::or)?);
                if !self.take(",") {
                    break;
                }
            }
            self.need(")")?;
        }
        match (least..=most).contains(&arguments.len()) {
            true => Ok(Some(Expr::Call(function, arguments))),
            false => Err((
                began,
                format!("`{name}()` takes a different number of arguments"),
            )),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Expr, Wrong>) -> Result<Expr, Wrong> {
        if self.depth == DEEPEST {
            let what = format!("more than {DEEPEST} nested expressions");
            return Err((self.at, what));
        }
        self.depth += 1;
        let inner = read(self)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn string(&mut self, quote: char) -> Result<Expr, Wrong> {
        let began = self.at;
        let text: String = self.text[began + 1..]
            .iter()
            .take_while(|c| **c != quote)
            .collect();
        self.at += 1 + text.chars().count();
        match self.text.get(self.at) {
            Some(_) => {
                self.at += 1;
                Ok(Expr::Text(text))
            }
            None => Err((began, "the quote is not closed".into())),
        }
    }

    fn number(&mut self) -> Result<Expr, Wrong> {
        let began = self.at;
        let digits = self.text[began..]
            .iter()
            .take_while(|c| c.is_ascii_digit() || **c == '.');
        let digits: String = digits.collect();
        self.at += digits.len();
        let number = digits.parse().map(Expr::Number);
        number.map_err(|_| (began, format!("`{digits}` is not a number")))
    }

    /// Reads a name without a colon.
    fn name(&mut self) -> Result<String, Wrong> {
        self.peek();
        let name: String = self.text[self.at..]
            .iter()
            .take_while(|c| c.is_alphanumeric() || "_-.".contains(**c))
            .collect();
        match name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            true => {
                self.at += name.chars().count();
                Ok(name)
            }
            false => Err(self.expected("a name")),
        }
    }

    fn take(&mut self, symbol: &str) -> bool {
        self.peek();
        let taken = self.looking_at(symbol);
        if taken {
            self.at += symbol.chars().count();
        }
        taken
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let behind = self.text.get(self.at + word.len());
        let ends = !behind.is_some_and(|c| c.is_alphanumeric() || "_-.:".contains(*c));
        let taken = self.looking_at(word) && ends;
        if taken {
            self.at += word.len();
        }
        taken
    }

    fn need(&mut self, symbol: &str) -> Result<(), Wrong> {
        match self.take(symbol) {
            true => Ok(()),
            false => Err(self.expected(&format!("`{symbol}`"))),
        }
    }

    fn looking_at(&self, symbol: &str) -> bool {
        let rest = &self.text[self.at..];
        symbol
            .chars()
            .enumerate()
            .all(|(i, c)| rest.get(i) == Some(&c))
    }

    /// The next character that is not blank; stops at it.
    fn peek(&mut self) -> Option<char> {
        while self.text.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    fn expected(&mut self, what: &str) -> Wrong {
        let found = match self.peek() {
            None => "the end".to_string(),
            Some(c) if c.is_control() => "a control character".to_string(),
            Some(c) => format!("`{c}`"),
        };
        (self.at, format!("expected {what}, found {found}"))
    }
}

fn begins_step(c: char) -> bool {
    c.is_alphabetic() || "_@.*".contains(c)
}

fn every() -> XPathStep {
    XPathStep {
        axis: Axis::DescendantOrOwn,
        test: NodeTest::Any,
        predicates: Vec::new(),
    }
}

fn one_or(mut branches: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (branches.len(), branches.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            branches.extend(last);
            join(branches)
        }
    }
}
