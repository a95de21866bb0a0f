//! Chance that can be repeated: what is done follows from the seed, though not at which moment a
//! kill finds the daemon.

use std::sync::Mutex;

/// SplitMix64.
pub struct Dice(Mutex<u64>);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `below`.
    pub fn roll(&self, below: usize) -> usize {
        usize::try_from(self.next() % below.max(1) as u64).unwrap()
    }

    /// Between the two.
    pub fn between(&self, least: usize, most: usize) -> usize {
        least + self.roll(most.saturating_sub(least) + 1)
    }

    /// Once in so many.
    pub fn one_in(&self, times: usize) -> bool {
        self.roll(times) == 0
    }

    pub fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len()))
    }
}
