//! One line on stderr that says where the records go: the cluster, its topics, and the consumer groups
//! that will see the records. Questions about groups may take a while and must not hold a replay
//! up: they are asked on a thread of their own, and the line comes when they are answered.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::client::Connection;
use super::guard::Known;
use super::native::Client;
use super::native::groups;
use crate::console::Console;
use crate::error::count;

/// How long the first record waits for the groups: they are mostly known by then.
const HOLD_UP: Duration = Duration::from_millis(40);
/// How long the end of a run waits for them.
const LAST_WAIT: Duration = Duration::from_millis(500);
/// One question about groups. Two are asked, one after the other.
const ASK_LIMIT: Duration = Duration::from_millis(1000);
/// More groups are not asked for their offsets.
const MOST_GROUPS: usize = 200;
/// How many topics and groups are named.
const NAMED: usize = 5;

/// The line, as long as it is not told.
pub(super) struct Announcement {
    shared: Arc<Shared>,
    asking: Option<JoinHandle<()>>,
}

struct Shared {
    console: Console,
    untold: Mutex<Option<String>>,
    told: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // Either there or taken: whole also after a panic.
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the line with `readers` at its end, once.
    fn tell(&self, readers: &str) {
        if let Some(line) = self.lock().take() {
            self.console.note(&format!("{line}{readers}"));
        }
        self.told.notify_all();
    }

    /// Waits until the line was told.
    fn wait(&self, limit: Duration) {
        let waited = self
            .told
            .wait_timeout_while(self.lock(), limit, |untold| untold.is_some());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Announcement {
    /// Begins to tell of `topics`, each with its number of partitions.
    pub(super) fn start(connection: &Connection, topics: Vec<(String, i32)>) -> Self {
        let client = connection.client().clone();
        let shared = Arc::new(Shared {
            console: connection.console.clone(),
            untold: Mutex::new(Some(destination(connection.known(), &topics))),
            told: Condvar::new(),
        });
        let asking = thread::spawn({
            let shared = shared.clone();
            move || {
                let topics = topics.into_iter().map(|(name, _)| name).collect();
                shared.tell(&readers(&client, &topics));
            }
        });
        shared.wait(HOLD_UP);
        Self {
            shared,
            asking: Some(asking),
        }
    }
}

impl Drop for Announcement {
    /// Nobody is left without the line because groups were slow to tell.
    fn drop(&mut self) {
        self.shared.wait(LAST_WAIT);
        self.shared.tell("");
        if let Some(asking) = self.asking.take() {
            // The client must not outlive the run: its threads use TLS while the process ends. A
            // panic there has been reported by the panic itself.
            _ = asking.join();
        }
    }
}

fn destination(identity: Option<&Known>, topics: &[(String, i32)]) -> String {
    let id = identity.and_then(Known::cluster_id);
    let id = id.map_or_else(String::new, |id| format!(" {id}"));
    let brokers = identity.map_or(0, |identity| identity.broker_count as u64);
    let names = topics.iter().map(|(name, partitions)| {
        let partitions = count(u64::from(partitions.unsigned_abs()), "partition");
        format!("{name} ({partitions})")
    });
    let brokers = count(brokers, "broker");
    format!("cluster{id} ({brokers}): {}", listed(names))
}

/// `; read by billing and audit`; empty when the cluster does not tell.
fn readers(client: &Client, topics: &BTreeSet<String>) -> String {
    let Ok(mut names) = groups::list(client, ASK_LIMIT) else {
        return String::new();
    };
    if names.is_empty() {
        return "; no consumer group reads them".into();
    }
    names.sort_unstable();
    names.truncate(MOST_GROUPS);
    let reads = |(group, read): (String, BTreeSet<String>)| {
        let reads = !read.is_disjoint(topics);
        reads.then_some(group)
    };
    let (assigned, committed) = thread::scope(|scope| {
        let assigned = scope.spawn(|| groups::assigned(client, &names, ASK_LIMIT));
        let committed = groups::committed(client, &names, ASK_LIMIT);
        (assigned.join(), committed)
    });
    let assigned = assigned.map_or_else(|_| Vec::new(), Result::unwrap_or_default);
    let readers: BTreeSet<String> = assigned
        .into_iter()
        .chain(committed)
        .filter_map(reads)
        .collect();
    match readers.is_empty() {
        true => "; no consumer group reads them".into(),
        false => {
            let word = if readers.len() == 1 {
                "group"
            } else {
                "groups"
            };
            format!("; read by the {word} {}", listed(readers.into_iter()))
        }
    }
}

/// `a, b and 3 more`.
fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = names.collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_names_five() {
        let names = |n: usize| (1..=n).map(|i| format!("g{i}"));
        assert_eq!(listed(names(2)), "g1, g2");
        assert_eq!(listed(names(5)), "g1, g2, g3, g4, g5");
        assert_eq!(listed(names(8)), "g1, g2, g3, g4, g5 and 3 more");
    }
}
