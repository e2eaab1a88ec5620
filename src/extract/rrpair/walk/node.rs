//! What the content of a node becomes: a string, a number, headers or JSON text goes into the fields that the automaton
//! names there, or spoils them.

use std::borrow::Cow;

use serde::de::{self, Deserialize, Deserializer, Unexpected};

use super::Walk;
use crate::extract::profile::Encoding;
use crate::extract::rrpair::automaton::{AutomatonState, FieldAt};
use crate::extract::rrpair::fields::{Attributes, Bad, Slot};
use crate::extract::rrpair::headers::HeadersSeed;
use crate::record::{CapturedTopic, NameFault, TopicId};

impl Walk<'_> {
    /// Takes the string that a node holds.
    pub(super) fn text<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        text: &str,
    ) -> Result<(), E> {
        for filter in &state.filters {
            self.found.filtered_on.add(*filter, text);
        }
        state
            .fields
            .iter()
            .try_for_each(|at| self.text_field(at, text))
    }

    fn text_field<E: de::Error>(&mut self, at: &FieldAt, text: &str) -> Result<(), E> {
        match at.slot {
            Slot::Value | Slot::Key => {
                let bytes = match at.encoding {
                    Encoding::Base64 => self.batch.push_base64(text),
                    Encoding::Auto | Encoding::Text | Encoding::Json => {
                        Some(self.batch.push_bytes(text.as_bytes()))
                    }
                };
                match bytes {
                    Some(_) => self.set(at, |fields| fields.set_bytes(at.slot, bytes)),
                    None => {
                        self.spoil(at, Bad::NotBase64(at.slot));
                        Ok(())
                    }
                }
            }
            Slot::Topic if text.is_empty() => Ok(()),
            Slot::Topic => {
                if let Some(fault) = NameFault::of(text) {
                    self.spoil(at, Bad::NoTopicName(fault));
                    return Ok(());
                }
                if !self.has_room_for_topic() {
                    return Ok(());
                }
                let index = self.batch.topic_index_of_name(text);
                self.set(at, |fields| fields.set_topic(at.slot, index))
            }
            Slot::TopicId => {
                let Some(id) = TopicId::parse(text) else {
                    return Ok(());
                };
                if !self.has_room_for_topic() {
                    return Ok(());
                }
                let index = self.batch.topic_index(&CapturedTopic::Id(id));
                self.set(at, |fields| fields.set_topic(at.slot, index))
            }
            Slot::Attributes => {
                self.add_attributes(at, Attributes::from_text(text));
                Ok(())
            }
            Slot::Headers => {
                self.spoil(at, Bad::NotAString(at.slot));
                Ok(())
            }
            slot => {
                // 64-bit integers are strings in protobuf's JSON mapping.
                let number = slot.number_of(text);
                let wrong = || E::invalid_value(Unexpected::Str(text), &"an integer of 64 bits");
                self.number_field(at, number.ok_or_else(wrong)?)
            }
        }
    }

    /// Takes the integer that a node holds.
    pub(super) fn number<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        number: i64,
    ) -> Result<(), E> {
        for filter in &state.filters {
            self.found.filtered_on.add(*filter, &number.to_string());
        }
        state.fields.iter().try_for_each(|at| match at.slot {
            Slot::Value | Slot::Key => {
                self.not_a_string(state, at);
                Ok(())
            }
            Slot::Topic => self.text_field(at, &number.to_string()),
            _ => self.number_field(at, number),
        })
    }

    fn number_field<E: de::Error>(&mut self, at: &FieldAt, number: i64) -> Result<(), E> {
        match at.slot {
            Slot::Attributes => {
                self.add_attributes(at, Attributes::from_bits(number));
                Ok(())
            }
            Slot::Partition if i32::try_from(number).is_ok_and(|partition| partition >= 0) => {
                self.set(at, |fields| fields.set_number(at.slot, number))
            }
            Slot::Partition => Err(E::invalid_value(
                Unexpected::Signed(number),
                &"a partition's index",
            )),
            Slot::Topic | Slot::TopicId | Slot::Value | Slot::Key | Slot::Headers => {
                Err(E::invalid_value(
                    Unexpected::Signed(number),
                    &"what the profile says is there",
                ))
            }
            slot => self.set(at, |fields| fields.set_number(slot, number)),
        }
    }

    /// Asks for the JSON text of a key or value that is not a string, or spoils it where only a string will do.
    fn not_a_string(&mut self, state: &AutomatonState, at: &FieldAt) {
        match at.encoding {
            Encoding::Auto | Encoding::Json => {
                state.raw.set(true);
                self.again = true;
            }
            Encoding::Text | Encoding::Base64 => self.spoil(at, Bad::NotAString(at.slot)),
        }
    }

    /// Takes what is neither a string, an integer nor null.
    pub(super) fn odd<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        what: Unexpected<'_>,
    ) -> Result<(), E> {
        let scalar = match what {
            Unexpected::Bool(truth) => Some(truth.to_string()),
            Unexpected::Float(number) => Some(number.to_string()),
            _ => None,
        };
        if let Some(scalar) = scalar {
            for filter in &state.filters {
                self.found.filtered_on.add(*filter, &scalar);
            }
        }
        for at in &state.fields {
            match (at.slot, what) {
                (Slot::Value | Slot::Key, _) => self.not_a_string(state, at),
                // Elements and members are visited one by one.
                (Slot::Attributes, Unexpected::Seq)
                | (Slot::Headers, Unexpected::Seq | Unexpected::Map) => {}
                (Slot::Headers, _) => self.spoil(at, Bad::NotAString(at.slot)),
                // It is the answer that is odd, and not the request.
                (Slot::ErrorCode, _) => {}
                _ => return Err(E::invalid_type(what, &"a string or an integer")),
            }
        }
        Ok(())
    }

    /// Takes the JSON text of a node.
    pub(super) fn raw<E: de::Error>(
        &mut self,
        state: &AutomatonState,
        json: &str,
    ) -> Result<(), E> {
        for filter in &state.filters {
            self.found.filtered_on.add(*filter, json);
        }
        let text: Option<Cow<'_, str>> = match json.starts_with('"') {
            true => Some(
                Deserialize::deserialize(&mut serde_json::Deserializer::from_str(json))
                    .map_err(E::custom)?,
            ),
            false => None,
        };
        for at in &state.fields {
            match (&text, at.slot, at.encoding) {
                (_, Slot::Value | Slot::Key, Encoding::Json) => {
                    let bytes = Some(self.batch.push_bytes(json.as_bytes()));
                    self.set(at, |fields| fields.set_bytes(at.slot, bytes))?;
                }
                (Some(text), ..) => self.text_field(at, text)?,
                (None, ..) if json == "null" => {}
                (None, Slot::Value | Slot::Key, Encoding::Auto) => {
                    let bytes = Some(self.batch.push_bytes(json.as_bytes()));
                    self.set(at, |fields| fields.set_bytes(at.slot, bytes))?;
                }
                (None, Slot::Headers, _) => self.headers_of_text(at, json)?,
                (None, Slot::Value | Slot::Key, _) => self.spoil(at, Bad::NotAString(at.slot)),
                (None, ..) => match json.parse::<i64>() {
                    Ok(_) if at.slot == Slot::Topic => self.text_field(at, json)?,
                    Ok(number) => self.number_field(at, number)?,
                    Err(_) if at.slot == Slot::Attributes => {
                        self.add_attributes(at, Attributes::from_text(json));
                    }
                    Err(_) => {
                        return Err(E::invalid_type(
                            Unexpected::Other(json),
                            &"a string or an integer",
                        ));
                    }
                },
            }
        }
        Ok(())
    }

    pub(super) fn headers_field(state: &AutomatonState) -> Option<&FieldAt> {
        state.fields.iter().find(|at| at.slot == Slot::Headers)
    }

    /// Reads the headers that `read` finds at a node.
    pub(super) fn headers<E: de::Error>(
        &mut self,
        at: &FieldAt,
        read: impl FnOnce(HeadersSeed<'_>) -> Result<Option<Bad>, E>,
    ) -> Result<(), E> {
        let mark = self.batch.mark();
        let bad = read(HeadersSeed {
            batch: self.batch,
            unknown: &mut self.found.unknown,
            encoding: at.encoding,
        })?;
        if let Some(bad) = bad {
            self.spoil(at, bad);
        }
        let headers = self.batch.headers_since(mark);
        self.set(at, |fields| fields.set_headers(headers))
    }

    /// Reads the headers of a node whose JSON text another field asked for.
    fn headers_of_text<E: de::Error>(&mut self, at: &FieldAt, json: &str) -> Result<(), E> {
        if !json.starts_with(['{', '[']) {
            self.spoil(at, Bad::NotAString(at.slot));
            return Ok(());
        }
        let mut json = serde_json::Deserializer::from_str(json);
        self.headers(at, |seed| json.deserialize_any(seed).map_err(E::custom))
    }
}
