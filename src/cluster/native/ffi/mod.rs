//! What every call of librdkafka's C API needs: the functions that the bindings lack, C objects and texts,
//! and error codes.

pub(super) mod code;
pub(super) mod owned;
pub(super) mod raw;
