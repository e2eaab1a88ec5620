//! The user's changes to a profile: the paths, encodings and the filter of flags replace its own.

use super::Profile;
use super::candidates::Candidates;
use crate::config::Overrides;

impl Profile {
    /// Replaces the profile's paths by the user's. A value without a record path drops the profile's record path: then
    /// each node that the value path matches is a record, and the profile's knowledge of its own records no longer
    /// applies.
    pub(crate) fn with(mut self, overrides: &Overrides) -> Self {
        if let Some(record) = &overrides.record {
            self = self.without_records();
            self.record = Candidates::one(record);
        } else if overrides.value.is_some() {
            self = self.without_records();
        }
        let paths = [
            (&overrides.value, &mut self.value),
            (&overrides.key, &mut self.key),
            (&overrides.headers, &mut self.headers),
            (&overrides.topic, &mut self.topic_path),
            (&overrides.partition, &mut self.partition_path),
        ];
        for (path, field) in paths {
            if let Some(path) = path {
                *field = Candidates::one(path);
            }
        }
        if let Some(path) = &overrides.timestamp {
            self.timestamp = Candidates::one(path);
            self.timestamp_delta = Candidates::default();
            self.timestamp_base = Candidates::default();
        }
        if let Some(path) = &overrides.offset {
            self.offset_path = Candidates::one(path);
            self.offset_delta = Candidates::default();
            self.offset_base = Candidates::default();
            self.offset_base_default = None;
        }
        if overrides.topic.is_some() {
            self.topic_id_path = Candidates::default();
        }
        self.value_encoding = overrides.value_encoding.unwrap_or(self.value_encoding);
        self.key_encoding = overrides.key_encoding.unwrap_or(self.key_encoding);
        if let Some(encoding) = overrides.header_encoding {
            self.header_encoding = encoding;
            // The user's word also counts for headers whose encoding the profile names.
            let headers = self.headers.0.iter_mut();
            headers.for_each(|candidate| candidate.encoding = None);
        }
        if let Some(filter) = &overrides.filter {
            self.filter.clone_from(filter);
        }
        let mut flags: Vec<_> = overrides.by_flag().into();
        flags.push(("filter", overrides.filter.as_deref()));
        let given = flags.iter().filter(|(_, text)| text.is_some());
        self.written.flags = given.map(|(flag, _)| *flag).collect();
        self
    }

    /// Forgets the record path, and the paths that begin with it.
    fn without_records(mut self) -> Self {
        self.record = Candidates::default();
        self.known = None;
        let fields = [
            &mut self.value,
            &mut self.key,
            &mut self.headers,
            &mut self.offset_path,
            &mut self.offset_delta,
            &mut self.timestamp,
            &mut self.timestamp_delta,
        ];
        for field in fields {
            field.0.retain(|candidate| !candidate.path.starts_with('@'));
        }
        // Without a delta of its own, each other record of a batch would get the time of the first.
        self.timestamp_base = Candidates::default();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::BuiltInProfile;

    #[test]
    fn a_value_without_a_record_drops_the_record_path_and_what_is_below_it() {
        let overrides = Overrides {
            value: Some("$.a".into()),
            ..Overrides::default()
        };
        let profile = Profile::built_in(BuiltInProfile::Fetch).with(&overrides);
        assert_eq!(
            (
                profile.record.0.len(),
                profile.key.0.len(),
                profile.headers.0.len()
            ),
            (0, 0, 0)
        );
        assert_eq!(profile.value, Candidates::one("$.a"));
        assert_eq!(profile.topic_path.0.len(), 2);
    }
}
