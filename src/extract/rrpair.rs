//! RRPairs, one JSON object a line: the way that loses nothing.

use std::io::Read;

use super::Stop;
use super::collect::{BadLine, Collector};
use super::lines::{LONGEST_LINE, Line, Lines};
use super::open::{self, Opened};
use super::sink::Sink;
use super::topic_ids::TopicIds;
use crate::channel::Sender;
use crate::config::{Extraction, Input};
use crate::error::Error;
use crate::record::Origin;
use crate::report::{What, place};

/// Reads all `inputs` in order and hands their records to `sender`.
///
/// # Errors
/// [`Stop::Failed`] when an input cannot be read to its end, after everything before was sent.
pub(super) fn read(inputs: &[Input], options: &Extraction, sender: &Sender) -> Result<(), Stop> {
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let collector = Collector::new(options, TopicIds::over(inputs)).map_err(Stop::Failed)?;
    let mut reader = Reader {
        collector,
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
    reader.collector.finish(&mut reader.sink);
    reader.sink.flush()?;
    failed.map_or(Ok(()), |error| Err(Stop::Failed(error)))
}

struct Reader<'a> {
    collector: Collector,
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

    fn try_line(&mut self, line: Line<'_>, origin: Origin) -> Result<(), BadLine> {
        let text = match line {
            Line::Whole(bytes) => text_of(bytes)?,
            Line::TooLong => {
                let most = LONGEST_LINE >> 20;
                return Err(BadLine::new(format!("the line is longer than {most} MiB")));
            }
        };
        match text.trim_ascii().is_empty() {
            true => Ok(()),
            false => self.collector.read(text, origin, &mut self.sink),
        }
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, BadLine> {
    std::str::from_utf8(bytes).map_err(|e| BadLine {
        why: format!("invalid UTF-8 at column {}", e.valid_up_to() + 1),
        ends_early: e.error_len().is_none(),
    })
}
