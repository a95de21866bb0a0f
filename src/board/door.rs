//! What counts wrong passwords and codes at the door.
//!
//! Nobody can lock anybody else out: tries are counted by address and name together, and a browser
//! that somebody has signed in from before is counted by itself, whoever else sits behind the same
//! address. Codes are counted by name: whoever gets that far knows the password.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::desk::Desk;
use crate::domain::fact::{Actor, Fact};
use crate::web::Peer;
use crate::web::limit::Throttle;

use super::second::Unwritten;

/// Failures are put on record at once, and then together, this often.
const TOGETHER: Duration = Duration::from_secs(600);

/// Where a try comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum From {
    /// A browser known from before, by its name.
    Device(String),
    Address(Option<IpAddr>),
    /// Somebody who is signed in and gives the password again.
    Within,
}

/// Shared by all who sign in.
#[derive(Clone)]
pub(super) struct Door(Arc<Counts>);

struct Counts {
    pairs: Throttle<(From, String)>,
    addresses: Throttle<Option<IpAddr>>,
    codes: Throttle<String>,
    failures: Failures,
    unwritten: Unwritten,
}

impl Default for Door {
    fn default() -> Self {
        Self(Arc::new(Counts {
            pairs: Throttle::new(5, Duration::from_secs(60)),
            addresses: Throttle::new(60, Duration::from_secs(20)),
            codes: Throttle::new(10, Duration::from_secs(60)),
            failures: Failures::default(),
            unwritten: Unwritten::default(),
        }))
    }
}

/// A try that was let through; forgiven after a right answer.
pub(super) struct Try((From, String));

impl Door {
    /// Takes one try before the check, and is to be given it back after a good one: guesses sent
    /// all at once count too.
    pub(super) fn knock(
        &self,
        peer: Peer,
        device: Option<String>,
        name: &str,
    ) -> Result<Try, Duration> {
        let now = Instant::now();
        let from = match device {
            Some(device) => From::Device(device),
            None => {
                self.0.addresses.take(&peer.0, now)?;
                From::Address(peer.0)
            }
        };
        self.take((from, name.to_owned()), now)
    }

    /// The same for somebody who is signed in.
    pub(super) fn knock_within(&self, name: &str) -> Result<Try, Duration> {
        self.take((From::Within, name.to_owned()), Instant::now())
    }

    fn take(&self, pair: (From, String), now: Instant) -> Result<Try, Duration> {
        self.0.pairs.take(&pair, now)?;
        Ok(Try(pair))
    }

    pub(super) fn forgive(&self, one: &Try) {
        self.0.pairs.forgive(&one.0);
    }

    pub(super) fn knock_with_code(&self, name: &str) -> Result<(), Duration> {
        self.0.codes.take(&name.to_owned(), Instant::now())
    }

    pub(super) fn forgive_codes(&self, name: &str) {
        self.0.codes.forgive(&name.to_owned());
    }

    pub(super) fn unwritten(&self) -> &Unwritten {
        &self.0.unwritten
    }

    /// Puts a failure on record, with those before it that were not. Names that are nobody's are
    /// not kept: people type passwords there.
    pub(super) async fn failed(&self, desk: &Desk, name: &str) {
        let known = desk.ledger.book().users.contains_key(name);
        let name = known.then(|| name.to_owned());
        if let Some(times) = self.0.failures.count(&name, Instant::now()) {
            record(desk, name, times).await;
        }
    }

    /// The failures before a success that are not on record yet.
    pub(super) fn left(&self, name: &str) -> Option<Fact> {
        let name = Some(name.to_owned());
        let times = self.0.failures.rest(&name)?;
        Some(Fact::SignInFailed { name, times })
    }
}

async fn record(desk: &Desk, name: Option<String>, times: u32) {
    let fact = Fact::SignInFailed { name, times };
    let now = desk.clock.now();
    if let Err(error) = desk.ledger.append(Actor::System, now, vec![fact]).await {
        tracing::warn!(%error, "a failed sign-in was not put on record");
    }
}

/// Failures by account that are not on record yet, and when the last fact was.
#[derive(Debug, Default)]
struct Failures(Mutex<HashMap<Option<String>, (u32, Instant)>>);

impl Failures {
    /// How many to put on record now.
    fn count(&self, name: &Option<String>, now: Instant) -> Option<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((left, at)) = known.get_mut(name) else {
            known.insert(name.clone(), (0, now));
            return Some(1);
        };
        *left += 1;
        if now.duration_since(*at) < TOGETHER {
            return None;
        }
        *at = now;
        Some(std::mem::take(left))
    }

    fn rest(&self, name: &Option<String>) -> Option<u32> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, _) = known.get_mut(name)?;
        let left = std::mem::take(left);
        (left > 0).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_guesses_behind_the_same_address_locks_no_known_browser_out() {
        let door = Door::default();
        let office = Peer(Some([10, 0, 0, 1].into()));
        let guess = || door.knock(office, None, "wang");
        for _ in 0..5 {
            assert!(guess().is_ok());
        }
        assert!(guess().is_err());
        assert!(door.knock(office, Some("desk".into()), "wang").is_ok());
        assert!(door.knock(office, None, "li").is_ok(), "another account");
        let elsewhere = Peer(Some([10, 0, 0, 2].into()));
        assert!(door.knock(elsewhere, None, "wang").is_ok());
        for n in 0..60 {
            let _ = door.knock(office, None, &n.to_string());
        }
        assert!(door.knock(office, None, "zhao").is_err(), "many names");
        assert!(door.knock(office, Some("desk".into()), "wang").is_ok());
    }

    #[test]
    fn a_flood_of_failures_is_a_few_facts_and_none_is_lost() {
        let failures = Failures::default();
        let wang = Some("wang".to_owned());
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(failures.count(&wang, start), Some(1));
        for second in 1..600 {
            assert_eq!(failures.count(&wang, after(second)), None);
        }
        assert_eq!(failures.count(&wang, after(600)), Some(600));
        assert_eq!(failures.count(&wang, after(601)), None);
        assert_eq!(failures.count(&None, after(601)), Some(1));
        assert_eq!(failures.rest(&wang), Some(1));
        assert_eq!(failures.rest(&wang), None);
    }
}
