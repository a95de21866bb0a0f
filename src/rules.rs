//! The office's rules as they stand now, shared by the rooms and replaced as a whole when the
//! config or the holiday table is read anew.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};

use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::due::{Reach, World};
use crate::domain::ids::PersonId;
use crate::domain::policy::Policy;
use crate::domain::report::rules::ReportRules;

/// One set of rules.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// Working days.
    pub calendar: Arc<Calendar>,
    /// When and how much people are reminded.
    pub policy: Policy,
    /// What a report has to hold.
    pub report: ReportRules,
    /// The ways out that are configured.
    pub reach: Reach,
    /// Who gets the digest.
    pub coordinators: Vec<PersonId>,
}

impl RuleSet {
    /// `now` if messages may leave, else the next moment at which they may.
    #[must_use]
    pub fn next_open(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.policy.next_open(&self.calendar, now)
    }

    /// What the rules of reminding look at.
    #[must_use]
    pub fn world<'a>(&'a self, book: &'a Book) -> World<'a> {
        World {
            book,
            calendar: &self.calendar,
            policy: &self.policy,
            reach: &self.reach,
            coordinators: &self.coordinators,
        }
    }
}

/// The handle; clones see the same rules.
#[derive(Debug, Clone)]
pub struct Rules(Arc<RwLock<Arc<RuleSet>>>);

impl Rules {
    /// These rules, from now on.
    #[must_use]
    pub fn new(set: RuleSet) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(set))))
    }

    /// The rules of this moment; hold them for one pass, not longer.
    #[must_use]
    pub fn now(&self) -> Arc<RuleSet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Other rules, from now on.
    pub fn replace(&self, set: RuleSet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }
}
