//! Calls that may block for longer than anybody wants to wait: calls of librdkafka that cannot be
//! interrupted, and the end of its threads, which may hang in the look-up of a host name. Each runs on its
//! own thread, which is left behind when the wait for it ends.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::control::{Control, Shutdown};

/// How often a wait checks whether it has ended.
const STEP: Duration = Duration::from_millis(10);
/// How long to wait for the end of threads when a run ends at once.
const IMMEDIATE_LIMIT: Duration = Duration::from_millis(200);

/// Returns what `call` returns; `None` if the run has to stop first, or if the call panics.
pub(crate) fn unless_stopping<T: Send + 'static>(
    control: &Control,
    call: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    attempt(call, |_| control.is_stopping())
}

/// Waits up to `limit` for the end of `threads`, and hardly at all once the run ends at once.
pub(crate) fn join(threads: Vec<JoinHandle<()>>, control: &Control, limit: Duration) {
    // The panic hook has already reported a panic.
    let ended = move || threads.into_iter().for_each(|thread| _ = thread.join());
    attempt(ended, |waited| {
        let leaves = control.shutdown() == Shutdown::Immediate;
        waited > if leaves { IMMEDIATE_LIMIT } else { limit }
    });
}

fn attempt<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
    gives_up: impl Fn(Duration) -> bool,
) -> Option<T> {
    let started = Instant::now();
    let (sender, receiver) = sync_channel(1);
    // Nobody listens any more if the wait ended first.
    thread::spawn(move || _ = sender.send(call()));
    loop {
        match receiver.recv_timeout(STEP) {
            Ok(returned) => return Some(returned),
            Err(RecvTimeoutError::Timeout) if !gives_up(started.elapsed()) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_call_that_returns_is_waited_for() {
        let answer = unless_stopping(&Control::default(), || 7);
        assert_eq!(answer, Some(7));
    }

    #[test]
    fn a_call_that_blocks_is_left_when_the_run_is_to_stop() {
        let control = Control::default();
        let (release, blocked) = channel::<()>();
        control.escalate(Shutdown::Drain);
        assert_eq!(unless_stopping(&control, move || blocked.recv()), None);
        drop(release);
    }

    #[test]
    fn threads_that_do_not_end_are_left_behind() {
        let control = Control::default();
        let (release, blocked) = channel::<()>();
        let thread = thread::spawn(move || _ = blocked.recv());
        join(vec![thread], &control, Duration::ZERO);
        drop(release);
    }
}
