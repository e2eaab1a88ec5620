//! One Kafka cluster, for whoever talks to it.

pub(crate) mod fetched;
pub(crate) mod guard;
pub(crate) mod native;
pub(crate) mod reader;
pub(crate) mod reasons;
pub(crate) mod settings;
pub(crate) mod token;
