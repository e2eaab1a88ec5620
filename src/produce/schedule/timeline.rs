//! The rhythm of a capture: when each record is due, by its time in the capture.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::record::select::OtherShards;
use crate::report::ProblemKind;

/// A distance between neighbours from here on is not a pause: a clock was set, or a record has an arbitrary
/// time.
const JUMP_NS: i128 = 365 * 86_400 * 1_000_000_000;

/// What a capture's times turned out to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Rhythm {
    /// Records whose time is before that of an earlier one of their partition. They are due with it.
    pub(super) clamped: u64,
    /// Others whose time is before that of the first record of the pass. They are due at once.
    pub(super) before_first: u64,
    /// Records without a time. They are due with the one before them.
    pub(super) untimed: u64,
    /// Pauses that were cut to the longest allowed one.
    pub(super) gaps: u64,
    /// How much of the capture's time was cut.
    pub(super) cut: Duration,
    /// Times that are more than a year from the one before, cut or not.
    pub(super) jumps: u64,
}

impl Rhythm {
    /// What is odd about the last record, compared with what was `known` before it.
    pub(super) fn oddity_since(&self, known: &Self) -> Option<TimeOddity> {
        match () {
            () if self.jumps > known.jumps => Some(TimeOddity::Jump),
            () if self.clamped > known.clamped => Some(TimeOddity::Back),
            () if self.before_first > known.before_first => Some(TimeOddity::BeforeFirst),
            () if self.untimed > known.untimed => Some(TimeOddity::Untimed),
            () => None,
        }
    }
}

/// What may be odd about a record's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::produce) enum TimeOddity {
    Jump,
    Back,
    BeforeFirst,
    Untimed,
}

impl TimeOddity {
    /// The kind of problem that it counts as.
    pub(in crate::produce) fn kind(self) -> ProblemKind {
        match self {
            Self::Jump => ProblemKind::TimeJump,
            Self::Back | Self::BeforeFirst => ProblemKind::TimeBack,
            Self::Untimed => ProblemKind::Untimed,
        }
    }

    /// The oddity in words.
    pub(in crate::produce) fn words(self) -> &'static str {
        match self {
            Self::Jump => "its time is more than a year away from that of the record before it",
            Self::Back => "its time is before that of an earlier record of its partition",
            Self::BeforeFirst => "its time is before that of the first record, so it goes at once",
            Self::Untimed => "it has no time, and goes with the record before it",
        }
    }
}

/// Due times for the records of a pass as they come, in steady seconds.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Seconds of the capture for each second of the replay.
    speed: f64,
    /// The longest pause, in nanoseconds.
    max_gap: Option<i128>,
    /// When the first pass has to begin, if that is given.
    given_start: Option<f64>,
    /// When the pass begins; `None` before its first record.
    start: Option<f64>,
    /// The time in the capture that is due at the start of the pass; it advances with everything that is left
    /// out.
    origin: i128,
    /// The time of the first record of the pass.
    first: i128,
    /// The latest time so far.
    latest: i128,
    /// Nanoseconds left out of pauses.
    cut: i128,
    /// The due time of the last record of each partition, and of all.
    partitions: Vec<f64>,
    last_due: f64,
    /// The latest due time of the pass.
    furthest: f64,
    /// How much of the capture earlier passes have replayed, in steady seconds.
    earlier: f64,
    rhythm: Rhythm,
    /// The whole capture, of which this machine has a share; `None` if this machine sends all of it.
    whole: Option<WholeTimes>,
}

/// The times of the records of all machines.
#[derive(Debug)]
struct WholeTimes {
    /// The time of the first record.
    first: i128,
    /// The times between which others have records that no record of this machine has passed.
    others: BTreeMap<i64, i64>,
    /// When the first record of this machine was due, in steady seconds.
    first_due: Option<f64>,
}

impl Timeline {
    /// A rhythm whose first pass begins at `given_start`, or else with its first record.
    pub(super) fn new(speed: f64, max_gap: Option<Duration>, given_start: Option<f64>) -> Self {
        Self {
            speed,
            max_gap: max_gap.map(nanoseconds),
            given_start,
            start: None,
            origin: 0,
            first: 0,
            latest: 0,
            cut: 0,
            partitions: Vec::new(),
            last_due: 0.0,
            furthest: 0.0,
            earlier: 0.0,
            rhythm: Rhythm::default(),
            whole: None,
        }
    }

    /// Uses the whole capture, whose first record has the time `first_ns`: that time is due at the start of a
    /// pass.
    pub(super) fn share(&mut self, first_ns: i64) {
        self.whole = Some(WholeTimes {
            first: first_ns.into(),
            others: BTreeMap::new(),
            first_due: None,
        });
    }

    /// Notes when other machines have records.
    pub(super) fn note_others(&mut self, others: &OtherShards) {
        let Some(whole) = &mut self.whole else {
            return;
        };
        for (from, to) in &others.spans {
            let known = whole.others.entry(*from).or_insert(*to);
            *known = *to.max(known);
        }
    }

    /// When the pass of the whole capture began; `None` if no other machine has a share of it.
    pub(super) fn shared_start(&self) -> Option<f64> {
        self.whole.as_ref()?;
        self.start
    }

    /// Begins anew with the first record of the next pass.
    pub(super) fn end_pass(&mut self) {
        if let (Some(start), Some(_)) = (self.start, &self.whole) {
            // For all machines, the next pass begins when the last record of the whole capture is due.
            self.pass_others(i64::MAX);
            self.given_start = Some(start + self.distance(self.latest));
        }
        self.earlier = self.covered();
        self.start = None;
        self.partitions.clear();
    }

    /// When a record of `partition` with `time_ns` is due. Without a time it is due with the one before
    /// it. The first record of a pass is due at `now`.
    pub(super) fn due(&mut self, time_ns: Option<i64>, partition: usize, now: f64) -> f64 {
        let start = match self.start {
            Some(start) => start,
            None => self.begin(time_ns, now),
        };
        if time_ns.is_none() {
            self.rhythm.untimed += 1;
        }
        let due = time_ns.map_or(self.last_due, |time| {
            self.pass_others(time);
            start + self.offset(time.into())
        });
        self.last_due = self.clamp(due, partition, time_ns);
        self.furthest = self.furthest.max(self.last_due);
        if let Some(whole) = &mut self.whole {
            whole.first_due.get_or_insert(self.last_due);
        }
        self.last_due
    }

    fn begin(&mut self, time_ns: Option<i64>, now: f64) -> f64 {
        let start = self.given_start.unwrap_or(now);
        (self.last_due, self.furthest) = (start, start);
        let first = self.whole.as_ref().map(|whole| whole.first);
        if let Some(origin) = first.or(time_ns.map(i128::from)) {
            self.given_start = None;
            self.start = Some(start);
            self.origin = origin;
            self.first = origin;
            self.latest = origin;
        }
        start
    }

    /// Lets the records of other machines pass that are due by `time`: a pause ends with the first of them.
    fn pass_others(&mut self, time: i64) {
        loop {
            let whole = self.whole.as_mut();
            let span = whole.and_then(|whole| {
                let span = whole.others.first_entry()?;
                (*span.key() <= time).then(|| span.remove_entry())
            });
            let Some((from, to)) = span else {
                return;
            };
            self.cut_pause(from.into());
            self.latest = self.latest.max(to.min(time).into());
            if let (Some(whole), true) = (&mut self.whole, to > time) {
                whole.others.insert(time, to);
                return;
            }
        }
    }

    /// The position of `time` in the pass, in seconds.
    fn offset(&mut self, time: i128) -> f64 {
        let gap = time - self.latest;
        if gap.abs() > JUMP_NS {
            self.rhythm.jumps += 1;
        }
        if gap < -JUMP_NS {
            // A clock was set back: what follows keeps its distances from here on. Otherwise all of it would
            // be overdue.
            self.origin += gap;
            self.first += gap;
            self.latest = time;
        }
        self.cut_pause(time);
        self.distance(time)
    }

    /// Advances to `time`, and leaves out what is too long of a pause before it.
    fn cut_pause(&mut self, time: i128) {
        let gap = time - self.latest;
        if let Some(most) = self.max_gap
            && gap > most
        {
            self.rhythm.gaps += 1;
            self.cut += gap - most;
            self.origin += gap - most;
        }
        self.latest = self.latest.max(time);
    }

    /// The distance from the start of the pass to `time`, in seconds.
    fn distance(&self, time: i128) -> f64 {
        (time - self.origin).max(0) as f64 / 1e9 / self.speed
    }

    /// Keeps a due time from being before that of the previous record in its partition, or before that of the
    /// first record.
    fn clamp(&mut self, due: f64, partition: usize, time_ns: Option<i64>) -> f64 {
        if self.partitions.len() <= partition {
            self.partitions.resize(partition + 1, f64::NEG_INFINITY);
        }
        let last = &mut self.partitions[partition];
        if due < *last {
            self.rhythm.clamped += 1;
        } else if time_ns.is_some_and(|time| i128::from(time) < self.first) {
            self.rhythm.before_first += 1;
        }
        *last = due.max(*last);
        *last
    }

    /// When a record with `time_ns` would be due, as far as pauses until then are known.
    pub(super) fn forecast(&self, time_ns: i64) -> Option<f64> {
        Some(self.start? + self.distance(time_ns.into()))
    }

    /// How much of the capture was due so far, in steady seconds, without cut pauses.
    pub(super) fn covered(&self) -> f64 {
        if let Some(whole) = &self.whole {
            return whole.first_due.map_or(0.0, |first| self.furthest - first);
        }
        let pass = self.start.map_or(0.0, |start| self.furthest - start);
        self.earlier + pass
    }

    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    pub(super) fn rhythm(&self) -> Rhythm {
        let cut = u64::try_from(self.cut).unwrap_or(u64::MAX);
        Rhythm {
            cut: Duration::from_nanos(cut),
            ..self.rhythm
        }
    }
}

fn nanoseconds(duration: Duration) -> i128 {
    i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const YEAR: i64 = 365 * 86_400 * SECOND;
    const START: i64 = 1_764_787_375 * SECOND;

    #[test]
    fn distances_are_divided_by_the_speed() {
        let mut timeline = Timeline::new(4.0, None, None);
        let dues = [0, 2, 10].map(|s| timeline.due(Some(START + s * SECOND), 0, 7.0));
        assert_eq!(dues, [7.0, 7.5, 9.5]);
        assert_eq!(timeline.covered(), 2.5);
    }

    #[test]
    fn a_long_pause_is_cut_and_counted() {
        let mut timeline = Timeline::new(1.0, Some(Duration::from_secs(5)), None);
        let dues = [0, 3, 103, 104].map(|s| timeline.due(Some(s * SECOND), 0, 0.0));
        assert_eq!(dues, [0.0, 3.0, 8.0, 9.0]);
        let rhythm = timeline.rhythm();
        assert_eq!((rhythm.gaps, rhythm.cut), (1, Duration::from_secs(95)));
    }

    #[test]
    fn a_time_that_goes_back_is_due_with_its_predecessor_and_counted() {
        let mut timeline = Timeline::new(1.0, None, None);
        let dues = [(0, 0), (9, 0), (4, 0), (4, 1), (10, 0)];
        let dues = dues.map(|(s, partition)| timeline.due(Some(s * SECOND), partition, 0.0));
        assert_eq!(dues, [0.0, 9.0, 9.0, 4.0, 10.0]);
        assert_eq!(timeline.rhythm().clamped, 1);
    }

    #[test]
    fn a_time_before_that_of_the_first_record_is_due_at_once_and_counted() {
        let mut timeline = Timeline::new(1.0, None, Some(0.0));
        // A share whose machines begin with the record at 10 s.
        timeline.share(START + 10 * SECOND);
        let records = [(12, 0), (4, 1), (5, 1), (11, 1)];
        let mut known = timeline.rhythm();
        let mut odd = Vec::new();
        for (s, partition) in records {
            let due = timeline.due(Some(START + s * SECOND), partition, 0.0);
            let now = timeline.rhythm();
            odd.push((due, now.oddity_since(&known)));
            known = now;
        }
        let before = Some(TimeOddity::BeforeFirst);
        let expected = [(2.0, None), (0.0, before), (0.0, before), (1.0, None)];
        assert_eq!(odd, expected);
        assert_eq!((known.before_first, known.clamped), (2, 0));
    }

    #[test]
    fn a_record_without_a_time_is_due_with_the_one_before_it() {
        let mut timeline = Timeline::new(1.0, None, None);
        let times = [None, Some(START), Some(START + SECOND), None];
        let dues = times.map(|time| timeline.due(time, 0, 3.0));
        assert_eq!(dues, [3.0, 3.0, 4.0, 4.0]);
        assert_eq!(timeline.rhythm().untimed, 2);
    }

    #[test]
    fn a_jump_of_years_is_counted_and_a_jump_back_leaves_nothing_overdue() {
        let mut timeline = Timeline::new(1.0, Some(Duration::from_secs(5)), None);
        let times = [START, START + 50 * YEAR, START + SECOND, START + 3 * SECOND];
        let dues = times.map(|time| timeline.due(Some(time), 0, 0.0));
        assert_eq!(dues, [0.0, 5.0, 5.0, 7.0]);
        let rhythm = timeline.rhythm();
        assert_eq!((rhythm.jumps, rhythm.gaps, rhythm.clamped), (2, 1, 0));
    }

    #[test]
    fn the_extremes_of_a_time_fit() {
        let mut timeline = Timeline::new(1.0, None, None);
        let dues = [i64::MIN, i64::MAX, 0, i64::MIN].map(|t| timeline.due(Some(t), 0, 0.0));
        assert!(dues.is_sorted() && dues.iter().all(|due| due.is_finite()));
        assert_eq!(timeline.rhythm().jumps, 3);
    }

    #[test]
    fn a_pass_whose_start_is_given_is_late_where_its_first_record_is() {
        let mut timeline = Timeline::new(1.0, None, Some(0.0));
        let dues = [0, 2].map(|s| timeline.due(Some(START + s * SECOND), 0, 1.5));
        assert_eq!(dues, [0.0, 2.0]);
        timeline.end_pass();
        assert_eq!(timeline.due(Some(START), 0, 2.5), 2.5);
    }

    #[test]
    fn each_pass_begins_with_its_first_record() {
        let mut timeline = Timeline::new(1.0, None, None);
        let mut pass = |now: f64| [0, 2].map(|s| timeline.due(Some(START + s * SECOND), 0, now));
        assert_eq!(pass(0.0), [0.0, 2.0]);
        timeline.end_pass();
        let mut pass = |now: f64| [0, 2].map(|s| timeline.due(Some(START + s * SECOND), 0, now));
        assert_eq!(pass(2.5), [2.5, 4.5]);
        assert_eq!(timeline.covered(), 4.0);
        assert_eq!(timeline.rhythm(), Rhythm::default());
    }

    proptest! {
        #[test]
        fn due_times_of_a_partition_never_go_back(
            speed in 0.01..1000.0_f64,
            max_gap in prop::option::of(0u64..100),
            records in prop::collection::vec((prop::option::of(any::<i64>()), 0usize..4), 1..200),
        ) {
            let mut timeline = Timeline::new(speed, max_gap.map(Duration::from_secs), None);
            let mut last = [0.0; 4];
            for (time, partition) in records {
                let due = timeline.due(time, partition, 0.0);
                prop_assert!(due >= last[partition]);
                last[partition] = due;
            }
        }

        /// Whatever comes between, the last record is due where its distance to the first says.
        #[test]
        fn due_times_do_not_drift(
            speed in 0.01..1000.0_f64,
            steps in prop::collection::vec(0i64..50_000_000, 1..300),
        ) {
            let mut timeline = Timeline::new(speed, None, None);
            timeline.due(Some(START), 0, 0.0);
            let (mut time, mut due) = (START, 0.0);
            for step in steps {
                time += step;
                due = timeline.due(Some(time), 0, 0.0);
            }
            let expected = (time - START) as f64 / 1e9 / speed;
            prop_assert!((due - expected).abs() < 1e-9 * expected.max(1.0));
        }

        /// On each machine a record is due when it is due if one machine sends everything, in every pass.
        #[test]
        fn shares_keep_the_time_of_the_whole(
            speed in 0.01..1000.0_f64,
            max_gap in prop::option::of(1i64..20),
            steps in prop::collection::vec((0i64..40, 0usize..5), 1..150),
            machines in 1usize..5,
            read_at_once in 1usize..40,
        ) {
            let mut time = START;
            let records: Vec<(i64, usize)> = steps
                .iter()
                .map(|(step, partition)| {
                    time += step * SECOND;
                    (time, *partition)
                })
                .collect();
            let gap = max_gap.map(|s| Duration::from_secs(s.unsigned_abs()));
            let new = || Timeline::new(speed, gap, Some(0.0));
            let mut whole = new();
            let mut shares: Vec<Timeline> = (0..machines).map(|_| new()).collect();
            shares.iter_mut().for_each(|share| share.share(records[0].0));
            for _ in 0..3 {
                // One machine begins a pass when it has sent the last record of the one before.
                let began = whole.furthest;
                for batch in records.chunks(read_at_once) {
                    for (machine, share) in shares.iter_mut().enumerate() {
                        let others = batch.iter().filter(|(_, p)| p % machines != machine);
                        let spans = others.map(|(time, _)| (*time, *time)).collect();
                        share.note_others(&OtherShards { spans, ..OtherShards::default() });
                    }
                    for (time, partition) in batch {
                        let expected = whole.due(Some(*time), *partition, began);
                        let share = &mut shares[partition % machines];
                        let due = share.due(Some(*time), *partition, 0.0);
                        prop_assert!((due - expected).abs() < 1e-6 * expected.max(1.0));
                    }
                }
                whole.end_pass();
                // A machine without records ends; the others continue.
                shares.iter_mut().for_each(Timeline::end_pass);
            }
        }

        /// What is left out of pauses, and what is not, is all of the capture.
        #[test]
        fn cut_and_kept_time_add_up_to_the_whole(
            max_gap in 1u64..20,
            steps in prop::collection::vec(0i64..60, 1..100),
        ) {
            let mut timeline = Timeline::new(1.0, Some(Duration::from_secs(max_gap)), None);
            timeline.due(Some(START), 0, 0.0);
            let (mut time, mut due) = (START, 0.0);
            for step in &steps {
                time += step * SECOND;
                due = timeline.due(Some(time), 0, 0.0);
            }
            let whole = (time - START) as f64 / 1e9;
            prop_assert!((due + timeline.rhythm().cut.as_secs_f64() - whole).abs() < 1e-6);
        }
    }
}
