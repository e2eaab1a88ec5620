//! One pass over one RRPair: by the quick reader of JSON where that can read it, else by serde_json; once
//! more when a node's JSON text turns out to be needed.

use serde::de::Deserializer;

use super::found::LineFindings;
use super::visit;
use super::{Excess, Walk};
use crate::extract::rrpair::automaton::PathAutomaton;
use crate::extract::rrpair::fields::Slot;
use crate::extract::rrpair::json::{GivenUp, JsonReader};
use crate::record::{Batch, Mark};

/// Why a line was not read.
#[derive(Debug)]
pub(in crate::extract) enum WalkError {
    Json(serde_json::Error),
    /// A path of this slot gave two nodes for one record.
    Ambiguous(Slot),
    Excess(Excess),
}

/// Reads `line`: records and what else the automaton names land in `found`, their bytes in `batch`.
///
/// # Errors
/// The batch is as it was before.
pub(in crate::extract) fn read(
    line: &str,
    automaton: &PathAutomaton,
    batch: &mut Batch,
    found: &mut LineFindings,
) -> Result<(), WalkError> {
    let mark = batch.mark();
    // Each time one more node's text is asked for, and there are as many as states.
    while let Ok(after) = quick_pass(line, automaton, batch, found) {
        if !after.again || after.excess.is_some() {
            return after.judge(batch, mark);
        }
        batch.roll_back(mark);
    }
    loop {
        batch.roll_back(mark);
        let mut json = serde_json::Deserializer::from_str(line);
        let after = pass(&mut json, automaton, batch, found);
        match after.and_then(|after| json.end().map(|()| after)) {
            Ok(after) if after.again && after.excess.is_none() => {}
            Ok(after) => return after.judge(batch, mark),
            Err(error) => {
                batch.roll_back(mark);
                return Err(WalkError::Json(error));
            }
        }
    }
}

/// What a pass gives besides what it found.
struct After {
    /// A node was met whose JSON text is needed: the line is read once more.
    again: bool,
    ambiguous: Option<Slot>,
    excess: Option<Excess>,
}

impl After {
    fn judge(self, batch: &mut Batch, mark: Mark) -> Result<(), WalkError> {
        let excess = self.excess.map(WalkError::Excess);
        let wrong = excess.or(self.ambiguous.map(WalkError::Ambiguous));
        wrong.map_or(Ok(()), |wrong| {
            batch.roll_back(mark);
            Err(wrong)
        })
    }
}

/// Reads `line` as most lines can be.
fn quick_pass(
    line: &str,
    automaton: &PathAutomaton,
    batch: &mut Batch,
    found: &mut LineFindings,
) -> Result<After, GivenUp> {
    let mut scratch = std::mem::take(&mut found.scratch);
    let mut json = JsonReader::new(line, &mut scratch);
    let after = pass(&mut json, automaton, batch, found);
    let after = after.and_then(|after| json.end().map(|()| after));
    found.scratch = scratch;
    after
}

fn pass<'de, D: Deserializer<'de>>(
    json: D,
    automaton: &PathAutomaton,
    batch: &mut Batch,
    found: &mut LineFindings,
) -> Result<After, D::Error> {
    let mut walk = Walk::new(automaton, batch, found);
    visit::read(&mut walk, json)?;
    Ok(After {
        again: walk.again,
        ambiguous: walk.ambiguous,
        excess: walk.excess,
    })
}
