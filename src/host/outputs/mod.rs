//! The files that a run writes. This module is separate from their contents, because two promises hold for
//! all of them: kreplay destroys no file of the user's, and opening or writing a file never blocks the run
//! for ever.

mod lines;
mod open;
mod overlap;
pub(crate) mod replace;

pub(crate) use self::lines::LineFile;
pub(crate) use self::open::{append, create_new, is_regular, open_or_create};
pub(crate) use self::overlap::{InputFile, Overlap};
pub(crate) use self::replace::{Replaced, check_replaceable, replace};
