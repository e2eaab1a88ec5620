//! Turns what a line holds into records: the filter, control batches, topics known by id, copies of records
//! seen before, aborted transactions. What is left out is counted here.

mod faults;
mod naming;

pub(in crate::extract) use self::faults::BadText;
use self::faults::{bad_text, name_no_rrpair};
use super::aborted;
use super::aborted::Visibility;
use super::deduplicator::Deduplicator;
use super::deduplicator::retries::RetriedBatches;
use super::identities::BatchMark;
use super::pending::PendingTopicIds;
use super::sink::Sink;
use super::topic_ids::TopicIds;
use crate::config::{Extraction, Input, Overrides, RetriedRequests};
use crate::error::Error;
use crate::extract::census::{Census, CensusBuilder};
use crate::extract::input::envelope::{Envelope, EnvelopeContents, EnvelopeNode};
use crate::extract::profile::Profile;
use crate::extract::profile::filter::Filter;
use crate::extract::rrpair::engine::{Engine, RrPairError};
use crate::extract::rrpair::fields::{Attributes, Slot};
use crate::extract::rrpair::walk::found::{LineFindings, PartialRecord, RecordError};
use crate::record::{Batch, CapturedTopic, Mark, Origin, Record};
use crate::report::{Outcome, ProblemKind};

/// Reads RRPairs one by one into a sink.
pub(in crate::extract) struct Collector {
    envelope: Envelope,
    engine: Engine,
    filter: Filter,
    ids: TopicIds,
    deduplicator: Deduplicator,
    /// `None` if such requests are kept.
    retried: Option<RetriedBatches>,
    pending: PendingTopicIds,
    found: LineFindings,
    census_builder: CensusBuilder,
    inputs: Vec<Input>,
    overrides: Overrides,
    /// Which paths have matched something in RRPairs that passed the filter; `None` if no RRPair has.
    matched: Option<Vec<bool>>,
}

impl Collector {
    /// # Errors
    /// Returns [`Error::Config`] for paths and filters that do not parse.
    pub(in crate::extract) fn new(
        options: &Extraction,
        inputs: Vec<Input>,
        census: Census,
    ) -> Result<Self, Error> {
        let profile = Profile::chosen(options)?;
        let filter = profile.parsed_filter()?;
        let envelope = Envelope::of(&profile)?;
        let census_builder = CensusBuilder::new(census, &profile)?;
        let engine = match census_builder.wants_records() {
            true => Engine::capturing(&profile, &filter, census_builder.paths())?,
            false => Engine::of_filter(&filter),
        };
        profile.check_values()?;
        let overrides = match census_builder.wants_records() {
            true => options.overrides.clone(),
            false => Overrides::default(),
        };
        Ok(Self {
            found: engine.found(),
            envelope,
            engine,
            filter,
            ids: TopicIds::over(&options.topic_ids, inputs.iter().cloned()),
            deduplicator: Deduplicator::new(options),
            // A Fetch has producers as well, but no sequences: only a request shows what was sent again.
            retried: (options.retried == RetriedRequests::LeaveOut && profile.shows_retries())
                .then(RetriedBatches::default),
            pending: PendingTopicIds::default(),
            census_builder,
            inputs,
            overrides,
            matched: None,
        })
    }

    /// Puts the records of a text into `sink`: the text is an RRPair, or holds some. If it is damaged, the
    /// RRPairs before the damage are read.
    pub(in crate::extract) fn read(
        &mut self,
        text: &str,
        origin: Origin,
        sink: &mut Sink<'_>,
    ) -> Result<(), BadText> {
        let (nodes, damage) = match self.envelope.contents(text) {
            EnvelopeContents::Itself => return self.read_rrpair(text, origin, sink),
            EnvelopeContents::Within { nodes, damage } => (nodes, damage),
        };
        if nodes.is_empty() {
            name_no_rrpair(origin, sink);
        }
        for node in &nodes {
            self.read_node(node, origin, sink);
        }
        let damage = damage.map(|error| bad_text(RrPairError::Json(error), text, origin.line));
        damage.map_or(Ok(()), Err)
    }

    /// Like `read`, for a node of a text that begins at `origin`.
    fn read_node(&mut self, node: &EnvelopeNode<'_>, origin: Origin, sink: &mut Sink<'_>) {
        let origin = Origin {
            line: origin.line + node.lines,
            ..origin
        };
        let Some(rrpair) = node.rrpair() else {
            return name_no_rrpair(origin, sink);
        };
        if let Err(BadText { why, .. }) = self.read_rrpair(&rrpair, origin, sink) {
            sink.unreadable(ProblemKind::Unreadable, origin, || why);
        }
    }

    /// Puts the records of one RRPair into `sink`, or leaves it as it was.
    fn read_rrpair(
        &mut self,
        text: &str,
        origin: Origin,
        sink: &mut Sink<'_>,
    ) -> Result<(), BadText> {
        let mark = sink.batch.mark();
        self.engine
            .read(text, &mut sink.batch, &mut self.found)
            .map_err(|e| bad_text(e, text, origin.line))?;
        sink.tally.rrpairs += 1;
        learn(&self.found, &sink.batch, &mut self.ids);
        self.census_builder.observe(&self.found);
        let passes = self.filter.matches(&self.found.filtered_on);
        let captured_from = self.census_builder.captured_from(&self.found, passes);
        sink.batch.captured_from.extend(captured_from);
        if !passes {
            count_filtered(&self.found, mark, sink);
        }
        // Not earlier, because filtering takes back everything after the mark.
        self.release_named(sink);
        if !passes {
            return Ok(());
        }
        self.census_builder.observe_pass(text, &self.found);
        self.note_matched();
        sink.tally.fetches += 1;
        sink.tally.empty_fetches += u64::from(self.found.records.is_empty());
        let captured_ns = self.engine.captured_ns(&self.found.filtered_on);
        let given = aborted::given(&self.found, self.engine.offset_base_default);
        let retried = self.retried.as_mut();
        let retried = retried.map(|known| known.wrote_nothing(&self.found, &sink.batch));
        let retried = retried.unwrap_or_default();
        let mut partials = std::mem::take(&mut self.found.records);
        for (i, partial) in partials.drain(..).enumerate() {
            if retried.get(i) == Some(&true) {
                continue;
            }
            let visibility = given.get(i).copied().unwrap_or(Visibility::Visible);
            let capture = captured_ns.map(|time| sink.batch.capture_index(time));
            self.keep(&partial, visibility, (origin, capture), sink);
        }
        // Taken out and put back to reuse its memory.
        self.found.records = partials;
        Ok(())
    }

    /// Checks that what is kept about the records so far has not grown beyond its bound.
    ///
    /// # Errors
    /// Fails as [`Deduplicator::check_bound`] does.
    pub(in crate::extract) fn check_bound(&self) -> Result<(), Error> {
        self.deduplicator.check_bound()
    }

    /// Ends the reading: records held back for a name get none, and withheld records stay withheld.
    pub(in crate::extract) fn finish(&mut self, sink: &mut Sink<'_>) {
        for pending in self.pending.take_all() {
            self.release(&pending, None, sink);
        }
        self.deduplicator.finish(&mut sink.tally);
        self.name_unmatched(sink);
    }

    /// Puts a record into `sink`, with where and when its RRPair was captured.
    fn keep(
        &mut self,
        partial: &PartialRecord,
        visibility: Visibility,
        (origin, capture): (Origin, Option<u32>),
        sink: &mut Sink<'_>,
    ) {
        let fields = &partial.fields;
        if fields.attributes().has(Attributes::CONTROL) {
            sink.tally.found += 1;
            sink.tally.outcomes[Outcome::Control] += 1;
            return;
        }
        if let Some(error) = self.found.error(partial) {
            let what = match &error {
                RecordError::NoKnownValue(_) => ProblemKind::ValueUnknown,
                _ => ProblemKind::Unreadable,
            };
            sink.unreadable(what, origin, || error.to_string());
            return;
        }
        self.name_unknown_members(partial, origin, sink);
        sink.tally.transactional += u64::from(fields.attributes().has(Attributes::TRANSACTIONAL));
        let partition = fields
            .number(Slot::Partition)
            .and_then(|partition| i32::try_from(partition).ok());
        let mut record = Record {
            topic: fields.topic(Slot::Topic).or(fields.topic(Slot::TopicId)),
            partition: partition.or(self.engine.partition_default),
            offset: self.engine.record_offset(fields),
            timestamp_ms: fields.timestamp_ms(),
            key: fields.bytes(Slot::Key),
            value: fields.bytes(Slot::Value),
            headers: fields.headers(),
            origin,
            capture,
        };
        self.name(&mut record, sink);
        let mark = BatchMark {
            base_offset: fields.offset_base(self.engine.offset_base_default),
            crc: fields.number(Slot::Crc),
        };
        let identities = &mut self.deduplicator.identities;
        identities.observe(&sink.batch, &record, mark);
        self.place(record, visibility, sink);
    }

    /// Keeps the record, or holds it back until the name of its topic is known.
    fn place(&mut self, record: Record, visibility: Visibility, sink: &mut Sink<'_>) {
        if let Some(CapturedTopic::Id(id)) = sink.batch.topic(&record)
            && self.ids.may_still_learn(*id)
            && self.pending.hold(*id, &sink.batch, &record, visibility)
        {
            return;
        }
        if self.deduplicator.try_claim(
            sink.batch.topic(&record),
            &record,
            visibility,
            &mut sink.tally,
        ) {
            sink.batch.records.push(record);
        }
    }
}

/// Notes the names of topics and their ids.
fn learn(found: &LineFindings, batch: &Batch, ids: &mut TopicIds) {
    for (id, name) in &found.known_topics {
        if let (CapturedTopic::Id(id), CapturedTopic::Name(name)) =
            (&batch.topics[*id as usize], &batch.topics[*name as usize])
        {
            ids.learn(*id, name.clone());
        }
    }
}

/// Counts records of RRPairs that the filter leaves out; markers still count as markers.
fn count_filtered(found: &LineFindings, mark: Mark, sink: &mut Sink<'_>) {
    let is_control =
        |partial: &&PartialRecord| partial.fields.attributes().has(Attributes::CONTROL);
    let control = found.records.iter().filter(is_control).count() as u64;
    let all = found.records.len() as u64;
    sink.tally.found += all;
    sink.tally.outcomes[Outcome::Control] += control;
    sink.tally.outcomes[Outcome::Filtered] += all - control;
    sink.batch.roll_back(mark);
}
