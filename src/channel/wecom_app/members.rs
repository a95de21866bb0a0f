//! The platform drops, without a word, what one member gets beyond 30 messages a minute and 1,000
//! an hour; we stay well below, whatever a coordinator asks for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::pace::Pace;

const A_MINUTE: usize = 20;
const AN_HOUR: usize = 500;

/// What each member was sent lately.
#[derive(Default)]
pub(super) struct Members(Mutex<HashMap<String, Pace>>);

impl Members {
    /// Counts one more for this member, or says how long it has to wait.
    pub(super) fn admit(&self, user: &str, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = members
            .entry(user.to_lowercase())
            .or_insert_with(|| Pace::per_minute_and_hour(A_MINUTE, AN_HOUR));
        let ready = pace.ready_at(now);
        if ready > now {
            return Err(ready - now);
        }
        pace.begin(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_member_never_gets_more_than_the_platform_delivers() {
        let members = Members::default();
        let start = DateTime::from_timestamp(1_648_000_000, 0).unwrap();
        let (mut now, mut times) = (start, Vec::new());
        while times.len() < 1_200 {
            // The account is the same however it is written.
            let user = if times.len().is_multiple_of(2) {
                "WX1"
            } else {
                "wx1"
            };
            match members.admit(user, now) {
                Ok(()) => times.push(now),
                Err(wait) => now += wait,
            }
        }
        let most = |window: TimeDelta| {
            let within = |from: &DateTime<Utc>| {
                times
                    .iter()
                    .filter(|at| *at >= from && **at - *from < window)
                    .count()
            };
            times.iter().map(within).max().unwrap()
        };
        assert!(most(TimeDelta::minutes(1)) <= 30);
        assert!(most(TimeDelta::hours(1)) <= 1_000);
        assert_eq!(members.admit("other", start), Ok(()));
    }
}
