//! Finds the JSON texts at the end of a plain path, in one pass, as they are written.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::extract::profile::path::PathStep;

/// The nodes of `text` that `path` leads to, up to where it is damaged.
pub(super) fn nodes<'t>(
    text: &'t str,
    path: &[PathStep],
) -> (Vec<&'t str>, serde_json::Result<()>) {
    let mut found = Vec::new();
    let mut json = serde_json::Deserializer::from_str(text);
    let seek = Seek {
        steps: path,
        found: &mut found,
    };
    let end = seek.deserialize(&mut json).and_then(|()| json.end());
    (found, end)
}

struct Seek<'s, 'f, 'de> {
    steps: &'s [PathStep],
    found: &'f mut Vec<&'de str>,
}

impl<'de> DeserializeSeed<'de> for Seek<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, node: D) -> Result<(), D::Error> {
        if !self.steps.is_empty() {
            return node.deserialize_any(self);
        }
        let json = <&RawValue>::deserialize(node)?;
        self.found.push(json.get());
        Ok(())
    }
}

impl<'s, 'de> Seek<'s, '_, 'de> {
    /// The seeker of a child, if the path goes through it.
    fn below(&mut self, fits: impl Fn(&PathStep) -> bool) -> Option<Seek<'s, '_, 'de>> {
        let (first, steps) = self.steps.split_first()?;
        let found = &mut *self.found;
        (*first == PathStep::Each || fits(first)).then_some(Seek { steps, found })
    }
}

impl<'de> Visitor<'de> for Seek<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut object: A) -> Result<(), A::Error> {
        while let Some(name) = object.next_key::<String>()? {
            match self.below(|step| matches!(step, PathStep::Name(wanted) if *wanted == name)) {
                Some(seek) => object.next_value_seed(seek)?,
                None => _ = object.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        for index in 0.. {
            let more = match self.below(|step| *step == PathStep::Index(index)) {
                Some(seek) => list.next_element_seed(seek)?,
                None => list.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
