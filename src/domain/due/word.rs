//! A coordinator's word that people hear of soon: a returned report, the answer to what they asked.
//!
//! Words given within a few minutes go in one message: what waits is taken back and said again
//! with the new one, at the hour that was set for the first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{World, recipients};
use crate::domain::book::{Delivery, DeliveryState};
use crate::domain::fact::{Fact, SkipWhy, WithdrawWhy};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};

/// How long a word waits for others to the same person.
const GATHER: TimeDelta = TimeDelta::minutes(5);

/// The messages that say that these reports were returned, one to each of those concerned: the
/// owners or who fills in for them, and who reported. They stand in the append of the return.
#[must_use]
pub fn returned(world: &World<'_>, keys: &[ObligationKey], now: DateTime<Utc>) -> Vec<Fact> {
    let told = keys.iter().map(|key| {
        let mut people = of_group(world, key, now);
        let known = world.book.obligations.get(key);
        if let Some(received) = known.and_then(|known| known.latest()) {
            let report = &received.report;
            people.extend(report.delegate.iter().chain([&report.person]).cloned());
        }
        (key, people)
    });
    tell(world, Kind::Returned, told, now)
}

/// The messages that tell the word on what was asked: to who asked, and where the date is another
/// one to all who answer for it.
#[must_use]
pub fn decided(
    world: &World<'_>,
    key: &ObligationKey,
    asker: Option<&PersonId>,
    all: bool,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let mut people: BTreeSet<PersonId> = asker.into_iter().cloned().collect();
    if all || people.is_empty() {
        people.extend(of_group(world, key, now));
    }
    tell(world, Kind::Decided, [(key, people)].into_iter(), now)
}

#[derive(Clone, Copy)]
enum Kind {
    Returned,
    Decided,
}

impl Kind {
    fn nth(self, occasion: Occasion) -> Option<u32> {
        match (self, occasion) {
            (Self::Returned, Occasion::Returned(nth)) | (Self::Decided, Occasion::Decided(nth)) => {
                Some(nth)
            }
            _ => None,
        }
    }

    fn occasion(self, nth: u32) -> Occasion {
        match self {
            Self::Returned => Occasion::Returned(nth),
            Self::Decided => Occasion::Decided(nth),
        }
    }
}

fn of_group(world: &World<'_>, key: &ObligationKey, now: DateTime<Utc>) -> BTreeSet<PersonId> {
    let group = world.book.task_and_group(key).map(|(_, group)| group);
    let owners = group.into_iter().flat_map(|group| &group.owners);
    owners
        .flat_map(|owner| recipients(world, &owner.id, key, now))
        .collect()
}

fn tell<'a>(
    world: &World<'_>,
    kind: Kind,
    told: impl Iterator<Item = (&'a ObligationKey, BTreeSet<PersonId>)>,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let mut of_person: BTreeMap<(PersonId, PlanId, Quarter), Vec<ObligationKey>> = BTreeMap::new();
    for (key, people) in told {
        for person in people {
            let whose = (person, key.plan.clone(), key.quarter);
            of_person.entry(whose).or_default().push(key.clone());
        }
    }
    let mut facts = Vec::new();
    let mut used: BTreeMap<PersonId, u32> = BTreeMap::new();
    for ((person, plan, quarter), keys) in of_person {
        let next = used.entry(person.clone()).or_insert_with(|| match kind {
            Kind::Returned => world.book.next_of(&person, |one| Kind::Returned.nth(one)),
            Kind::Decided => world.book.next_of(&person, |one| Kind::Decided.nth(one)),
        });
        let key = MessageKey {
            occasion: kind.occasion(*next),
            plan,
            quarter,
            person,
        };
        *next += 1;
        facts.extend(say(world, kind, key, keys, now));
    }
    facts
}

/// One message, with what waits already for the same person.
fn say(
    world: &World<'_>,
    kind: Kind,
    key: MessageKey,
    keys: Vec<ObligationKey>,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let route = world.route(&key.person);
    if route.is_empty() {
        let why = SkipWhy::Unreachable;
        return vec![Fact::MessageSkipped { key, why }];
    }
    let waiting = waiting(world, kind, &key);
    let mut all: Vec<ObligationKey> = Vec::new();
    for (message, _) in &waiting {
        all.extend(message.message.items.iter().cloned());
        all.extend(message.message.about.iter().cloned());
    }
    all.extend(keys);
    all.sort();
    all.dedup();
    let soonest = waiting.iter().map(|(_, until)| *until).min();
    let not_before =
        soonest.unwrap_or_else(|| world.policy.next_open(world.calendar, now + GATHER));
    let mut facts: Vec<Fact> = waiting
        .iter()
        .map(|(delivery, _)| Fact::MessageWithdrawn {
            key: delivery.message.key.clone(),
            why: WithdrawWhy::Superseded { by: key.occasion },
        })
        .collect();
    let (reason, items, about) = match kind {
        Kind::Returned => (Reason::Returned, all, Vec::new()),
        Kind::Decided => (Reason::Decided, Vec::new(), all),
    };
    facts.push(Fact::MessageQueued {
        message: Box::new(Message {
            key,
            reason,
            items,
            about,
            copied: Vec::new(),
            catch_up: false,
            route,
            not_before,
            explicit: true,
        }),
    });
    facts
}

fn waiting<'a>(
    world: &'a World<'_>,
    kind: Kind,
    key: &'a MessageKey,
) -> Vec<(&'a Delivery, DateTime<Utc>)> {
    let about = world
        .book
        .messages_about(&key.person, &key.plan, key.quarter);
    about
        .filter(|delivery| kind.nth(delivery.message.key.occasion).is_some())
        .filter_map(|delivery| match delivery.state {
            DeliveryState::Waiting { until } if delivery.attempts == 0 => Some((delivery, until)),
            _ => None,
        })
        .collect()
}
