//! What a run reads: the source, and which of its RRPairs and records it takes.

mod extraction;
mod source;

pub(crate) use self::extraction::{
    AbortedRecords, BuiltInProfile, Duplicates, Extraction, Overrides, ProfileChoice,
    RetriedRequests, TopicIdNames,
};
pub(crate) use self::source::{
    Input, InputKind, Inputs, Snapshot, SnapshotAction, Source, Uncertain, Via,
};
