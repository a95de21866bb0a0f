//! The coordinator's word on what was asked.

use chrono::NaiveDate;

use super::{Letter, Order};
use crate::domain::book::{Book, Obligation};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ObligationKey, TaskNo};
use crate::domain::request::NotMineWord;

/// One item on which there is a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Number in the table.
    pub task: TaskNo,
    /// The goal's first clause.
    pub short_name: String,
    /// The unit that answers.
    pub unit: String,
    /// The word.
    pub word: DecisionWord,
    /// Whether a report is awaited from somebody.
    pub open: bool,
}

/// The word on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionWord {
    /// It is due later.
    Granted {
        /// The first date.
        first: Option<NaiveDate>,
        /// The new one.
        day: NaiveDate,
        /// The coordinator's note.
        note: String,
    },
    /// It is due as before.
    Refused {
        /// Why.
        reason: String,
    },
    /// It is somebody else's.
    Moved,
    /// It is the owner's.
    Theirs {
        /// Why.
        note: String,
    },
}

pub(super) fn decisions(
    book: &Book,
    calendar: &Calendar,
    order: Order<'_>,
    letter: Letter,
) -> Vec<Decision> {
    if letter != Letter::Decided {
        return Vec::new();
    }
    let about = order.about.iter();
    about
        .filter_map(|key| decision(book, calendar, key))
        .collect()
}

fn decision(book: &Book, calendar: &Calendar, key: &ObligationKey) -> Option<Decision> {
    let (task, group) = book.task_and_group(key)?;
    let obligation = book.obligations.get(key)?;
    let first = book.deadline(&key.plan, key.quarter);
    Some(Decision {
        task: key.task,
        short_name: task.short_name(),
        unit: group.unit.clone(),
        word: word(obligation, first.map(|at| calendar.date_of(at)))?,
        open: obligation.is_open(),
    })
}

/// The last word there is.
fn word(obligation: &Obligation, first: Option<NaiveDate>) -> Option<DecisionWord> {
    let extension = obligation.extension.as_deref();
    let granted = extension
        .and_then(|extension| extension.granted.as_ref())
        .map(|granted| {
            let word = DecisionWord::Granted {
                first,
                day: granted.day,
                note: granted.note.clone(),
            };
            (granted.at, word)
        });
    let refused = extension
        .and_then(|extension| extension.refused.clone())
        .map(|(at, reason)| (at, DecisionWord::Refused { reason }));
    let not_mine = obligation
        .not_mine
        .as_deref()
        .and_then(|not_mine| not_mine.word.clone())
        .map(|(at, word)| match word {
            NotMineWord::Moved => (at, DecisionWord::Moved),
            NotMineWord::Theirs { note } => (at, DecisionWord::Theirs { note }),
        });
    let words = [granted, refused, not_mine].into_iter().flatten();
    words.max_by_key(|(at, _)| *at).map(|(_, word)| word)
}
