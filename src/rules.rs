//! The office's rules as they stand now, shared by the rooms and replaced as a whole when the
//! config or the holiday table is read anew.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::domain::book::Book;
use crate::domain::calendar::Calendar;
use crate::domain::due::{Reach, World};
use crate::domain::ids::PersonId;
use crate::domain::policy::Policy;
use crate::domain::report::rules::ReportRules;
use crate::in_force::InForce;

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
    /// Who is told when the program itself is in trouble; none: the coordinators.
    pub operators: Vec<PersonId>,
}

impl RuleSet {
    /// `now` if messages may leave, else the next moment at which they may.
    #[must_use]
    pub fn next_open(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        self.policy.next_open(&self.calendar, now)
    }

    /// Who hears of the program's own troubles.
    #[must_use]
    pub fn told_of_troubles(&self) -> &[PersonId] {
        match self.operators.as_slice() {
            [] => &self.coordinators,
            operators => operators,
        }
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
pub type Rules = InForce<RuleSet>;
