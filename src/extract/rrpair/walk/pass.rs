//! One pass over one RRPair by serde_json, or leniently if serde_json refuses it; another pass if a node's
//! JSON text turns out to be needed.

use serde::de::Deserializer;

use super::found::LineFindings;
use super::visit;
use super::{Excess, Walk};
use crate::extract::rrpair::automaton::PathAutomaton;
use crate::extract::rrpair::fields::Slot;
use crate::extract::rrpair::json::LenientNode;
use crate::record::{Batch, Mark};

/// Why a line was not read.
#[derive(Debug)]
pub(in crate::extract) enum WalkError {
    Json(serde_json::Error),
    /// A path of this slot matched two nodes for one record.
    Ambiguous(Slot),
    Excess(Excess),
}

/// Reads `line`: puts records and what else the automaton names into `found`, and their bytes into `batch`.
///
/// # Errors
/// Returns why the line was not read; the batch is then unchanged.
pub(in crate::extract) fn read(
    line: &str,
    automaton: &PathAutomaton,
    batch: &mut Batch,
    found: &mut LineFindings,
) -> Result<(), WalkError> {
    let mark = batch.mark();
    let strictly = |batch: &mut Batch, found: &mut LineFindings| {
        let mut json = serde_json::Deserializer::from_str(line);
        let after = pass(&mut json, automaton, batch, found)?;
        json.end().map(|()| after)
    };
    let leniently = |batch: &mut Batch, found: &mut LineFindings| {
        pass(LenientNode::of(line)?, automaton, batch, found)
    };
    let after = repeated(batch, found, mark, strictly).or_else(|error| {
        // A damaged line is damaged for both readers, and serde_json knows the column.
        repeated(batch, found, mark, leniently).map_err(|_| WalkError::Json(error))
    });
    after?.judge(batch, mark)
}

/// Makes the pass, and repeats it each time a further node asks for its text: at most once per state.
fn repeated(
    batch: &mut Batch,
    found: &mut LineFindings,
    mark: Mark,
    mut pass: impl FnMut(&mut Batch, &mut LineFindings) -> serde_json::Result<After>,
) -> serde_json::Result<After> {
    loop {
        let after = pass(batch, found);
        if after
            .as_ref()
            .is_ok_and(|after| !after.again || after.excess.is_some())
        {
            return after;
        }
        batch.roll_back(mark);
        after?;
    }
}

/// The state of the walk at the end of a pass.
struct After {
    /// Whether the JSON text of a node is needed: the line is then read once more.
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
