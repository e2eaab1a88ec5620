//! Faults of the cluster and of the network before it.

pub(crate) mod broker;
pub(crate) mod changes;
pub(crate) mod epochs;
pub(crate) mod failover;
pub(crate) mod mock;
pub(crate) mod network;
pub(crate) mod quota;
pub(crate) mod refusal;
