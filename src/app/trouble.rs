//! Why something does not work, shared by whoever tries it and whoever tells of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// In words for the operator; none where it works.
#[derive(Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// What is wrong and what to do.
    pub(super) fn words(&self) -> Option<String> {
        self.lock().clone()
    }

    pub(super) fn set(&self, words: Option<String>) {
        *self.lock() = words;
    }

    fn lock(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
