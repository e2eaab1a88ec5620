//! What captured topics are called at the destination (`-t`, `--map`), and which renamings match nothing:
//! such a renaming is most likely a typo, and its records would go where nobody wants them.

use std::collections::{HashMap, HashSet};

use crate::config::TopicNames;
use crate::config::nearest;
use crate::error::Error;
use crate::record::channel::Extent;
use crate::record::{Batch, CapturedTopic, Origin, TopicId};
use crate::report::{ProblemKind, Problems};

/// How many captured topics are kept to name the nearest one. A capture has more only if a path leads to
/// something that is not a topic.
const MOST_TOPICS: usize = 1000;

/// The names of topics at the destination.
pub(crate) struct Renamings<'a> {
    topics: &'a TopicNames,
    by_name: HashMap<&'a str, &'a str>,
    /// Renamings that no captured topic has matched so far, in the order given.
    unmet: Vec<(&'a str, &'a str)>,
    /// Topics of the records seen, as long as a renaming is unmatched.
    seen: HashSet<CapturedTopic>,
}

impl<'a> Renamings<'a> {
    pub(crate) fn new(topics: &'a TopicNames) -> Self {
        let named = match topics {
            TopicNames::One(_) => Vec::new(),
            TopicNames::Mapped(map) => map
                .iter()
                .filter(|(from, _)| from != "*")
                .map(|(from, to)| (from.as_str(), to.as_str()))
                .collect(),
        };
        Self {
            topics,
            by_name: named.iter().copied().collect(),
            unmet: named,
            seen: HashSet::new(),
        }
    }

    /// The topic that records of a captured topic go to. `None` for a topic that is known only by its id,
    /// and for records whose topic the capture does not name, unless all go to one topic.
    pub(crate) fn destination(&self, topic: Option<&CapturedTopic>) -> Option<String> {
        let map = match self.topics {
            TopicNames::One(name) => return Some(name.clone()),
            TopicNames::Mapped(map) => map,
        };
        let Some(CapturedTopic::Name(name)) = topic else {
            return None;
        };
        let others = || map.iter().find(|(from, _)| from == "*");
        let to = self.by_name.get(name.as_str()).copied();
        let to = to.or_else(|| others().map(|(_, to)| to.as_str()));
        Some(to.map_or_else(|| name.clone(), |to| to.replace("{topic}", name)))
    }

    /// Says why a record of `topic` is not sent for which there is no [`Renamings::destination`]; `sent` records
    /// were sent before it.
    ///
    /// # Errors
    /// Returns [`Error::NoTopic`] if it would be the first one: a capture that does not name its topic most likely
    /// names none.
    pub(crate) fn why_unplaceable(
        topic: Option<&CapturedTopic>,
        sent: u64,
        place: String,
    ) -> Result<&'static str, Error> {
        match topic {
            None if sent == 0 => Err(Error::NoTopic { place }),
            None => Ok("the capture does not name the record's topic"),
            Some(_) => Ok("nothing in the capture names the topic with this id"),
        }
    }

    /// Notes the topics of all records in `batch`, and of those that the selection has left out: a renaming
    /// applies to all parts of a capture.
    pub(crate) fn meet(&mut self, batch: &Batch) {
        if self.unmet.is_empty() {
            return;
        }
        for (topic, _) in &batch.left_out {
            self.note(topic);
        }
        let mut last = None;
        for record in &batch.records {
            // Records of one topic follow each other.
            if record.topic == last {
                continue;
            }
            last = record.topic;
            if let Some(topic) = batch.topic(record) {
                self.note(topic);
            }
        }
    }

    fn note(&mut self, topic: &CapturedTopic) {
        if self.seen.contains(topic) {
            return;
        }
        if let CapturedTopic::Name(name) = topic {
            self.unmet.retain(|(from, _)| from != name);
        }
        if self.seen.len() < MOST_TOPICS {
            self.seen.insert(topic.clone());
        }
    }

    /// Checks for renamings that match nothing before the first record is sent.
    ///
    /// # Errors
    /// Returns [`Error::Config`], which names all of them with the nearest captured topics, if the whole
    /// source is known by now; the mere beginning of a source does not show what is missing.
    pub(crate) fn check(&self, extent: Extent) -> Result<(), Error> {
        match self.unmatched() {
            Some(message) if extent == Extent::Whole => Err(Error::Config {
                message,
                hint: self.id_hint(),
            }),
            _ => Ok(()),
        }
    }

    /// The renamings that matched nothing in everything that was seen, in words. If nothing was captured at
    /// all, none could match.
    pub(crate) fn unmatched(&self) -> Option<String> {
        if self.unmet.is_empty() || self.seen.is_empty() {
            return None;
        }
        let mut names: Vec<&str> = self.seen.iter().filter_map(name_of).collect();
        names.sort_unstable();
        let whys = self.unmet.iter().map(|(from, to)| {
            let text = match self.is_captured_id(from) {
                true => {
                    format!("`--map {from}={to}` matches nothing: `{from}` is the id of a topic")
                }
                false => {
                    format!("`--map {from}={to}` matches nothing: no topic `{from}` is captured")
                }
            };
            nearest::with_nearest(text, nearest::nearest(from, names.iter().copied()))
        });
        Some(whys.collect::<Vec<_>>().join("; "))
    }

    /// Adds the renamings that matched nothing in the whole source to `problems`, and returns them in words.
    pub(crate) fn name_unmatched(&self, problems: &mut Problems) -> Option<String> {
        let why = self.unmatched()?;
        let whole = Origin { input: 0, line: 0 };
        for _ in &self.unmet {
            problems.add(ProblemKind::MapUnmatched, whole, || why.clone());
        }
        Some(why)
    }

    fn id_hint(&self) -> Option<String> {
        let mut unmet = self.unmet.iter();
        let (from, _) = unmet.find(|(from, _)| self.is_captured_id(from))?;
        Some(format!(
            "`--topic-id {from}=NAME` says what the topic is called"
        ))
    }

    fn is_captured_id(&self, from: &str) -> bool {
        let id = TopicId::parse(from).map(CapturedTopic::Id);
        id.is_some_and(|id| self.seen.contains(&id))
    }
}

fn name_of(topic: &CapturedTopic) -> Option<&str> {
    match topic {
        CapturedTopic::Name(name) => Some(name),
        CapturedTopic::Id(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Origin;
    use crate::record::lines;

    fn mapped(pairs: &[(&str, &str)]) -> TopicNames {
        let owned = pairs.iter().map(|(a, b)| ((*a).into(), (*b).into()));
        TopicNames::Mapped(owned.collect())
    }

    fn batch(topics: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for topic in topics {
            let line = format!(r#"{{"topic":"{topic}","value":""}}"#);
            let origin = Origin { input: 0, line: 1 };
            lines::read(line.as_bytes(), origin, &mut batch).expect("a record line");
        }
        batch
    }

    #[test]
    fn a_topic_without_a_name_ends_the_run_only_at_its_first_record() {
        let id = TopicId::parse("AAAAAAAAAAAAAAAAAAAAAQ").map(CapturedTopic::Id);
        let id = id.expect("an id");
        let place = || "in.jsonl:1".to_string();
        let why = |topic, sent| Renamings::why_unplaceable(topic, sent, place());
        let no_topic = Error::NoTopic { place: place() };
        assert_eq!(why(None, 0), Err(no_topic));
        let unnamed = why(None, 1).expect("a record was sent");
        assert!(unnamed.contains("does not name"), "{unnamed}");
        for sent in [0, 1] {
            let unknown = why(Some(&id), sent).expect("another topic may have a name");
            assert!(unknown.contains("this id"), "{unknown}");
        }
    }

    #[test]
    fn a_topic_is_renamed_by_its_name_before_the_pattern() {
        let topics = mapped(&[("*", "{topic}-copy"), ("a", "b"), ("c", "x.{topic}")]);
        let renamings = Renamings::new(&topics);
        for (name, to) in [("a", "b"), ("c", "x.c"), ("d", "d-copy")] {
            let topic = CapturedTopic::Name(name.into());
            assert_eq!(renamings.destination(Some(&topic)).as_deref(), Some(to));
        }
        let id = TopicId::parse("4jfhP0BF2SmV6Nl7qrdn9Q").expect("an id");
        assert_eq!(renamings.destination(Some(&CapturedTopic::Id(id))), None);
        assert_eq!(renamings.destination(None), None);
    }

    #[test]
    fn an_unmatched_renaming_is_an_error_once_the_whole_source_is_known() {
        let topics = mapped(&[("ordes", "x"), ("payments", "y"), ("*", "z")]);
        let mut renamings = Renamings::new(&topics);
        renamings.meet(&batch(&["orders", "orders"]));
        assert_eq!(renamings.check(Extent::Beginning), Ok(()));
        renamings.meet(&batch(&["payments"]));
        let error = renamings.check(Extent::Whole).expect_err("a typo");
        let said = "`--map ordes=x` matches nothing: no topic `ordes` is captured \
                    (did you mean `orders`?)";
        assert_eq!(error.to_string(), said);
        renamings.meet(&batch(&["ordes"]));
        assert_eq!(renamings.check(Extent::Whole), Ok(()));
    }

    #[test]
    fn an_empty_capture_has_no_unmatched_renaming() {
        let topics = mapped(&[("orders", "x")]);
        let renamings = Renamings::new(&topics);
        assert_eq!(renamings.check(Extent::Whole), Ok(()));
    }
}
