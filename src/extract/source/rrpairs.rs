//! Reads RRPairs, which lose nothing. `input/framing/` separates them, whatever the form of the input.

use std::sync::Arc;

use crate::config::Input;
use crate::error::Error;
use crate::extract::context::{ExtractionContext, InputFailures, ReadStop};
use crate::extract::input::encoding::open;
use crate::extract::input::encoding::open::{Opened, total_size};
use crate::extract::input::encoding::opener::{Opener, Opening};
use crate::extract::input::files::{Files, FoundFile, find};
use crate::extract::input::framing::window::CHUNK;
use crate::extract::input::framing::window::LONGEST_LINE;
use crate::extract::input::framing::{Framer, Remark, RrPairText};
use crate::extract::input::kind::Asked;
use crate::extract::keep::collect::{BadText, Collector};
use crate::extract::keep::sink::{Outlet, Sink};
use crate::extract::source::expected::ExpectedReader;
use crate::host::console::Console;
use crate::record::Origin;
use crate::report::rendering::figures::{count, whole_mib};
use crate::report::{ProblemKind, place};

/// Reads the RRPairs of `inputs`, in files and folders.
///
/// # Errors
/// Returns why reading ended before the end.
pub(in crate::extract) fn read_inputs(
    inputs: &[Input],
    opener: Opener,
    context: &ExtractionContext,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let files = find(inputs);
    let names: Arc<[String]> = files.found.iter().map(|found| found.input.name()).collect();
    let total_bytes = total_size(files.found.iter().map(|found| &found.input));
    let mut description = context.describe();
    description.inputs = inputs.iter().map(Input::name).collect();
    description.names = names.clone();
    description.total_bytes = total_bytes;
    drop(description);
    // If there is nothing else either, the run ends with a sentence that says so.
    for folder in files.empty.iter().filter(|_| !files.found.is_empty()) {
        let folder = folder.display();
        context.console.note(&format!("no RRPairs in {folder}"));
    }
    if let Some(first) = files.leading_out.first() {
        let (links, first) = (
            count(files.leading_out.len() as u64, "link"),
            first.display(),
        );
        context.console.note(&format!(
            "did not follow {links} out of the folder, such as {first}; name the target to read it"
        ));
    }
    let inputs: Vec<Input> = files
        .found
        .iter()
        .map(|found| found.input.clone())
        .collect();
    let expected = context.expecting.as_ref();
    let expected = expected.map(|expecting| ExpectedReader::new(expecting, inputs.clone()));
    let collectors = Collectors {
        replayed: Collector::new(&context.options, inputs, context.census.clone())
            .map_err(ReadStop::Failed)?,
        expected: expected.transpose().map_err(ReadStop::Failed)?,
    };
    read(&files, opener, &names, collectors, &context.console, sender)
}

/// What receives the records of a text.
pub(in crate::extract) struct Collectors {
    pub(in crate::extract) replayed: Collector,
    /// The receiver of what the application wrote, if that is expected.
    pub(in crate::extract) expected: Option<ExpectedReader>,
}

/// Reads all `files`, which `opener` opens, in order and sends their records to `sender`; origins refer to
/// `names` by index.
///
/// # Errors
/// Returns [`ReadStop::Failed`] with the first reason why an input, or a folder, cannot be read to its end,
/// after all others were read; the further ones are printed.
pub(in crate::extract) fn read(
    files: &Files,
    mut opener: Opener,
    names: &[String],
    collectors: Collectors,
    console: &Console,
    sender: &Outlet,
) -> Result<(), ReadStop> {
    let mut reader = RrPairReader {
        collector: collectors.replayed,
        expected: collectors.expected,
        names,
        console,
        sink: Sink::new(sender),
    };
    files.skipped.iter().for_each(|path| {
        reader.skip(&path.display().to_string(), "it is not a file");
    });
    let mut failures = InputFailures::new(console);
    for error in &files.failures {
        failures.take(Err(ReadStop::Failed(error.clone())))?;
    }
    for (index, found) in (0..).zip(&files.found) {
        let opening = opener.open_found(found).map_err(ReadStop::Failed);
        failures.take(opening.and_then(|opening| reader.read_opening(index, found, opening)))?;
    }
    reader.collector.finish(&mut reader.sink);
    if let (Some(expected), true) = (reader.expected, failures.is_empty()) {
        expected.finish()?;
    }
    reader.sink.flush()?;
    failures.finish()
}

struct RrPairReader<'a> {
    collector: Collector,
    expected: Option<ExpectedReader>,
    names: &'a [String],
    console: &'a Console,
    sink: Sink<'a>,
}

impl RrPairReader<'_> {
    fn read_opening(
        &mut self,
        input: u32,
        found: &FoundFile,
        opening: Opening,
    ) -> Result<(), ReadStop> {
        let name = &self.names[input as usize];
        match opening {
            Opening::Open(opened) => return self.read_file(input, found, opened),
            Opening::Skip(why) => self.skip(name, why),
            Opening::Packed(format) => {
                self.console
                    .note(&format!("skipping {name}: it is {}", format.name));
                self.sink.tally.skipped_files += 1;
            }
        }
        Ok(())
    }

    fn read_file(&mut self, input: u32, found: &FoundFile, opened: Opened) -> Result<(), ReadStop> {
        self.hand_over(found.asked)?;
        let Opened { reader, taken, .. } = opened;
        let mut texts = Framer::new(reader);
        let at = |line| Origin { input, line };
        let failure = loop {
            while let Some((number, text)) = texts.next_buffered() {
                if let Err(stop) = self.read_text(text, at(number)) {
                    return Err(self.sink.stopped(stop, taken.since_last()));
                }
                self.name_remarks(input, texts.take_remarks());
            }
            self.sink.tally.bytes += taken.since_last();
            self.hand_over(found.asked)?;
            match texts.refill() {
                Ok(true) => {}
                Ok(false) => break None,
                Err(e) => {
                    let place = self.names[input as usize].clone();
                    break Some(ReadStop::Failed(open::read_error(place, &e)));
                }
            }
        };
        self.sink.tally.bytes += taken.since_last();
        let end = match texts.remainder() {
            Some((number, text)) => self.read_last_text(text, at(number)),
            None => Ok(()),
        };
        self.name_remarks(input, texts.take_remarks());
        match (failure, end) {
            // The reason why the bytes end says more than the end itself.
            (Some(failure), Ok(()) | Err(ReadStop::Failed(_))) => Err(failure),
            (_, Err(stop)) => Err(stop),
            (None, Ok(())) => texts.unfinished().map_or(Ok(()), |unfinished| {
                let place = place(self.names, at(unfinished.line));
                let why = unfinished.why;
                Err(ReadStop::Failed(match unfinished.lost {
                    true => Error::Unreadable { place, reason: why },
                    false => Error::CutOff { place, why },
                }))
            }),
        }
    }

    /// Sends what there is before a read that may wait. The files of a folder do not make anybody wait: the
    /// records of many small ones go together.
    fn hand_over(&mut self, asked: Asked) -> Result<(), ReadStop> {
        if asked == Asked::ByName || self.sink.tally.bytes >= CHUNK as u64 {
            self.sink.flush()?;
        }
        Ok(())
    }

    fn skip(&mut self, name: &str, why: &str) {
        self.sink.tally.skipped_files += 1;
        self.console.verbose(&format!("skipping {name}: {why}"));
    }

    fn name_remarks(&mut self, input: u32, remarks: Vec<Remark>) {
        for Remark { line, why } in remarks {
            let problems = &mut self.sink.tally.problems;
            problems.add(ProblemKind::SectionUnread, Origin { input, line }, || why);
        }
    }

    fn read_text(&mut self, text: RrPairText<'_>, origin: Origin) -> Result<(), ReadStop> {
        match self.try_text(text, origin) {
            Ok(expected) => expected?,
            Err(BadText { why, .. }) => {
                self.sink
                    .unreadable(ProblemKind::Unreadable, origin, || why)
            }
        }
        self.collector.check_bound().map_err(ReadStop::Failed)?;
        self.sink.flush_if_full()
    }

    /// A text that only the end of the input ends: it is whole if it is whole JSON, otherwise the input is
    /// cut off.
    fn read_last_text(&mut self, text: RrPairText<'_>, origin: Origin) -> Result<(), ReadStop> {
        let BadText { why, ends_early } = match self.try_text(text, origin) {
            Ok(expected) => return expected,
            Err(bad) => bad,
        };
        self.sink
            .unreadable(ProblemKind::Unreadable, origin, || why.clone());
        match ends_early {
            true => Err(ReadStop::Failed(Error::CutOff {
                place: place(self.names, origin),
                why,
            })),
            false => Ok(()),
        }
    }

    /// Puts the records of one text into the batch, or leaves the batch unchanged.
    ///
    /// The inner result comes from the receiver of what is expected.
    fn try_text(
        &mut self,
        text: RrPairText<'_>,
        origin: Origin,
    ) -> Result<Result<(), ReadStop>, BadText> {
        let text = match text {
            RrPairText::Whole(bytes) => text_of(bytes)?,
            RrPairText::TooLong => {
                let most = whole_mib(LONGEST_LINE as u64);
                return Err(BadText::new(format!("it is longer than {most}")));
            }
            RrPairText::Broken(why) => return Err(BadText::new(why)),
        };
        if text.trim_ascii().is_empty() {
            return Ok(Ok(()));
        }
        self.collector.read(text, origin, &mut self.sink)?;
        let Some(expected) = &mut self.expected else {
            return Ok(Ok(()));
        };
        Ok(expected.read(text, origin, &mut self.sink.batch.left_out))
    }
}

fn text_of(bytes: &[u8]) -> Result<&str, BadText> {
    std::str::from_utf8(bytes).map_err(|e| BadText {
        why: format!("invalid UTF-8 at column {}", e.valid_up_to() + 1),
        ends_early: e.error_len().is_none(),
    })
}
