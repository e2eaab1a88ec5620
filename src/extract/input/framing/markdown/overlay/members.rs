//! A JSON object whose members are replaced one by one, while the text of all others stays as it was written:
//! numbers of any size and halves of surrogate pairs survive.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Names with JSON texts.
type Named<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The members of an object, in their order, with their JSON texts.
#[derive(Debug, Default)]
pub(super) struct OverlayMembers<'a> {
    all: Named<'a>,
    is_changed: bool,
}

impl<'a> OverlayMembers<'a> {
    /// Reads `text`; `None` unless it is an object.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let is_changed = false;
        named(text).map(|all| Self { all, is_changed })
    }

    /// The JSON text of a member.
    pub(super) fn raw(&self, name: &str) -> Option<&str> {
        let mut named = self.all.iter().rev().filter(|(known, _)| known == name);
        named.next().map(|(_, raw)| &**raw)
    }

    /// The text of a member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// The members of a member that is an object; empty for any other.
    pub(super) fn object(&self, name: &str) -> OverlayMembers<'static> {
        let all = self.raw(name).and_then(named).unwrap_or_default();
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let all = all.into_iter();
        OverlayMembers {
            all: all.map(|(name, raw)| (owned(name), owned(raw))).collect(),
            is_changed: false,
        }
    }

    /// Replaces the member with `raw`, or adds it after all others.
    pub(super) fn set(&mut self, name: &str, raw: String) {
        if self.raw(name) == Some(&raw) {
            return;
        }
        self.is_changed = true;
        match self.all.iter_mut().rev().find(|(known, _)| known == name) {
            Some((_, known)) => *known = Cow::Owned(raw),
            None => self.all.push((Cow::Owned(name.into()), Cow::Owned(raw))),
        }
    }

    /// Like `set`, with a string.
    pub(super) fn set_text(&mut self, name: &str, text: &str) {
        if self.text(name).as_deref() != Some(text) {
            self.set(name, quoted(text));
        }
    }

    /// Like `set`, with the members in `members`, if they were changed.
    pub(super) fn set_object(&mut self, name: &str, members: &OverlayMembers<'_>) {
        if members.is_changed {
            self.set(name, members.write());
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        let before = self.all.len();
        self.all.retain(|(known, _)| known != name);
        self.is_changed |= self.all.len() < before;
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// The object's text.
    pub(super) fn write(&self) -> String {
        let mut text = String::from("{");
        for (number, (name, raw)) in self.all.iter().enumerate() {
            if number > 0 {
                text.push(',');
            }
            text.push_str(&quoted(name));
            text.push(':');
            text.push_str(raw);
        }
        text.push('}');
        text
    }
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The members of the object `text`; `None` unless it is one.
fn named(text: &str) -> Option<Named<'_>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let all = json.deserialize_map(MembersVisitor).ok()?;
    json.end().ok().map(|()| all)
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Named<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some((name, raw)) = object.next_entry::<String, &'de RawValue>()? {
            all.push((Cow::Owned(name), Cow::Borrowed(raw.get())));
        }
        Ok(all)
    }
}
