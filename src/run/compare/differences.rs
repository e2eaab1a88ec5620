//! Where differences go: the first few to the report, all of them to the file of `--expect-diff`.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, reason};
use crate::host::outputs::create_new;
use crate::host::visible::shortened;
use crate::record::Origin;
use crate::report::{Change, MOST_SHOWN, PlaceNames, ShownDifference};
use crate::verify::compare::{Difference, DifferenceHalf};

/// Bytes that a report has of each text of a change. The file of `--expect-diff` has both values whole.
const LONGEST_TEXT: usize = 1 << 10;

/// Differences as they are found.
pub(in crate::run) struct Differences {
    shown: Vec<ShownDifference>,
    file: Option<(PathBuf, BufWriter<File>)>,
    failure: Option<Error>,
}

impl Differences {
    /// # Errors
    /// Returns [`Error::Config`] if the file cannot be created, or exists already.
    pub(in crate::run) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let file = match path {
            None => None,
            Some(path) => {
                let file = create_new(path).map_err(|e| {
                    let path = path.display();
                    Error::config(format!(
                        "cannot write differences to {path}: {}",
                        reason(&e)
                    ))
                })?;
                Some((path.to_owned(), BufWriter::new(file)))
            }
        };
        Ok(Self {
            shown: Vec::new(),
            file,
            failure: None,
        })
    }

    /// Notes a difference between records at these places.
    pub(in crate::run) fn add(&mut self, difference: &Difference<'_>, names: [PlaceNames<'_>; 2]) {
        if self.shown.len() >= MOST_SHOWN && self.file.is_none() {
            return;
        }
        let at = |half: Option<DifferenceHalf<'_>>, names: PlaceNames<'_>| {
            let at = half?.place;
            let origin = Origin {
                input: at.input,
                line: at.number,
            };
            Some(names.name(origin))
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let shown = ShownDifference {
            kind: difference.kind,
            topic: difference.topic.to_owned(),
            key: difference.key.map(text),
            expected: at(difference.expected, names[0]),
            observed: at(difference.observed, names[1]),
            changes: difference.changes.named.iter().map(short).collect(),
            more_changes: difference.changes.more,
        };
        if let Some((path, file)) = &mut self.file
            && let Err(error) = writeln!(file, "{}", line(difference, &shown))
        {
            self.failure = Some(unwritten(path, &error));
            self.file = None;
        }
        if self.shown.len() < MOST_SHOWN {
            self.shown.push(shown);
        }
    }

    /// Returns the first differences, and the error if not all of them are in the file.
    pub(in crate::run) fn finish(mut self) -> (Vec<ShownDifference>, Option<Error>) {
        if let Some((path, file)) = &mut self.file
            && let Err(error) = file.flush()
        {
            self.failure = Some(unwritten(path, &error));
        }
        (self.shown, self.failure)
    }
}

/// A change, with as much of its texts as a report has.
fn short(change: &Change) -> Change {
    let short = |text: &Option<String>| Some(shortened(text.as_ref()?, LONGEST_TEXT).into_owned());
    Change {
        path: change.path.clone(),
        expected: short(&change.expected),
        observed: short(&change.observed),
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Error {
    Error::ReportUnwritten {
        file: path.display().to_string(),
        reason: reason(error),
    }
}

/// The line of a difference: as the report shows it, with the values of both records if they are kept.
fn line(difference: &Difference<'_>, shown: &ShownDifference) -> String {
    let mut line = shown.to_json();
    let value = |half: Option<DifferenceHalf<'_>>| {
        let value = half?.content?.value.as_deref()?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    line["expected_value"] = value(difference.expected).into();
    line["observed_value"] = value(difference.observed).into();
    line.to_string()
}
