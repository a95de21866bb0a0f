//! Counting who tries too often: a bucket for each key, in memory, bounded.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys remembered at the most; the fullest buckets are forgotten first.
const MOST_KEYS: usize = 10_000;

/// Buckets of `burst` tries that fill up again one by one, each `every`.
#[derive(Debug)]
pub struct Throttle<K> {
    burst: u32,
    every: Duration,
    /// The instant at which the bucket is full again.
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Hash + Eq + Clone> Throttle<K> {
    /// Allows `burst` tries at once and one more after each `every`.
    #[must_use]
    pub fn new(burst: u32, every: Duration) -> Self {
        Self {
            burst,
            every,
            full_at: Mutex::default(),
        }
    }

    /// Takes one try from the bucket.
    ///
    /// # Errors
    /// How long to wait, where there is none left; nothing is taken then.
    pub fn take(&self, key: &K, now: Instant) -> Result<(), Duration> {
        self.check(key, now)?;
        let mut full_at = self.lock();
        if full_at.len() >= MOST_KEYS && !full_at.contains_key(key) {
            make_room(&mut full_at, now);
        }
        let at = full_at.entry(key.clone()).or_insert(now);
        *at = (*at).max(now) + self.every;
        Ok(())
    }

    /// Whether a try is left, without taking it.
    ///
    /// # Errors
    /// How long to wait, where there is none.
    pub fn check(&self, key: &K, now: Instant) -> Result<(), Duration> {
        let missing = self
            .lock()
            .get(key)
            .map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        let most = self.every * self.burst.saturating_sub(1);
        match missing.checked_sub(most) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    /// Forgets what was taken: the right password was given.
    pub fn forgive(&self, key: &K) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Instant>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room<K: Hash + Eq + Clone>(full_at: &mut HashMap<K, Instant>, now: Instant) {
    full_at.retain(|_, at| *at > now);
    if full_at.len() >= MOST_KEYS
        && let Some(least) = full_at
            .iter()
            .min_by_key(|(_, at)| **at)
            .map(|(key, _)| key.clone())
    {
        full_at.remove(&least);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_run_out_and_come_back_one_by_one() {
        let throttle = Throttle::new(3, Duration::from_secs(10));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..3 {
            assert_eq!(throttle.take(&"a", start), Ok(()));
        }
        assert_eq!(throttle.take(&"a", start), Err(Duration::from_secs(10)));
        assert_eq!(throttle.take(&"b", start), Ok(()), "others are let through");
        assert_eq!(throttle.take(&"a", after(10)), Ok(()));
        assert!(throttle.take(&"a", after(11)).is_err());
        assert_eq!(throttle.take(&"a", after(100)), Ok(()));
        throttle.forgive(&"a");
        assert_eq!(throttle.check(&"a", after(100)), Ok(()));
    }

    #[test]
    fn memory_is_bounded_whoever_comes() {
        let throttle = Throttle::new(3, Duration::from_secs(10));
        let now = Instant::now();
        for key in 0..MOST_KEYS + 500 {
            throttle.take(&key, now).unwrap();
        }
        assert!(throttle.lock().len() <= MOST_KEYS);
    }
}
