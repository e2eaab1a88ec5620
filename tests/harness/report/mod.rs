//! What a JSON report says: its ledger as one line, and whether its schema describes it.

pub(crate) mod ledger;
pub(crate) mod schema;
