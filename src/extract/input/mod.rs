//! Bytes: files and folders, decompression, the kind of a file, speedctl, and where one text ends.

pub(super) mod encoding;
pub(super) mod envelope;
pub(super) mod files;
pub(super) mod framing;
pub(super) mod kind;
mod members;
pub(super) mod speedctl;
pub(super) mod tail;
