//! A coordinator's word that people hear of soon: a returned report, the answer to what they asked,
//! somebody to fill in for.
//!
//! Words given within a few minutes go in one message: what waits is taken back and said again
//! with the new one, at the hour that was set for the first.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::handover::live_quarters;
use super::{World, recipients};
use crate::domain::book::{Delivery, DeliveryState};
use crate::domain::delegation::{Delegation, Scope};
use crate::domain::fact::{Fact, SkipWhy, WithdrawWhy};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};
use crate::domain::people::ChannelKind;

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

/// The message that tells who fills in what is open of it, with the delegation among `facts`, in
/// whose append it stands. Who acts for a time hears of it when that begins: before, the link would
/// show nothing. The owner asked for it and is not told.
#[must_use]
pub fn entrusted(world: &World<'_>, facts: &[Fact], now: DateTime<Utc>) -> Vec<Fact> {
    let delegation = facts.iter().find_map(|fact| match fact {
        Fact::Delegated { delegation } => Some(delegation),
        _ => None,
    });
    let Some(delegation) = delegation else {
        return Vec::new();
    };
    let at = match delegation.scope {
        Scope::Items { .. } => now,
        Scope::Acting { begins, .. } => now.max(begins),
    };
    let duties = world
        .book
        .duties
        .get(&delegation.from)
        .into_iter()
        .flatten();
    let plans: BTreeSet<&PlanId> = duties.map(|(plan, ..)| plan).collect();
    let first_open = |plan: &PlanId| {
        let quarters = live_quarters(world, plan, at).into_iter();
        quarters
            .map(|quarter| to_fill_in(world, delegation, (plan, quarter), at))
            .find(|keys| !keys.is_empty())
    };
    let keys: Vec<ObligationKey> = plans.into_iter().filter_map(first_open).flatten().collect();
    let told = keys
        .iter()
        .map(|key| (key, BTreeSet::from([delegation.to.clone()])));
    let route = route_with(world, &delegation.to, facts);
    tell_by(world, Kind::Entrusted, told, at, |_| route.clone())
}

/// What is open of it in a quarter, and not theirs anyway.
fn to_fill_in(
    world: &World<'_>,
    delegation: &Delegation,
    (plan, quarter): (&PlanId, Quarter),
    at: DateTime<Utc>,
) -> Vec<ObligationKey> {
    let all = world.book.obligations_of(&delegation.from, plan, quarter);
    all.filter(|(key, known)| {
        known.is_open() && delegation.covers(key, at) && !world.book.is_owner(&delegation.to, key)
    })
    .map(|(key, _)| key.clone())
    .collect()
}

/// The ways to a person who may be new with these facts.
fn route_with(world: &World<'_>, person: &PersonId, facts: &[Fact]) -> Vec<ChannelKind> {
    let new = facts.iter().find_map(|fact| match fact {
        Fact::PersonSet { person: new, .. } if new.id == *person => Some(new),
        _ => None,
    });
    let sheet = facts.iter().find_map(|fact| match fact {
        Fact::ContactSet { contact } if contact.person == *person => Some(contact),
        _ => None,
    });
    let Some(known) = new.or_else(|| world.book.people.get(person)) else {
        return Vec::new();
    };
    let contact = sheet.or_else(|| world.book.contacts.get(person));
    let mut route = world.reach.route(known, contact);
    route.retain(|kind| world.may_work(person, *kind));
    route
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Returned,
    Decided,
    Entrusted,
}

impl Kind {
    fn nth(self, occasion: Occasion) -> Option<u32> {
        match (self, occasion) {
            (Self::Returned, Occasion::Returned(nth))
            | (Self::Decided, Occasion::Decided(nth))
            | (Self::Entrusted, Occasion::Entrusted(nth)) => Some(nth),
            _ => None,
        }
    }

    fn occasion(self, nth: u32) -> Occasion {
        match self {
            Self::Returned => Occasion::Returned(nth),
            Self::Decided => Occasion::Decided(nth),
            Self::Entrusted => Occasion::Entrusted(nth),
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
    tell_by(world, kind, told, now, |person| world.route(person))
}

fn tell_by<'a>(
    world: &World<'_>,
    kind: Kind,
    told: impl Iterator<Item = (&'a ObligationKey, BTreeSet<PersonId>)>,
    now: DateTime<Utc>,
    route: impl Fn(&PersonId) -> Vec<ChannelKind>,
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
            Kind::Entrusted => world.book.next_of(&person, |one| Kind::Entrusted.nth(one)),
        });
        let key = MessageKey {
            occasion: kind.occasion(*next),
            plan,
            quarter,
            person,
        };
        *next += 1;
        let route = route(&key.person);
        facts.extend(say(world, kind, (key, route), keys, now));
    }
    facts
}

/// One message, with what waits already for the same person.
fn say(
    world: &World<'_>,
    kind: Kind,
    (key, route): (MessageKey, Vec<ChannelKind>),
    keys: Vec<ObligationKey>,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    if route.is_empty() {
        let why = SkipWhy::Unreachable;
        return vec![Fact::MessageSkipped { key, why }];
    }
    let at = world.policy.next_open(world.calendar, now + GATHER);
    let mut waiting = waiting(world, kind, &key);
    // Somebody may act from next week on: that is not said today.
    waiting.retain(|(_, until)| kind != Kind::Entrusted || (at - *until).abs() <= GATHER);
    let mut all: Vec<ObligationKey> = Vec::new();
    for (message, _) in &waiting {
        all.extend(message.message.items.iter().cloned());
        all.extend(message.message.about.iter().cloned());
    }
    all.extend(keys);
    all.sort();
    all.dedup();
    let soonest = waiting.iter().map(|(_, until)| *until).min();
    let not_before = soonest.unwrap_or(at);
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
        Kind::Entrusted => (Reason::Entrusted, all, Vec::new()),
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
