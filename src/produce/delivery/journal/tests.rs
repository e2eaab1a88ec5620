//! Tests lines and states of journals with every kind of damage and with many runs in a row.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::checksum::{Checkpoint, Checksum, push};
use super::line;
use super::line::{JournalLine, JournalState, ParsedJournal, Unusable};
use super::{Identity, JournalWriter, NewOutcomes};
use crate::host::control::Control;
use crate::produce::delivery::Deliveries;
use crate::produce::delivery::ages::InFlightAges;
use crate::produce::delivery::budget::InFlightBudget;
use crate::produce::delivery::rejects::Rejects;
use crate::record::lines;
use crate::record::offsets::Offsets;
use crate::record::{Batch, Origin};

/// An identity, as the first line of a journal has it.
fn identity() -> Identity {
    let json = r#"{"kreplay_journal":3,"input":{"kind":"rrpairs","inputs":["/a"]},
        "extraction":{"profile":"","flags":[],"duplicates":"left_out","aborted":"left_out"},
        "cluster":"c","destination":{"map":[]}}"#;
    serde_json::from_str(json).expect("it is one")
}

fn deliveries() -> Deliveries {
    let deliveries = Deliveries::new(
        Arc::default(),
        Rejects::default(),
        InFlightBudget::of(1 << 20, std::time::Duration::from_secs(300)),
        InFlightAges::new(None),
        0,
        None,
    );
    deliveries.account().answers = Some(NewOutcomes::default());
    deliveries
}

fn positions(offsets: &Offsets) -> BTreeSet<i64> {
    let ranges = offsets.ranges().into_iter();
    ranges.flat_map(|(start, end)| start..end).collect()
}

/// A journal of three lines: 0 to 3 delivered, 4 not written, 5 to 9 uncertain.
fn journal() -> Vec<u8> {
    let lines = [
        JournalLine {
            n: 2,
            sending: vec![(0, 6)],
            ..JournalLine::default()
        },
        JournalLine {
            n: 3,
            delivered: vec![(0, 2)],
            sending: vec![(6, 10)],
            ..JournalLine::default()
        },
        JournalLine {
            n: 4,
            delivered: vec![(2, 4)],
            not_written: vec![(4, 5)],
            ..JournalLine::default()
        },
    ];
    let begun = JournalState::default().text(&identity());
    let lines = lines.iter().flat_map(line::encode);
    begun.into_iter().chain(lines).collect()
}

fn read(text: &[u8]) -> Result<ParsedJournal, Unusable> {
    line::read(text, &identity())
}

#[test]
fn journal_lines_add_up() {
    let found = read(&journal()).expect("it is whole");
    assert_eq!(positions(&found.state.delivered), (0..4).collect());
    assert_eq!(positions(&found.state.uncertain), (5..10).collect());
    assert_eq!((found.n, found.damaged), (4, None));
}

#[test]
fn every_changed_byte_is_noticed_and_makes_nothing_delivered() {
    let whole = journal();
    let (mut refused, mut doubted, mut restored) = (0, 0, 0);
    for at in 0..whole.len() {
        for change in [1, 2, 4, 0x20] {
            let mut text = whole.clone();
            text[at] ^= change;
            match read(&text) {
                Err(_) => refused += 1,
                Ok(found) => {
                    let delivered = positions(&found.state.delivered);
                    assert!(delivered.is_subset(&(0..4).collect()), "{at}");
                    match found.state.count_uncertain() {
                        None => doubted += 1,
                        // One of the two first lines, or the very last byte.
                        Some(5) if delivered.len() == 4 => restored += 1,
                        bound => panic!("{at}: {bound:?} of {found:?}"),
                    }
                }
            }
        }
    }
    assert!(refused > 0 && doubted > 0 && restored > 0);
}

#[test]
fn a_journal_cut_anywhere_keeps_the_meaning_of_its_whole_lines() {
    let whole = journal();
    let begun = JournalState::default().text(&identity()).len();
    for cut in begun..=whole.len() {
        let found = read(&whole[..cut]).expect("the first lines are there");
        assert_eq!(found.damaged, None, "{cut}");
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        // A line that lacks only its end counts.
        let is_whole = whole.get(cut) == Some(&b'\n');
        let n = lines - 2 + usize::from(is_whole);
        assert_eq!(found.n, n as u64, "{cut}");
        assert!(
            found.length <= cut as u64 && (found.lacks_newline == is_whole),
            "{cut}"
        );
    }
}

#[test]
fn a_line_that_is_missing_is_noticed() {
    let text = journal();
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    lines.remove(3);
    let found = read(&lines.concat()).expect("its beginning is there");
    assert_eq!(found.state.count_uncertain(), None);
}

/// The result of sending a record.
#[derive(Debug, Clone, Copy)]
enum RecordEnd {
    Delivered,
    NotWritten,
    /// In the log, without an answer.
    Unanswered,
    /// Neither in the log nor answered.
    Lost,
}

/// A step of a run: this many records are announced, and this many of those get their results.
type Step = (u64, Vec<RecordEnd>);

fn end() -> impl Strategy<Value = RecordEnd> {
    prop_oneof![
        4 => Just(RecordEnd::Delivered),
        1 => Just(RecordEnd::NotWritten),
        1 => Just(RecordEnd::Unanswered),
        1 => Just(RecordEnd::Lost),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    (1_u64..9, prop::collection::vec(end(), 0..9))
}

proptest! {
    #[test]
    fn whatever_ends_runs_what_is_in_the_log_is_delivered_or_uncertain(
        runs in prop::collection::vec(prop::collection::vec(step(), 0..6), 1..6),
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("journal");
        // Computed by a simple account: what is in the log, what was acknowledged, what was announced.
        let (mut log, mut acknowledged, mut announced) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for steps in runs {
            let deliveries = deliveries();
            let mut journal = JournalWriter::open(&path, identity(), &Control::default()).expect("it is ours");
            let delivered = |journal: &JournalWriter, position: &i64| journal.has_delivered(position.unsigned_abs());
            let said = journal.resume(0).may_repeat.expect("it is whole");
            let known: BTreeSet<i64> = announced.iter().copied().filter(|p| delivered(&journal, p)).collect();
            prop_assert!(known.is_subset(&acknowledged));
            let unknown = log.difference(&known).count() as u64;
            prop_assert!(unknown <= said, "{} in the log, {} said", unknown, said);
            let most = announced.difference(&known).count() as u64;
            prop_assert!(said <= most, "{} said, {} announced", said, most);
            let mut next = 0_i64;
            for (records, ends) in steps {
                let slice: Vec<i64> = (next..next + records.cast_signed()).collect();
                next += records.cast_signed();
                let positions = slice.iter().map(|p| p.unsigned_abs());
                journal.announce(positions, &deliveries).expect("there is room");
                // This happens when the window fills in the middle of a slice.
                journal.update(&deliveries).expect("there is room");
                announced.extend(slice.iter().copied());
                let sent = slice.iter().filter(|p| !known.contains(p));
                for (position, end) in sent.zip(&ends) {
                    let mut account = deliveries.account();
                    let answers = account.answers.as_mut().expect("a journal is kept");
                    match end {
                        RecordEnd::Delivered => {
                            answers.delivered(position.unsigned_abs());
                            log.insert(*position);
                            acknowledged.insert(*position);
                        }
                        RecordEnd::NotWritten => answers.not_written(position.unsigned_abs()),
                        RecordEnd::Unanswered => {
                            log.insert(*position);
                        }
                        RecordEnd::Lost => {}
                    }
                }
            }
            // The run is killed: the answers to the last slice are not written down.
        }
    }
}

/// A batch of records with these offsets.
fn batch(offsets: impl IntoIterator<Item = u64>) -> Batch {
    let mut batch = Batch::default();
    for offset in offsets {
        let line = format!(r#"{{"topic":"t","partition":0,"offset":{offset},"value":"v"}}"#);
        let origin = Origin { input: 0, line: 1 };
        lines::read(line.as_bytes(), origin, &mut batch).expect("a record line");
    }
    batch
}

/// What a run leaves that has seen these batches and delivered everything before `ends`.
fn left(batches: &[Batch], ends: &[u64]) -> Vec<Checkpoint> {
    let mut checksum = Checksum::expecting(&[]);
    assert!(batches.iter().all(|batch| checksum.add(batch)));
    let mut read = Vec::new();
    for end in ends {
        push(&mut read, checksum.at(*end).expect("it was read"));
    }
    read
}

#[test]
fn the_same_records_are_recognised_however_they_are_batched() {
    let read = left(&[batch(0..3), batch(3..10)], &[4, 10]);
    for (batches, confirmed) in [
        (vec![batch(0..10)], u64::MAX),
        (vec![batch(0..7), batch(7..20)], u64::MAX),
        (vec![batch(0..9)], 4),
        (vec![batch(0..3)], 0),
    ] {
        let mut checksum = Checksum::expecting(&read);
        assert!(batches.iter().all(|batch| checksum.add(batch)));
        assert_eq!(checksum.confirmed(), confirmed);
    }
}

#[test]
fn another_record_is_noticed_at_the_next_checkpoint() {
    let read = left(&[batch(0..10)], &[5, 10]);
    let mut checksum = Checksum::expecting(&read);
    assert!(checksum.add(&batch([0, 1, 2, 99])), "not compared yet");
    assert_eq!(checksum.confirmed(), 0);
    assert!(!checksum.add(&batch([4])));
}

#[test]
fn the_checksum_covers_everything_up_to_the_highest_delivered_record() {
    let mut checksum = Checksum::expecting(&[]);
    assert!(checksum.add(&batch(0..1000)));
    for end in [1, 2, 500, 1000] {
        assert_eq!(checksum.at(end).map(|at| at.0), Some(end));
    }
}

#[test]
fn the_memory_for_checkpoints_is_bounded_while_nothing_is_delivered() {
    let mut checksum = Checksum::expecting(&[]);
    (0..300).for_each(|i| assert!(checksum.add(&batch(i * 1000..i * 1000 + 1000))));
    let place = checksum.at(123_456).expect("it was read");
    assert!((123_456..130_000).contains(&place.0), "{place:?}");
    assert_eq!(checksum.at(300_000).map(|at| at.0), Some(300_000));
}

#[test]
fn close_checkpoints_are_thinned_out_and_the_last_is_kept() {
    let mut read = Vec::new();
    (1..=100_000).for_each(|n| push(&mut read, (n, 10 * n, 0)));
    assert_eq!(read.last().map(|last| last.0), Some(100_000));
    assert!(read.len() < 60, "{}", read.len());
    let apart = read.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(apart.max() <= Some(4096));
}
