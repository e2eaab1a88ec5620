//! Where all readers put what they find: a batch that is sent on whenever the reader would otherwise wait,
//! and the counts that go with it. What the user does not select is left out here, after duplicates and names
//! of topics and before the channel, so that it is the same for every command.

use std::cell::RefCell;

use crate::error::Error;
use crate::extract::context::ReadStop;
use crate::record::channel::{Closed, Sender, SourceBatch};
use crate::record::select::{
    CandidateRecord, Choice, Clock, Selection, Selector, WholeRecord, count, known_timestamp_ms,
};
use crate::record::substitutes::Substitutes;
use crate::record::{Batch, CapturedTopic, Mark, Origin, Record};
use crate::report::{Outcome, ProblemKind, Tally};

/// Records in a batch at which it is handed over early.
const MOST_RECORDS: usize = 8192;
/// Bytes in a batch at which it is handed over early.
const MOST_BYTES: usize = 1 << 20;

/// The way out of an extraction: the selection, then the channel. One for all inputs of a run.
pub(in crate::extract) struct Outlet {
    sender: Sender,
    /// `None` if everything is selected.
    selector: Option<RefCell<Selector>>,
    clock: Clock,
}

impl Outlet {
    pub(in crate::extract) fn new(sender: Sender, selection: &Selection) -> Self {
        let selects = !selection.is_everything();
        Self {
            sender,
            selector: selects.then(|| RefCell::new(Selector::new(selection.clone()))),
            clock: selection.clock,
        }
    }

    /// See [`Sender::take_back`].
    pub(in crate::extract) fn take_back(&self) -> bool {
        let taken_back = self.sender.take_back();
        if let (true, Some(selector)) = (taken_back, &self.selector) {
            selector.borrow_mut().reset();
        }
        taken_back
    }

    /// Says how reading ended.
    pub(in crate::extract) fn finish(self, end: Result<(), ReadStop>) {
        if let (Ok(()), Some(selector)) = (&end, &self.selector) {
            let mut source_batch = SourceBatch::default();
            let mut selector = selector.borrow_mut();
            selector.finish(&mut source_batch.tally);
            source_batch.others = selector.take_others();
            // A receiver that has gone knows this.
            _ = self.sender.send(source_batch);
        }
        match end {
            Ok(()) | Err(ReadStop::Closed) => self.sender.finish(Ok(())),
            Err(ReadStop::Enough) => self.sender.finish_early(),
            Err(ReadStop::Failed(error)) => self.sender.finish(Err(error)),
            Err(ReadStop::NeedsRaw(why)) => self.sender.finish(Err(Error::Defect {
                what: format!("nothing reads raw after: {why}"),
            })),
        }
    }
}

/// A batch being filled.
pub(in crate::extract) struct Sink<'a> {
    pub(in crate::extract) batch: Batch,
    pub(in crate::extract) tally: Tally,
    /// `None` if the owner of the sink takes what is in it.
    outlet: Option<&'a Outlet>,
    /// The records before this mark in the batch are selected.
    chosen: Mark,
}

impl<'a> Sink<'a> {
    pub(in crate::extract) fn new(outlet: &'a Outlet) -> Self {
        let batch = Batch::default();
        Self {
            chosen: batch.mark(),
            batch,
            tally: Tally::default(),
            outlet: Some(outlet),
        }
    }

    /// A sink that sends nothing on: see [`Sink::take`].
    pub(in crate::extract) fn detached() -> Self {
        let batch = Batch::default();
        Self {
            chosen: batch.mark(),
            batch,
            tally: Tally::default(),
            outlet: None,
        }
    }

    /// Takes out what the sink holds.
    pub(in crate::extract) fn take(&mut self) -> SourceBatch {
        let batch = self.batch.hand_over();
        let substitutes = Substitutes::find(&batch);
        let mut tally = std::mem::take(&mut self.tally);
        count_substitutes(&batch, &substitutes, &mut tally);
        let selector = self.outlet.and_then(|outlet| outlet.selector.as_ref());
        let others = selector.map(|selector| selector.borrow_mut().take_others());
        let source_batch = SourceBatch {
            batch,
            tally,
            substitutes,
            others: others.unwrap_or_default(),
        };
        self.chosen = self.batch.mark();
        source_batch
    }

    /// Counts a line, row or record that cannot be read.
    pub(in crate::extract) fn unreadable(
        &mut self,
        what: ProblemKind,
        origin: Origin,
        why: impl FnOnce() -> String,
    ) {
        self.tally.found += 1;
        self.tally.outcomes[Outcome::Unreadable] += 1;
        self.tally.problems.add(what, origin, why);
    }

    /// Selects among the records of a text that was read to its end, and sends them on when there is enough.
    ///
    /// # Errors
    /// Returns [`ReadStop::Closed`] if production accepts no more records, and [`ReadStop::Enough`] if no
    /// record after these can be selected.
    pub(in crate::extract) fn flush_if_full(&mut self) -> Result<(), ReadStop> {
        self.select()?;
        if self.batch.records.len() >= MOST_RECORDS || self.batch.weight() >= MOST_BYTES {
            self.hand_over()?;
        }
        Ok(())
    }

    /// Like [`Sink::flush_if_full`], but sends on whatever there is.
    ///
    /// # Errors
    /// Fails as [`Sink::flush_if_full`] does.
    pub(in crate::extract) fn flush(&mut self) -> Result<(), ReadStop> {
        self.select()?;
        Ok(self.hand_over()?)
    }

    /// Ends the reading before the end of an input, of which `bytes` were read and not counted.
    pub(in crate::extract) fn stopped(&mut self, stop: ReadStop, bytes: u64) -> ReadStop {
        self.tally.bytes += bytes;
        match stop {
            ReadStop::Enough => self.flush().err().unwrap_or(ReadStop::Enough),
            stop => stop,
        }
    }

    fn hand_over(&mut self) -> Result<(), Closed> {
        match self.outlet {
            Some(outlet) => outlet.sender.send(self.take()),
            None => Ok(()),
        }
    }

    /// Leaves out those of the records not checked yet that are not selected.
    fn select(&mut self) -> Result<(), ReadStop> {
        let Some((outlet, selector)) = self.outlet.and_then(|o| Some((o, o.selector.as_ref()?)))
        else {
            return Ok(());
        };
        let mut selector = selector.borrow_mut();
        let mut records = self.batch.records.split_off(self.chosen.records());
        records.retain(|record| {
            choose(
                outlet.clock,
                &mut selector,
                &mut self.batch,
                record,
                &mut self.tally,
            )
        });
        match records.is_empty() {
            true => self.batch.roll_back(self.chosen),
            false => self.batch.records.append(&mut records),
        }
        self.chosen = self.batch.mark();
        if !selector.has_enough() {
            return Ok(());
        }
        drop(selector);
        self.tally.unselected.ended_early = true;
        self.hand_over()?;
        Err(ReadStop::Enough)
    }
}

/// Counts by topic the records that differ from what the application received, and names the first.
fn count_substitutes(batch: &Batch, substitutes: &Substitutes, tally: &mut Tally) {
    let Tally {
        redacted,
        date_placeholders,
        problems,
        ..
    } = tally;
    let kinds = [
        (
            (&substitutes.redacted, redacted, ProblemKind::Redacted),
            "a text in it begins with `REDACTED-`: data-loss prevention has replaced the original",
        ),
        (
            (
                &substitutes.dated,
                date_placeholders,
                ProblemKind::DatePlaceholder,
            ),
            "it holds `{speedscale_date(...)}`, a date that is still to be resolved",
        ),
    ];
    for ((indices, topics, what), why) in kinds {
        for index in indices {
            let record = &batch.records[*index as usize];
            let topic = batch.topic(record).map(ToString::to_string);
            topics.add(&topic.unwrap_or_default());
            problems.add(what, record.origin, || why.into());
        }
    }
}

/// Whether a record is selected; counts it if not.
fn choose(
    clock: Clock,
    selector: &mut Selector,
    batch: &mut Batch,
    record: &Record,
    tally: &mut Tally,
) -> bool {
    let topic = batch.topic(record);
    let id = match topic {
        Some(CapturedTopic::Id(id)) => Some((*id, id.to_string())),
        _ => None,
    };
    let name = match (topic, &id) {
        (Some(CapturedTopic::Name(name)), _) => Some(name.as_str()),
        (_, Some((_, text))) => Some(text.as_str()),
        _ => None,
    };
    let subject = CandidateRecord {
        topic: name,
        partition: record.partition,
        key: record.key.map(|key| batch.slice(key)),
        time_ns: clock.time_ns(batch, record),
    };
    let choice = selector.choose(&subject);
    selector.note(
        choice,
        &WholeRecord {
            topic: name,
            partition: record.partition,
            offset: record.offset,
            time_ns: subject.time_ns,
            timestamp_ms: known_timestamp_ms(record),
            bytes: batch.size(record),
        },
    );
    let Choice::LeftOut(why) = choice else {
        return true;
    };
    if selector.shows_more(&subject) {
        let topic = topic.cloned();
        let left_out = topic.map(|topic| (topic, record.partition));
        batch.left_out.extend(left_out);
    }
    count(&mut tally.unselected, why);
    if let Some((id, _)) = id {
        tally.unresolved.remove(id);
    }
    false
}
