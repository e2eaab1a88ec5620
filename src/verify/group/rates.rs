//! How often a group commits, and how fast it reads.

use std::time::Duration;

use crate::report::ConsumptionRates;

/// How many commit intervals are remembered: the latest ones, so that a change in the group shows.
const MOST_INTERVALS: usize = 1 << 10;
/// How many commits are remembered. When there are more, every second one is forgotten, and so are later
/// ones.
const MOST_COMMITS: usize = 1 << 12;
/// The shortest window in which a rate is measured. With a longer commit interval a window is two of those.
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);
const INTERVALS_PER_WINDOW: u32 = 2;

/// Distances between the commits of single partitions.
#[derive(Debug, Default)]
pub(super) struct Intervals {
    latest: Vec<Duration>,
    next: usize,
}

impl Intervals {
    pub(super) fn add(&mut self, interval: Duration) {
        if self.latest.len() < MOST_INTERVALS {
            self.latest.push(interval);
        } else {
            self.latest[self.next % MOST_INTERVALS] = interval;
        }
        self.next += 1;
    }

    pub(super) fn median(&self) -> Option<Duration> {
        let mut sorted = self.latest.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

/// How many records were committed by when. It keeps only moments at which that number rises: a window
/// between two of them is a whole number of commits, so that it does not matter how the windows lie.
#[derive(Debug)]
pub(crate) struct CommitProgress {
    commits: Vec<(Duration, u64)>,
    /// This many commits are stored as one.
    stride: usize,
    seen: usize,
    /// Whether the last commit is kept only until the next one.
    last_is_passing: bool,
}

impl Default for CommitProgress {
    fn default() -> Self {
        Self {
            commits: Vec::new(),
            stride: 1,
            seen: 0,
            last_is_passing: false,
        }
    }
}

impl CommitProgress {
    pub(super) fn add(&mut self, now: Duration, done: u64) {
        let last = self.commits.last().map_or(0, |(_, done)| *done);
        if done <= last {
            return;
        }
        if self.last_is_passing {
            self.commits.pop();
        }
        self.seen += 1;
        self.last_is_passing = !self.seen.is_multiple_of(self.stride);
        if self.commits.len() == MOST_COMMITS {
            let mut index = 0;
            self.commits.retain(|_| {
                index += 1;
                index % 2 == 0
            });
            self.stride *= 2;
        }
        self.commits.push((now, done));
    }

    /// Records a second in the last window; `None` if there was none yet.
    pub(super) fn latest(&self, interval: Option<Duration>) -> Option<f64> {
        let window = window(interval);
        let (now, done) = *self.commits.last()?;
        let mut earlier = self.commits.iter().rev();
        let (then, before) = *earlier.find(|(then, _)| now.saturating_sub(*then) >= window)?;
        Some((done - before) as f64 / (now - then).as_secs_f64())
    }

    /// The rates between the first commit and the last one; empty if no window fits.
    pub(super) fn rates(&self, interval: Option<Duration>) -> Option<ConsumptionRates> {
        self.rates_within(Duration::ZERO, Duration::MAX, window(interval))
    }

    /// The rates between the first commit and the last one of a span of time, in windows of at least
    /// `window`.
    pub(super) fn rates_within(
        &self,
        from: Duration,
        until: Duration,
        window: Duration,
    ) -> Option<ConsumptionRates> {
        let is_in = |commit: &&(Duration, u64)| from <= commit.0 && commit.0 <= until;
        let mut commits = self.commits.iter().filter(is_in);
        let (mut from, mut rates) = (*commits.next()?, Vec::new());
        for commit in commits {
            let length = commit.0.saturating_sub(from.0);
            if length >= window {
                rates.push((commit.1 - from.1) as f64 / length.as_secs_f64());
                from = *commit;
            }
        }
        ConsumptionRates::of(&mut rates, window)
    }
}

fn window(interval: Option<Duration>) -> Duration {
    let interval = interval.unwrap_or_default();
    let window = interval.saturating_mul(INTERVALS_PER_WINDOW);
    window.max(SHORTEST_WINDOW)
}
