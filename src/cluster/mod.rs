//! One Kafka cluster, for whoever talks to it.

pub(crate) mod guard;
pub(crate) mod native;
pub(crate) mod reasons;
pub(crate) mod token;
