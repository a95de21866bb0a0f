//! Whether the machine's clock can be believed: its wall clock beside two that nobody sets.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::book::ClockDoubt;

/// The three clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// What the wall clock shows.
    pub wall: DateTime<Utc>,
    /// Time since the machine was started.
    pub running: Duration,
    /// The same without the time it was asleep.
    pub awake: Duration,
}

impl Tick {
    /// What the wall clock would show by now, had nobody set it since.
    #[must_use]
    pub fn at(self, running: Duration) -> DateTime<Utc> {
        self.wall + delta(running.saturating_sub(self.running))
    }
}

/// What has become of the clock between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leap {
    /// It runs.
    None,
    /// It runs; the machine was asleep for so long.
    Slept(TimeDelta),
    /// It was set by so much: NTP, or a person.
    Set(TimeDelta),
    /// It was set so far ahead that nothing is decided by it before a person agrees.
    TooFar(ClockDoubt),
}

/// What a clock may stray without anybody being told.
const UNNOTICED: TimeDelta = TimeDelta::seconds(5);
/// A leap ahead of more than this is doubted: in a wrong year every stage of a plan would be past.
const TOO_FAR: TimeDelta = TimeDelta::days(1);
/// A journal that has been silent for so long, when the program starts.
const LONG_SILENCE: TimeDelta = TimeDelta::days(90);

/// Compares two moments of one run of the program. `highest` is the moment of it that was furthest
/// ahead: a clock that was set back and is put right again has not leapt.
#[must_use]
pub fn between(before: Tick, highest: Tick, now: Tick) -> Leap {
    let ran = delta(now.running.saturating_sub(before.running));
    let awake = delta(now.awake.saturating_sub(before.awake));
    let strayed = now.wall - (before.wall + ran);
    let expected = before.at(now.running).max(highest.at(now.running));
    if now.wall - expected > TOO_FAR {
        return Leap::TooFar(ClockDoubt {
            expected,
            found: now.wall,
        });
    }
    if strayed.abs() > UNNOTICED {
        return Leap::Set(strayed);
    }
    match ran - awake {
        slept if slept > UNNOTICED => Leap::Slept(slept),
        _ => Leap::None,
    }
}

/// Whether the clock is to be doubted at a start, `last` being the time of the last fact: nothing
/// else tells how long the machine was off.
#[must_use]
pub fn at_start(last: DateTime<Utc>, now: DateTime<Utc>) -> Option<ClockDoubt> {
    (now - last > LONG_SILENCE).then_some(ClockDoubt {
        expected: last,
        found: now,
    })
}

/// Whether a clock that was doubted has come back by itself.
#[must_use]
pub fn is_right_again(doubt: ClockDoubt, now: DateTime<Utc>) -> bool {
    let (early, late) = (TimeDelta::hours(1), TimeDelta::hours(12));
    doubt.expected - early <= now && now < doubt.found - late
}

fn delta(span: Duration) -> TimeDelta {
    TimeDelta::from_std(span).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::at;

    const HOUR: u64 = 3600;

    fn tick(wall: &str, running: u64, awake: u64) -> Tick {
        Tick {
            wall: at(wall),
            running: Duration::from_secs(running),
            awake: Duration::from_secs(awake),
        }
    }

    #[test]
    fn sleep_is_no_leap_and_a_small_one_is_only_told() {
        let before = tick("2022-03-17T09:00", 100, 100);
        let after = |wall, running, awake| between(before, before, tick(wall, running, awake));
        assert_eq!(after("2022-03-17T09:01", 160, 160), Leap::None);
        // Asleep from Thursday to Monday: the time has really passed.
        let weekend = 96 * HOUR;
        assert_eq!(
            after("2022-03-21T09:00", 100 + weekend, 110),
            Leap::Slept(TimeDelta::hours(96) - TimeDelta::seconds(10))
        );
        assert_eq!(
            after("2022-03-17T10:00", 100, 100),
            Leap::Set(TimeDelta::hours(1))
        );
        assert_eq!(
            after("2022-03-16T09:00", 100, 100),
            Leap::Set(TimeDelta::days(-1))
        );
        // Put right after a while: more than a day ahead of what it showed, and yet no leap.
        let back = tick("2022-03-16T08:00", 100, 100);
        let right = tick("2022-03-17T10:00", 100 + HOUR, 100 + HOUR);
        assert_eq!(
            between(back, before, right),
            Leap::Set(TimeDelta::hours(25))
        );
    }

    #[test]
    fn a_wrong_year_is_doubted_and_believed_again_when_it_is_put_right() {
        let before = tick("2022-03-17T09:00", 100, 100);
        let Leap::TooFar(doubt) = between(before, before, tick("2023-03-17T09:00", 160, 160))
        else {
            panic!()
        };
        assert_eq!(doubt.expected, at("2022-03-17T09:01"));
        assert!(!is_right_again(doubt, at("2023-03-17T09:05")));
        assert!(is_right_again(doubt, at("2022-03-17T09:05")));
        assert!(is_right_again(doubt, at("2022-03-25T09:05")));
        assert!(!is_right_again(doubt, at("2021-03-17T09:05")));

        assert_eq!(
            at_start(at("2022-03-17T09:00"), at("2022-05-17T09:00")),
            None
        );
        assert!(at_start(at("2022-03-17T09:00"), at("2036-01-01T09:00")).is_some());
    }
}
