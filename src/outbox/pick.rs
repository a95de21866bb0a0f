//! Which message goes next: the last check, right before the intent. Pure; runs on the writer's
//! thread, so that nothing can come between the check and the intent.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::book::{Book, Delivery, DeliveryState, Obligation};
use crate::domain::fact::{DeferWhy, Fact, WithdrawWhy};
use crate::domain::ids::ObligationKey;
use crate::domain::message::{Message, MessageKey, Occasion};
use crate::domain::people::ChannelKind;

/// A message taken: its intent is about to be durable.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) message: Message,
    pub(super) channel: ChannelKind,
    pub(super) leg: u8,
    /// The how-manieth try on this leg.
    pub(super) nth: u32,
    /// How many of the earlier ones ended in doubt.
    pub(super) doubts: u32,
    /// The how-manieth try over all.
    pub(super) attempt: u32,
    pub(super) items: Vec<ObligationKey>,
    pub(super) about: Vec<ObligationKey>,
    /// When its word is wanted by.
    pub(super) deadline: Option<DateTime<Utc>>,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Picked {
    /// Those to send in one call, and whether others wait behind them.
    Jobs(Vec<Job>, bool),
    /// Enough was put away in one step; look again.
    Again,
    /// There is nothing to send.
    Nothing,
}

/// When it is looked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hours {
    pub(super) now: DateTime<Utc>,
    /// `now` if messages may leave, else when they may again.
    pub(super) open_at: DateTime<Utc>,
}

/// Facts put away in one step at the most.
const STEP: usize = 64;

/// Takes the first message that may go, and says of those before it why they may not.
pub(super) fn pick<'a>(
    book: &Book,
    hours: Hours,
    ready: impl Iterator<Item = &'a Delivery>,
    facts: &mut Vec<Fact>,
) -> Picked {
    let mut ready = ready;
    while let Some(delivery) = ready.next() {
        if facts.len() >= STEP {
            return Picked::Again;
        }
        let key = || delivery.message.key.clone();
        match check(book, hours, delivery) {
            Check::Withdraw(why) => facts.push(Fact::MessageWithdrawn { key: key(), why }),
            Check::Defer => facts.push(Fact::MessageDeferred {
                key: key(),
                until: hours.open_at,
                why: DeferWhy::QuietHours,
            }),
            Check::Broken => {}
            Check::Send(job) => {
                facts.push(intent(&job));
                return Picked::Jobs(vec![*job], ready.next().is_some());
            }
        }
    }
    Picked::Nothing
}

/// Takes all of `chosen` that may still go: they were measured to share one call.
pub(super) fn pick_chosen<'a>(
    book: &'a Book,
    hours: Hours,
    chosen: &[MessageKey],
    ready: impl Iterator<Item = &'a Delivery>,
    facts: &mut Vec<Fact>,
) -> Picked {
    let mut jobs = Vec::with_capacity(chosen.len());
    let mut more = false;
    for delivery in ready {
        let key = &delivery.message.key;
        if !chosen.contains(key) {
            more = true;
            continue;
        }
        match check(book, hours, delivery) {
            Check::Send(job) => {
                facts.push(intent(&job));
                jobs.push(*job);
            }
            // The next look puts it away.
            Check::Withdraw(_) | Check::Defer | Check::Broken => more = true,
        }
    }
    if jobs.is_empty() {
        return Picked::Again;
    }
    Picked::Jobs(jobs, more)
}

/// What this message would be sent as now; none where it may not go.
pub(super) fn sendable(book: &Book, hours: Hours, delivery: &Delivery) -> Option<Job> {
    match check(book, hours, delivery) {
        Check::Send(job) => Some(*job),
        Check::Withdraw(_) | Check::Defer | Check::Broken => None,
    }
}

/// A message that was sent, with what it still asks for.
pub(super) fn still_asked(book: &Book, delivery: &Delivery, now: DateTime<Utc>) -> Job {
    let message = &delivery.message;
    Job {
        channel: ChannelKind::WecomApp,
        leg: delivery.leg,
        nth: 1,
        doubts: 0,
        attempt: delivery.attempts,
        deadline: None,
        items: book.still_open(&message.key.person, &message.items, now),
        about: Vec::new(),
        message: message.clone(),
    }
}

fn intent(job: &Job) -> Fact {
    Fact::SendIntended {
        key: job.message.key.clone(),
        leg: job.leg,
        channel: job.channel,
        items: job.items.clone(),
    }
}

enum Check {
    Send(Box<Job>),
    Withdraw(WithdrawWhy),
    Defer,
    /// Its route does not lead here: cannot be, and must not stop the rest.
    Broken,
}

fn check(book: &Book, hours: Hours, delivery: &Delivery) -> Check {
    let message = &delivery.message;
    let Some(channel) = message.route.get(usize::from(delivery.leg)) else {
        return Check::Broken;
    };
    if matches!(message.key.occasion, Occasion::Alarm(_)) && book.alarms.is_empty() {
        return Check::Withdraw(WithdrawWhy::AlarmOver);
    }
    if let Some(by) = superseded_by(book, message) {
        return Check::Withdraw(WithdrawWhy::Superseded { by });
    }
    let mut items = book.still_open(&message.key.person, &message.items, hours.now);
    items.retain(|item| book.is_spoken_for(message.key.occasion, item));
    let about = still_standing(book, message);
    if items.is_empty() && about.is_empty() && !says_something_anyway(message) {
        return Check::Withdraw(nothing_left(book, message));
    }
    if !message.leaves_at_any_hour() && hours.open_at > hours.now {
        return Check::Defer;
    }
    if let Some(by) = just_urged(book, delivery, hours.now) {
        return Check::Withdraw(WithdrawWhy::Superseded { by });
    }
    Check::Send(Box::new(Job {
        channel: *channel,
        leg: delivery.leg,
        nth: delivery.tries_on_leg + 1,
        doubts: delivery.doubts_on_leg,
        attempt: delivery.attempts + 1,
        deadline: book
            .deadline(&message.key.plan, message.key.quarter)
            .filter(|deadline| *deadline > hours.now),
        message: message.clone(),
        items,
        about,
    }))
}

/// A digest with nothing to list was asked for as it is.
fn says_something_anyway(message: &Message) -> bool {
    message.items.is_empty() && message.about.is_empty()
}

/// Copied in and digest: what is still open. Settled: what has not been opened again. Thanks are
/// due whatever became of it since.
fn still_standing(book: &Book, message: &Message) -> Vec<ObligationKey> {
    let stands = |obligation: &Obligation| match message.key.occasion {
        Occasion::Settled(_) => !obligation.is_open(),
        Occasion::HandedOver(_) | Occasion::Decided(_) => true,
        _ => obligation.is_open(),
    };
    message
        .about
        .iter()
        .filter(|key| book.obligations.get(key).is_some_and(stands))
        .filter(|key| book.is_spoken_for(message.key.occasion, key))
        .cloned()
        .collect()
}

/// Reported, unless something of it is still open and only no longer this person's.
fn nothing_left(book: &Book, message: &Message) -> WithdrawWhy {
    let open_elsewhere = message
        .items
        .iter()
        .any(|key| book.obligations.get(key).is_some_and(Obligation::is_open));
    let gone = message.items.iter().chain(&message.about).all(|key| {
        let known = book.obligations.get(key);
        known.is_none_or(Obligation::is_withdrawn)
    });
    let mut all = message.items.iter().chain(&message.about);
    if all.any(|key| !book.is_spoken_for(message.key.occasion, key)) {
        return WithdrawWhy::PutOff;
    }
    let settled = matches!(message.key.occasion, Occasion::Settled(_));
    if open_elsewhere || gone || settled {
        WithdrawWhy::NoLongerTheirs
    } else {
        WithdrawWhy::Reported
    }
}

/// A coordinator's own word that overtook this stage and names all of it: the same twice within a
/// few hours would only annoy. After a night or a holiday the stage speaks for itself.
fn just_urged(book: &Book, delivery: &Delivery, now: DateTime<Utc>) -> Option<Occasion> {
    const JUST: TimeDelta = TimeDelta::hours(8);
    let message = &delivery.message;
    let key = &message.key;
    if key.occasion.stage().is_none() || !message.about.is_empty() {
        return None;
    }
    let overtook = |other: &&Delivery| {
        let named = &other.message.items;
        let going = !matches!(
            other.state,
            DeliveryState::Withdrawn { .. } | DeliveryState::Dead { .. }
        );
        matches!(other.message.key.occasion, Occasion::Urge(_))
            && going
            && other.queued_in > delivery.queued_in
            && other.queued_at + JUST > now
            && message.items.iter().all(|item| named.contains(item))
    };
    book.messages_about(&key.person, &key.plan, key.quarter)
        .find(overtook)
        .map(|other| other.message.key.occasion)
}

/// A later stage, or a later day's digest, that waits or was sent speaks for this one.
fn superseded_by(book: &Book, message: &Message) -> Option<Occasion> {
    let key = &message.key;
    book.messages_about(&key.person, &key.plan, key.quarter)
        .filter(|other| {
            !matches!(
                other.state,
                DeliveryState::Withdrawn { .. } | DeliveryState::Dead { .. }
            )
        })
        .map(|other| other.message.key.occasion)
        .find(|other| match (key.occasion, other) {
            (Occasion::Stage(this), Occasion::Stage(other)) => *other > this,
            (Occasion::PutOff(this, day), Occasion::PutOff(other, on)) => {
                day == *on && *other > this
            }
            (Occasion::Digest(this), Occasion::Digest(other)) => *other > this,
            (Occasion::TakenOver(this), Occasion::TakenOver(other)) => *other > this,
            _ => false,
        })
}
