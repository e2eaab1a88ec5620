//! Reads inputs line by line, or as the elements of a list and as indented objects, by rules that all of them
//! share: what is there is sent on before the reader waits for more, a bad line is counted and named and does
//! not stop the rest, and a damaged input does not keep the others from being read.

use crate::config::Input;
use crate::error::Error;
use crate::extract::context::{InputFailures, ReadStop};
use crate::extract::input::encoding::open;
use crate::extract::input::encoding::open::Opened;
use crate::extract::input::encoding::opener::Opener;
use crate::extract::input::framing::window::LONGEST_LINE;
use crate::extract::input::framing::{Framer, RrPairText};
use crate::extract::keep::collect::BadText;
use crate::extract::keep::sink::Sink;
use crate::host::console::Console;
use crate::record::Origin;
use crate::report::rendering::figures::whole_mib;
use crate::report::{ProblemKind, place};

/// Reads all `inputs`, which `opener` opens, in order. `read_line` puts the records of one line, which is not
/// blank, into the sink, or leaves its batch unchanged.
///
/// # Errors
/// Returns [`ReadStop::Failed`] if an input cannot be read to its end, after all others were read and sent.
pub(in crate::extract) fn read(
    inputs: &[Input],
    mut opener: Opener,
    console: &Console,
    sink: Sink<'_>,
    read_line: impl FnMut(&[u8], Origin, &mut Sink<'_>) -> Result<(), BadText>,
) -> Result<(), ReadStop> {
    let names: Vec<String> = inputs.iter().map(Input::name).collect();
    let mut reader = LineSourceReader {
        names: &names,
        sink,
        read_line,
    };
    let mut failures = InputFailures::new(console);
    for (index, input) in (0..).zip(inputs) {
        let opened = opener.open(input).map_err(ReadStop::Failed);
        failures.take(opened.and_then(|opened| reader.read_input(index, opened)))?;
    }
    reader.sink.flush()?;
    failures.finish()
}

struct LineSourceReader<'a, F> {
    names: &'a [String],
    sink: Sink<'a>,
    read_line: F,
}

impl<F: FnMut(&[u8], Origin, &mut Sink<'_>) -> Result<(), BadText>> LineSourceReader<'_, F> {
    fn read_input(&mut self, input: u32, opened: Opened) -> Result<(), ReadStop> {
        let Opened { reader, taken, .. } = opened;
        let mut lines = Framer::of_records(reader);
        loop {
            while let Some((line, text)) = lines.next_buffered() {
                // A whole line is never cut off, whatever its JSON looks like.
                _ = self.try_line(text, Origin { input, line });
                if let Err(stop) = self.sink.flush_if_full() {
                    return Err(self.sink.stopped(stop, taken.since_last()));
                }
            }
            self.sink.tally.bytes += taken.since_last();
            self.sink.flush()?;
            match lines.refill() {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => {
                    let place = self.names[input as usize].clone();
                    return Err(ReadStop::Failed(open::read_error(place, &e)));
                }
            }
        }
        // A line without a line end: it is whole if it can be read, otherwise the input may be cut off.
        let Some((line, text)) = lines.remainder() else {
            return lines.unfinished().map_or(Ok(()), |unfinished| {
                let line = unfinished.line;
                let place = place(self.names, Origin { input, line });
                let why = unfinished.why;
                Err(ReadStop::Failed(match unfinished.lost {
                    true => Error::Unreadable { place, reason: why },
                    false => Error::CutOff { place, why },
                }))
            });
        };
        let origin = Origin { input, line };
        match self.try_line(text, origin) {
            Err(BadText {
                why,
                ends_early: true,
            }) => Err(ReadStop::Failed(Error::CutOff {
                place: place(self.names, origin),
                why,
            })),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Reads a line; a bad one is counted.
    fn try_line(&mut self, line: RrPairText<'_>, origin: Origin) -> Result<(), BadText> {
        let read = match line {
            RrPairText::Whole(text) if text.trim_ascii().is_empty() => return Ok(()),
            RrPairText::Whole(text) => (self.read_line)(text, origin, &mut self.sink),
            RrPairText::Broken(why) => Err(BadText::new(why)),
            RrPairText::TooLong => {
                let most = whole_mib(LONGEST_LINE as u64);
                Err(BadText::new(format!("the line is longer than {most}")))
            }
        };
        read.inspect_err(|bad| {
            self.sink
                .unreadable(ProblemKind::Unreadable, origin, || bad.why.clone());
        })
    }
}
