//! One Kafka cluster: connecting to it, asking it and reading from it. Both halves of the program share it.

pub(crate) mod fetched;
pub(crate) mod guard;
pub(crate) mod native;
pub(crate) mod reader;
pub(crate) mod reasons;
pub(crate) mod settings;
pub(crate) mod token;
