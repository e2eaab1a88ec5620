//! RRPairs, one JSON object a line: the way that loses nothing.

use std::io::Read;

use super::Stop;
use super::draft::{Attributes, Draft};
use super::lines::{LONGEST_LINE, Line, Lines};
use super::open::{self, Opened};
use super::plan::Plan;
use super::profile::Profile;
use super::sink::Sink;
use super::topic_ids::TopicIds;
use super::walk::Walk;
use crate::channel::Sender;
use crate::config::Input;
use crate::error::Error;
use crate::record::{Batch, CapturedTopic, Mark, Origin, Record};
use crate::report::{What, place};

/// Reads all `inputs` in order and hands their records to `sender`.
///
/// # Errors
/// [`Stop::Failed`] when an input cannot be read to its end, after everything before was sent.
pub(super) fn read(inputs: &[Input], profile: &Profile, sender: &Sender) -> Result<(), Stop> {
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let mut reader = Reader {
        plan: profile.plan(),
        command: profile.command,
        ids: TopicIds::over(inputs),
        drafts: Vec::new(),
        names: &names,
        sink: Sink::new(sender),
    };
    let mut failed = None;
    for (index, input) in (0..).zip(inputs) {
        let end = open::open(input).map_err(Stop::Failed);
        match end.and_then(|Opened { reader: bytes }| reader.read_input(index, bytes)) {
            // One damaged input does not keep the others from being replayed.
            Err(Stop::Failed(error)) => _ = failed.get_or_insert(error),
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
    sink: Sink<'a>,
}

impl Reader<'_> {
    fn read_input(&mut self, input: u32, bytes: impl Read) -> Result<(), Stop> {
        let mut lines = Lines::new(bytes);
        loop {
            while let Some((number, line)) = lines.next_buffered() {
                self.read_line(
                    line,
                    Origin {
                        input,
                        line: number,
                    },
                )?;
            }
            self.sink.tally.bytes += lines.take_read();
            self.sink.flush()?;
            match lines.refill() {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    return Err(Stop::Failed(Error::Unreadable {
                        place: self.names[input as usize].clone(),
                        reason: open::reason(&e),
                    }));
                }
            }
        }
        match lines.remainder() {
            Some((number, line)) => self.read_last_line(
                line,
                Origin {
                    input,
                    line: number,
                },
            ),
            None => Ok(()),
        }
    }

    fn read_line(&mut self, line: Line<'_>, origin: Origin) -> Result<(), Stop> {
        match self.try_line(line, origin) {
            Ok(()) => {}
            Err(BadLine { why, .. }) => self.sink.unreadable(What::Unreadable, origin, || why),
        }
        Ok(self.sink.flush_if_full()?)
    }

    /// A line without a line end: whole when it is whole JSON, else the input is cut off.
    fn read_last_line(&mut self, line: Line<'_>, origin: Origin) -> Result<(), Stop> {
        let Err(BadLine { why, ends_early }) = self.try_line(line, origin) else {
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

    /// Puts the records of one line into the batch, or leaves the batch as it was.
    fn try_line(&mut self, line: Line<'_>, origin: Origin) -> Result<(), BadLine> {
        let text = match line {
            Line::Whole(bytes) => text_of(bytes)?,
            Line::TooLong => {
                let most = LONGEST_LINE >> 20;
                return Err(BadLine::new(format!("the line is longer than {most} MiB")));
            }
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
            BadLine {
                why: json_error(&e),
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
            let learn = |line: &str, ids: &mut TopicIds| learn_names(line, plan, command, ids);
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

/// Reads a line for its topic names alone.
fn learn_names(line: &str, plan: &Plan, command: &str, ids: &mut TopicIds) {
    let (mut batch, mut drafts) = (Batch::default(), Vec::new());
    // A damaged line is named when its turn comes.
    _ = Walk::read(line, plan, command, &mut batch, ids, &mut drafts);
}

/// A line that cannot be read.
struct BadLine {
    why: String,
    /// Whether it breaks off rather than being wrong.
    ends_early: bool,
}

impl BadLine {
    fn new(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ends_early: false,
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, BadLine> {
    std::str::from_utf8(bytes).map_err(|e| BadLine {
        why: format!("invalid UTF-8 at column {}", e.valid_up_to() + 1),
        ends_early: e.error_len().is_none(),
    })
}

/// serde_json's words; its line number is always 1 here and would mislead.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let words = text.split(" at line ").next().unwrap_or_default();
    match error.is_eof() {
        true => format!("the JSON breaks off after {} bytes", error.column()),
        false => format!("{words} at column {}", error.column()),
    }
}
