//! A value that many read and that is replaced as a whole: the rules, the routes, the ways out.

use std::sync::{Arc, PoisonError, RwLock};

/// The handle; clones see the same value.
#[derive(Debug)]
pub struct InForce<T>(Arc<RwLock<Arc<T>>>);

impl<T> InForce<T> {
    /// This one, from now on.
    #[must_use]
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The one of this moment; hold it for one piece of work, not longer.
    #[must_use]
    pub fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Another one, from now on; gives the one before.
    pub fn replace(&self, value: T) -> Arc<T> {
        self.change(|_| value)
    }

    /// What follows from the one before, from now on: nobody else changes it in between. `next`
    /// must take no lock.
    pub fn change(&self, next: impl FnOnce(&Arc<T>) -> T) -> Arc<T> {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(next(&held));
        std::mem::replace(&mut held, next)
    }
}

impl<T> Clone for InForce<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_the_old_one_keeps_it_and_the_next_gets_the_new_one() {
        let number = InForce::new(1);
        let held = number.now();
        assert_eq!(*number.clone().change(|before| **before + 1), 1);
        assert_eq!((*held, *number.now()), (1, 2));
    }
}
