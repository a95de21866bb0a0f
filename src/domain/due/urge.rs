//! A coordinator's explicit 催办: now, whatever the hour and the budget.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{World, stage::urgency};
use crate::domain::fact::{Fact, SkipWhy};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};

/// Whom to urge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrgeFilter {
    /// Only owners answering for this unit.
    pub unit: Option<String>,
    /// Only this person.
    pub person: Option<PersonId>,
}

/// The messages of an explicit 催办: one to each owner who has something open.
///
/// Someone to whom a message is on its way already is not sent another.
#[must_use]
pub fn urge(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    filter: &UrgeFilter,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let mut open: BTreeMap<&PersonId, Vec<ObligationKey>> = BTreeMap::new();
    for (key, obligation) in world.book.obligations_in(plan, quarter) {
        let Some((_, group)) = world.book.task_and_group(key) else {
            continue;
        };
        let in_unit = filter.unit.as_ref().is_none_or(|unit| group.unit == *unit);
        if !obligation.is_open() || !in_unit {
            continue;
        }
        for owner in &group.owners {
            if filter.person.as_ref().is_none_or(|one| *one == owner.id) {
                open.entry(&owner.id).or_default().push(key.clone());
            }
        }
    }
    open.into_iter()
        .map(|(person, mut items)| {
            items.sort_by_key(|key| urgency(world, key));
            let nth = world.book.next_urge(person, plan, quarter);
            let key = MessageKey {
                plan: plan.clone(),
                quarter,
                occasion: Occasion::Urge(nth),
                person: person.clone(),
            };
            let route = world.route(person);
            if route.is_empty() {
                let why = SkipWhy::Unreachable;
                return Fact::MessageSkipped { key, why };
            }
            Fact::MessageQueued {
                message: Box::new(Message {
                    key,
                    reason: Reason::Urged,
                    items,
                    about: Vec::new(),
                    copied: Vec::new(),
                    catch_up: false,
                    route,
                    not_before: now,
                    explicit: true,
                }),
            }
        })
        .collect()
}
