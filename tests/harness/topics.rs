//! Topics for tests, created and removed through the admin API.
//!
//! `tools/broker` uses it without `readback`: it creates topics and reads none.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::metadata::Metadata;

/// The longest that the leaders of a new topic may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Makes a topic name that no other test uses.
pub(crate) fn unique(stem: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{stem}-{}-{number}", std::process::id())
}

/// Creates a topic and returns once every partition has a leader.
pub(crate) fn create(
    bootstrap: &str,
    name: &str,
    partitions: i32,
    configs: &[(&str, &str)],
) -> Result<(), String> {
    create_replicated(bootstrap, name, partitions, 1, configs)
}

/// Does what [`create`] does, with this many replicas of each partition.
pub(crate) fn create_replicated(
    bootstrap: &str,
    name: &str,
    partitions: i32,
    replicas: i32,
    configs: &[(&str, &str)],
) -> Result<(), String> {
    let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(replicas));
    for (property, value) in configs {
        topic = topic.set(property, value);
    }
    let admin: AdminClient<DefaultClientContext> = client(bootstrap)?;
    let results = block_on(admin.create_topics([&topic], &AdminOptions::new()))?
        .map_err(|error| format!("cannot create topic `{name}`: {error}"))?;
    for result in results {
        result.map_err(|(topic, code)| format!("cannot create topic `{topic}`: {code}"))?;
    }
    wait_for_leaders(&admin, name, partitions)
}

/// Creates a topic with a name of its own and returns that name.
pub(crate) fn create_unique(
    bootstrap: &str,
    stem: &str,
    partitions: i32,
) -> Result<String, String> {
    let name = unique(stem);
    create(bootstrap, &name, partitions, &[])?;
    Ok(name)
}

/// Deletes a topic; the broker removes it shortly after.
pub(crate) fn delete(bootstrap: &str, name: &str) -> Result<(), String> {
    let admin: AdminClient<DefaultClientContext> = client(bootstrap)?;
    let results = block_on(admin.delete_topics(&[name], &AdminOptions::new()))?
        .map_err(|error| format!("cannot delete topic `{name}`: {error}"))?;
    for result in results {
        result.map_err(|(topic, code)| format!("cannot delete topic `{topic}`: {code}"))?;
    }
    Ok(())
}

fn client(bootstrap: &str) -> Result<AdminClient<DefaultClientContext>, String> {
    ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .create()
        .map_err(|error| format!("cannot make a Kafka client: {error}"))
}

fn wait_for_leaders(
    admin: &AdminClient<DefaultClientContext>,
    topic: &str,
    wanted: i32,
) -> Result<(), String> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        let answer = admin
            .inner()
            .fetch_metadata(Some(topic), Duration::from_secs(1));
        if answer.is_ok_and(|metadata| i32::try_from(led(&metadata)) == Ok(wanted)) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!(
        "topic `{topic}` got no leaders for its {wanted} partitions"
    ))
}

/// Counts the partitions that have a leader.
fn led(metadata: &Metadata) -> usize {
    let partitions = metadata
        .topics()
        .iter()
        .flat_map(|topic| topic.partitions());
    partitions
        .filter(|partition| partition.leader() >= 0)
        .count()
}

pub(crate) fn block_on<F: Future>(future: F) -> Result<F::Output, String> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .map(|runtime| runtime.block_on(future))
        .map_err(|error| format!("cannot make a runtime: {error}"))
}
