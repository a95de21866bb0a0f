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

/// Gathers what needs a person.
#[must_use]
pub fn attention(book: &Book, plan: &PlanId, quarter: Quarter, now: DateTime<Utc>) -> Attention {
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
    found.unreachable = untold(book, plan, quarter, SkipWhy::Unreachable);
    found.over_budget = untold(book, plan, quarter, SkipWhy::OverBudget);
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

/// People told nothing for this reason who still have something open.
fn untold(book: &Book, plan: &PlanId, quarter: Quarter, why: SkipWhy) -> Vec<PersonId> {
    let has_open = |person: &PersonId| {
        book.obligations_of(person, plan, quarter)
            .any(|(_, obligation)| obligation.is_open())
    };
    let people: BTreeSet<_> = book
        .skipped
        .iter()
        .filter(|(key, reason)| key.plan == *plan && key.quarter == quarter && **reason == why)
        .map(|(key, _)| &key.person)
        .collect();
    people
        .into_iter()
        .filter(|id| has_open(id))
        .cloned()
        .collect()
}
