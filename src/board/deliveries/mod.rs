//! What became of each message, and a second try for those that were given up.

mod concerned;
mod line;
mod page;
mod stuck;

use super::wire::standing;
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::ids::Quarter;
use crate::domain::user::Sight;
pub(super) use concerned::{about, concerned};
pub(super) use line::{Line, line, note, tasks, withdrawn_why};
pub(super) use page::{show, table};
pub(super) use stuck::{handled, revive};

/// The states by name, and what people read.
pub(super) const STATES: [(&str, &str); 7] = [
    ("dead", "发送失败"),
    ("held", "待确认"),
    ("in_doubt", "结果未明"),
    ("waiting", "待发送"),
    ("sent", "已发出"),
    ("handled", "已电话通知"),
    ("withdrawn", "已撤回"),
];

/// What people read of a state.
pub(super) fn state_chinese(state: &DeliveryState) -> &'static str {
    let name = state.as_str();
    let named = STATES.iter().find(|(known, _)| *known == name);
    named.map_or("", |(_, label)| label)
}

/// The messages of a quarter in a state, or of all, newest first.
pub(super) fn select<'a>(
    book: &'a Book,
    quarter: Option<Quarter>,
    state: Option<&str>,
    sight: &'a Sight,
) -> Vec<&'a Delivery> {
    let mut found: Vec<_> = matching(book, quarter, sight)
        .filter(|one| state.is_none_or(|state| one.state.as_str() == state))
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse((standing(one).0, one.queued_in)));
    found
}

fn matching<'a>(
    book: &'a Book,
    quarter: Option<Quarter>,
    sight: &'a Sight,
) -> impl Iterator<Item = &'a Delivery> {
    book.messages
        .values()
        .filter(move |one| quarter.is_none_or(|quarter| one.message.key.quarter == quarter))
        .filter(move |one| is_seen(book, one, sight))
}

/// Whether a message speaks of something that may be seen.
fn is_seen(book: &Book, delivery: &Delivery, sight: &Sight) -> bool {
    if *sight == Sight::Everything {
        return true;
    }
    let message = &delivery.message;
    let mut keys = message.items.iter().chain(&message.about);
    keys.any(|key| {
        let known = book.task_and_group(key);
        known.is_some_and(|(task, _)| sight.sees(task))
    })
}
