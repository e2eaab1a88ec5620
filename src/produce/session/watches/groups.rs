//! The watch over the consumer groups that a run waits for: it begins before the first record and ends when
//! they have read the last one.

use std::time::{Duration, Instant};

use crate::cluster::native::groups::{self, GroupMembers};
use crate::config::WaitedGroups;
use crate::config::nearest::nearest;
use crate::error::{Error, GroupFault, quoted};
use crate::host::visible::visible;
use crate::produce::connection::client::{ASK_LIMIT, Connection};
use crate::produce::delivery::Deliveries;
use crate::produce::job::Job;
use crate::report::GroupReport;
use crate::verify::group::look_at;
use crate::verify::group::observer::GroupObserver;

/// Begins to watch the awaited groups, once the cluster has described each of them.
///
/// # Errors
/// Returns [`Error::GroupUnusable`] if the cluster does not describe one of them, or if it commits no
/// offsets.
pub(in crate::produce::session) fn observe(
    job: &Job,
    connection: &Connection,
) -> Result<Option<GroupObserver>, Error> {
    let names = &job.groups.names;
    let Some(sent) = connection.deliveries().sent_times().cloned() else {
        return Ok(None);
    };
    let client = connection.client();
    let members = look_at(client, &job.control, names);
    let members = members.map_err(|(group, refusal)| Error::GroupUnusable {
        group,
        fault: GroupFault::Unseen(refusal.text),
    })?;
    let missing = names.iter().zip(members);
    let missing = missing.filter(|(_, members)| *members == GroupMembers::NoGroup);
    for (name, _) in missing {
        if is_of_another_kind(job, connection, name) {
            return Err(Error::GroupUnusable {
                group: name.clone(),
                fault: GroupFault::OfAnotherKind,
            });
        }
        job.console.note(&missing_note(job, connection, name));
    }
    let counters = job.counters.clone();
    let publish = move |progress| counters.note_groups(progress);
    let observer = GroupObserver::start(client.clone(), names, sent, publish);
    Ok(Some(observer))
}

/// Whether a group of this name exists that neither protocol for consumers describes.
fn is_of_another_kind(job: &Job, connection: &Connection, name: &str) -> bool {
    let group = name.to_owned();
    let exists = connection.ask(move |client| groups::exists(client, &group, ASK_LIMIT));
    // It may have appeared meanwhile.
    let name = [name.to_owned()];
    let again = || look_at(connection.client(), &job.control, &name);
    exists == Some(Ok(true)) && again().is_ok_and(|found| found == [GroupMembers::NoGroup])
}

/// Says that no such group exists yet, with the nearest name among those that the cluster lists.
fn missing_note(job: &Job, connection: &Connection, name: &str) -> String {
    let listing = groups::list(connection.client(), &job.control, ASK_LIMIT);
    let listed = listing.map_or_else(|_| Vec::new(), |listing| listing.names);
    let near = nearest(name, listed.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| {
        format!(" (did you mean `{}`?)", visible(near))
    });
    let name = visible(name);
    format!("there is no consumer group `{name}` yet{near}")
}

/// Waits until the groups have read what was delivered, unless the run has to end; returns what is known
/// about them, and how long that took.
pub(in crate::produce::session) fn wait(
    observer: &GroupObserver,
    job: &Job,
    deliveries: &Deliveries,
) -> (Vec<GroupReport>, Duration) {
    let started = Instant::now();
    let goes_on = || !job.control.is_stopping() && deliveries.ending().is_none();
    if goes_on() {
        let WaitedGroups { names, limit } = &job.groups;
        let what = if names.len() == 1 { "group" } else { "groups" };
        let span = humantime::format_duration(*limit);
        let note = format!("waiting for the {what} {}, {span} at most", quoted(names));
        job.console.note(&note);
        observer.wait(*limit, goes_on);
    }
    (observer.reports(), started.elapsed())
}
