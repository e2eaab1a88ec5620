//! Opening a file, and the bytes in it whatever they are packed or encoded in.

mod head;
pub(super) mod magic;
pub(crate) mod open;
pub(crate) mod opener;
mod unpack;
mod utf16;
