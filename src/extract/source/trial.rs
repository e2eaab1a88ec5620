//! Gives one input to one reader and drops the result, for `fuzz/`. This file is separate from the readers
//! because it knows all of them; it asserts what holds for any input.

use std::cell::RefCell;
use std::io::{self, Read};

use crate::config::{
    AbortedRecords, BuiltInProfile, Duplicates, Extraction, Overrides, ProfileChoice,
    RetriedRequests, Selection, TopicIdNames, TopicNames, View,
};
use crate::extract::census::Census;
use crate::extract::context::ReadStop;
use crate::extract::csv;
use crate::extract::csv::rows::OnLoss;
use crate::extract::input::framing::{Framer, RrPairText};
use crate::extract::keep::collect::Collector;
use crate::extract::keep::deduplicator::Deduplicator;
use crate::extract::keep::sink::{Outlet, Sink};
use crate::extract::rrpair::engine;
use crate::record::channel::{self, Gate, Limits};
use crate::record::{Batch, Origin, lines};
use crate::report::{Outcome, ProblemKind, Tally};

/// A Fetch with two records, one of them with a key, for profiles and filters of all sorts.
const RRPAIR: &str = r#"{"msgType":"rrpair","ts":"2026-01-02T03:04:05.000000006Z","l7protocol":"kafka","duration":7,"tags":{"source":"goproxy","k":"v"},"uuid":"F6sC8x+GQPaI5g9Nn7Nhwg==","direction":"OUT","cluster":"c","namespace":"n","service":"s","tech":"Kafka","network_address":"b:9092","command":"Fetch","location":"l","status":"ok","session":"x","http":{"req":{"url":"/a?b=c","method":"POST","headers":{"H":["v"]},"bodyBase64":"eyJhIjpbMV19"}},"kafka":{"request":{"clientId":"app"},"response":{"FetchResponse":{"topics":[{"name":"orders","partitions":[{"partitionIndex":1,"records":{"baseOffset":"5","baseTimestamp":"1764787375659","records":[{"valueString":"v"},{"offsetDelta":1,"keyBytes":"aw==","valueString":"w","headers":[{"key":"h","valueString":"x"}]}]}}]}]}}}}"#;

/// Gives `input` to the reader of this name.
///
/// # Panics
/// Panics if what holds for any input does not hold for it.
pub(crate) fn try_input(reader: &str, input: &[u8]) -> bool {
    let text = || String::from_utf8_lossy(input).into_owned();
    match reader {
        "rrpairs" => rrpairs(input),
        "markdown" => markdown(input),
        "csv" => csv(input),
        "framing" => framing(input),
        "records" => records(input),
        "filter" => filter(text()),
        "profile" => profile(text()),
        _ => return false,
    }
    true
}

/// What a run without flags does.
fn options(profile: ProfileChoice, overrides: Overrides) -> Extraction {
    Extraction {
        profile,
        overrides,
        duplicates: Duplicates::LeaveOut,
        aborted: AbortedRecords::LeaveOut,
        retried: RetriedRequests::LeaveOut,
        topic_ids: TopicIdNames::default(),
        selection: Selection::default(),
    }
}

fn fetch() -> ProfileChoice {
    ProfileChoice::BuiltIn(BuiltInProfile::Fetch)
}

/// Gives `read` a sink, and asserts that every record found is accounted for.
fn balanced(read: impl FnOnce(&Outlet)) {
    let limits = Limits {
        records: usize::MAX,
        bytes: usize::MAX,
    };
    let (sender, receiver) = channel::bounded(limits, Gate::AtOnce);
    let outlet = Outlet::new(sender, &Selection::default());
    read(&outlet);
    let (_, batches) = receiver.close();
    let (mut tally, mut records) = (Tally::default(), 0);
    for source_batch in batches {
        records += source_batch.batch.records.len() as u64;
        tally.merge(source_batch.tally);
    }
    let outcomes = Outcome::ALL.into_iter();
    let left: u64 = outcomes.map(|outcome| tally.outcomes[outcome]).sum();
    assert_eq!(tally.found, records + left);
    let unreadable = tally.outcomes[Outcome::Unreadable];
    assert!(unreadable == 0 || tally.problems.iter().next().is_some());
    // A run that ends does this as well.
    outlet.finish(Ok(()));
}

fn rrpairs(input: &[u8]) {
    if let Ok(line) = std::str::from_utf8(input) {
        engine::read_line(line);
    }
    for census in [Census::Nothing, Census::of(View::Paths)] {
        collect(input, &options(fetch(), Overrides::default()), census);
    }
}

/// RRPairs as Markdown, whose first line is the same for all.
fn markdown(input: &[u8]) {
    let options = options(fetch(), Overrides::default());
    collect(input, &options, Census::Nothing);
    let headed = [b"### REQUEST (TEST) ###\n", input].concat();
    collect(&headed, &options, Census::of(View::Contents));
}

/// Reads the RRPairs of `input` by these options; paths and filters that do not parse are fine.
fn collect(input: &[u8], options: &Extraction, census: Census) {
    let Ok(mut collector) = Collector::new(options, Vec::new(), census) else {
        return;
    };
    balanced(|outlet| {
        let mut sink = Sink::new(outlet);
        for_each_text(Framer::new(input), |line, text| {
            let RrPairText::Whole(bytes) = text else {
                return;
            };
            let Ok(text) = std::str::from_utf8(bytes) else {
                return;
            };
            let origin = Origin { input: 0, line };
            if let Err(bad) = collector.read(text, origin, &mut sink) {
                sink.unreadable(ProblemKind::Unreadable, origin, || bad.why);
            }
        });
        collector.finish(&mut sink);
        sink.flush().expect("the receiver is there");
    });
}

/// Passes every text of `texts` to `take`, with its line.
fn for_each_text<R: Read>(mut texts: Framer<R>, mut take: impl FnMut(u64, RrPairText<'_>)) {
    loop {
        while let Some((line, text)) = texts.next_buffered() {
            take(line, text);
        }
        if !texts.refill().expect("reading from memory does not fail") {
            break;
        }
    }
    if let Some((line, text)) = texts.remainder() {
        take(line, text);
    }
    _ = texts.take_remarks();
    _ = texts.unfinished();
}

fn csv(input: &[u8]) {
    let options = options(fetch(), Overrides::default());
    for (topics, on_loss) in [
        (TopicNames::One("t".into()), OnLoss::Count),
        (TopicNames::Mapped(Vec::new()), OnLoss::ChangeToRaw),
    ] {
        let deduplicator = RefCell::new(Deduplicator::new(&options));
        balanced(|outlet| {
            let source = csv::CsvSource {
                bytes: input,
                name: "input.csv",
                input: 0,
                options: &options,
                topics: &topics,
                on_loss,
                deduplicator: &deduplicator,
            };
            let end = csv::read(source, outlet);
            assert!(!matches!(end, Err(ReadStop::Closed | ReadStop::Enough)));
            csv::finish(&deduplicator, outlet).expect("the receiver is there");
        });
    }
}

/// Reads a few bytes at a time, as a slow pipe delivers them.
struct Dripping<'a>(&'a [u8]);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(7);
        self.0.read(&mut buffer[..most])
    }
}

/// The texts of an input do not depend on how its bytes arrive.
fn framing(input: &[u8]) {
    let all_of = |texts: &mut Vec<(u64, String)>, line, text: RrPairText<'_>| {
        texts.push((line, format!("{text:?}")));
    };
    let (mut at_once, mut dripped) = (Vec::new(), Vec::new());
    for_each_text(Framer::new(input), |line, text| {
        all_of(&mut at_once, line, text)
    });
    let texts = Framer::new(Dripping(input));
    for_each_text(texts, |line, text| all_of(&mut dripped, line, text));
    assert_eq!(at_once, dripped);
    let (mut at_once, mut dripped) = (Vec::new(), Vec::new());
    for_each_text(Framer::of_records(input), |line, text| {
        all_of(&mut at_once, line, text)
    });
    let texts = Framer::of_records(Dripping(input));
    for_each_text(texts, |line, text| all_of(&mut dripped, line, text));
    assert_eq!(at_once, dripped);
}

/// A record that is read and written is the same when it is read again.
fn records(input: &[u8]) {
    for_each_text(Framer::of_records(input), |line, text| {
        let RrPairText::Whole(text) = text else {
            return;
        };
        let origin = Origin { input: 0, line };
        let mut batch = Batch::default();
        if lines::read(text, origin, &mut batch).is_err() {
            _ = lines::read_foreign(text, origin, &mut batch);
        }
        for record in &batch.records {
            let (mut written, mut again) = (Vec::new(), Vec::new());
            lines::write(&batch, record, &mut written);
            let mut read = Batch::default();
            let line = written.strip_suffix(b"\n").unwrap_or(&written);
            lines::read(line, origin, &mut read).expect("what was written can be read");
            lines::write(&read, &read.records[0], &mut again);
            assert_eq!(
                String::from_utf8_lossy(&written),
                String::from_utf8_lossy(&again)
            );
        }
    });
}

fn filter(text: String) {
    let overrides = Overrides {
        filter: Some(text),
        ..Overrides::default()
    };
    collect(
        RRPAIR.as_bytes(),
        &options(fetch(), overrides),
        Census::Nothing,
    );
}

fn profile(text: String) {
    let name = "profile.toml".into();
    let profile = ProfileChoice::File { name, text };
    let options = options(profile, Overrides::default());
    collect(RRPAIR.as_bytes(), &options, Census::Nothing);
}
