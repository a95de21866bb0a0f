//! Short addresses of the grid's cells. A thousand links stand on the first screen; each leads on
//! to the page of the item, or of the whole task where several groups answer for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Redirect;
use serde::Deserialize;

use crate::desk::Desk;
use crate::domain::book::Book;
use crate::domain::ids::{ObligationKey, PlanId, Quarter, TaskNo};
use crate::web::{Caller, WebError, percent};

/// What of the address is the same for all cells of a plan: a few letters where no other plan has
/// the same, else its id.
pub(super) fn mark(book: &Book, plan: &PlanId) -> String {
    let short = short_mark(plan);
    match book
        .plans
        .keys()
        .filter(|id| short_mark(id) == short)
        .count()
    {
        0 | 1 => short,
        _ => plan.to_string(),
    }
}

/// How a quarter of a plan stands in the address.
pub(super) fn quarter_mark(book: &Book, plan: &PlanId, quarter: Quarter) -> String {
    let year = book.plans.get(plan).map(|known| known.heading.year);
    match year == Some(quarter.year()) {
        true => quarter.number().to_string(),
        false => quarter.to_string(),
    }
}

#[derive(Deserialize)]
pub(super) struct Address {
    plan: String,
    quarter: String,
    task: TaskNo,
    /// A past moment; without one, as things stand.
    #[serde(default)]
    as_of: String,
}

/// `GET /g/{plan}/{quarter}/{task}`, with a past moment after it or without.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    caller: Caller,
    Path(address): Path<Address>,
) -> Result<Redirect, WebError> {
    caller.reader()?;
    let book = desk.ledger.book();
    let mut plans = book.plans.iter();
    let task = address.task;
    let (plan, known) = plans
        .find(|(id, _)| id.as_str() == address.plan || mark(&book, id) == address.plan)
        .ok_or(WebError::NotFound)?;
    let quarter = match address.quarter.parse::<u8>() {
        Ok(number) => Quarter::new(known.heading.year, number),
        Err(_) => address.quarter.parse().ok(),
    };
    let quarter = quarter.ok_or(WebError::NotFound)?;
    let at = |group| ObligationKey {
        plan: plan.clone(),
        quarter,
        task,
        group,
    };
    let sight = caller.sight();
    let all = book.obligations.range(at(0)..=at(u8::MAX));
    let seen: Vec<_> = all
        .filter(|(key, _)| {
            let about = book.task_and_group(key);
            about.is_some_and(|(task, _)| sight.sees(task))
        })
        .collect();
    let wanted: Vec<_> = match seen.iter().any(|(_, known)| !known.is_withdrawn()) {
        true => seen
            .iter()
            .filter(|(_, known)| !known.is_withdrawn())
            .collect(),
        false => seen.iter().collect(),
    };
    let to = match wanted.as_slice() {
        [] => return Err(WebError::NotFound),
        [(key, _)] => format!("/task/{key}"),
        _ => format!("/task/{plan}/{task}"),
    };
    Ok(Redirect::to(&match address.as_of.as_str() {
        "" => to,
        at => format!("{to}?as_of={}", percent::encoded(at)),
    }))
}

fn short_mark(plan: &PlanId) -> String {
    let mut hash = crc32fast::Hasher::new();
    hash.update(plan.as_str().as_bytes());
    // Letters and digits that are told apart easily; four of 32 each.
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let sum = hash.finalize();
    (0..4)
        .filter_map(|place| LETTERS.get((sum >> (5 * place)) as usize % LETTERS.len()))
        .map(|letter| char::from(*letter))
        .collect()
}
