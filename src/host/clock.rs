//! Sleeps until a moment, as exactly as the system can. An absolute sleep does not drift, and a process that
//! is stopped meanwhile does not sleep longer for it.

use std::time::Instant;

/// Lets timers of this thread fire when they are due: Linux otherwise groups those that lie within 50
/// microseconds (`PR_SET_TIMERSLACK`, prctl(2)).
#[cfg(target_os = "linux")]
pub(crate) fn wake_exactly() {
    // If this fails, the thread only wakes a little later.
    _ = nix::sys::prctl::set_timerslack(1);
}

/// Other systems lack this setting.
#[cfg(not(target_os = "linux"))]
pub(crate) fn wake_exactly() {}

/// Sleeps until `moment`; a signal may end the sleep early.
#[cfg(target_os = "linux")]
pub(crate) fn sleep_until(moment: Instant) {
    use nix::sys::time::TimeSpec;
    use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

    // `Instant` uses this clock but does not reveal its reading. This reading is a little later, so the
    // sleep ends later, never earlier.
    let left = moment.saturating_duration_since(Instant::now());
    let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else {
        return std::thread::sleep(left);
    };
    let until = now + TimeSpec::from_duration(left);
    let absolute = ClockNanosleepFlags::TIMER_ABSTIME;
    // An interrupted sleep needs no care: callers look at the time.
    _ = clock_nanosleep(ClockId::CLOCK_MONOTONIC, absolute, &until);
}

/// Sleeps until `moment`.
#[cfg(not(target_os = "linux"))]
pub(crate) fn sleep_until(moment: Instant) {
    std::thread::sleep(moment.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_sleep_ends_when_the_moment_has_come() {
        wake_exactly();
        for us in [0, 10, 500, 3_000] {
            let moment = Instant::now() + Duration::from_micros(us);
            while Instant::now() < moment {
                sleep_until(moment);
            }
            assert!(Instant::now() >= moment);
        }
        // A moment that has passed does not wait for the next.
        sleep_until(Instant::now());
    }
}
