//! A revised table gave a task to somebody else: the new owner hears of it at once, with what is
//! open, and the former one is thanked.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{World, docket::Outlook, stage::urgency};
use crate::domain::book::{DeliveryState, Hand, Handover, PlanBook};
use crate::domain::fact::{Fact, StageOutcome};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason, Stage};

/// Tells everyone concerned, once for each version of the plan.
///
/// Before the first reminder of a plan nobody knows of any duty, and corrections are nobody's
/// business.
pub(super) fn tell(world: &World<'_>, plan: &PlanId, now: DateTime<Utc>, facts: &mut Vec<Fact>) {
    let Some(known) = world.book.plans.get(plan) else {
        return;
    };
    if !has_fresh(world, known, now)
        || world.policy.next_open(world.calendar, now) != now
        || !has_begun(world, plan)
    {
        return;
    }
    let quarters = live_quarters(world, plan, now);
    for ((version, person, hand), parts) in by_person(world, known, now) {
        let told = quarters.iter().find_map(|quarter| {
            let keys = parts.iter().map(|part| ObligationKey {
                plan: plan.clone(),
                quarter: *quarter,
                task: part.task,
                group: part.group,
            });
            let keys: Vec<ObligationKey> = keys.collect();
            let since = parts.iter().map(|part| part.at).max().unwrap_or(now);
            match hand {
                Hand::Taken => taken(world, version, person, &keys, (since, now)),
                Hand::Given => given(world, version, person, &keys),
            }
        });
        let Some(message) = told else {
            continue;
        };
        let was_told =
            messages_of(world, person, plan).any(|known| known.occasion == message.key.occasion);
        // Thanks wait when the next reminder would find no room.
        let room = usize::from(hand == Hand::Given);
        if !message.route.is_empty() && !was_told && world.within_budget(person, now, room) {
            let message = Box::new(Message {
                not_before: now,
                ..message
            });
            facts.push(Fact::MessageQueued { message });
        }
    }
}

/// When messages may leave, while somebody may still have to be told.
pub(super) fn outlook(world: &World<'_>, plan: &PlanId, now: DateTime<Utc>) -> Outlook {
    match world.book.plans.get(plan) {
        Some(known) if has_fresh(world, known, now) => {
            Outlook::at(world.policy.next_open(world.calendar, now), now)
        }
        _ => Outlook::default(),
    }
}

/// What the new owner has to report, unless a stage has told it since.
fn taken(
    world: &World<'_>,
    version: u32,
    person: &PersonId,
    keys: &[ObligationKey],
    (since, now): (DateTime<Utc>, DateTime<Utc>),
) -> Option<Message> {
    let mut items = world.book.still_open(person, keys, now);
    let first = items.first()?;
    let knows = world
        .book
        .messages_about(person, &first.plan, first.quarter)
        .any(|delivery| {
            let occasion = delivery.message.key.occasion;
            delivery.queued_at >= since
                && (occasion.stage().is_some() || matches!(occasion, Occasion::Urge(_)))
        });
    if knows {
        return None;
    }
    let message = message(world, first, Occasion::TakenOver(version), person);
    items.sort_by_key(|key| urgency(world, key));
    Some(Message { items, ..message })
}

/// What the former owner need not report any more. Who never had a message of this plan would
/// wonder what the thanks are for.
fn given(
    world: &World<'_>,
    version: u32,
    person: &PersonId,
    keys: &[ObligationKey],
) -> Option<Message> {
    let about: Vec<ObligationKey> = keys
        .iter()
        .filter(|key| {
            let known = world.book.obligations.get(key);
            known.is_some_and(|known| known.is_open() || known.is_withdrawn())
        })
        .filter(|key| {
            let open = world.book.obligations.get(key).is_some_and(|k| k.is_open());
            !(open && world.book.is_owner(person, key))
        })
        .cloned()
        .collect();
    let first = about.first()?;
    let knows = messages_of(world, person, &first.plan)
        .filter_map(|key| world.book.messages.get(key))
        .any(|delivery| matches!(delivery.state, DeliveryState::Sent { .. }));
    let message = message(world, first, Occasion::HandedOver(version), person);
    knows.then_some(Message { about, ..message })
}

type Part<'a> = (u32, &'a PersonId, Hand);

/// What changed not too long ago, by version and person.
fn by_person<'a>(
    world: &World<'_>,
    plan: &'a PlanBook,
    now: DateTime<Utc>,
) -> BTreeMap<Part<'a>, Vec<&'a Handover>> {
    let mut parts: BTreeMap<Part<'a>, Vec<&Handover>> = BTreeMap::new();
    for part in fresh(world, plan, now) {
        let key = (part.version, &part.person, part.hand);
        parts.entry(key).or_default().push(part);
    }
    parts
}

fn fresh<'a>(
    world: &World<'_>,
    plan: &'a PlanBook,
    now: DateTime<Utc>,
) -> impl Iterator<Item = &'a Handover> {
    let most = world.policy.too_late_days;
    let age = |part: &Handover| world.working_days_since(part.at, now);
    // The newest stand last.
    let newest = plan.handovers.iter().rev();
    let fresh: Vec<_> = newest.take_while(|part| age(part) <= most).collect();
    fresh.into_iter().rev()
}

fn has_fresh(world: &World<'_>, plan: &PlanBook, now: DateTime<Utc>) -> bool {
    fresh(world, plan, now).next().is_some()
}

/// Whether anybody has been reminded of anything of this plan.
fn has_begun(world: &World<'_>, plan: &PlanId) -> bool {
    let from = (plan.clone(), Quarter::FIRST, Stage::Notice);
    let stages = world.book.stages.range(from..);
    stages
        .take_while(|((known, ..), _)| known == plan)
        .any(|(_, (_, outcome))| matches!(outcome, StageOutcome::Ran { .. }))
}

/// The quarters people are asked about now, the earliest first.
pub(super) fn live_quarters(world: &World<'_>, plan: &PlanId, now: DateTime<Utc>) -> Vec<Quarter> {
    let today = world.calendar.date_of(now);
    let mut quarters = world.book.quarters_of(plan);
    quarters.retain(|quarter| {
        let followed = world.daily_span(plan, *quarter);
        quarter.first_day() <= today && followed.is_some_and(|(_, last)| today <= last)
    });
    quarters
}

fn messages_of<'a>(
    world: &World<'a>,
    person: &PersonId,
    plan: &'a PlanId,
) -> impl Iterator<Item = &'a MessageKey> + use<'a> {
    let keys = world.book.messages_of.get(person).into_iter().flatten();
    keys.filter(move |key| key.plan == *plan)
}

/// Says nothing yet.
fn message(world: &World<'_>, first: &ObligationKey, occasion: Occasion, to: &PersonId) -> Message {
    Message {
        key: MessageKey {
            plan: first.plan.clone(),
            quarter: first.quarter,
            occasion,
            person: to.clone(),
        },
        reason: match occasion {
            Occasion::HandedOver(_) => Reason::HandedOver,
            _ => Reason::TakenOver,
        },
        items: Vec::new(),
        about: Vec::new(),
        copied: Vec::new(),
        catch_up: false,
        route: world.route(to),
        not_before: DateTime::<Utc>::MIN_UTC,
        explicit: false,
    }
}
