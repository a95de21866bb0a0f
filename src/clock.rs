//! The one place that reads a clock: the system's, or a simulated one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::Notify;

use crate::domain::leap::Tick;

/// A clock; clones show the same time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's.
    System,
    /// One that runs at its own speed, or stands until it is moved.
    Simulated(Arc<Simulated>),
}

/// A clock for trials: it never goes back.
#[derive(Debug)]
pub struct Simulated {
    state: Mutex<State>,
    moved: Notify,
    /// Simulated seconds per real second; 0 stands still.
    speed: f64,
}

#[derive(Debug, Clone, Copy)]
struct State {
    shown: DateTime<Utc>,
    since: Instant,
}

impl Clock {
    /// A simulated clock that shows `start` now.
    #[must_use]
    pub fn simulated(start: DateTime<Utc>, speed: f64) -> Self {
        let state = State {
            shown: start,
            since: Instant::now(),
        };
        Self::Simulated(Arc::new(Simulated {
            state: Mutex::new(state),
            moved: Notify::new(),
            speed: speed.max(0.0),
        }))
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the one reading")]
            Self::System => {
                let trial = trial::machine();
                Utc::now() + trial.set_by + trial.asleep
            }
            Self::Simulated(clock) => clock.now(),
        }
    }

    /// The three clocks of the machine at one moment. A simulated clock is never set unawares: all
    /// three are its own.
    #[must_use]
    pub fn tick(&self) -> Tick {
        let wall = self.now();
        match self {
            Self::System => Tick {
                wall,
                running: read(rustix::time::ClockId::Boottime)
                    + trial::machine().asleep.to_std().unwrap_or_default(),
                awake: read(rustix::time::ClockId::Monotonic),
            },
            Self::Simulated(_) => {
                let own = wall - DateTime::<Utc>::MIN_UTC;
                let own = own.to_std().unwrap_or_default();
                Tick {
                    wall,
                    running: own,
                    awake: own,
                }
            }
        }
    }

    /// Whether pages must say that time is simulated.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }

    /// Moves a simulated clock forward; a moment in the past, or the system's clock, is left.
    pub fn advance_to(&self, moment: DateTime<Utc>) {
        if let Self::Simulated(clock) = self {
            clock.advance_to(moment);
        }
    }

    /// Waits until it shows `moment`, at most `most` of real time. Also returns when a simulated
    /// clock is moved: look at the time and wait again.
    pub async fn wait_until(&self, moment: DateTime<Utc>, most: Duration) {
        let pause = |left: TimeDelta| left.to_std().unwrap_or(Duration::ZERO).min(most);
        match self {
            Self::System => tokio::time::sleep(pause(moment - self.now())).await,
            Self::Simulated(clock) => {
                let moved = clock.moved.notified();
                let left = moment - clock.now();
                let real = if left <= TimeDelta::zero() {
                    Duration::ZERO
                } else if clock.speed > 0.0 {
                    let seconds = left.as_seconds_f64() / clock.speed;
                    Duration::try_from_secs_f64(seconds)
                        .unwrap_or(most)
                        .min(most)
                } else {
                    most
                };
                tokio::select! {
                    () = moved => {}
                    () = tokio::time::sleep(real) => {}
                }
            }
        }
    }
}

impl Simulated {
    fn now(&self) -> DateTime<Utc> {
        let state = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let real = state.since.elapsed().as_secs_f64();
        let seconds = TimeDelta::try_milliseconds((real * self.speed * 1000.0) as i64);
        state.shown + seconds.unwrap_or_default()
    }

    fn advance_to(&self, moment: DateTime<Utc>) {
        let now = self.now();
        if moment > now {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            *state = State {
                shown: moment,
                since: Instant::now(),
            };
            drop(state);
            self.moved.notify_waiters();
        }
    }
}

fn read(clock: rustix::time::ClockId) -> Duration {
    let time = rustix::time::clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// A machine whose clock is set, or that is suspended, while the program runs, for the tests: only
/// in builds for development, and only where the environment names a file with so many seconds.
mod trial {
    use chrono::TimeDelta;

    #[derive(Default)]
    pub(super) struct Machine {
        /// What its clock was set by.
        pub(super) set_by: TimeDelta,
        /// How long it has been suspended.
        pub(super) asleep: TimeDelta,
    }

    #[cfg(debug_assertions)]
    pub(super) fn machine() -> Machine {
        use std::path::PathBuf;
        use std::sync::OnceLock;
        static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
        let file = FILE.get_or_init(|| std::env::var_os("CUIBAN_TEST_CLOCK").map(PathBuf::from));
        let text = file
            .as_ref()
            .and_then(|file| std::fs::read_to_string(file).ok())
            .unwrap_or_default();
        let mut seconds = text.split_whitespace().map(|word| word.parse().ok());
        let mut next = || TimeDelta::seconds(seconds.next().flatten().unwrap_or(0));
        Machine {
            set_by: next(),
            asleep: next(),
        }
    }

    #[cfg(not(debug_assertions))]
    pub(super) fn machine() -> Machine {
        Machine::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_moved_and_never_back() {
        let start = DateTime::from_timestamp(1_646_000_000, 0).unwrap();
        let clock = Clock::simulated(start, 0.0);
        assert_eq!(clock.now(), start);
        clock.advance_to(start + TimeDelta::hours(1));
        clock.advance_to(start);
        assert_eq!(clock.now(), start + TimeDelta::hours(1));
    }
}
