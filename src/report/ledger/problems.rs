//! What went wrong with records, grouped: a count for each kind and the first place where it was seen. Their
//! memory is bounded whatever the input, because there are few kinds.

use crate::error::ExitCode;
use crate::host::visible::shortened;
use crate::record::Origin;

/// How many bytes are kept of the reason why something went wrong: it may repeat a value of the capture.
const LONGEST_WHY: usize = 2 << 10;

/// A kind of problem; its name is the `what` of the JSON report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// A line, row or record that cannot be read; each counts as one record.
    Unreadable,
    /// Records with none of the known value members, but others; counts as unreadable.
    ValueUnknown,
    /// Parts of Markdown RRPairs that kreplay does not understand: what they would change stays as it is in
    /// the `json:` line.
    SectionUnread,
    /// Parts of the input in which a profile looks for RRPairs, but that hold none.
    NoRrPair,
    /// Records sent without a member that the profile does not know: it may be the key or the headers.
    MemberUnknown,
    /// Records that a CSV row cannot carry and so were not read; counts as unreadable.
    LostByCsv,
    /// A CSV without the columns that would show what it lacks.
    LossUnseen,
    /// Records delivered without the headers that they were captured with.
    HeadersLost,
    /// Records of transactions in a CSV, which does not show whether they were aborted.
    Transactional,
    /// Records whose topic is known only by an id that nothing resolves; counts as unreadable.
    TopicUnknown,
    /// Records without a timestamp that can be kept, sent with the time of sending.
    TimestampLost,
    /// Times of records that are more than a year from the one before: a clock that was set, or a record with
    /// an arbitrary time.
    TimeJump,
    /// Records whose time is before that of an earlier one of their partition: they are due with it.
    TimeBack,
    /// Records without a time in a replay that uses times: they are due with the one before.
    Untimed,
    /// Records sent after later ones of their partition, because they came too late in the capture to be put
    /// in order.
    OutOfOrder,
    /// Records planned for another partition than the captured one, which the destination lacks.
    Displaced,
    /// Records in the log after later ones of their partition, because the broker first refused their batch.
    /// To a script it is the same problem.
    SentAgain,
    /// The user's own paths that match nothing in the whole input.
    PathUnmatched,
    /// The user's own paths that head no column of a CSV. To a script it is the same problem.
    ColumnUnmatched,
    /// Ids of `--topic-id` that no topic of the input has.
    TopicIdUnmatched,
    /// The user's renamings (`--map`) that match no captured topic.
    MapUnmatched,
    /// Globs of `--topics` that match no captured topic.
    TopicsUnmatched,
    /// No record is in the window of `--from` and `--to`.
    WindowOutside,
    /// Header rows between the rows of a CSV.
    HeaderAgain,
    /// Records whose offsets do not count among the gaps of `inspect`, because there are too many.
    GapsUncounted,
    /// Records with texts that data-loss prevention has replaced.
    Redacted,
    /// Records with dates that are still to be resolved.
    DatePlaceholder,
    /// Records certain not to be in the log.
    NotWritten,
    /// Records that may or may not be in the log.
    Unknown,
}

impl ProblemKind {
    /// The kind's name in the JSON report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::ValueUnknown => "value_unknown",
            Self::SectionUnread => "section_unread",
            Self::NoRrPair => "no_rrpair",
            Self::MemberUnknown => "member_unknown",
            Self::LostByCsv => "lost_by_csv",
            Self::LossUnseen => "loss_unseen",
            Self::HeadersLost => "headers_lost",
            Self::Transactional => "transactional",
            Self::TopicUnknown => "topic_unknown",
            Self::TimestampLost => "timestamp_lost",
            Self::TimeJump => "time_jump",
            Self::TimeBack => "time_back",
            Self::Untimed => "untimed",
            Self::OutOfOrder | Self::SentAgain => "out_of_order",
            Self::Displaced => "displaced",
            Self::PathUnmatched | Self::ColumnUnmatched => "path_unmatched",
            Self::TopicIdUnmatched => "topic_id_unmatched",
            Self::MapUnmatched => "map_unmatched",
            Self::TopicsUnmatched => "topics_unmatched",
            Self::WindowOutside => "window_outside",
            Self::HeaderAgain => "header_again",
            Self::GapsUncounted => "gaps_uncounted",
            Self::Redacted => "redacted",
            Self::DatePlaceholder => "date_placeholder",
            Self::NotWritten => "not_written",
            Self::Unknown => "unknown",
        }
    }

    /// Whether something was lost, so that the run was not a full success.
    pub(in crate::report) fn is_lossy(self) -> bool {
        !matches!(
            self,
            Self::TimestampLost
                | Self::TimeJump
                | Self::TimeBack
                | Self::Untimed
                | Self::OutOfOrder
                | Self::SentAgain
                | Self::HeaderAgain
                | Self::LossUnseen
                | Self::NoRrPair
                | Self::GapsUncounted
                | Self::Redacted
                | Self::DatePlaceholder
        )
    }

    /// What the user can do about it, if anything.
    #[must_use]
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::LostByCsv | Self::LossUnseen | Self::HeadersLost | Self::Transactional => {
                Some("`kreplay snapshot <ID> --via raw` reads the RRPairs and loses none")
            }
            Self::TopicUnknown => {
                Some("name the topic with `--topic-id ID=NAME`, or use `-t TOPIC`")
            }
            Self::TopicIdUnmatched => {
                Some("`kreplay inspect` lists the ids that nothing in the capture names")
            }
            Self::TopicsUnmatched => Some("`kreplay inspect` lists the topics of a capture"),
            Self::WindowOutside => Some(
                "`--clock record` uses the records' own timestamps, `--clock capture` the times of the capture",
            ),
            Self::MapUnmatched => Some(
                "`--map` takes captured names; `--topic-id ID=NAME` names a topic known only by its id",
            ),
            Self::OutOfOrder => Some(
                "consumers that read different parts of a topic overlap: select one with `--filter`, \
                 or accept the order with `--allow-reordered`",
            ),
            Self::TimeJump => Some("`--max-gap 5s` cuts such a pause, and all others, to 5 s"),
            Self::Displaced => Some(
                "give the topic the captured partitions, or use `--partition key` if keys decide",
            ),
            Self::SentAgain => Some(
                "`--on-refused leave` keeps such records in the rejects instead of sending them again",
            ),
            Self::ValueUnknown => Some(
                "`kreplay inspect --paths` lists every path that occurs; name the value with `--value PATH`",
            ),
            Self::MemberUnknown => Some(
                "if it is the key or the headers, name it with `--key @.NAME` or `--headers @.NAME`; \
                 otherwise add it to `known` in a profile of your own (`kreplay profile` prints one)",
            ),
            Self::Redacted => Some(
                "the service receives values other than the original ones; \
                 `--fail-on-redacted` ends a replay before it sends them",
            ),
            Self::DatePlaceholder => Some(
                "a replay sends such records only with `--resolve-dates`, which turns the placeholders into dates",
            ),
            Self::PathUnmatched => Some("`kreplay inspect --paths` lists every path that occurs"),
            Self::ColumnUnmatched => {
                Some("the first line of a CSV names its columns: the paths that speedctl was given")
            }
            _ => None,
        }
    }
}

/// One kind of problem in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The kind.
    pub what: ProblemKind,
    /// What it is about, if kinds are distinguished by that; otherwise empty.
    pub about: String,
    /// How many records (or lines) it affects.
    pub count: u64,
    /// Where it was first seen.
    pub first: Origin,
    /// Why, in words, at that first place.
    pub why: String,
}

/// The problems of a run, in the order in which their kinds were first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// What they mean for the exit code; [`crate::report::Reordered`] judges records out of order.
    pub(in crate::report) fn exit(&self) -> ExitCode {
        match self.first_lossy() {
            Some(_) => ExitCode::Incomplete,
            None => ExitCode::Success,
        }
    }

    /// The first kind of problem by which something was lost.
    pub(crate) fn first_lossy(&self) -> Option<&Problem> {
        self.iter().find(|problem| problem.what.is_lossy())
    }

    /// Counts one more; calls `why` only for the first of its kind.
    pub fn add(&mut self, what: ProblemKind, origin: Origin, why: impl FnOnce() -> String) {
        self.add_about(what, "", origin, why);
    }

    /// Like [`Problems::add`], for a kind that is distinguished by what it is about. Callers limit how many
    /// of these there are.
    pub fn add_about(
        &mut self,
        what: ProblemKind,
        about: &str,
        origin: Origin,
        why: impl FnOnce() -> String,
    ) {
        let is_it = |known: &&mut Problem| known.what == what && known.about == about;
        match self.0.iter_mut().find(is_it) {
            Some(known) => known.count += 1,
            None => self.0.push(Problem {
                what,
                about: about.into(),
                count: 1,
                first: origin,
                why: shortened(&why(), LONGEST_WHY).into_owned(),
            }),
        }
    }

    /// Adds what a later part of the run counted.
    pub fn merge(&mut self, later: Self) {
        for problem in later.0 {
            let is_it =
                |known: &&mut Problem| (known.what, &known.about) == (problem.what, &problem.about);
            match self.0.iter_mut().find(is_it) {
                Some(known) => known.count += problem.count,
                None => self.0.push(problem),
            }
        }
    }

    /// Counts this many of a kind that is not there yet.
    pub(crate) fn add_many(
        &mut self,
        what: ProblemKind,
        count: u64,
        first: Origin,
        why: impl FnOnce() -> String,
    ) {
        self.add(what, first, why);
        if let Some(problem) = self.0.iter_mut().find(|problem| problem.what == what) {
            problem.count = count;
        }
    }

    /// Removes a kind that turned out not to be a problem.
    pub(crate) fn forget(&mut self, what: ProblemKind) {
        self.0.retain(|problem| problem.what != what);
    }

    /// Bytes of memory that they take.
    pub(in crate::report) fn weight(&self) -> usize {
        let problems = self.0.iter();
        problems
            .map(|problem| size_of::<Problem>() + problem.about.len() + problem.why.len())
            .sum()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_adds_counts_and_keeps_the_first_place() {
        let at = |line| Origin { input: 0, line };
        let mut problems = Problems::default();
        problems.add(ProblemKind::Unreadable, at(3), || "first".into());
        let mut later = Problems::default();
        later.add(ProblemKind::Unreadable, at(9), || "second".into());
        later.add(ProblemKind::NotWritten, at(10), || "third".into());
        problems.merge(later);
        let seen: Vec<_> = problems
            .iter()
            .map(|p| (p.what, p.count, p.first.line, p.why.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (ProblemKind::Unreadable, 2, 3, "first"),
                (ProblemKind::NotWritten, 1, 10, "third")
            ]
        );
    }
}
