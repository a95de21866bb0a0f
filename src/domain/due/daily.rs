//! What is told once a day: the coordinators' digest, and that something is settled.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::{World, docket::Outlook};
use crate::domain::book::Case;
use crate::domain::fact::Fact;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::message::{Message, MessageKey, Occasion, Reason};

/// Days after a quarter in which a report may still be given: its links work no longer.
const LONGEST_FOLLOWED: u64 = 90;

/// When the next digest time comes at which somebody is to be told, and whether somebody still
/// lacks word at this one.
pub(super) fn outlook(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
) -> Outlook {
    let Some(case) = world.book.case(plan, quarter) else {
        return Outlook::default();
    };
    let today = world.calendar.date_of(now);
    let spans = match world.coordinators.is_empty() {
        false => spans(world, plan, quarter, case),
        true => Vec::new(),
    };
    let told = |occasion, person: &PersonId| {
        let key = message_key(plan, quarter, occasion, person);
        world.book.knows_message(&key)
    };
    let next = |(first, last): &(NaiveDate, NaiveDate)| {
        let next = next_digest_time(world, today.max(*first), now);
        next.filter(|at| world.calendar.date_of(*at) <= *last)
    };
    let digest = spans.iter().filter_map(next).min();
    let lacks_digest = is_within(&spans, today) && {
        let mut people = world.coordinators.iter();
        people.any(|one| !told(Occasion::Digest(today), one))
    };
    let mut people = untold(world, case).map(|(person, _)| person).peekable();
    let settled = match people.peek() {
        Some(_) => next_digest_time(world, today, now),
        None => None,
    };
    let is_asked = today <= quarter.last_day() + Days::new(LONGEST_FOLLOWED);
    let reaches = is_asked && people.clone().any(|one| !world.route(one).is_empty());
    let lacks_word = people.any(|one| !told(Occasion::Settled(today), one));
    let digest = Outlook {
        now: lacks_digest && world.is_digest_time(now),
        look: digest,
        speak: digest,
    };
    digest.and(Outlook {
        now: lacks_word && world.is_digest_time(now),
        look: settled,
        speak: settled.filter(|_| reaches),
    })
}

/// The first digest time after `now` that is not before this day.
fn next_digest_time(
    world: &World<'_>,
    from: NaiveDate,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let days = [from, from + Days::new(1)].into_iter();
    let mut times = days.map(|day| {
        let day = world.calendar.on_or_after(day);
        world.calendar.instant(day, world.policy.digest_time)
    });
    times.find(|at| *at > now)
}

/// The digest of today, from the reminder on, until all have reported.
pub(super) fn digest(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let today = world.calendar.date_of(now);
    let case = world.book.case(plan, quarter);
    let spans = case.map_or_else(Vec::new, |case| spans(world, plan, quarter, case));
    if !is_within(&spans, today) {
        return;
    }
    let about = || {
        let all = world.book.obligations_in(plan, quarter);
        let open = all.filter(|(_, obligation)| obligation.is_open());
        open.map(|(key, _)| key.clone()).collect()
    };
    for person in world.coordinators {
        let key = message_key(plan, quarter, Occasion::Digest(today), person);
        facts.extend(daily_message(world, key, about, now));
    }
}

/// The days on which what is open is followed: the quarter's, and those around each day to which
/// something was put off.
fn spans(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    case: &Case,
) -> Vec<(NaiveDate, NaiveDate)> {
    let own = match case.open_as_planned() {
        0 => None,
        _ => world.daily_span(plan, quarter),
    };
    let put_off = case.put_off.keys();
    let put_off = put_off.filter_map(|day| world.span_around(plan, quarter, *day));
    own.into_iter().chain(put_off).collect()
}

fn is_within(spans: &[(NaiveDate, NaiveDate)], today: NaiveDate) -> bool {
    let mut spans = spans.iter();
    spans.any(|(first, last)| *first <= today && today <= *last)
}

/// Tells those who were copied in what has been reported since.
pub(super) fn settled(
    world: &World<'_>,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    facts: &mut Vec<Fact>,
) {
    let Some(case) = world.book.case(plan, quarter) else {
        return;
    };
    let mut settled: BTreeMap<&PersonId, Vec<ObligationKey>> = BTreeMap::new();
    for (person, key) in untold(world, case) {
        settled.entry(person).or_default().push(key.clone());
    }
    let today = world.calendar.date_of(now);
    for (person, about) in settled {
        // Good news waits when the next warning would find no room.
        if !world.within_budget(person, now, 1) {
            continue;
        }
        let key = message_key(plan, quarter, Occasion::Settled(today), person);
        facts.extend(daily_message(world, key, || about, now));
    }
}

/// Who was told of something as overdue and not yet that it is settled. Coordinators have their
/// digest.
fn untold<'a>(
    world: &World<'a>,
    case: &'a Case,
) -> impl Iterator<Item = &'a (PersonId, ObligationKey)> + Clone + use<'a> {
    let coordinators = world.coordinators;
    let people = case.untold.iter();
    people.filter(move |(person, _)| !coordinators.contains(person))
}

fn message_key(
    plan: &PlanId,
    quarter: Quarter,
    occasion: Occasion,
    person: &PersonId,
) -> MessageKey {
    MessageKey {
        plan: plan.clone(),
        quarter,
        occasion,
        person: person.clone(),
    }
}

fn daily_message(
    world: &World<'_>,
    key: MessageKey,
    about: impl FnOnce() -> Vec<ObligationKey>,
    now: DateTime<Utc>,
) -> Option<Fact> {
    let route = world.route(&key.person);
    if world.book.knows_message(&key) || route.is_empty() {
        return None;
    }
    let message = Message {
        reason: match key.occasion {
            Occasion::Settled(_) => Reason::Settled,
            _ => Reason::DailyDigest,
        },
        key,
        items: Vec::new(),
        about: about(),
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
