//! Decides what the inputs of a run are, and opens them as that. All inputs of a run are of one kind, which
//! the content decides unless `--as` does: inputs that can be read twice are examined before anything is
//! read, a stream as soon as it is opened.

use super::magic::KnownFormat;
use super::open;
use super::open::Opened;
use crate::config::{Extraction, Input, InputKind, Inputs, ProfileChoice, Uncertain};
use crate::error::Error;
use crate::extract::census::Census;
use crate::extract::context::ExtractionContext;
use crate::extract::input::files::FoundFile;
use crate::extract::input::kind::{Asked, Nature};

/// An input that was opened to examine it, and its kind.
type Looked = Result<(Opened, Nature), Error>;

/// Opens the inputs of a run.
#[derive(Debug)]
pub(in crate::extract) struct Opener {
    kind: InputKind,
    decided_by: DecidedBy,
    paths: Paths,
    /// A stream that was opened to examine it.
    kept: Option<(Input, Looked)>,
}

/// What decides the kind of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum DecidedBy {
    /// Nothing yet: an input without a sign of its kind counts as RRPairs, or as the record lines of a
    /// rejects file if `--send-unknown` expects one.
    Nothing,
    /// The content of the input of this name.
    Content(String),
    /// The user.
    User,
}

/// Where the paths of a run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paths {
    /// They lead into RRPairs.
    BuiltIn,
    /// The user's own paths may lead into any JSON.
    Own,
}

/// A file in a folder, or an input by its name.
pub(in crate::extract) enum Opening {
    Open(Opened),
    /// Leave it out, for this reason.
    Skip(&'static str),
    /// Leave it out although what is packed in it may be RRPairs.
    Packed(KnownFormat),
}

impl Opener {
    /// Examines `inputs`.
    ///
    /// # Errors
    /// Returns [`Error::SeveralKinds`], which names two inputs, or [`Error::Config`] for a folder that should
    /// be read as something other than RRPairs.
    pub(in crate::extract) fn of(
        inputs: &Inputs,
        context: &ExtractionContext,
    ) -> Result<Self, Error> {
        let census = &context.census;
        let mut opener = Self::before(inputs, Paths::of(&context.options, census));
        for (number, input) in inputs.all.iter().enumerate() {
            if is_folder(input) {
                opener.agree(InputKind::RrPairs, input)?;
                continue;
            }
            // A later stream may be one that nobody writes to before the first has been read.
            if number > 0 && !open::is_regular_file(input) {
                continue;
            }
            // An input that cannot be read is reported when it is really read.
            let looked = open_and_look(input, Asked::ByName);
            if let Ok((_, Nature::Known(kind))) = looked {
                opener.agree(kind, input)?;
            }
            if !open::is_regular_file(input) {
                opener.kept = Some((input.clone(), looked));
            }
        }
        Ok(opener)
    }

    /// The state before any input has been examined.
    fn before(inputs: &Inputs, paths: Paths) -> Self {
        // What the user expects, if nothing shows a kind: a rejects file may be empty.
        let expected = match inputs.uncertain {
            Uncertain::Send => InputKind::Records,
            Uncertain::LeaveOut => InputKind::RrPairs,
        };
        Self {
            kind: inputs.forced.unwrap_or(expected),
            decided_by: match inputs.forced {
                Some(_) => DecidedBy::User,
                None => DecidedBy::Nothing,
            },
            paths,
            kept: None,
        }
    }

    pub(in crate::extract) fn kind(&self) -> InputKind {
        self.kind
    }

    /// Takes `kind` as that of the run, or checks that it is the same.
    fn agree(&mut self, kind: InputKind, input: &Input) -> Result<(), Error> {
        let kind = self.as_read(kind);
        match &self.decided_by {
            DecidedBy::Nothing => {
                self.kind = kind;
                self.decided_by = DecidedBy::Content(input.name());
                Ok(())
            }
            DecidedBy::Content(_) if self.kind == kind => Ok(()),
            DecidedBy::Content(first) => Err(Error::SeveralKinds {
                first: (first.clone(), self.kind.name()),
                second: (input.name(), kind.name()),
            }),
            DecidedBy::User if self.kind != InputKind::RrPairs && is_folder(input) => {
                Err(Error::Config {
                    message: format!("{} is a folder, not {}", input.name(), self.kind.name()),
                    hint: Some("without `--as`, kreplay reads the RRPairs in it".into()),
                })
            }
            DecidedBy::User => Ok(()),
        }
    }

    /// How an input of `kind` is read: the user's own paths may lead into record lines as well.
    fn as_read(&self, kind: InputKind) -> InputKind {
        match (self.paths, kind) {
            (Paths::Own, InputKind::Records) => InputKind::RrPairs,
            (_, kind) => kind,
        }
    }

    /// Opens `found`, or says why it is left out.
    ///
    /// # Errors
    /// Returns why it cannot be opened or, if the user named it, why it cannot be read as the kind of the
    /// run.
    pub(in crate::extract) fn open_found(&mut self, found: &FoundFile) -> Result<Opening, Error> {
        match found.asked {
            Asked::ByName => self.open(&found.input).map(Opening::Open),
            Asked::InFolder => {
                let (opened, nature) = self.open_and_look(&found.input, Asked::InFolder)?;
                Ok(self.of_folder(nature, opened))
            }
        }
    }

    fn open_and_look(&mut self, input: &Input, asked: Asked) -> Looked {
        match self.kept.take_if(|(kept, _)| kept == input) {
            Some((_, looked)) => looked,
            None => open_and_look(input, asked),
        }
    }

    /// Opens an input that the user named.
    ///
    /// # Errors
    /// Returns why it cannot be opened, or why it cannot be read as the kind of the run.
    pub(in crate::extract) fn open(&mut self, input: &Input) -> Result<Opened, Error> {
        let (opened, nature) = self.open_and_look(input, Asked::ByName)?;
        match nature {
            Nature::Known(kind) => self.agree(kind, input)?,
            Nature::Unread(format) => {
                return Err(Error::OtherFormat {
                    input: input.name(),
                    what: format.name,
                    unpack: format.commands(opened.unpacked_by),
                });
            }
            Nature::Json { like_a_record } => {
                let reads_it = match self.kind {
                    InputKind::RrPairs => self.paths == Paths::Own,
                    InputKind::Records => like_a_record,
                    InputKind::Csv => true,
                };
                self.unless(reads_it, "JSON", input)?;
            }
            Nature::Text => self.unless(self.kind == InputKind::Csv, "text", input)?,
            Nature::Empty => {}
        }
        Ok(opened)
    }

    fn unless(&self, reads_it: bool, what: &'static str, input: &Input) -> Result<(), Error> {
        match reads_it {
            true => Ok(()),
            false => Err(Error::NoneInIt {
                input: input.name(),
                wanted: match self.decided_by {
                    DecidedBy::Nothing => "RRPairs or record lines",
                    DecidedBy::Content(_) | DecidedBy::User => self.kind.name(),
                },
                what,
            }),
        }
    }

    fn of_folder(&self, nature: Nature, opened: Opened) -> Opening {
        match nature {
            Nature::Known(InputKind::RrPairs) => Opening::Open(opened),
            Nature::Json { .. } | Nature::Known(InputKind::Records) if self.paths == Paths::Own => {
                Opening::Open(opened)
            }
            Nature::Known(kind) => Opening::Skip(match kind {
                InputKind::Csv => "it is a CSV",
                InputKind::Records | InputKind::RrPairs => "it holds record lines",
            }),
            Nature::Json { .. } => Opening::Skip("it is JSON without the members of an RRPair"),
            Nature::Text => Opening::Skip("it holds no RRPairs"),
            Nature::Empty => Opening::Skip("it is empty"),
            Nature::Unread(format) if format.unpack.is_some() => Opening::Packed(format),
            Nature::Unread(_) => Opening::Skip("it is neither text nor JSON"),
        }
    }
}

fn open_and_look(input: &Input, asked: Asked) -> Looked {
    let mut opened = open::open(input)?;
    let nature = opened.look(asked);
    let nature = nature.map_err(|e| open::read_error(input.name(), &e))?;
    Ok((opened, nature))
}

fn is_folder(input: &Input) -> bool {
    matches!(input, Input::File(path) if path.is_dir())
}

impl Paths {
    fn of(options: &Extraction, census: &Census) -> Self {
        let own_profile = matches!(options.profile, ProfileChoice::File { .. });
        let own_path = options.overrides.paths().next().is_some();
        match own_profile || own_path || matches!(census, Census::Paths(_)) {
            true => Self::Own,
            false => Self::BuiltIn,
        }
    }
}

/// The kind of `inputs` as far as it shows without reading a stream: the kind that the user gives, or that of
/// the first file or folder that has one. If no file shows a kind, it is the expected one.
pub(in crate::extract) fn kind_without_streams(
    inputs: &Inputs,
    options: &Extraction,
) -> Option<InputKind> {
    let opener = Opener::before(inputs, Paths::of(options, &Census::Nothing));
    if opener.decided_by == DecidedBy::User {
        return Some(opener.kind);
    }
    let mut streams = false;
    for input in &inputs.all {
        if is_folder(input) {
            return Some(InputKind::RrPairs);
        }
        if !open::is_regular_file(input) {
            streams = true;
        } else if let Ok((_, Nature::Known(kind))) = open_and_look(input, Asked::ByName) {
            return Some(opener.as_read(kind));
        }
    }
    (!streams).then_some(opener.kind)
}
