//! Randomness that can be repeated: a test that fails prints its seed, and `KREPLAY_TEST_SEED` repeats it.
//!
//! Faults, proxies and generated records use it; a crate would bring more than they need.

use std::ops::Range;
use std::time::Duration;

/// The seed of an ordinary run.
const SEED: u64 = 20_260_105;

/// A sequence of numbers that looks random.
#[derive(Clone, Debug)]
pub(crate) struct SeededRandom {
    seed: u64,
    state: u64,
}

impl SeededRandom {
    /// The sequence of `KREPLAY_TEST_SEED`, or always the same one.
    ///
    /// # Panics
    /// Panics if the variable does not hold a number.
    pub(crate) fn from_env() -> Self {
        let wish = std::env::var("KREPLAY_TEST_SEED").ok();
        let wish = wish.map(|text| text.parse().expect("KREPLAY_TEST_SEED is a number"));
        Self::new(wish.unwrap_or(SEED))
    }

    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give neighbouring numbers (the constant is that of splitmix64), and
        // 0 would stay 0.
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { seed, state }
    }

    /// What to print when a test fails.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A number of a range that is not empty.
    pub(crate) fn number(&mut self, range: Range<u64>) -> u64 {
        // xorshift64, Marsaglia 2003.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        // The upper half: the lowest bits are the least random ones.
        range.start + (self.state >> 32) % (range.end - range.start)
    }

    /// A time in a range that is not empty, to the millisecond.
    pub(crate) fn time(&mut self, range: Range<Duration>) -> Duration {
        let ms = |time: Duration| u64::try_from(time.as_millis()).expect("a short time");
        Duration::from_millis(self.number(ms(range.start)..ms(range.end)))
    }

    /// A letter that looks random: 32 of them, so that records of them do not compress.
    pub(crate) fn letter(&mut self) -> char {
        let at = usize::try_from(self.number(0..32)).expect("32 letters");
        char::from(b"0123456789abcdefghijklmnopqrstuv"[at])
    }
}
