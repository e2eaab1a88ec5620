//! Prints one line on stderr that says where the records go: the cluster, its topics, and the consumer groups
//! that will see the records. Requests about groups may take a while and must not hold up a replay: they are
//! sent on a thread of their own, and the line follows when they are answered.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::client::Connection;
use crate::cluster::guard::ClusterIdentity;
use crate::cluster::native::Client;
use crate::cluster::native::admin::AdminRefusal;
use crate::cluster::native::groups;
use crate::cluster::native::groups::{GroupListing, TopicsOfGroup};
use crate::host::console::Console;
use crate::host::control::{Control, Shutdown};
use crate::host::patience;
use crate::report::rendering::figures::count;

/// How long the first record waits for the groups: mostly they are known by then.
const HOLD_UP: Duration = Duration::from_millis(40);
/// How long the end of a run waits for them.
const LAST_WAIT: Duration = Duration::from_millis(500);
/// How long one request about groups may take. There are two, one after the other.
const ASK_LIMIT: Duration = Duration::from_millis(1000);
/// For how many groups kreplay requests the offsets, at most.
const MOST_GROUPS: usize = 200;
/// How many topics and groups the line names.
const NAMED: usize = 5;

/// The line, until it is printed.
pub(in crate::produce) struct Announcement {
    shared: Arc<SharedAnnouncement>,
    asking: Option<JoinHandle<()>>,
    /// The shutdown of the run.
    control: Control,
    /// The shutdown of the requests, which end with the announcement.
    requests: Control,
}

struct SharedAnnouncement {
    console: Console,
    pending: Mutex<Option<String>>,
    printed: Condvar,
}

impl SharedAnnouncement {
    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        // The line is either there or taken, so the state is consistent also after a panic.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints the line with `readers` at its end, once.
    fn print(&self, readers: &str) {
        if let Some(line) = self.lock().take() {
            self.console.note(&format!("{line}{readers}"));
        }
        self.printed.notify_all();
    }

    /// Waits until the line was printed.
    fn wait(&self, limit: Duration) {
        let waited = self
            .printed
            .wait_timeout_while(self.lock(), limit, |pending| pending.is_some());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Announcement {
    /// Begins to announce `topics`, each with its number of partitions.
    pub(in crate::produce) fn start(connection: &Connection, topics: Vec<(String, i32)>) -> Self {
        let client = connection.client().clone();
        let shared = Arc::new(SharedAnnouncement {
            console: connection.console.clone(),
            pending: Mutex::new(Some(destination(connection.known(), &topics))),
            printed: Condvar::new(),
        });
        let requests = Control::default();
        let asking = thread::spawn({
            let (shared, control) = (shared.clone(), requests.clone());
            move || {
                let topics = topics.into_iter().map(|(name, _)| name).collect();
                let known = look(&client, &control, &topics);
                shared.print(&known.to_string());
            }
        });
        shared.wait(HOLD_UP);
        Self {
            shared,
            asking: Some(asking),
            control: connection.control().clone(),
            requests,
        }
    }
}

impl Drop for Announcement {
    /// Prints the line even if the groups were slow to answer.
    fn drop(&mut self) {
        if self.control.shutdown() != Shutdown::Immediate {
            self.shared.wait(LAST_WAIT);
        }
        self.shared.print("");
        self.requests.escalate(Shutdown::Immediate);
        if let Some(asking) = self.asking.take() {
            // Its requests now end at once. Wait for it, because it holds the client.
            patience::join(vec![asking], &self.control, LAST_WAIT);
        }
    }
}

fn destination(identity: Option<&ClusterIdentity>, topics: &[(String, i32)]) -> String {
    let id = identity.and_then(ClusterIdentity::cluster_id);
    let id = id.map_or_else(String::new, |id| format!(" {id}"));
    let brokers = identity.map_or(0, |identity| identity.broker_count as u64);
    let names = topics.iter().map(|(name, partitions)| {
        let partitions = count(u64::from(partitions.unsigned_abs()), "partition");
        format!("{name} ({partitions})")
    });
    let brokers = count(brokers, "broker");
    format!("cluster{id} ({brokers}): {}", listed(names))
}

/// What is known about the groups that read the topics.
#[derive(Debug, Default)]
struct Readers {
    groups: BTreeSet<String>,
    /// Why there may be more of them.
    gap: Option<String>,
}

impl fmt::Display for Readers {
    /// `; read by the groups audit, billing`. The line never denies what is unknown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = listed(self.groups.iter().cloned());
        match (&self.gap, self.groups.len()) {
            (None, 0) => f.write_str("; no consumer group reads them"),
            (None, 1) => write!(f, "; read by the group {groups}"),
            (None, _) => write!(f, "; read by the groups {groups}"),
            (Some(gap), 0) => write!(f, "; no consumer group was seen to read them ({gap})"),
            (Some(gap), _) => write!(f, "; groups seen: {groups} ({gap})"),
        }
    }
}

/// Finds the groups that read `topics`: members are assigned to them, or offsets are committed.
fn look(client: &Client, control: &Control, topics: &BTreeSet<String>) -> Readers {
    let (listing, visible) = thread::scope(|scope| {
        let visible = scope.spawn(|| groups::all_are_visible(client, control, ASK_LIMIT));
        let listing = groups::list(client, control, ASK_LIMIT);
        (listing, visible.join())
    });
    let GroupListing {
        mut names,
        refusals,
    } = match listing {
        Ok(listing) => listing,
        Err(refusal) => return Readers::unknown(&refusal),
    };
    let mut gaps = Gaps::default();
    if let Some(refusal) = refusals.first() {
        gaps.add(|| format!("a broker does not list its groups: {}", refusal.text));
    }
    match visible {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => gaps.add(|| "this user may not see all groups".into()),
        Ok(Err(_)) | Err(_) => gaps.add(|| "the user may not see all groups".into()),
    }
    names.sort_unstable();
    if names.len() > MOST_GROUPS {
        gaps.add(|| format!("only {MOST_GROUPS} of {} groups were checked", names.len()));
        names.truncate(MOST_GROUPS);
    }
    if names.is_empty() {
        return Readers::default().with(gaps);
    }
    let (assigned, committed) = thread::scope(|scope| {
        let assigned = scope.spawn(|| groups::assigned(client, control, &names, ASK_LIMIT));
        let committed = groups::committed(client, control, &names, ASK_LIMIT);
        (assigned.join(), committed)
    });
    let assigned = assigned.unwrap_or_else(|_| Ok(Vec::new()));
    let mut groups = BTreeSet::new();
    for answers in [assigned, committed] {
        match answers {
            Ok(answers) => collect(answers, topics, &mut groups, &mut gaps),
            Err(refusal) => {
                gaps.add(|| format!("some of their details are unknown: {}", refusal.text))
            }
        }
    }
    let known = Readers { groups, gap: None };
    known.with(gaps)
}

/// Adds the groups that read one of `topics`.
fn collect(
    answers: Vec<(String, TopicsOfGroup)>,
    topics: &BTreeSet<String>,
    groups: &mut BTreeSet<String>,
    gaps: &mut Gaps,
) {
    for (group, reads) in answers {
        match reads {
            Ok(reads) if reads.is_disjoint(topics) => {}
            Ok(_) => _ = groups.insert(group),
            Err(refusal) => gaps.add(|| match group.is_empty() {
                true => format!("some of their details are unknown: {}", refusal.text),
                false => format!(
                    "some details of group {group} are unknown: {}",
                    refusal.text
                ),
            }),
        }
    }
}

/// Why some groups may be unknown: the first reason, which is enough.
#[derive(Debug, Default)]
struct Gaps(Option<String>);

impl Gaps {
    fn add(&mut self, why: impl FnOnce() -> String) {
        self.0.get_or_insert_with(why);
    }
}

impl Readers {
    fn unknown(refusal: &AdminRefusal) -> Self {
        Self {
            gap: Some(format!(
                "the cluster does not list its groups: {}",
                refusal.text
            )),
            ..Self::default()
        }
    }

    fn with(self, gaps: Gaps) -> Self {
        Self {
            gap: gaps.0,
            ..self
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
    fn groups_that_could_not_be_read_are_not_reported_as_absent() {
        let known = |groups: &[&str], gap: Option<&str>| {
            let groups = groups.iter().map(|name| (*name).to_owned()).collect();
            let gap = gap.map(str::to_owned);
            Readers { groups, gap }.to_string()
        };
        let gap = Some("this user may not see all groups");
        for (groups, gap, text) in [
            (&[][..], None, "; no consumer group reads them"),
            (&["a"], None, "; read by the group a"),
            (&["a", "b"], None, "; read by the groups a, b"),
            (
                &[],
                gap,
                "; no consumer group was seen to read them (this user may not see all groups)",
            ),
            (
                &["a"],
                gap,
                "; groups seen: a (this user may not see all groups)",
            ),
        ] {
            assert_eq!(known(groups, gap), text);
        }
    }

    #[test]
    fn a_long_list_names_five() {
        let names = |n: usize| (1..=n).map(|i| format!("g{i}"));
        assert_eq!(listed(names(2)), "g1, g2");
        assert_eq!(listed(names(5)), "g1, g2, g3, g4, g5");
        assert_eq!(listed(names(8)), "g1, g2, g3, g4, g5 and 3 more");
    }
}
