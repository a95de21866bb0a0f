//! How fast a channel may go, as arithmetic: the time comes in as an argument.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

/// Limits on sending: a least pause between two, and at most so many in any window of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    spacing: TimeDelta,
    windows: Vec<(usize, TimeDelta)>,
    past: VecDeque<DateTime<Utc>>,
}

/// Beyond the window, for clocks that do not agree with the peer's.
const MARGIN: TimeDelta = TimeDelta::milliseconds(500);

impl Pace {
    /// No limit.
    #[must_use]
    pub fn unlimited() -> Self {
        Self::new(TimeDelta::zero(), Vec::new())
    }

    /// At most so many a minute and an hour; 0 is no limit.
    #[must_use]
    pub fn per_minute_and_hour(minute: usize, hour: usize) -> Self {
        let windows = [(minute, TimeDelta::minutes(1)), (hour, TimeDelta::hours(1))];
        Self::new(
            TimeDelta::zero(),
            windows.into_iter().filter(|(most, _)| *most > 0).collect(),
        )
    }

    /// A group robot: never more than 20 in any minute, wherever it begins, which satisfies the
    /// platform whether its window slides or not.
    #[must_use]
    pub fn robot() -> Self {
        Self::new(TimeDelta::zero(), vec![(20, TimeDelta::minutes(1))])
    }

    fn new(spacing: TimeDelta, windows: Vec<(usize, TimeDelta)>) -> Self {
        Self {
            spacing,
            windows,
            past: VecDeque::new(),
        }
    }

    /// The first moment from `now` on at which one more may go.
    #[must_use]
    pub fn ready_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        // Without spacing a clock set back holds nothing up.
        let last = self
            .past
            .back()
            .filter(|_| self.spacing > TimeDelta::zero());
        let spaced = last.map(|last| *last + self.spacing);
        let windowed = self.windows.iter().filter_map(|(most, window)| {
            let index = self.past.len().checked_sub(*most)?;
            Some(*self.past.get(index)? + *window + MARGIN)
        });
        windowed.chain(spaced).fold(now, DateTime::max)
    }

    /// The clock was set by so much: what lies behind lies as far behind as before.
    pub fn shift(&mut self, by: TimeDelta) {
        for at in &mut self.past {
            *at += by;
        }
    }

    /// The limits are these from now on; what has gone has gone.
    pub fn adopt(&mut self, limits: Self) {
        self.spacing = limits.spacing;
        self.windows = limits.windows;
    }

    /// One goes now.
    pub fn begin(&mut self, now: DateTime<Utc>) {
        let Some(longest) = self.windows.iter().map(|(_, window)| *window).max() else {
            return;
        };
        while self
            .past
            .front()
            .is_some_and(|first| *first + longest + MARGIN < now)
        {
            self.past.pop_front();
        }
        let last = self.past.back().copied().unwrap_or(now);
        self.past.push_back(now.max(last));
    }

    /// The last one begun did not go after all.
    pub fn cancel(&mut self) {
        self.past.pop_back();
    }

    /// The last one begun was answered now. The peer counted it somewhere in between, so it counts
    /// from here: a slow call must not make room too early.
    pub fn answered(&mut self, now: DateTime<Utc>) {
        if let Some(last) = self.past.back_mut() {
            *last = now.max(*last);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_648_000_000, 0).unwrap()
    }

    /// Sends as fast as allowed; each call takes `slow` ms and the peer counts it after `seen`
    /// percent of that. Returns when the peer counted each.
    fn run(pace: &mut Pace, calls: &[(i64, i64)]) -> Vec<DateTime<Utc>> {
        let mut now = start();
        let mut counted = Vec::new();
        for (slow, seen) in calls {
            now = pace.ready_at(now);
            pace.begin(now);
            counted.push(now + TimeDelta::milliseconds(slow * seen / 100));
            now += TimeDelta::milliseconds(*slow);
            pace.answered(now);
        }
        counted
    }

    fn most_in_a_minute(counted: &[DateTime<Utc>]) -> usize {
        counted
            .iter()
            .map(|from| {
                counted
                    .iter()
                    .filter(|at| *at >= from && **at - *from <= TimeDelta::minutes(1))
                    .count()
            })
            .max()
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn a_robot_never_passes_twenty_a_minute(
            calls in prop::collection::vec((0_i64..15_000, 0_i64..=100), 1..120)
        ) {
            let counted = run(&mut Pace::robot(), &calls);
            prop_assert!(most_in_a_minute(&counted) <= 20);
        }
    }

    #[test]
    fn what_is_allowed_is_used() {
        let counted = run(&mut Pace::robot(), &vec![(0, 0); 201]);
        let took = *counted.last().unwrap() - counted[0];
        // 200 after the first: ten minutes at 20 a minute, and a little margin.
        assert!(took >= TimeDelta::minutes(10), "{took}");
        assert!(took <= TimeDelta::seconds(610), "{took}");
    }

    #[test]
    fn limits_per_minute_and_hour_hold_together_and_zero_is_none() {
        let counted = run(&mut Pace::per_minute_and_hour(20, 50), &vec![(0, 0); 60]);
        assert_eq!(most_in_a_minute(&counted), 20);
        assert!(counted[50] - counted[0] > TimeDelta::hours(1));
        let counted = run(&mut Pace::per_minute_and_hour(0, 0), &vec![(0, 0); 60]);
        assert_eq!(counted.last(), counted.first());
    }

    #[test]
    fn a_message_that_did_not_go_leaves_its_place() {
        let mut pace = Pace::robot();
        pace.begin(start());
        pace.cancel();
        assert_eq!(pace.ready_at(start()), start());
    }
}
