//! RRPairs: the way that loses nothing. `texts/` tells them apart, whatever the form of the input.

use std::io;

use super::Stop;
use super::draft::{Attributes, Draft};
use super::files::{Asked, Files, Found};
use super::lines::LONGEST_LINE;
use super::open::{self, Opened};
use super::plan::Plan;
use super::profile::Profile;
use super::sink::Sink;
use super::texts::{Text, Texts};
use super::topic_ids::TopicIds;
use super::walk::Walk;
use super::window::CHUNK;
use crate::channel::Sender;
use crate::console::Console;
use crate::error::Error;
use crate::record::{Batch, CapturedTopic, Mark, Origin, Record};
use crate::report::{What, place};

/// Reads all `files` in order and hands their records to `sender`; origins point into `names`.
///
/// # Errors
/// [`Stop::Failed`] with the first reason why an input, or a folder, cannot be read to its end,
/// after all others were; the further reasons are notes.
pub(super) fn read(
    files: &Files,
    names: &[String],
    profile: &Profile,
    console: &Console,
    sender: &Sender,
) -> Result<(), Stop> {
    let inputs = files.found.iter().map(|found| found.input.clone());
    let mut reader = Reader {
        plan: profile.plan(),
        command: profile.command,
        ids: TopicIds::over(inputs),
        drafts: Vec::new(),
        names,
        console,
        sink: Sink::new(sender),
    };
    files.skipped.iter().for_each(|path| {
        reader.skip(&path.display().to_string(), "it is no file");
    });
    let mut failed = None;
    let mut fail = |error: Error| match failed {
        None => failed = Some(error),
        Some(_) => console.note(&error.to_string()),
    };
    files.failures.iter().cloned().for_each(&mut fail);
    for (index, found) in (0..).zip(&files.found) {
        match reader.read_file(index, found) {
            // One damaged input does not keep the others from being replayed.
            Err(Stop::Failed(error)) => fail(error),
            Err(stop) => return Err(stop),
            Ok(()) => {}
        }
    }
    reader.sink.flush()?;
    failed.map_or(Ok(()), |error| Err(Stop::Failed(error)))
}

struct Reader<'a> {
    plan: Plan,
    command: &'static str,
    ids: TopicIds,
    drafts: Vec<Draft>,
    names: &'a [String],
    console: &'a Console,
    sink: Sink<'a>,
}

impl Reader<'_> {
    fn read_file(&mut self, input: u32, found: &Found) -> Result<(), Stop> {
        self.hand_over(found.asked)?;
        let Opened { reader, taken } = open::open(&found.input).map_err(Stop::Failed)?;
        let mut texts = Texts::new(reader);
        if found.asked == Asked::InFolder && !texts.may_be_rrpairs() {
            self.skip(&self.names[input as usize], "it holds no RRPairs");
            self.sink.tally.bytes += taken.since_last();
            return Ok(());
        }
        let at = |line| Origin { input, line };
        let failure = loop {
            while let Some((number, text)) = texts.next_buffered() {
                self.read_text(text, at(number))?;
            }
            self.sink.tally.bytes += taken.since_last();
            self.hand_over(found.asked)?;
            match texts.refill() {
                Ok(true) => {}
                Ok(false) => break None,
                Err(e) => break Some(Stop::Failed(self.failed(input, &e))),
            }
        };
        self.sink.tally.bytes += taken.since_last();
        let end = match texts.remainder() {
            Some((number, text)) => self.read_last_text(text, at(number)),
            None => Ok(()),
        };
        match (failure, end) {
            // Why the bytes end says more than that they do.
            (Some(failure), Ok(()) | Err(Stop::Failed(_))) => Err(failure),
            (_, Err(stop)) => Err(stop),
            (None, Ok(())) => texts.unfinished().map_or(Ok(()), |unfinished| {
                let place = place(self.names, at(unfinished.line));
                let why = unfinished.why;
                Err(Stop::Failed(match unfinished.lost {
                    true => Error::Unreadable { place, reason: why },
                    false => Error::CutOff { place, why },
                }))
            }),
        }
    }

    /// Hands over what there is before a read that may wait. The files of a folder make nobody wait:
    /// what many small ones give goes together.
    fn hand_over(&mut self, asked: Asked) -> Result<(), Stop> {
        if asked == Asked::ByName || self.sink.tally.bytes >= CHUNK as u64 {
            self.sink.flush()?;
        }
        Ok(())
    }

    fn skip(&mut self, name: &str, why: &str) {
        self.sink.tally.skipped_files += 1;
        self.console.verbose(&format!("skipping {name}: {why}"));
    }

    fn failed(&self, input: u32, error: &io::Error) -> Error {
        let place = self.names[input as usize].clone();
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Error::CutOff {
                place,
                why: "the compressed data breaks off".into(),
            },
            _ => Error::Unreadable {
                place,
                reason: open::reason(error),
            },
        }
    }

    fn read_text(&mut self, text: Text<'_>, origin: Origin) -> Result<(), Stop> {
        match self.try_text(text, origin) {
            Ok(()) => {}
            Err(BadText { why, .. }) => self.sink.unreadable(What::Unreadable, origin, || why),
        }
        Ok(self.sink.flush_if_full()?)
    }

    /// A text that only the input's end ends: whole when it is whole JSON, else the input is cut off.
    fn read_last_text(&mut self, text: Text<'_>, origin: Origin) -> Result<(), Stop> {
        let Err(BadText { why, ends_early }) = self.try_text(text, origin) else {
            return Ok(());
        };
        self.sink
            .unreadable(What::Unreadable, origin, || why.clone());
        match ends_early {
            true => Err(Stop::Failed(Error::CutOff {
                place: place(self.names, origin),
                why,
            })),
            false => Ok(()),
        }
    }

    /// Puts the records of one text into the batch, or leaves the batch as it was.
    fn try_text(&mut self, text: Text<'_>, origin: Origin) -> Result<(), BadText> {
        let text = match text {
            Text::Whole(bytes) => text_of(bytes)?,
            Text::TooLong => {
                let most = LONGEST_LINE >> 20;
                return Err(BadText::new(format!("it is longer than {most} MiB")));
            }
            Text::Broken(why) => return Err(BadText::new(why)),
        };
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        let Sink { batch, tally, .. } = &mut self.sink;
        let mark = batch.mark();
        let Self {
            plan,
            command,
            ids,
            drafts,
            ..
        } = self;
        let replayed = Walk::read(text, plan, command, batch, ids, drafts).map_err(|e| {
            batch.roll_back(mark);
            BadText {
                why: json_error(&e, origin.line),
                ends_early: e.is_eof(),
            }
        })?;
        tally.rrpairs += 1;
        if replayed {
            tally.fetches += 1;
            tally.empty_fetches += u64::from(drafts.is_empty());
            self.keep_drafts(origin);
        } else {
            self.count_filtered(mark);
        }
        Ok(())
    }

    /// Records of RRPairs that the filter leaves out; markers are markers all the same.
    fn count_filtered(&mut self, mark: Mark) {
        let is_control = |draft: &&Draft| draft.shared.attributes.has(Attributes::CONTROL);
        let control = self.drafts.iter().filter(is_control).count() as u64;
        let found = self.drafts.len() as u64;
        self.sink.tally.found += found;
        self.sink.tally.control += control;
        self.sink.tally.filtered += found - control;
        self.sink.batch.roll_back(mark);
    }

    fn keep_drafts(&mut self, origin: Origin) {
        let Self {
            plan,
            command,
            ids,
            drafts,
            sink,
            ..
        } = self;
        for draft in drafts.drain(..) {
            if draft.shared.attributes.has(Attributes::CONTROL) {
                sink.tally.found += 1;
                sink.tally.control += 1;
                continue;
            }
            if let Some(trouble) = draft.troubled() {
                sink.unreadable(What::Unreadable, origin, || trouble.why());
                continue;
            }
            let learn = |text: &str, ids: &mut TopicIds| learn_names(text, plan, command, ids);
            let topic = topic(&draft, ids, &mut sink.batch, learn);
            sink.tally.found += 1;
            sink.batch.records.push(Record {
                topic,
                partition: Some(draft.shared.partition.unwrap_or(0)),
                offset: draft.offset(),
                timestamp_ms: draft.timestamp_ms(),
                key: draft.key,
                value: draft.value,
                headers: draft.headers,
                origin,
            });
        }
    }
}

/// The index of the draft's topic, by name where its id can be resolved.
fn topic(
    draft: &Draft,
    ids: &mut TopicIds,
    batch: &mut Batch,
    learn: impl Fn(&str, &mut TopicIds),
) -> Option<u32> {
    if draft.shared.topic.is_some() {
        return draft.shared.topic;
    }
    let unresolved = draft.shared.topic_id?;
    match batch.topics[unresolved as usize] {
        CapturedTopic::Id(id) => match ids.name(id, learn) {
            Some(name) => Some(batch.topic_index_of_name(name)),
            None => Some(unresolved),
        },
        CapturedTopic::Name(_) => Some(unresolved),
    }
}

/// Reads a text for its topic names alone.
fn learn_names(text: &str, plan: &Plan, command: &str, ids: &mut TopicIds) {
    let (mut batch, mut drafts) = (Batch::default(), Vec::new());
    // A damaged one is named when its turn comes.
    _ = Walk::read(text, plan, command, &mut batch, ids, &mut drafts);
}

/// A text that cannot be read.
struct BadText {
    why: String,
    /// Whether it breaks off rather than being wrong.
    ends_early: bool,
}

impl BadText {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ends_early: false,
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, BadText> {
    std::str::from_utf8(bytes).map_err(|e| BadText {
        why: format!("invalid UTF-8 at column {}", e.valid_up_to() + 1),
        ends_early: e.error_len().is_none(),
    })
}

/// serde_json's words, for a text that begins on line `first`; its own line number counts from there.
fn json_error(error: &serde_json::Error, first: u64) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or_default();
    let line = match error.line() {
        0 | 1 => String::new(),
        line => format!(" of line {}", first + line as u64 - 1),
    };
    match error.is_eof() {
        true => format!("the JSON breaks off after {} bytes{line}", error.column()),
        false => format!("{words} at column {}{line}", error.column()),
    }
}
