use super::*;

const P: PartitionId = (0, 3);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A sample of [`P`], where records with the offsets from 100 to before `target` were sent, one each
/// hundredth of a second.
fn sample(target: i64, committed: Option<i64>) -> PartitionSample {
    let read = committed.unwrap_or(100).clamp(100, target) - 100;
    PartitionSample {
        range: DeliveredRange {
            partition: P,
            first: 100,
            target,
            delivered: (target - 100).unsigned_abs(),
        },
        committed,
        reached: ReadSoFar {
            done: read.unsigned_abs(),
            waiting_since: (read + 100 < target).then(|| seconds(read as f64 / 100.0)),
        },
    }
}

impl GroupWatch {
    /// Of 100 records from offset 100 on, all delivered by 0.
    fn committed(&mut self, now: f64, committed: i64) {
        self.saw_committed(seconds(now), Duration::ZERO, [sample(200, Some(committed))]);
    }
}

/// A group with two members that has committed 100 before this run, which delivers 100 to 199 at once.
fn watch() -> GroupWatch {
    let mut watch = GroupWatch::default();
    watch.saw_members(Membership::Members(2));
    watch.committed(0.0, 100);
    watch
}

fn state(watch: &GroupWatch, now: f64) -> PartitionState {
    watch.findings(seconds(now)).partitions[0].state
}

#[test]
fn a_group_that_was_not_looked_at_since_the_last_delivery_is_not_drained() {
    let delivered = |target| [sample(target, None).range];
    // It was never looked at.
    let mut unseen = GroupWatch::default();
    unseen.saw_delivered(seconds(1.0), delivered(200));
    let found = unseen.findings(seconds(2.0));
    let why = "the run ended before the group was looked at".to_owned();
    assert_eq!(
        (found.verdict, found.drain),
        (GroupVerdict::Unseen(why), None)
    );
    // It had committed all that there was by then.
    let mut behind = watch();
    behind.committed(1.0, 200);
    behind.saw_delivered(seconds(2.0), delivered(230));
    let found = behind.findings(seconds(2.0));
    let progressing = GroupVerdict::NotDrained(PartitionState::Progressing);
    assert_eq!((found.verdict, found.drain), (progressing, None));
    assert_eq!(found.partitions[0].target, 230);
    // Nothing was delivered.
    let mut idle = GroupWatch::default();
    idle.saw_delivered(Duration::ZERO, []);
    assert_eq!(idle.findings(seconds(2.0)).verdict, GroupVerdict::Drained);
}

#[test]
fn drained_is_past_the_last_delivered_record_whatever_the_end_of_the_log() {
    let mut watch = watch();
    watch.committed(1.0, 199);
    assert!(!watch.is_drained());
    assert_eq!((watch.lag(), watch.done()), (1, 99));
    watch.committed(2.5, 200);
    let found = watch.findings(seconds(9.0));
    assert_eq!(
        (found.verdict, found.drain),
        (GroupVerdict::Drained, Some(seconds(2.5)))
    );
    // A commit after a transaction's marker is just as good.
    watch.committed(3.0, 201);
    assert!(watch.is_drained());
    // What is delivered later has to be read as well; the time counts from there.
    let later = |committed| [sample(205, Some(committed))];
    watch.saw_committed(seconds(4.1), seconds(4.0), later(201));
    assert_eq!(watch.findings(seconds(4.1)).drain, None);
    watch.saw_committed(seconds(6.0), seconds(4.0), later(205));
    assert_eq!(watch.findings(seconds(6.0)).drain, Some(seconds(2.0)));
}

#[test]
fn each_reason_not_to_be_drained_has_its_name() {
    let mut watch = watch();
    assert_eq!(state(&watch, 99.0), PartitionState::CommittedBefore);
    watch.committed(1.0, 150);
    assert_eq!(state(&watch, 10.9), PartitionState::Progressing);
    assert_eq!(state(&watch, 11.0), PartitionState::Stuck);
    let ends = |start, stable, high| LogEnds {
        start,
        stable,
        high,
    };
    // All 50 records before the open transaction are read. The client that commits no further than its last
    // record is at the end as well as the one that commits past a marker.
    for stable in [150, 151] {
        watch.saw_log(P, ends(Some(0), Some((stable, 50)), Some(200)));
        assert_eq!(state(&watch, 2.0), PartitionState::Blocked);
    }
    // It has some to read before that, or nothing is open.
    watch.saw_log(P, ends(Some(0), Some((151, 51)), Some(200)));
    assert_eq!(state(&watch, 2.0), PartitionState::Progressing);
    watch.saw_log(P, ends(Some(0), Some((200, 100)), Some(200)));
    assert_eq!(state(&watch, 2.0), PartitionState::Progressing);
    watch.saw_log(P, ends(Some(151), None, None));
    assert_eq!(state(&watch, 2.0), PartitionState::Deleted);
    watch.saw_log(P, ends(Some(150), None, None));
    assert_eq!(state(&watch, 2.0), PartitionState::Progressing);
    watch.saw_log(P, LogEnds::default());
    let none = [sample(200, None)];
    watch.saw_committed(seconds(2.0), Duration::ZERO, none);
    assert_eq!(state(&watch, 2.0), PartitionState::NoOffset);
}

#[test]
fn a_group_that_commits_rarely_is_not_stuck_between_two_commits() {
    let mut watch = watch();
    for n in 1..=4 {
        watch.committed(5.0 * f64::from(n), 100 + 20 * i64::from(n));
    }
    assert_eq!(
        watch.findings(seconds(20.0)).commit_interval,
        Some(seconds(5.0))
    );
    assert_eq!(state(&watch, 34.9), PartitionState::Progressing);
    assert_eq!(state(&watch, 35.0), PartitionState::Stuck);
}

#[test]
fn a_service_without_work_makes_no_commit_interval() {
    let mut watch = watch();
    watch.committed(1.0, 150);
    watch.committed(1.5, 200);
    // Nothing to read for eight seconds.
    let later = |committed| [sample(300, Some(committed))];
    watch.saw_committed(seconds(9.5), seconds(9.0), later(250));
    watch.saw_committed(seconds(10.0), seconds(9.0), later(300));
    let found = watch.findings(seconds(10.0));
    assert_eq!(found.commit_interval, Some(seconds(0.5)));
}

#[test]
fn a_missing_group_or_one_without_members_is_the_only_reason_given() {
    for (membership, verdict) in [
        (Membership::Missing, GroupVerdict::NoSuchGroup),
        (Membership::Empty, GroupVerdict::NoMembers),
        (
            Membership::Unseen("no right".into()),
            GroupVerdict::Unseen("no right".into()),
        ),
        (
            Membership::Members(1),
            GroupVerdict::NotDrained(PartitionState::CommittedBefore),
        ),
    ] {
        let mut watch = watch();
        watch.saw_members(membership);
        assert_eq!(watch.findings(seconds(1.0)).verdict, verdict);
        // A member that read everything and left has done its part.
        watch.committed(1.0, 200);
        assert_eq!(watch.findings(seconds(1.0)).verdict, GroupVerdict::Drained);
    }
}

#[test]
fn the_peak_of_the_lag_is_known_in_records_and_in_seconds() {
    let mut watch = watch();
    // A hundred records a second are delivered, fifty a second committed.
    for second in 1..=10_i32 {
        let now = seconds(f64::from(second));
        let committed = Some(100 + 50 * i64::from(second));
        let now_there = [sample(100 + 100 * i64::from(second), committed)];
        watch.saw_committed(now, now, now_there);
    }
    let found = watch.findings(seconds(10.0));
    // 1,000 are delivered by then, 500 committed; the next one was sent at second 5.
    assert_eq!(found.peak_lag, 500);
    assert_eq!(found.peak_lag_time, seconds(5.0));
    let rates = found.rates.expect("four windows");
    assert_eq!((rates.median, rates.p10, rates.p90), (50.0, 50.0, 50.0));
    assert_eq!((rates.window, rates.windows), (seconds(2.0), 4));
    assert_eq!(watch.rate(), Some(50.0));
}

#[test]
fn what_is_remembered_of_commits_does_not_grow_with_time() {
    let mut progress = CommitProgress::default();
    for n in 1..100_000_u32 {
        progress.add(seconds(f64::from(n)), u64::from(n) * 7);
    }
    let rates = progress.rates(None).expect("many windows");
    assert_eq!((rates.median, rates.p10, rates.p90), (7.0, 7.0, 7.0));
    assert!(rates.windows < 1 << 12, "{}", rates.windows);
}
