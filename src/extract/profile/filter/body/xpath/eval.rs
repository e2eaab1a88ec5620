//! What an XPath finds in a document.

use std::collections::HashSet;

use roxmltree::{Attribute, Document, Node};

use super::expr::{Axis, Expr, Function, NodeTest, PathOrigin, PathStart, XPathStep};

/// A node or an attribute with its element.
#[derive(Debug, Clone, Copy)]
enum Item<'a, 'd> {
    Node(Node<'a, 'd>),
    Attribute(Node<'a, 'd>, usize, Attribute<'a, 'd>),
}

enum XPathValue<'a, 'd> {
    Truth(bool),
    Number(f64),
    Text(String),
    Items(Vec<Item<'a, 'd>>),
}

/// Where an expression is evaluated.
#[derive(Clone, Copy)]
struct XPathContext<'a, 'd> {
    item: Item<'a, 'd>,
    root: Node<'a, 'd>,
    position: usize,
    last: usize,
}

/// Whether one of the texts that `paths` find satisfies `met`; the empty text, if they find nothing. One text
/// is made at a time: those of nested elements may be many times as long as the document.
pub(super) fn any(
    paths: &[Expr],
    document: &Document<'_>,
    origin: PathOrigin,
    met: &dyn Fn(&str) -> bool,
) -> bool {
    let items = found(paths, document, origin);
    match items.is_empty() {
        true => met(""),
        false => items.into_iter().any(|item| met(&item.text())),
    }
}

/// All that `paths` find.
fn found<'a, 'd>(
    paths: &[Expr],
    document: &'a Document<'d>,
    origin: PathOrigin,
) -> Vec<Item<'a, 'd>> {
    let roots = match origin {
        PathOrigin::Document => vec![document.root()],
        PathOrigin::SoapBody => soap_roots(document),
    };
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for root in roots {
        let context = XPathContext {
            item: Item::Node(root),
            root,
            position: 1,
            last: 1,
        };
        for path in paths {
            if let XPathValue::Items(items) = context.value(path) {
                let new = items
                    .into_iter()
                    .filter(|item| seen.insert(item.identity()));
                found.extend(new);
            }
        }
    }
    found
}

/// The Body of the envelope, and the document for paths that begin with the envelope.
fn soap_roots<'a, 'd>(document: &'a Document<'d>) -> Vec<Node<'a, 'd>> {
    let named = |node: &Node<'a, 'd>, name| node.is_element() && node.tag_name().name() == name;
    let envelope = document.root_element();
    if !named(&envelope, "Envelope") {
        return Vec::new();
    }
    let body = envelope.children().find(|child| named(child, "Body"));
    body.into_iter().chain([document.root()]).collect()
}

impl<'a, 'd> XPathContext<'a, 'd> {
    fn value(&self, expr: &Expr) -> XPathValue<'a, 'd> {
        match expr {
            Expr::Or(branches) => {
                XPathValue::Truth(branches.iter().any(|it| self.value(it).truth()))
            }
            Expr::And(branches) => {
                XPathValue::Truth(branches.iter().all(|it| self.value(it).truth()))
            }
            Expr::Equal(a, b) => {
                XPathValue::Truth(self.value(a).compare(&self.value(b), Equality::Equal))
            }
            Expr::Unequal(a, b) => {
                XPathValue::Truth(self.value(a).compare(&self.value(b), Equality::Unequal))
            }
            Expr::Text(text) => XPathValue::Text(text.clone()),
            Expr::Number(number) => XPathValue::Number(*number),
            Expr::Path(start, steps) => XPathValue::Items(self.follow(*start, steps)),
            Expr::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn call(&self, function: Function, arguments: &[Expr]) -> XPathValue<'a, 'd> {
        let text = |index: usize| match arguments.get(index) {
            Some(argument) => self.value(argument).text(),
            None => self.item.text(),
        };
        let named = || match arguments.first().map(|argument| self.value(argument)) {
            Some(XPathValue::Items(items)) => items.first().copied(),
            Some(_) => None,
            None => Some(self.item),
        };
        match function {
            Function::Last => XPathValue::Number(as_number(self.last)),
            Function::Position => XPathValue::Number(as_number(self.position)),
            Function::LocalName => XPathValue::Text(named().map_or("", Item::local_name).into()),
            Function::Name => XPathValue::Text(named().map(Item::name).unwrap_or_default()),
            Function::Contains => XPathValue::Truth(text(0).contains(&text(1))),
            Function::StartsWith => XPathValue::Truth(text(0).starts_with(&text(1))),
            Function::NormalizeSpace => {
                let text = text(0);
                let words: Vec<&str> = text.split_ascii_whitespace().collect();
                XPathValue::Text(words.join(" "))
            }
            Function::Not => XPathValue::Truth(!arguments.iter().any(|it| self.value(it).truth())),
            Function::Text => XPathValue::Text(text(0)),
        }
    }

    fn follow(&self, start: PathStart, steps: &[XPathStep]) -> Vec<Item<'a, 'd>> {
        let mut items = vec![match start {
            PathStart::Here => self.item,
            PathStart::Root => Item::Node(self.root),
        }];
        for step in steps {
            let mut seen = HashSet::new();
            let mut next = Vec::new();
            for item in items {
                // The descendants of a node that was visited have been visited as well.
                if step.axis == Axis::DescendantOrOwn && seen.contains(&item.identity()) {
                    continue;
                }
                let found = self.step(item, step).into_iter();
                next.extend(found.filter(|item| seen.insert(item.identity())));
            }
            items = next;
        }
        items
    }

    fn step(&self, from: Item<'a, 'd>, step: &XPathStep) -> Vec<Item<'a, 'd>> {
        let mut found: Vec<Item<'a, 'd>> = match (from, step.axis) {
            (Item::Node(node), Axis::Child) => node.children().map(Item::Node).collect(),
            (Item::Node(node), Axis::Attribute) => node
                .attributes()
                .enumerate()
                .map(|(index, attribute)| Item::Attribute(node, index, attribute))
                .collect(),
            (Item::Node(node), Axis::DescendantOrOwn) => {
                node.descendants().map(Item::Node).collect()
            }
            (Item::Node(node), Axis::Parent) if node.id() == self.root.id() => Vec::new(),
            (Item::Node(node), Axis::Parent) => node.parent().map(Item::Node).into_iter().collect(),
            (Item::Attribute(node, ..), Axis::Parent) => vec![Item::Node(node)],
            (item, Axis::Own | Axis::DescendantOrOwn) => vec![item],
            (Item::Attribute(..), Axis::Child | Axis::Attribute) => Vec::new(),
        };
        found.retain(|item| item.passes(&step.test));
        for predicate in &step.predicates {
            let last = found.len();
            let numbered = found.into_iter().zip(1..);
            let kept = numbered.filter(|(item, position)| {
                let context = XPathContext {
                    item: *item,
                    root: self.root,
                    position: *position,
                    last,
                };
                match context.value(predicate) {
                    XPathValue::Number(number) => number == as_number(*position),
                    value => value.truth(),
                }
            });
            found = kept.map(|(item, _)| item).collect();
        }
        found
    }
}

/// `count` as a number. It is exact up to 2^53, and no document has as many nodes.
#[allow(
    clippy::cast_precision_loss,
    reason = "no document has 2^53 nodes, up to which it is exact"
)]
fn as_number(count: usize) -> f64 {
    count as f64
}

impl<'a, 'd> Item<'a, 'd> {
    /// An identity that no other node or attribute has.
    fn identity(&self) -> (u32, usize) {
        match self {
            Self::Node(node) => (node.id().get(), 0),
            Self::Attribute(node, index, _) => (node.id().get(), index + 1),
        }
    }

    /// Its string value (XPath 1.0, section 5).
    fn text(self) -> String {
        match self {
            Self::Attribute(_, _, attribute) => attribute.value().into(),
            Self::Node(node) if node.is_element() || node.is_root() => {
                let texts = node.descendants().filter(Node::is_text);
                texts.filter_map(|text| text.text()).collect()
            }
            Self::Node(node) => node.text().unwrap_or_default().into(),
        }
    }

    fn local_name(self) -> &'a str {
        match self {
            Self::Attribute(_, _, attribute) => attribute.name(),
            Self::Node(node) if node.is_element() => {
                let qualified = qualified_name(node);
                qualified.rsplit(':').next().unwrap_or_default()
            }
            Self::Node(_) => "",
        }
    }

    /// Its name as it is written, with its prefix.
    fn name(self) -> String {
        match self {
            Self::Attribute(node, _, attribute) => {
                let source = node.document().input_text();
                source[attribute.range_qname()].to_string()
            }
            Self::Node(node) => qualified_name(node).into(),
        }
    }

    fn passes(&self, test: &NodeTest) -> bool {
        let is_named = match self {
            Self::Attribute(..) => true,
            Self::Node(node) => node.is_element(),
        };
        match test {
            NodeTest::Any => true,
            NodeTest::Text => matches!(self, Self::Node(node) if node.is_text()),
            NodeTest::Name { prefix, local } => {
                is_named
                    && local
                        .as_deref()
                        .is_none_or(|local| self.local_name() == local)
                    && prefix.as_deref().is_none_or(|prefix| {
                        let name = self.name();
                        name.split_once(':').is_some_and(|(own, _)| own == prefix)
                    })
            }
        }
    }
}

/// An element's name as its tag writes it.
fn qualified_name<'a>(node: Node<'a, '_>) -> &'a str {
    if !node.is_element() {
        return "";
    }
    let tag = &node.document().input_text()[node.range()];
    let name = tag.trim_start_matches('<');
    let ends = |c: char| c.is_ascii_whitespace() || "/>".contains(c);
    &name[..name.find(ends).unwrap_or(name.len())]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Equality {
    Equal,
    Unequal,
}

impl XPathValue<'_, '_> {
    fn truth(&self) -> bool {
        match self {
            Self::Truth(truth) => *truth,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::Text(text) => !text.is_empty(),
            Self::Items(items) => !items.is_empty(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Truth(truth) => truth.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Items(items) => items.first().map(|item| item.text()).unwrap_or_default(),
        }
    }

    fn number(&self) -> f64 {
        match self {
            Self::Truth(truth) => f64::from(u8::from(*truth)),
            Self::Number(number) => *number,
            Self::Text(_) | Self::Items(_) => self.text().trim().parse().unwrap_or(f64::NAN),
        }
    }

    /// Compares as XPath 1.0 does (section 3.4): of several nodes one suffices.
    fn compare(&self, other: &Self, sense: Equality) -> bool {
        let wanted = sense == Equality::Equal;
        match (self, other) {
            (Self::Truth(_), _) | (_, Self::Truth(_)) => (self.truth() == other.truth()) == wanted,
            (Self::Items(items), other) | (other, Self::Items(items)) => items.iter().any(|item| {
                let text = XPathValue::Text(item.text());
                match other {
                    Self::Items(_) => other.compare(&text, sense),
                    _ => text.compare(other, sense),
                }
            }),
            (Self::Number(_), _) | (_, Self::Number(_)) => {
                (self.number() == other.number()) == wanted
            }
            (Self::Text(a), Self::Text(b)) => (a == b) == wanted,
        }
    }
}
