//! Opens a file and reads its bytes, however they are packed or encoded.

mod head;
pub(super) mod magic;
pub(crate) mod open;
pub(crate) mod opener;
pub(in crate::extract) mod unpack;
mod utf16;
