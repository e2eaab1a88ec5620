//! The commands.

pub(crate) mod inspect;
pub(crate) mod print;
pub mod show;
pub(crate) mod uses;
