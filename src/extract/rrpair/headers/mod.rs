//! Reads the headers of a record straight into the batch: a list of `{key, value}` objects as in Kafka's
//! captures, or an object of names and values as in HTTP's. Order and repeated names are kept.

mod object;
mod text;
mod values;

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};

use self::object::ObjectSeed;
use self::text::{HeaderBytes, HeadersResult, TextSeed};
use self::values::{ValuesSeed, check_room};
use super::fields::Bad;
use super::walk::found::UnknownNames;
use crate::extract::profile::Encoding;
use crate::record::Batch;

/// Reads headers into a batch.
pub(in crate::extract) struct HeadersSeed<'b> {
    pub(in crate::extract) batch: &'b mut Batch,
    pub(in crate::extract) unknown: &'b mut UnknownNames,
    /// How a value becomes bytes if the name of its member does not say.
    pub(in crate::extract) encoding: Encoding,
}

impl<'de> Visitor<'de> for HeadersSeed<'_> {
    type Value = Option<Bad>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of headers, or an object")
    }

    /// Reads a list of header objects.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> HeadersResult<A::Error> {
        let Self {
            batch,
            unknown,
            encoding,
        } = self;
        let mut bad = None;
        while let Some(one) = seq.next_element_seed(ObjectSeed {
            batch,
            unknown,
            encoding,
        })? {
            bad = bad.or(one);
            check_room(batch)?;
        }
        Ok(bad)
    }

    /// Reads an object: one header for each member, several for one whose value is a list.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> HeadersResult<A::Error> {
        let Self {
            batch, encoding, ..
        } = self;
        let mut bad = None;
        while let Some(name) = map.next_key_seed(TextSeed {
            batch,
            encoding: Encoding::Text,
        })? {
            let HeaderBytes::Some(name) = name else {
                continue;
            };
            let values = ValuesSeed {
                batch,
                name,
                encoding,
            };
            bad = bad.or(map.next_value_seed(values)?);
            check_room(batch)?;
        }
        Ok(bad)
    }
}
