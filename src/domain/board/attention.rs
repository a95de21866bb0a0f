//! What needs a person: everything the program cannot settle by itself.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::walk::Item;
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::fact::SkipWhy;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::user::Sight;

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

/// Gathers what needs a person, among the quarter's items that somebody sees; `reached` says to
/// whom a channel leads.
#[must_use]
pub fn attention(
    book: &Book,
    (plan, quarter): (&PlanId, Quarter),
    items: &[Item<'_>],
    now: DateTime<Utc>,
    sight: &Sight,
    reached: impl Fn(&PersonId) -> bool,
) -> Attention {
    let mut found = Attention::default();
    let about = |delivery: &&Delivery| {
        let key = &delivery.message.key;
        key.plan == *plan && key.quarter == quarter && speaks_of(book, delivery, sight)
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
    let mut owners: HashSet<&PersonId> = HashSet::new();
    for item in items.iter().filter(|item| item.obligation.is_open()) {
        owners.extend(item.group.owners.iter().map(|owner| &owner.id));
        if item.group.owners.is_empty() {
            found.unowned.push(item.key.clone());
        }
    }
    let sorted = |mut people: Vec<PersonId>| {
        people.sort();
        people
    };
    let unreached = owners.iter().filter(|id| !reached(id));
    found.unreachable = sorted(unreached.map(|id| (*id).clone()).collect());
    let held_back = held_back(book, plan, quarter);
    let held_back = held_back.intersection(&owners).map(|id| (*id).clone());
    found.over_budget = sorted(held_back.collect());
    found
}

/// Whether a message speaks of something that may be seen.
fn speaks_of(book: &Book, delivery: &Delivery, sight: &Sight) -> bool {
    let mut items = delivery.message.items.iter();
    *sight == Sight::Everything
        || items.any(|key| {
            let known = book.task_and_group(key);
            known.is_some_and(|(task, _)| sight.sees(task))
        })
}

/// Whom the budget kept a stage from, of the quarter or of what was put off.
fn held_back<'a>(book: &'a Book, plan: &PlanId, quarter: Quarter) -> HashSet<&'a PersonId> {
    let skipped = book.skipped.iter();
    skipped
        .filter(|(key, why)| {
            **why == SkipWhy::OverBudget
                && key.plan == *plan
                && key.quarter == quarter
                && key.occasion.stage().is_some()
        })
        .map(|(key, _)| &key.person)
        .collect()
}
