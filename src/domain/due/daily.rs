//! What is told once a day: the coordinators' digest, and that something is settled.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Utc};

use super::World;
use crate::domain::fact::Fact;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};

/// Days after a quarter in which a report may still be given: its links work no longer.
const LONGEST_FOLLOWED: u64 = 90;

/// The digest of today, from the reminder on, until all have reported.
pub(super) fn digest(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let today = world.calendar.date_of(now);
    let within = world
        .daily_span(plan, quarter)
        .is_some_and(|(first, last)| first <= today && today <= last);
    if !within {
        return;
    }
    let open: Vec<ObligationKey> = world
        .book
        .obligations_in(plan, quarter)
        .filter(|(_, obligation)| obligation.is_open())
        .map(|(key, _)| key.clone())
        .collect();
    if open.is_empty() {
        return;
    }
    for person in world.coordinators {
        let occasion = Occasion::Digest(today);
        let message = daily_message(world, plan, quarter, occasion, person, open.clone(), now);
        facts.extend(message);
    }
}

/// Tells those who were copied in what has been reported since.
pub(super) fn settled(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let mut settled: BTreeMap<&PersonId, Vec<ObligationKey>> = BTreeMap::new();
    for (person, key) in untold(world, plan, quarter) {
        settled.entry(person).or_default().push(key.clone());
    }
    let today = world.calendar.date_of(now);
    for (person, about) in settled {
        // Good news waits when the next warning would find no room.
        if !world.within_budget(person, now, 1) {
            continue;
        }
        let occasion = Occasion::Settled(today);
        facts.extend(daily_message(
            world, plan, quarter, occasion, person, about, now,
        ));
    }
}

/// Who was told of something as overdue and not yet that it is settled. Coordinators have their
/// digest.
fn untold<'a>(
    world: &World<'a>,
    plan: &PlanId,
    quarter: Quarter,
) -> impl Iterator<Item = (&'a PersonId, &'a ObligationKey)> {
    let closed = world
        .book
        .obligations_in(plan, quarter)
        .filter(|(_, obligation)| !obligation.is_open() && !obligation.is_withdrawn());
    let people = closed.flat_map(|(key, obligation)| {
        let copied = obligation.copied.iter().filter(|(_, told)| !**told);
        copied.map(move |(person, _)| (person, key))
    });
    let coordinators = world.coordinators;
    people.filter(move |(person, _)| !coordinators.contains(person))
}

/// The next digest time after `now`, while the quarter is followed daily, or somebody is still to
/// be told that something is settled.
pub(super) fn next(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (first, last) = world.daily_span(plan, quarter)?;
    let today = world.calendar.date_of(now);
    let waits = |(person, _): (&PersonId, _)| !world.route(person).is_empty();
    let last = if today < last {
        last
    } else if today <= quarter.last_day() + Days::new(LONGEST_FOLLOWED)
        && untold(world, plan, quarter).any(waits)
    {
        today + Days::new(LONGEST_FOLLOWED)
    } else {
        last
    };
    if today > last {
        return None;
    }
    let candidates = [today.max(first), today.max(first) + Days::new(1)];
    candidates.into_iter().find_map(|day| {
        let day = world.calendar.on_or_after(day);
        let at = world.calendar.instant(day, world.policy.digest_time);
        (at > now && day <= last).then_some(at)
    })
}

fn daily_message(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    occasion: Occasion,
    person: &PersonId,
    about: Vec<ObligationKey>,
    now: DateTime<Utc>,
) -> Option<Fact> {
    let key = MessageKey {
        plan: plan.clone(),
        quarter,
        occasion,
        person: person.clone(),
    };
    let route = world.route(person);
    if world.book.knows_message(&key) || route.is_empty() {
        return None;
    }
    let message = Message {
        key,
        reason: match occasion {
            Occasion::Settled(_) => Reason::Settled,
            _ => Reason::DailyDigest,
        },
        items: Vec::new(),
        about,
        copied: Vec::new(),
        catch_up: false,
        route,
        not_before: now,
        explicit: false,
    };
    Some(Fact::MessageQueued {
        message: Box::new(message),
    })
}
