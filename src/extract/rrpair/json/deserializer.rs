//! The reader as serde sees it: nodes, the members of an object, the elements of a list, and names.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::escapes::name;
use super::given_up::{GivenUp, JsonResult};
use super::reader::JsonReader;
use super::text::{INSIDE, TEXT};

impl<'de> Deserializer<'de> for &mut JsonReader<'de, '_> {
    type Error = GivenUp;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> JsonResult<V::Value> {
        match self.token()? {
            b'"' => {
                self.at += 1;
                match self.string()? {
                    Ok(text) => visitor.visit_borrowed_str(text),
                    Err(text) => visitor.visit_str(text),
                }
            }
            b'{' => {
                self.enter()?;
                let value = visitor.visit_map(ContainerAccess::of(self))?;
                self.depth -= 1;
                Ok(value)
            }
            b'[' => {
                self.enter()?;
                let value = visitor.visit_seq(ContainerAccess::of(self))?;
                self.depth -= 1;
                Ok(value)
            }
            b't' => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.word("null")?;
                visitor.visit_unit()
            }
            _ => self.number(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> JsonResult<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        wanted: &'static str,
        visitor: V,
    ) -> JsonResult<V::Value> {
        let token = self.token()?;
        match wanted {
            TEXT => {
                let start = self.at;
                self.skip()?;
                visitor.visit_borrowed_str(&self.text[start..self.at])
            }
            INSIDE if !matches!(token, b'{' | b'[' | b'n') => {
                self.skip()?;
                visitor.visit_bool(true)
            }
            INSIDE => self.deserialize_any(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct map struct enum identifier
    }
}

/// An object or a list whose opening bracket was taken.
pub(super) struct ContainerAccess<'r, 'de, 's> {
    pub(super) reader: &'r mut JsonReader<'de, 's>,
    is_first: bool,
}

impl<'r, 'de, 's> ContainerAccess<'r, 'de, 's> {
    pub(super) fn of(reader: &'r mut JsonReader<'de, 's>) -> Self {
        let is_first = true;
        Self { reader, is_first }
    }

    /// Goes to the next member or element, or behind the `close` bracket where there is none.
    pub(super) fn has_more(&mut self, close: u8) -> JsonResult<bool> {
        let token = self.reader.token()?;
        if token == close {
            self.reader.at += 1;
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.reader.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> MapAccess<'de> for ContainerAccess<'_, 'de, '_> {
    type Error = GivenUp;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> JsonResult<Option<K::Value>> {
        if !self.has_more(b'}')? {
            return Ok(None);
        }
        self.reader.take(b'"')?;
        seed.deserialize(NameDeserializer(self.reader)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> JsonResult<V::Value> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// A member's name, from behind its opening quote. One that is ignored is looked at, too, as
/// serde_json does.
struct NameDeserializer<'r, 'de, 's>(&'r mut JsonReader<'de, 's>);

impl<'de> Deserializer<'de> for NameDeserializer<'_, 'de, '_> {
    type Error = GivenUp;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> JsonResult<V::Value> {
        match self.0.string()? {
            Ok(name) => visitor.visit_borrowed_str(name),
            Err(name) => visitor.visit_str(name),
        }
    }

    /// A name that is only looked up need not be one that can be written down.
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> JsonResult<V::Value> {
        let start = self.0.at;
        match self.0.string() {
            Ok(Ok(name)) => visitor.visit_borrowed_str(name),
            Ok(Err(name)) => visitor.visit_str(name),
            Err(GivenUp) => {
                self.0.at = start;
                visitor.visit_string(name(self.0.raw_string()?))
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum ignored_any
    }
}

impl<'de> SeqAccess<'de> for ContainerAccess<'_, 'de, '_> {
    type Error = GivenUp;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> JsonResult<Option<T::Value>> {
        match self.has_more(b']')? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }
}
