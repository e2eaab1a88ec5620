//! Estimates how many different keys there are, in memory that does not grow with them: HyperLogLog (Flajolet
//! et al., 2007), exact while they are few.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many keys are counted exactly, by their hashes.
const FEW: usize = 1024;
/// Bits of a hash that choose a register: the standard error is 1.04 / sqrt(2^12), 1.6 %.
const BITS: u32 = 12;
const REGISTERS: usize = 1 << BITS;

/// A count of distinct things.
#[derive(Debug, Clone)]
pub(super) enum Distinct {
    Few(HashSet<u64>),
    /// For each register the longest run of zeros seen, plus one.
    Many(Box<[u8; REGISTERS]>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self::Few(HashSet::new())
    }
}

impl Distinct {
    pub(super) fn add(&mut self, thing: &[u8]) {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        self.add_hash(hasher.finish());
    }

    fn add_hash(&mut self, hash: u64) {
        match self {
            Self::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > FEW {
                    let hashes = std::mem::take(hashes);
                    *self = Self::Many(Box::new([0; REGISTERS]));
                    hashes.into_iter().for_each(|hash| self.add_hash(hash));
                }
            }
            Self::Many(registers) => {
                let register = &mut registers[(hash >> (64 - BITS)) as usize];
                // The bit set below ends the run if all bits of the hash are zeros.
                let rest = (hash << BITS) | (1 << (BITS - 1));
                let rank = rest.leading_zeros() + 1;
                *register = (*register).max(u8::try_from(rank).unwrap_or(u8::MAX));
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "a positive estimate, far below 2^53"
    )]
    pub(super) fn estimate(&self) -> u64 {
        let registers = match self {
            Self::Few(hashes) => return hashes.len() as u64,
            Self::Many(registers) => registers,
        };
        let m = REGISTERS as f64;
        let sum: f64 = registers
            .iter()
            .map(|rank| 0.5_f64.powi(i32::from(*rank)))
            .sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = registers.iter().filter(|rank| **rank == 0).count();
        // Below 2.5 m, as in the paper, empty registers say more than full ones.
        let estimate = match empty {
            1.. if raw <= 2.5 * m => m * (m / empty as f64).ln(),
            _ => raw,
        };
        estimate.round() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_estimate_is_near_the_truth(salt: u64, count in 0_u64..60_000, repeats in 1_u64..3) {
            let mut distinct = Distinct::default();
            for i in (0..count * repeats).map(|i| i % count) {
                distinct.add(format!("{salt} {i}").as_bytes());
            }
            let estimate = distinct.estimate();
            if count <= FEW as u64 {
                prop_assert_eq!(estimate, count);
            }
            // Five standard errors: one run in two million is further off.
            let error = estimate.abs_diff(count) as f64 / count.max(1) as f64;
            prop_assert!(error < 5.0 * 0.0163, "{} for {}", estimate, count);
        }
    }
}
