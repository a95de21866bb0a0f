//! How many of each wait for a coordinator: what the navigation shows beside its entries.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use crate::domain::board::present;
use crate::domain::book::{Book, ObligationState};
use crate::domain::ids::{PlanId, Position, Quarter};
use crate::rules::RuleSet;

/// How many wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// 审核: reports of the present quarter that nobody has looked at.
    pub review: usize,
    /// 待办: what owners ask, and replies that nobody could read.
    pub requests: usize,
    /// 消息: messages that will not leave by themselves.
    pub messages: usize,
}

/// What was counted last. Every page asks; only a new fact or a new quarter changes the answer.
#[derive(Debug, Default)]
pub struct Counted(Mutex<Option<(Key, Marks)>>);

type Key = (Position, Option<(PlanId, Quarter)>);

impl Counted {
    /// How many wait now.
    #[must_use]
    pub fn marks(&self, book: &Book, rules: &RuleSet, now: DateTime<Utc>) -> Marks {
        let place = present(book, &rules.policy, &rules.calendar, now);
        let key = (book.position, place);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, marks)) if *known == key => *marks,
            _ => {
                let marks = count(book, key.1.as_ref(), now);
                *last = Some((key, marks));
                marks
            }
        }
    }
}

fn count(book: &Book, place: Option<&(PlanId, Quarter)>, now: DateTime<Utc>) -> Marks {
    let reports = place.map_or(0, |(plan, quarter)| {
        let all = book.obligations_in(plan, *quarter);
        all.filter(|(key, known)| {
            let state = known.state(book.due(key), now);
            let waits = matches!(
                state,
                ObligationState::Reported | ObligationState::ReportedLate
            );
            waits && known.closed.is_none()
        })
        .count()
    });
    let open = book.obligations.values().filter(|known| known.is_open());
    let asks: usize = open
        .map(|known| usize::from(known.asked().is_some()) + usize::from(known.disowned().is_some()))
        .sum();
    let unclear = book.words.values().filter(|word| word.is_unclear()).count();
    let stuck = book.messages.values().filter(|one| one.state.is_stuck());
    Marks {
        review: reports,
        requests: asks + unclear + book.mails_waiting().count(),
        messages: stuck.count(),
    }
}
