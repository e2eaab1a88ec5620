//! The parsed form of an XPath.

/// How deep expressions may be nested; more would only use up the stack.
pub(super) const DEEPEST: usize = 32;

/// Where a path begins that does not begin at an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract::profile::filter) enum PathOrigin {
    /// At the document.
    Document,
    /// At the Body of the SOAP envelope that the document is, or at the document for a path that names the
    /// envelope.
    SoapBody,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Or(Vec<Self>),
    And(Vec<Self>),
    Equal(Box<Self>, Box<Self>),
    Unequal(Box<Self>, Box<Self>),
    Text(String),
    Number(f64),
    Path(PathStart, Vec<XPathStep>),
    Call(Function, Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathStart {
    Here,
    Root,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct XPathStep {
    pub(super) axis: Axis,
    pub(super) test: NodeTest,
    pub(super) predicates: Vec<Expr>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    Attribute,
    Own,
    Parent,
    DescendantOrOwn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NodeTest {
    Any,
    Text,
    Name {
        prefix: Option<String>,
        /// `None` matches any name.
        local: Option<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
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
