//! Whether the outbox still gets on, for whoever restarts it where it does not: counted in real
//! time, whatever the office's clock says.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whoever hands out the work looks at least every minute, unless the store keeps it waiting.
const LONGEST_ROUND: Duration = Duration::from_secs(300);
/// A send may take this long, and then the store has to take its outcome.
const LONGEST_STEP: Duration = super::worker::LONGEST_SEND.saturating_add(LONGEST_ROUND);

/// When each part of it made its last step.
#[derive(Default)]
pub(super) struct Pulse(Mutex<Steps>);

#[derive(Default)]
struct Steps {
    /// None while nobody hands out work.
    round: Option<Instant>,
    /// Of each worker that is not asleep.
    workers: BTreeMap<u64, Instant>,
    next: u64,
}

impl Pulse {
    /// The work is being handed out.
    pub(super) fn round(&self, now: Instant) {
        self.steps().round = Some(now);
    }

    /// No more work is handed out.
    pub(super) fn rest(&self) {
        self.steps().round = None;
    }

    /// A worker wakes; the number is its name until it sleeps.
    pub(super) fn wake(&self, now: Instant) -> u64 {
        let mut steps = self.steps();
        steps.next += 1;
        let worker = steps.next;
        steps.workers.insert(worker, now);
        worker
    }

    /// It has taken a message, or brought one home.
    pub(super) fn step(&self, worker: u64, now: Instant) {
        self.steps().workers.insert(worker, now);
    }

    pub(super) fn sleep(&self, worker: u64) {
        self.steps().workers.remove(&worker);
    }

    /// Whether a part of it has stood still for longer than anything may take.
    pub(super) fn is_stuck(&self, now: Instant) -> bool {
        let steps = self.steps();
        let older = |at: &Instant, than| now.saturating_duration_since(*at) > than;
        steps.round.is_some_and(|at| older(&at, LONGEST_ROUND))
            || steps.workers.values().any(|at| older(at, LONGEST_STEP))
    }

    fn steps(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_waits_for_the_store_for_ever_is_stuck_and_who_waits_for_a_peer_is_not() {
        let (pulse, start) = (Pulse::default(), Instant::now());
        assert!(!pulse.is_stuck(start + LONGEST_STEP), "nothing has begun");
        pulse.round(start);
        assert!(!pulse.is_stuck(start + LONGEST_ROUND));
        assert!(pulse.is_stuck(start + LONGEST_ROUND + SECOND));
        pulse.rest();
        let worker = pulse.wake(start);
        let sent = start + LONGEST_STEP;
        assert!(!pulse.is_stuck(sent));
        pulse.step(worker, sent);
        assert!(!pulse.is_stuck(sent + LONGEST_STEP));
        assert!(pulse.is_stuck(sent + LONGEST_STEP + SECOND));
        pulse.sleep(worker);
        assert!(!pulse.is_stuck(sent + LONGEST_STEP + SECOND));
    }
}
