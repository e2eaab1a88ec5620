//! Selects a part of a capture. This is pure: only the records and the user's flags decide.
//!
//! The tests come in a fixed order: topic, time, sample, skip and limit, shard. So `--limit` counts what the
//! tests before it let through, and all shards together are what one machine would send.

mod clock;
mod globs;
mod moment;
mod selection;
mod shard;
mod whole;

use std::collections::HashMap;

pub(crate) use self::clock::{Clock, captured_timestamp_ms, known_timestamp_ms};
pub(crate) use self::globs::TopicGlobs;
pub(crate) use self::moment::Moment;
pub(crate) use self::selection::Selection;
pub(crate) use self::shard::{Sample, Shard};
use self::whole::WholeCapture;
pub(crate) use self::whole::{FirstRecord, OtherShards, WholeRecord};
use super::{Origin, captured};
use crate::config::nearest;
use crate::report::{ProblemKind, Tally, Unselected};

/// Topics kept to name the nearest one. A capture has more only if a path leads to something that is not a
/// topic.
const MOST_TOPICS: usize = 1000;

/// A record, as far as the selection asks about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CandidateRecord<'a> {
    pub(crate) topic: Option<&'a str>,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<&'a [u8]>,
    /// By the clock that the user chose, in nanoseconds since 1970.
    pub(crate) time_ns: Option<i64>,
}

/// Whether a record is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Selected,
    LeftOut(LeftOut),
}

/// Why a record is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LeftOut {
    Topic,
    BeforeWindow,
    AfterWindow,
    /// It has no time, but the user gave a window.
    NoTime,
    Sample,
    Skipped,
    /// The limit was reached before it.
    BeyondLimit,
    OtherShard,
}

/// What is known about a captured topic.
#[derive(Debug, Clone, Copy)]
struct TopicSeen {
    is_taken: bool,
    /// The highest partition of the records that were left out; `None` if no record was.
    left_out: Option<Option<i32>>,
}

/// Selects records in the order of the source.
#[derive(Debug)]
pub(crate) struct Selector {
    selection: Selection,
    topics: HashMap<String, TopicSeen>,
    span: Option<(i64, i64)>,
    first_time: Option<i64>,
    /// The number of records without a key so far.
    keyless: u64,
    /// The number of records tested against the window.
    timed: u64,
    /// The number of records within the window.
    in_window: u64,
    /// The number of records tested against `--skip`.
    counted: u64,
    /// The whole capture, of which the shard is a share; `None` if one machine sends everything.
    whole: Option<WholeCapture>,
}

impl Selector {
    pub(crate) fn new(selection: Selection) -> Self {
        let shard = selection.shard;
        let whole = shard.map(|_| WholeCapture::new(selection.longest_pause));
        Self {
            selection,
            whole,
            topics: HashMap::new(),
            span: None,
            first_time: None,
            keyless: 0,
            timed: 0,
            in_window: 0,
            counted: 0,
        }
    }

    /// Forgets all records.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(std::mem::take(&mut self.selection));
    }

    /// Whether no later record can be selected.
    pub(crate) fn has_enough(&self) -> bool {
        let Selection { skip, limit, .. } = self.selection;
        limit.is_some_and(|limit| self.counted >= skip.saturating_add(limit))
    }

    /// Notes a record that is left out; returns whether it shows a topic or a partition that no record left
    /// out before has shown.
    pub(crate) fn shows_more(&mut self, record: &CandidateRecord<'_>) -> bool {
        let seen = record.topic.and_then(|topic| self.topics.get_mut(topic));
        seen.is_some_and(|seen| {
            let is_more = seen.left_out < Some(record.partition);
            seen.left_out = seen.left_out.max(Some(record.partition));
            is_more
        })
    }

    /// Decides about the next record.
    pub(crate) fn choose(&mut self, record: &CandidateRecord<'_>) -> Choice {
        if self.has_enough() {
            return Choice::LeftOut(LeftOut::BeyondLimit);
        }
        // The window begins with the first record of the capture, selected or not.
        if let Some(time) = record.time_ns {
            self.first_time.get_or_insert(time);
        }
        let left_out = self
            .topic(record)
            .or_else(|| self.window(record))
            .or_else(|| self.sample(record));
        if let Some(why) = left_out {
            return Choice::LeftOut(why);
        }
        self.counted += 1;
        if self.counted <= self.selection.skip {
            return Choice::LeftOut(LeftOut::Skipped);
        }
        match self.selection.shard {
            Some(shard) if !shard.has(record.topic, record.partition) => {
                Choice::LeftOut(LeftOut::OtherShard)
            }
            _ => Choice::Selected,
        }
    }

    /// Notes the decision about a record: a shard uses the times of the whole capture.
    pub(crate) fn note(&mut self, choice: Choice, record: &WholeRecord<'_>) {
        let Some(whole) = &mut self.whole else {
            return;
        };
        match choice {
            Choice::Selected => whole.add(record),
            Choice::LeftOut(LeftOut::OtherShard) => {
                whole.add(record);
                record
                    .time_ns
                    .into_iter()
                    .for_each(|time| whole.add_other(time));
            }
            Choice::LeftOut(_) => {}
        }
    }

    /// What other machines have among the records since the last call.
    pub(crate) fn take_others(&mut self) -> OtherShards {
        let whole = self.whole.as_mut();
        whole.map(WholeCapture::take).unwrap_or_default()
    }

    fn topic(&mut self, record: &CandidateRecord<'_>) -> Option<LeftOut> {
        let globs = &mut self.selection.topics;
        let Some(topic) = record.topic else {
            return (!globs.takes_unnamed()).then_some(LeftOut::Topic);
        };
        let taken = match self.topics.get(topic) {
            Some(seen) => seen.is_taken,
            None => {
                let taken = globs.takes(topic);
                if self.topics.len() < MOST_TOPICS {
                    let seen = TopicSeen {
                        is_taken: taken,
                        left_out: None,
                    };
                    self.topics.insert(topic.to_owned(), seen);
                }
                taken
            }
        };
        (!taken).then_some(LeftOut::Topic)
    }

    fn window(&mut self, record: &CandidateRecord<'_>) -> Option<LeftOut> {
        if !self.selection.has_window() {
            return None;
        }
        self.timed += 1;
        let (Some(time), Some(first)) = (record.time_ns, self.first_time) else {
            return Some(LeftOut::NoTime);
        };
        let (earliest, latest) = self.span.get_or_insert((time, time));
        *earliest = time.min(*earliest);
        *latest = time.max(*latest);
        let Selection { from, to, .. } = self.selection;
        if from.is_some_and(|from| time < from.on(first)) {
            return Some(LeftOut::BeforeWindow);
        }
        if to.is_some_and(|to| time >= to.on(first)) {
            return Some(LeftOut::AfterWindow);
        }
        self.in_window += 1;
        None
    }

    fn sample(&mut self, record: &CandidateRecord<'_>) -> Option<LeftOut> {
        let sample = self.selection.sample?;
        let is_in = match record.key {
            Some(key) => sample.has_key(key),
            None => {
                self.keyless += 1;
                sample.has_position(self.keyless - 1)
            }
        };
        (!is_in).then_some(LeftOut::Sample)
    }

    /// Names, after everything was read, the parts of the selection that cannot have been meant.
    pub(crate) fn finish(&self, tally: &mut Tally) {
        // The selection applies to the whole input.
        let whole = Origin { input: 0, line: 0 };
        if let Some(why) = self.outside() {
            tally
                .problems
                .add(ProblemKind::WindowOutside, whole, || why);
        }
        // If nothing was captured, nothing is misspelt.
        if self.topics.is_empty() {
            return;
        }
        let mut seen: Vec<&str> = self.topics.keys().map(String::as_str).collect();
        seen.sort_unstable();
        let globs = self.selection.topics.unmatched();
        let whys = globs.map(|glob| {
            let text = format!("`{glob}` of `--topics` matches nothing: no such topic is captured");
            let name = glob.trim_start_matches('!');
            nearest::with_nearest(text, nearest::nearest(name, seen.iter().copied()))
        });
        let whys: Vec<String> = whys.collect();
        for _ in &whys {
            let problems = &mut tally.problems;
            problems.add(ProblemKind::TopicsUnmatched, whole, || whys.join("; "));
        }
    }

    /// Why the window holds no record, if it holds none.
    fn outside(&self) -> Option<String> {
        if !self.selection.has_window() || self.timed == 0 || self.in_window > 0 {
            return None;
        }
        let flag = |name, moment: Option<Moment>| moment.map(|moment| format!("`{name} {moment}`"));
        let flags = [
            flag("--from", self.selection.from),
            flag("--to", self.selection.to),
        ];
        let flags: Vec<String> = flags.into_iter().flatten().collect();
        let flags = flags.join(" ");
        Some(match self.span {
            None => format!("{flags} leaves out all records: none has a time by this `--clock`"),
            Some((earliest, latest)) => {
                let (earliest, latest) = (captured::text(earliest), captured::text(latest));
                format!("{flags} leaves out all records: the capture spans {earliest} to {latest}")
            }
        })
    }
}

/// Counts a record that is left out.
pub(crate) fn count(unselected: &mut Unselected, why: LeftOut) {
    *match why {
        LeftOut::Topic => &mut unselected.topics,
        LeftOut::BeforeWindow => &mut unselected.from,
        LeftOut::AfterWindow => &mut unselected.to,
        LeftOut::NoTime => &mut unselected.no_time,
        LeftOut::Sample => &mut unselected.sample,
        LeftOut::Skipped => &mut unselected.skip,
        LeftOut::BeyondLimit => &mut unselected.limit,
        LeftOut::OtherShard => &mut unselected.shard,
    } += 1;
}

#[cfg(test)]
mod tests;
