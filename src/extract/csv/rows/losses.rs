//! What a row cannot carry, and what it may hide: counted and named, or a reason to read the RRPairs instead.

use ::csv::ByteRecord;

use super::{OnLoss, Rows};
use crate::extract::context::ReadStop;
use crate::extract::rrpair::fields::{Attributes, FieldSet, Slot};
use crate::record::{CapturedTopic, Mark, Origin};
use crate::report::ProblemKind;

impl<'a> Rows<'a> {
    /// Names the user's paths that head no column, at the first row: without any row, they could match
    /// nothing.
    pub(super) fn name_unmatched(&mut self) {
        let unmatched = std::mem::take(&mut self.unmatched);
        let origin = Origin { input: 0, line: 0 };
        let whys = unmatched.iter().map(|unmatched| unmatched.why.as_str());
        let whys: Vec<&str> = whys.collect();
        for _ in &whys {
            let problems = &mut self.sink.tally.problems;
            problems.add(ProblemKind::ColumnUnmatched, origin, || whys.join("; "));
        }
    }

    /// Warns once about what the row cannot show to be missing.
    pub(super) fn name_unseen(&mut self, row: Origin) {
        let unseen = std::mem::take(&mut self.columns.unseen);
        if unseen.is_empty() {
            return;
        }
        let origin = Origin { line: 1, ..row };
        self.sink
            .tally
            .problems
            .add(ProblemKind::LossUnseen, origin, || {
                format!(
                    "no column shows {}, so any that the capture contains go unnoticed",
                    unseen.join(", ")
                )
            });
    }

    pub(super) fn watch_sentinels(
        &mut self,
        row: &ByteRecord,
        origin: Origin,
    ) -> Result<(), ReadStop> {
        let mut lost: Vec<String> = Vec::new();
        for sentinel in &self.columns.sentinels {
            if !row[sentinel.column].is_empty() && !lost.contains(&sentinel.array) {
                lost.push(sentinel.array.clone());
            }
        }
        for array in lost {
            let why = format!(
                "a Fetch has more than one element of `{array}`, but a CSV row carries one"
            );
            self.loses(&why)?;
            self.sink.unreadable(ProblemKind::LostByCsv, origin, || why);
        }
        Ok(())
    }

    /// Changes to the RRPairs, if it is not too late for that, because the row cannot carry something.
    pub(super) fn loses(&self, why: &str) -> Result<(), ReadStop> {
        if self.wishes.on_loss == OnLoss::ChangeToRaw && self.sender.take_back() {
            return Err(ReadStop::NeedsRaw(why.into()));
        }
        Ok(())
    }

    /// Checks what a row shows of a record that it can carry only in part.
    pub(super) fn check_doubts(
        &mut self,
        row: &ByteRecord,
        index: usize,
        fields: &FieldSet,
        origin: Origin,
    ) -> Result<(), ReadStop> {
        let columns = &self.columns.records[index];
        if columns
            .headers
            .iter()
            .any(|column| !row[*column].is_empty())
        {
            let why = "a record has headers, which a CSV row does not carry";
            self.loses(why)?;
            self.sink
                .tally
                .problems
                .add(ProblemKind::HeadersLost, origin, || why.into());
        }
        let unknown = columns.unknown.iter();
        for (_, name) in unknown.filter(|(column, _)| !row[*column].is_empty()) {
            let problems = &mut self.sink.tally.problems;
            problems.add_about(ProblemKind::MemberUnknown, name, origin, || {
                format!("a record has a member called `{name}`, which the profile does not know")
            });
        }
        if fields.attributes().has(Attributes::TRANSACTIONAL) {
            let why = "a record is part of a transaction, but a CSV row does not show whether it was aborted";
            self.loses(why)?;
            self.sink
                .tally
                .problems
                .add(ProblemKind::Transactional, origin, || why.into());
        }
        Ok(())
    }

    /// Whether a record's topic is known by an id that neither row nor flags name.
    pub(super) fn has_no_name(&self, fields: &FieldSet) -> bool {
        let id = fields
            .topic(Slot::TopicId)
            .filter(|_| !fields.has(Slot::Topic));
        match id.map(|id| &self.sink.batch.topics[id as usize]) {
            Some(CapturedTopic::Id(id)) => {
                let deduplicator = self.wishes.deduplicator.borrow();
                self.wishes.topics.need_a_name() && deduplicator.identities.given(*id).is_none()
            }
            Some(CapturedTopic::Name(_)) | None => false,
        }
    }

    /// Counts an id without a name.
    pub(super) fn note_unnamed(&mut self, fields: &FieldSet) {
        let id = fields.topic(Slot::TopicId);
        if let Some(CapturedTopic::Id(id)) = id.map(|id| &self.sink.batch.topics[id as usize]) {
            let mut deduplicator = self.wishes.deduplicator.borrow_mut();
            deduplicator.identities.observe_id(*id);
            self.sink.tally.unresolved.add(*id);
        }
    }

    /// Counts and names a record that the row cannot carry, or changes to the RRPairs.
    pub(super) fn lose(&mut self, mark: Mark, why: &str, origin: Origin) -> Result<(), ReadStop> {
        self.loses(why)?;
        self.sink.batch.roll_back(mark);
        self.sink
            .unreadable(ProblemKind::LostByCsv, origin, || why.into());
        Ok(())
    }
}
