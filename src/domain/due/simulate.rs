//! The same rules run ahead on a copy of the book: every message that would leave.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{World, next_after, pass};
use crate::domain::book::{Book, DeliveryState, Inconsistent};
use crate::domain::delivery::{SendOutcome, Verdict};
use crate::domain::fact::{Actor, Entry, Fact};
use crate::domain::message::{Message, MessageKey};
use crate::domain::people::ChannelKind;

/// A message that would leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// When; a robot's pace may spread it over the minutes after.
    pub at: DateTime<Utc>,
    /// The message.
    pub message: Message,
    /// The first channel that would be tried.
    pub channel: ChannelKind,
}

/// Every message that would leave from `from` to `to`, in time order, if nobody reports and every
/// address works.
///
/// Where `from` lies before what the book knows, what was sent and decided since is forgotten
/// first, so that a whole year can be looked at afterwards.
///
/// # Errors
/// [`Inconsistent`] would be a defect of the rules.
pub fn simulate(
    world: &World<'_>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Vec<Simulated>, Inconsistent> {
    let mut book = world.book.clone();
    forget_after(&mut book, from);
    let mut leaving = Vec::new();
    let mut now = from;
    loop {
        let facts = pass(
            &World {
                book: &book,
                ..*world
            },
            now,
        );
        for fact in facts {
            append(&mut book, now, fact)?;
        }
        deliver(&mut book, now, &mut leaving)?;
        let waiting = book.next_waiting(now);
        let due = next_after(
            &World {
                book: &book,
                ..*world
            },
            now,
        );
        match [waiting, due].into_iter().flatten().min() {
            Some(next) if next <= to => now = next,
            _ => break,
        }
    }
    leaving.sort_by(|a, b| (a.at, &a.message.key).cmp(&(b.at, &b.message.key)));
    Ok(leaving)
}

fn deliver(
    book: &mut Book,
    now: DateTime<Utc>,
    leaving: &mut Vec<Simulated>,
) -> Result<(), Inconsistent> {
    for channel in ChannelKind::ALL {
        let ready: Vec<Message> = book
            .ready(channel, now)
            .map(|delivery| delivery.message.clone())
            .collect();
        for message in ready {
            let intended = Fact::SendIntended {
                key: message.key.clone(),
                leg: 0,
                channel,
                items: message.items.clone(),
            };
            append(book, now, intended)?;
            let concluded = Fact::SendConcluded {
                key: message.key.clone(),
                outcome: SendOutcome::Sent {
                    answer: String::new(),
                },
                verdict: Verdict::Done,
            };
            append(book, now, concluded)?;
            leaving.push(Simulated {
                at: now,
                message,
                channel,
            });
        }
    }
    Ok(())
}

fn append(book: &mut Book, at: DateTime<Utc>, fact: Fact) -> Result<(), Inconsistent> {
    let entry = Entry {
        position: book.position + 1,
        at,
        by: Actor::System,
        fact,
    };
    book.apply(&entry).map(|_| ())
}

fn forget_after(book: &mut Book, from: DateTime<Utc>) {
    book.stages.retain(|_, (at, _)| *at <= from);
    let begun: BTreeSet<_> = book
        .stages
        .keys()
        .map(|(plan, quarter, _)| (plan, *quarter))
        .collect();
    book.put_off_stages.retain(|_, (at, _)| *at <= from);
    book.ladders
        .retain(|(plan, quarter), _| begun.contains(&(plan, *quarter)));
    let gone: BTreeSet<MessageKey> = book
        .messages
        .values()
        .filter(|delivery| delivery.queued_at > from)
        .map(|delivery| delivery.message.key.clone())
        .collect();
    book.messages.retain(|key, _| !gone.contains(key));
    book.queue.retain(|_, key| !gone.contains(key));
    book.skipped.retain(|key, _| {
        book.stages.iter().any(|((plan, quarter, stage), _)| {
            *plan == key.plan && *quarter == key.quarter && key.occasion.stage() == Some(*stage)
        })
    });
    for keys in book.messages_of.values_mut() {
        keys.retain(|key| !gone.contains(key));
    }
    for obligation in book.obligations.values_mut() {
        obligation.reports.retain(|received| received.at <= from);
        obligation.review.take_if(|review| review.0 > from);
        obligation.last_reminded.take_if(|(at, _)| *at > from);
        if obligation.last_reminded.is_none() {
            obligation.copied.clear();
        }
    }
    // What is half sent cannot be taken up by a copy; it will speak for itself.
    book.messages
        .retain(|_, delivery| !matches!(delivery.state, DeliveryState::Sending { .. }));
    book.sum_up();
}
