//! `--shard` and `--sample`: parts of a capture that hashes choose, the same on every machine.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// One of several machines, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    index: NonZeroU32,
    of: NonZeroU32,
}

impl Shard {
    /// # Errors
    /// Returns an error for an index that is out of range.
    pub(crate) fn new(index: u64, of: u64) -> Result<Self, String> {
        let number = |n| u32::try_from(n).ok().and_then(NonZeroU32::new);
        let of = number(of).ok_or_else(|| format!("{of} is not a number of shards"))?;
        let out_of_range = || match index {
            0 => format!("shards count from 1: the first is 1/{of}"),
            _ => format!("shard {index}/{of} does not exist: the last is {of}/{of}"),
        };
        match number(index).filter(|index| *index <= of) {
            Some(index) => Ok(Self { index, of }),
            None => Err(out_of_range()),
        }
    }

    /// Whether this machine has a captured partition. Neighbouring partitions of a topic belong to different
    /// machines; records without a partition count as partition 0.
    pub(super) fn has(self, topic: Option<&str>, partition: Option<i32>) -> bool {
        let partition = u64::from(partition.unwrap_or(0).unsigned_abs());
        let topic = hash(topic.unwrap_or_default().as_bytes());
        let place = topic.wrapping_add(partition) % u64::from(self.of.get());
        place == u64::from(self.index.get() - 1)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) => Self::new(index, of),
            None => Err("expected I/N such as `1/4`, or `auto`".into()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// One key in this many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample(NonZeroU32);

impl Sample {
    pub(super) fn has_key(self, key: &[u8]) -> bool {
        hash(key).is_multiple_of(self.0.get().into())
    }

    pub(super) fn has_position(self, position: u64) -> bool {
        position.is_multiple_of(self.0.get().into())
    }
}

impl FromStr for Sample {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected 1/N such as `1/10`: one key in 10".to_string();
        let of = text.strip_prefix("1/").ok_or_else(expected)?;
        match of.parse() {
            Ok(0) => Err("expected 1/N with N above 0, such as `1/10`".into()),
            Ok(of) => NonZeroU32::new(of).map(Self).ok_or_else(expected),
            Err(_) => Err(expected()),
        }
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1/{}", self.0)
    }
}

/// FNV-1a with the last mixing step of MurmurHash3: the same on every machine and in every version, and
/// unrelated to Kafka's own placement by key, so that a sample does not become one partition.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mixed = (fnv ^ (fnv >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    mixed ^ (mixed >> 33)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shard_number_must_not_exceed_the_number_of_shards() {
        for text in ["1/1", "1/4", "4/4", "17/1000"] {
            let shard: Shard = text.parse().expect(text);
            assert_eq!(shard.to_string(), text);
        }
        for (text, expected) in [
            ("0/4", "shards count from 1: the first is 1/4"),
            ("5/4", "shard 5/4 does not exist: the last is 4/4"),
            ("1/0", "0 is not a number of shards"),
            ("0/0", "0 is not a number of shards"),
            ("-1/4", "expected I/N"),
            ("4", "expected I/N"),
            ("1/2/3", "expected I/N"),
            (
                "4294967297/4294967298",
                "4294967298 is not a number of shards",
            ),
        ] {
            let why = text.parse::<Shard>().expect_err(text);
            assert!(why.starts_with(expected), "{text}: {why}");
        }
    }

    #[test]
    fn a_sample_is_written_as_one_in_n() {
        assert_eq!(
            "1/10".parse::<Sample>().map(|it| it.to_string()),
            Ok("1/10".into())
        );
        for text in ["1/0", "0/1", "2/5", "10", "1/", "1/-1", "1/4294967296"] {
            assert!(text.parse::<Sample>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_partition_belongs_to_exactly_one_shard(
            topic in "[a-z.]{0,9}",
            partition in any::<i32>(),
            of in 1..40_u64,
        ) {
            let shards = (1..=of).map(|index| Shard::new(index, of).expect("it is in range"));
            let having = shards.filter(|shard| shard.has(Some(&topic), Some(partition)));
            prop_assert_eq!(having.count(), 1);
        }

        #[test]
        fn neighbouring_partitions_are_spread_evenly(topic in "[a-z.]{0,9}", of in 1..9_u64, rounds in 1..5_u64) {
            for index in 1..=of {
                let shard = Shard::new(index, of).expect("it is in range");
                let partitions = 0..i32::try_from(of * rounds).expect("they are few");
                let having = partitions.filter(|partition| shard.has(Some(&topic), Some(*partition)));
                prop_assert_eq!(having.count() as u64, rounds);
            }
        }
    }
}
