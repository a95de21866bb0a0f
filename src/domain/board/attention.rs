//! What needs a person: everything the program cannot settle by itself.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::fact::SkipWhy;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};

/// A message that still waits this long after its time is worth a look.
const LONG: TimeDelta = TimeDelta::hours(1);

/// An attempt that began this long ago and has no outcome is more than a send under way.
const IN_DOUBT: TimeDelta = TimeDelta::minutes(10);

/// What needs a person, for one quarter of one plan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attention {
    /// Messages given up.
    pub dead: usize,
    /// Messages in doubt that are not repeated without a person's word.
    pub held: usize,
    /// Messages with an intent and, ten minutes later, no outcome.
    pub in_doubt: usize,
    /// Messages that still wait an hour after they were to leave, or after a try that failed.
    pub waiting_long: usize,
    /// People with something open whom nothing reaches.
    pub unreachable: Vec<PersonId>,
    /// People with something open whom the burden budget kept a message from.
    pub over_budget: Vec<PersonId>,
    /// Obligations for which the table names no owner.
    pub unowned: Vec<ObligationKey>,
}

impl Attention {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Gathers what needs a person; `reached` says to whom a channel leads.
#[must_use]
pub fn attention(
    book: &Book,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    reached: impl Fn(&PersonId) -> bool,
) -> Attention {
    let mut found = Attention::default();
    let about = |delivery: &&Delivery| {
        delivery.message.key.plan == *plan && delivery.message.key.quarter == quarter
    };
    for delivery in book.messages.values().filter(about) {
        match &delivery.state {
            DeliveryState::Dead { .. } => found.dead += 1,
            DeliveryState::Held { .. } => found.held += 1,
            DeliveryState::Sending { since, .. } if now - *since > IN_DOUBT => found.in_doubt += 1,
            DeliveryState::Waiting { until } => {
                // One put off to the next morning waits as it should; one that is being tried
                // again and again does not.
                let tried = delivery.attempts > 0 && now - delivery.queued_at > LONG;
                found.waiting_long += usize::from(tried || now - *until > LONG);
            }
            _ => {}
        }
    }
    let owners = owners_of_open(book, plan, quarter);
    let held_back = held_back(book, plan, quarter);
    found.over_budget = owners.intersection(&held_back).cloned().collect();
    found.unreachable = owners.into_iter().filter(|id| !reached(id)).collect();
    found.unowned = book
        .obligations_in(plan, quarter)
        .filter(|(key, obligation)| {
            obligation.is_open()
                && book
                    .task_and_group(key)
                    .is_some_and(|(_, group)| group.owners.is_empty())
        })
        .map(|(key, _)| key.clone())
        .collect();
    found
}

/// Owners who still have something open.
fn owners_of_open(book: &Book, plan: &PlanId, quarter: Quarter) -> BTreeSet<PersonId> {
    book.obligations_in(plan, quarter)
        .filter(|(_, obligation)| obligation.is_open())
        .filter_map(|(key, _)| book.task_and_group(key))
        .flat_map(|(_, group)| &group.owners)
        .map(|owner| owner.id.clone())
        .collect()
}

/// Whom the budget kept a stage from, of the quarter or of what was put off.
fn held_back(book: &Book, plan: &PlanId, quarter: Quarter) -> BTreeSet<PersonId> {
    let skipped = book.skipped.iter();
    skipped
        .filter(|(key, why)| {
            **why == SkipWhy::OverBudget
                && key.plan == *plan
                && key.quarter == quarter
                && key.occasion.stage().is_some()
        })
        .map(|(key, _)| key.person.clone())
        .collect()
}
