//! What `kreplay inspect` collects besides records: a census of what the RRPairs show, or the paths that
//! occur in them. A replay needs neither, and only notes which cluster was captured: the members that a
//! census reads are added to the automaton only when one is taken.

mod outline;
pub(super) mod unmatched;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::outline::Outline;
use super::profile::path::{Path, PathStep};
use super::profile::{Candidates, Profile};
use super::rrpair::fields::Attributes;
use super::rrpair::walk::found::LineFindings;
use crate::config::View;
use crate::error::Error;
use crate::record::CapturedFrom;
use crate::report::{CensusReport, PathSeen};

/// `isolation_level` of a FetchRequest (Kafka protocol guide); 0 is left out of the JSON.
const ISOLATION: [&str; 2] = ["read_uncommitted", "read_committed"];

/// How many brokers and how many clusters are noted at most; no capture shows more.
const MOST_PLACES: usize = 256;
/// The most bytes of a broker's address or a cluster's id: a host name has at most 253 (RFC 1035), a port 5,
/// and an id 22. Anything longer is neither.
pub(super) const LONGEST_PLACE: usize = 260;

/// What is collected; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) enum Census {
    #[default]
    Nothing,
    Counts(Arc<Mutex<CensusReport>>),
    Paths(Arc<Mutex<Outline>>),
}

impl Census {
    pub(crate) fn of(view: View) -> Self {
        match view {
            View::Contents => Self::Counts(Arc::default()),
            View::Paths => Self::Paths(Arc::default()),
        }
    }

    /// What was counted so far.
    pub(crate) fn report(&self) -> CensusReport {
        match self {
            Self::Counts(census) => lock(census).clone(),
            Self::Nothing | Self::Paths(_) => CensusReport::default(),
        }
    }

    /// The paths seen so far and the number of nodes under paths that were not kept, if paths are collected.
    pub(crate) fn paths(&self) -> Option<(Vec<PathSeen>, u64)> {
        match self {
            Self::Paths(outline) => Some(lock(outline).list()),
            Self::Nothing | Self::Counts(_) => None,
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counts are sound between any two statements that change them, also after a panic.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The meaning of a member that the census reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CensusMember {
    Command,
    Protocol,
    Broker,
    Cluster,
    Client,
    Group,
    Isolation,
}

/// Fills a census while lines are read.
#[derive(Debug)]
pub(super) struct CensusBuilder {
    census: Census,
    /// The member that each of `paths` leads to, in their order.
    topics: Vec<CensusMember>,
    paths: Vec<Path>,
    tells_isolation: bool,
    /// Whether the profile finds its records in the payload of Kafka.
    reads_kafka: bool,
    /// What is known about the captured cluster.
    brokers: BTreeSet<String>,
    clusters: BTreeSet<String>,
}

impl CensusBuilder {
    /// # Errors
    /// Returns [`Error::Config`] for a path of the profile that does not parse.
    pub(super) fn new(census: Census, profile: &Profile) -> Result<Self, Error> {
        let mut census_builder = Self {
            census,
            topics: Vec::new(),
            paths: Vec::new(),
            tells_isolation: !profile.isolation_level.0.is_empty(),
            reads_kafka: reads_kafka(profile),
            brokers: BTreeSet::new(),
            clusters: BTreeSet::new(),
        };
        if !census_builder.wants_records() {
            return Ok(census_builder);
        }
        census_builder.add_member(CensusMember::Protocol, "l7protocol");
        census_builder.add_member(CensusMember::Broker, "network_address");
        census_builder.add(CensusMember::Cluster, "cluster-id", &profile.cluster_id)?;
        if !matches!(census_builder.census, Census::Counts(_)) {
            return Ok(census_builder);
        }
        census_builder.add_member(CensusMember::Command, "command");
        census_builder.add(CensusMember::Client, "client-id", &profile.client_id)?;
        census_builder.add(CensusMember::Group, "group", &profile.group)?;
        census_builder.add(
            CensusMember::Isolation,
            "isolation-level",
            &profile.isolation_level,
        )?;
        Ok(census_builder)
    }

    /// Adds a member that Speedscale documents for every RRPair.
    fn add_member(&mut self, topic: CensusMember, member: &str) {
        self.topics.push(topic);
        self.paths.push(Path::of_names([member].into_iter()));
    }

    fn add(
        &mut self,
        topic: CensusMember,
        name: &str,
        candidates: &Candidates,
    ) -> Result<(), Error> {
        for candidate in &candidates.0 {
            let path = Path::parse(&candidate.path);
            self.topics.push(topic);
            self.paths
                .push(path.map_err(|e| Error::config(format!("{name}: {e}")))?);
        }
        Ok(())
    }

    /// The members to capture, after those that the filter reads.
    pub(super) fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// Whether records are wanted, or only paths.
    pub(super) fn wants_records(&self) -> bool {
        !matches!(self.census, Census::Paths(_))
    }

    /// Notes an RRPair, whether or not it passes the filter.
    pub(super) fn observe(&self, found: &LineFindings) {
        if let Census::Counts(census) = &self.census {
            let mut census = lock(census);
            for (topic, text) in self.texts_of(found) {
                match topic {
                    CensusMember::Command => census.commands.add(text),
                    CensusMember::Group => census.groups.add(text),
                    _ => {}
                }
            }
        }
    }

    /// Notes an RRPair that passes the filter.
    pub(super) fn observe_pass(&self, line: &str, found: &LineFindings) {
        match &self.census {
            Census::Nothing => {}
            Census::Paths(outline) => lock(outline).add(line),
            Census::Counts(census) => self.count(&mut lock(census), found),
        }
    }

    /// What an RRPair shows of the captured cluster that no RRPair before it has shown.
    pub(super) fn captured_from(
        &mut self,
        found: &LineFindings,
        passes: bool,
    ) -> Vec<CapturedFrom> {
        let (mut protocol, mut broker, mut cluster) = (None, None, None);
        for (topic, text) in self.texts_of(found) {
            match topic {
                CensusMember::Protocol => protocol = Some(text),
                CensusMember::Broker => broker = Some(text),
                CensusMember::Cluster => cluster = Some(text),
                _ => {}
            }
        }
        // Speedscale does not document what it calls the protocol: if Kafka's records were found in it, it
        // was Kafka, whatever its name.
        let is_called_kafka = protocol.map(|name| name.eq_ignore_ascii_case("kafka"));
        let gives_records = self.reads_kafka && passes && !found.records.is_empty();
        let is_kafka = gives_records || is_called_kafka.unwrap_or(self.reads_kafka && passes);
        let is_new = |known: &BTreeSet<String>, text: &&str| {
            !text.is_empty()
                && text.len() <= LONGEST_PLACE
                && known.len() < MOST_PLACES
                && !known.contains(*text)
        };
        let cluster = cluster.filter(|id| is_new(&self.clusters, id));
        let cluster = cluster.map(str::to_owned);
        let broker = broker.filter(|broker| is_kafka && is_new(&self.brokers, broker));
        let broker = broker.map(str::to_owned);
        self.clusters.extend(cluster.clone());
        self.brokers.extend(broker.clone());
        let cluster = cluster.map(CapturedFrom::Cluster).into_iter();
        cluster.chain(broker.map(CapturedFrom::Broker)).collect()
    }

    fn count(&self, census: &mut CensusReport, found: &LineFindings) {
        let mut isolation = self.tells_isolation.then_some(ISOLATION[0]);
        for (topic, text) in self.texts_of(found) {
            match topic {
                CensusMember::Broker => census.brokers.add(text),
                CensusMember::Client => census.clients.add(text),
                CensusMember::Isolation => {
                    let level = text.parse::<usize>().ok();
                    isolation = Some(level.and_then(|n| ISOLATION.get(n)).unwrap_or(&text));
                }
                CensusMember::Command
                | CensusMember::Protocol
                | CensusMember::Cluster
                | CensusMember::Group => {}
            }
        }
        if let Some(isolation) = isolation {
            census.isolation.add(isolation);
        }
        let records = found.records.iter();
        let is_control = |partial: &_| attributes(partial).has(Attributes::CONTROL);
        let records = records.filter(|partial| !is_control(*partial)).count() as u64;
        if records > 1 {
            census.several.fetches += 1;
            census.several.records += records;
        }
    }

    fn texts_of<'a>(
        &'a self,
        found: &'a LineFindings,
    ) -> impl Iterator<Item = (CensusMember, &'a str)> {
        let captured = &found.filtered_on;
        let first = captured.len() - self.topics.len();
        let topics = self.topics.iter().enumerate();
        topics.flat_map(move |(i, topic)| {
            let texts = captured.texts(first + i).iter();
            texts.map(|text| (*topic, text.as_str()))
        })
    }
}

/// Whether every path to a record leads into the payload named after Kafka.
fn reads_kafka(profile: &Profile) -> bool {
    let candidates = match profile.record.0.is_empty() {
        true => &profile.value.0,
        false => &profile.record.0,
    };
    let leads_there = |text: &str| {
        Path::parse(text).is_ok_and(|path| match path.steps() {
            Some(steps) => matches!(steps.first(), Some(PathStep::Name(name)) if name == "kafka"),
            None => path.text().starts_with("$.kafka"),
        })
    };
    !candidates.is_empty() && candidates.iter().all(|c| leads_there(&c.path))
}

fn attributes(partial: &super::rrpair::walk::found::PartialRecord) -> Attributes {
    partial.fields.attributes()
}
