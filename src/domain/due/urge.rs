//! A coordinator's explicit 催办: now, whatever the hour and the budget.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{World, recipients, stage::urgency};
use crate::domain::book::{Book, DeliveryState};
use crate::domain::fact::{Fact, SkipWhy};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};
use crate::domain::people::ChannelKind;

/// Whom to urge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UrgeFilter {
    /// Only owners answering for this unit.
    pub unit: Option<String>,
    /// Only this person.
    pub person: Option<PersonId>,
    /// Only of these, by task and group.
    pub items: Option<BTreeSet<(TaskNo, u8)>>,
    /// Up to which fact the coordinator has seen who would be urged: who was urged since then is
    /// not urged again, so that a second press does nothing.
    pub seen: Option<Position>,
}

/// One person of an explicit 催办: what they get, or why they get nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Urging {
    /// The message's name.
    pub key: MessageKey,
    /// What is open, most urgent first.
    pub items: Vec<ObligationKey>,
    /// Ways to try, in order.
    pub route: Vec<ChannelKind>,
    /// Messages they were sent in the last days, from all causes.
    pub already: usize,
    /// What becomes of it.
    pub fate: UrgeFate,
}

/// What becomes of one person's 催办.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrgeFate {
    /// It is sent.
    Goes,
    /// An earlier 催办 to this person is on its way: another one would say nothing new.
    OnItsWay,
    /// Nothing reaches them.
    Unreachable,
}

impl Urging {
    /// What is written down of it, where it is done at `now`.
    #[must_use]
    pub fn fact(self, now: DateTime<Utc>) -> Option<Fact> {
        match self.fate {
            UrgeFate::OnItsWay => None,
            UrgeFate::Unreachable => Some(Fact::MessageSkipped {
                key: self.key,
                why: SkipWhy::Unreachable,
            }),
            UrgeFate::Goes => Some(Fact::MessageQueued {
                message: Box::new(Message {
                    key: self.key,
                    reason: Reason::Urged,
                    items: self.items,
                    about: Vec::new(),
                    copied: Vec::new(),
                    catch_up: false,
                    route: self.route,
                    not_before: now,
                    explicit: true,
                }),
            }),
        }
    }
}

/// Everyone an explicit 催办 concerns: each owner who has something open, in the order of the
/// table.
#[must_use]
pub fn urge(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    filter: &UrgeFilter,
    now: DateTime<Utc>,
) -> Vec<Urging> {
    let mut open: BTreeMap<PersonId, Vec<ObligationKey>> = BTreeMap::new();
    for (key, obligation) in world.book.obligations_in(plan, quarter) {
        let Some((_, group)) = world.book.task_and_group(key) else {
            continue;
        };
        let in_unit = filter.unit.as_ref().is_none_or(|unit| {
            group.unit == *unit || group.unit.split('、').any(|one| one == unit.as_str())
        });
        let items = filter.items.as_ref();
        let picked = items.is_none_or(|items| items.contains(&(key.task, key.group)));
        if !obligation.is_open() || !in_unit || !picked {
            continue;
        }
        for owner in &group.owners {
            for person in recipients(world, &owner.id, key, now) {
                let meant = |one: &PersonId| *one == owner.id || *one == person;
                if filter.person.as_ref().is_none_or(meant) {
                    open.entry(person).or_default().push(key.clone());
                }
            }
        }
    }
    let since = now - world.policy.budget_window;
    let mut all: Vec<Urging> = open
        .into_iter()
        .map(|(person, mut items)| {
            items.dedup();
            items.sort_by_key(|key| urgency(world, key));
            let route = world.route(&person);
            let nth = world.book.next_urge(&person, plan, quarter);
            Urging {
                fate: fate(world.book, &person, (plan, quarter), filter.seen, &route),
                already: world.book.received(&person, since),
                key: MessageKey {
                    plan: plan.clone(),
                    quarter,
                    occasion: Occasion::Urge(nth),
                    person,
                },
                items,
                route,
            }
        })
        .collect();
    all.sort_by_key(|urging| urging.items.iter().map(|key| key.task).min());
    all
}

fn fate(
    book: &Book,
    person: &PersonId,
    (plan, quarter): (&PlanId, Quarter),
    seen: Option<Position>,
    route: &[ChannelKind],
) -> UrgeFate {
    if route.is_empty() {
        return UrgeFate::Unreachable;
    }
    let urged = book
        .messages_about(person, plan, quarter)
        .filter(|delivery| matches!(delivery.message.key.occasion, Occasion::Urge(_)));
    let mut stands = urged.map(|delivery| match delivery.state {
        DeliveryState::Waiting { .. } | DeliveryState::Sending { .. } => true,
        _ => seen.is_some_and(|seen| delivery.queued_in > seen),
    });
    match stands.any(|stands| stands) {
        true => UrgeFate::OnItsWay,
        false => UrgeFate::Goes,
    }
}
