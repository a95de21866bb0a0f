//! The receipt for a mail.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Answer, Incoming};
use crate::domain::book::{Book, KnownMail};
use crate::domain::fact::{Fact, WithdrawWhy};
use crate::domain::mail::MailOutcome;
use crate::domain::message::{Message, MessageKey, Occasion, Reason};
use crate::domain::people::ChannelKind;

/// The courteous answer, once a mail. To nobody who is not sure to be who they say, and few a day
/// to the same person: two machines can never keep each other busy.
pub(super) fn receipt(book: &Book, answer: &Answer, at: DateTime<Utc>) -> Option<(u32, Message)> {
    const MOST_A_DAY: usize = 5;
    let thread = answer.thread.as_ref().filter(|_| answer.sure)?;
    if answer.outcome == MailOutcome::Acknowledged {
        return None;
    }
    let of_person = |known: &&KnownMail| {
        known
            .mail
            .thread
            .as_ref()
            .is_some_and(|other| other.person == thread.person)
            && known.mail.receipt.is_some()
    };
    let before: Vec<&KnownMail> = book.mails.values().filter(of_person).collect();
    let today = before
        .iter()
        .filter(|known| known.at > at - TimeDelta::days(1))
        .count();
    if today >= MOST_A_DAY {
        return None;
    }
    let nth = before
        .iter()
        .filter_map(|known| known.mail.receipt)
        .max()
        .unwrap_or(0)
        .checked_add(1)?;
    let message = Message {
        key: MessageKey {
            plan: thread.plan.clone(),
            quarter: thread.quarter,
            occasion: Occasion::Receipt(nth),
            person: thread.person.clone(),
        },
        reason: Reason::Answered,
        items: Vec::new(),
        about: Vec::new(),
        copied: Vec::new(),
        catch_up: false,
        route: vec![ChannelKind::Email],
        not_before: at,
        explicit: true,
    };
    Some((nth, message))
}

/// The receipt. To a mail that came before the store was restored from a backup, the server that
/// was lost may have sent one: it keeps its number and does not leave.
pub(super) fn thanks(book: &Book, incoming: &Incoming, message: Message) -> Vec<Fact> {
    let is_old = book.resumed_from.zip(incoming.arrived);
    let key = message.key.clone();
    let queued = Fact::MessageQueued {
        message: Box::new(message),
    };
    let withdrawn = Fact::MessageWithdrawn {
        key,
        why: WithdrawWhy::Restored,
    };
    match is_old.is_some_and(|(resumed, arrived)| arrived < resumed) {
        true => vec![queued, withdrawn],
        false => vec![queued],
    }
}
