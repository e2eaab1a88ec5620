//! What the inputs of a run are, and opening them as that. All of one run are of one kind, which the
//! content decides, whatever the command: what can be read twice is looked at before anything is read,
//! a stream as soon as it is opened.

use super::magic::Format;
use super::open;
use super::open::Opened;
use crate::config::{Input, ProfileChoice};
use crate::error::Error;
use crate::extract::context::Context;
use crate::extract::input::files::Found;
use crate::extract::input::kind::{Asked, InputKind, Nature};
use crate::extract::survey::Survey;

/// An input that was opened to look at it, and what it is.
type Looked = Result<(Opened, Nature), Error>;

/// Opens the inputs of a run.
#[derive(Debug)]
pub(in crate::extract) struct Opener {
    kind: InputKind,
    /// The input that has told the kind; none while only the command has.
    told_by: Option<String>,
    paths: Paths,
    /// A stream that was opened to look at it.
    kept: Option<(Input, Looked)>,
}

/// Where the paths of a run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paths {
    /// They lead into RRPairs.
    BuiltIn,
    /// The user's own may lead into any JSON.
    Own,
}

/// A file that a folder holds, or an input by its name.
pub(in crate::extract) enum Opening {
    Open(Opened),
    /// It is to be left out, and why.
    Skip(&'static str),
    /// It is to be left out although what is packed in it may be RRPairs.
    Packed(Format),
}

impl Opener {
    /// Looks at `inputs`, which `command` takes for being of its own kind.
    ///
    /// # Errors
    /// [`Error::SeveralKinds`] that names two of them.
    pub(in crate::extract) fn of(
        inputs: &[Input],
        command: InputKind,
        context: &Context,
    ) -> Result<Self, Error> {
        let mut opener = Self {
            kind: command,
            told_by: None,
            paths: paths(context),
            kept: None,
        };
        for (number, input) in inputs.iter().enumerate() {
            if is_folder(input) {
                opener.agree(InputKind::RrPairs, input)?;
                continue;
            }
            // A later stream may be one that nobody writes to before the first has been read.
            if number > 0 && !open::is_regular_file(input) {
                continue;
            }
            // What cannot be read is named when it is read in earnest.
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

    pub(in crate::extract) fn kind(&self) -> InputKind {
        self.kind
    }

    /// Takes `kind` as that of the run, or as one that has to be the same.
    fn agree(&mut self, kind: InputKind, input: &Input) -> Result<(), Error> {
        let kind = self.as_read(kind);
        match &self.told_by {
            None => {
                self.kind = kind;
                self.told_by = Some(input.name());
                Ok(())
            }
            Some(_) if self.kind == kind => Ok(()),
            Some(first) => Err(Error::SeveralKinds {
                first: (first.clone(), self.kind.name()),
                second: (input.name(), kind.name()),
            }),
        }
    }

    /// What an input of `kind` is read as: one's own paths may lead into record lines as well.
    fn as_read(&self, kind: InputKind) -> InputKind {
        match (self.paths, kind) {
            (Paths::Own, InputKind::Records) => InputKind::RrPairs,
            (_, kind) => kind,
        }
    }

    /// Opens `found`, or says why it is left out.
    ///
    /// # Errors
    /// What keeps it from being opened or, if it was asked for, read as what the run reads.
    pub(in crate::extract) fn open_found(&mut self, found: &Found) -> Result<Opening, Error> {
        match found.asked {
            Asked::ByName => self.open(&found.input).map(Opening::Open),
            Asked::InFolder => {
                let (opened, told) = self.open_and_look(&found.input, Asked::InFolder)?;
                Ok(self.of_folder(told, opened))
            }
        }
    }

    fn open_and_look(&mut self, input: &Input, asked: Asked) -> Looked {
        match self.kept.take_if(|(kept, _)| kept == input) {
            Some((_, looked)) => looked,
            None => open_and_look(input, asked),
        }
    }

    /// Opens an input that was asked for by its name.
    ///
    /// # Errors
    /// What keeps it from being opened or read as what the run reads.
    pub(in crate::extract) fn open(&mut self, input: &Input) -> Result<Opened, Error> {
        let (opened, told) = self.open_and_look(input, Asked::ByName)?;
        match told {
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
                wanted: self.kind.name(),
                what,
            }),
        }
    }

    fn of_folder(&self, told: Nature, opened: Opened) -> Opening {
        match told {
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
    let told = opened.look(asked);
    let told = told.map_err(|e| open::read_error(input.name(), &e))?;
    Ok((opened, told))
}

fn is_folder(input: &Input) -> bool {
    matches!(input, Input::File(path) if path.is_dir())
}

fn paths(context: &Context) -> Paths {
    let options = &context.options;
    let own_profile = matches!(options.profile, ProfileChoice::File { .. });
    let own_path = options.overrides.paths().next().is_some();
    match own_profile || own_path || matches!(context.survey, Survey::Paths(_)) {
        true => Paths::Own,
        false => Paths::BuiltIn,
    }
}
