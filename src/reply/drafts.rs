//! What an owner has typed and not sent: kept so that a call, a dead battery or another telephone
//! loses nothing. Nobody else sees it, and it says nothing.
//!
//! A draft knows which report stood on its item when it was typed. Once a newer one stands there,
//! a colleague's say, the draft is shown beside it and never in the fields: it cannot undo
//! unnoticed what was said since.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Days, Utc};
use serde::{Deserialize, Serialize};

use super::form::is_filled;
use super::items::{Item, fingerprint};
use super::{Draft, Room};
use crate::desk::Desk;
use crate::domain::book::{Book, Obligation};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::domain::link::{DAYS_AFTER_DEADLINE, Link};
use crate::domain::report::read;
use crate::domain::report::rules::ReportRules;
use crate::domain::target::actual::targets_in;
use crate::store::{Health, StoreError};

/// Longest draft of one item, in bytes: three texts at their longest and as much again.
const LARGEST: usize = 48 * 1024;

/// What was typed on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Saved {
    pub draft: Draft,
    /// The mark of what stood on the item when it was typed.
    pub seen: String,
    pub at: DateTime<Utc>,
}

/// Why something was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotSaved {
    TooLong,
    Unavailable,
}

impl NotSaved {
    pub(super) fn chinese(self) -> &'static str {
        match self {
            Self::TooLong => "内容过长，没有暂存，请精简",
            Self::Unavailable => "系统暂时无法保存，没有暂存",
        }
    }
}

/// What this owner has typed in the quarter; a store that fails costs the drafts, not the page.
pub(super) async fn saved(desk: &Desk, link: &Link) -> BTreeMap<ObligationKey, Saved> {
    let (drafts, link) = (desk.ledger.drafts(), link.clone());
    let kept =
        tokio::task::spawn_blocking(move || drafts.kept(&link.person, &link.plan, link.quarter));
    let kept = kept
        .await
        .unwrap_or_else(|error| Err(StoreError::Engine(error.to_string())));
    let kept = kept.unwrap_or_else(|error| {
        tracing::warn!(%error, "drafts cannot be read");
        Vec::new()
    });
    let read = |(key, bytes): (ObligationKey, Vec<u8>)| {
        let wire: Wire = serde_json::from_slice(&bytes).ok()?;
        let saved = wire.saved(&key);
        Some((key, saved))
    };
    kept.into_iter().filter_map(read).collect()
}

/// Keeps what was typed, and forgets what was emptied again or says what stands there already.
pub(super) async fn save(
    room: &Room,
    link: &Link,
    typed: &[(Draft, String)],
) -> Result<DateTime<Utc>, NotSaved> {
    let at = room.desk.clock.now();
    let known = saved(&room.desk, link).await;
    let changes = changes(&room.desk.ledger.book(), link, (typed, &known), at)?;
    if changes.is_empty() {
        return Ok(at);
    }
    if room.desk.ledger.health() != Health::Good {
        return Err(NotSaved::Unavailable);
    }
    sweep(room).await;
    match keep(&room.desk, &link.person, changes).await {
        Ok(()) => Ok(at),
        Err(error) => {
            tracing::warn!(%error, "a draft was not kept");
            Err(NotSaved::Unavailable)
        }
    }
}

/// Forgets drafts of what was said.
pub(super) async fn forget(desk: &Desk, person: &PersonId, keys: Vec<ObligationKey>) {
    let changes = keys.into_iter().map(|key| (key, None)).collect();
    if let Err(error) = keep(desk, person, changes).await {
        tracing::warn!(%error, "a draft that is done with was not forgotten");
    }
}

impl Saved {
    /// Whether the item stands as it did when this was typed.
    pub(super) fn is_fresh(&self, item: &Item) -> bool {
        self.seen == mark(item)
    }

    /// Whether it says what stands there already.
    pub(super) fn is_said(&self, item: &Item) -> bool {
        let words = read(&self.draft, &ReportRules::default());
        words.is_ok_and(|words| fingerprint(&words) == mark(item))
    }
}

/// The mark of what stands on an item.
fn mark(item: &Item) -> String {
    let latest = item.latest.as_ref();
    latest.map_or(String::new(), |latest| {
        fingerprint(&latest.report.words(&item.targets))
    })
}

type Changes = Vec<(ObligationKey, Option<Vec<u8>>)>;

fn changes(
    book: &Book,
    link: &Link,
    (typed, known): (&[(Draft, String)], &BTreeMap<ObligationKey, Saved>),
    at: DateTime<Utc>,
) -> Result<Changes, NotSaved> {
    let mut changes = Vec::new();
    for (key, obligation) in book.obligations_of(&link.person, &link.plan, link.quarter) {
        let place = (key.task, Some(key.group));
        let own = typed
            .iter()
            .find(|(draft, _)| (draft.task, draft.group) == place);
        let Some((draft, seen)) = own else {
            continue;
        };
        let accepted = obligation.is_accepted();
        let wanted = !accepted && is_filled(draft, seen) && !stands(book, key, obligation, draft);
        // One that was shown beside the fields, and not in them, is not emptied by them.
        let before = known.get(key).filter(|known| wanted || known.seen == *seen);
        match before {
            None if !wanted => continue,
            Some(before) if wanted && before.draft == *draft && before.seen == *seen => continue,
            _ => {}
        }
        let bytes = wanted.then(|| Wire::of(draft, seen, at).bytes()).flatten();
        if bytes.as_ref().is_some_and(|bytes| bytes.len() > LARGEST) {
            return Err(NotSaved::TooLong);
        }
        changes.push((key.clone(), bytes));
    }
    Ok(changes)
}

/// Whether the report on record says the same: a word sent while the form was on its way.
fn stands(book: &Book, key: &ObligationKey, obligation: &Obligation, draft: &Draft) -> bool {
    let words = read(draft, &ReportRules::default());
    let task = book.task_and_group(key);
    let targets = task.map(|(task, group)| targets_in(task, group, key.quarter));
    let targets = targets.unwrap_or_default();
    let latest = obligation.latest().filter(|_| !obligation.is_open());
    let latest = latest.map(|latest| latest.report.words(&targets));
    words.is_ok_and(|words| latest.is_some_and(|latest| latest == words))
}

async fn keep(desk: &Desk, person: &PersonId, changes: Changes) -> Result<(), StoreError> {
    let (drafts, person) = (desk.ledger.drafts(), person.clone());
    let kept = tokio::task::spawn_blocking(move || drafts.keep(&person, &changes));
    kept.await
        .unwrap_or_else(|error| Err(StoreError::Engine(error.to_string())))
}

/// Once a day, forgets the drafts of cases whose links have ended.
async fn sweep(room: &Room) {
    let calendar = room.desk.calendar();
    let today = calendar.date_of(room.desk.clock.now());
    if !room.first_of_day(today) {
        return;
    }
    let alive: BTreeSet<(PlanId, Quarter)> = {
        let book = room.desk.ledger.book();
        let cases = book.plans.iter().flat_map(|(id, plan)| {
            let deadlines = plan.deadlines.iter();
            deadlines
                .filter(|(_, at)| calendar.date_of(**at) + Days::new(DAYS_AFTER_DEADLINE) >= today)
                .map(|(day, _)| (id.clone(), Quarter::of(*day)))
        });
        cases.collect()
    };
    let drafts = Arc::clone(&room.desk.ledger.drafts());
    let swept = tokio::task::spawn_blocking(move || {
        drafts.forget(&|plan, quarter| alive.contains(&(plan.clone(), quarter)))
    });
    match swept.await {
        Ok(Ok(count)) if count > 0 => tracing::info!(count, "old drafts were forgotten"),
        Ok(Err(error)) => tracing::warn!(%error, "old drafts were not forgotten"),
        _ => {}
    }
}

/// A draft's bytes. No promise to old ones: what cannot be read is left aside.
#[derive(Serialize, Deserialize)]
struct Wire {
    status: String,
    progress: String,
    problems: String,
    next_steps: String,
    percent: String,
    actuals: Vec<(usize, String)>,
    seen: String,
    at: DateTime<Utc>,
}

impl Wire {
    fn of(draft: &Draft, seen: &str, at: DateTime<Utc>) -> Self {
        Self {
            status: draft.status.clone(),
            progress: draft.progress.clone(),
            problems: draft.problems.clone(),
            next_steps: draft.next_steps.clone(),
            percent: draft.percent.clone(),
            actuals: draft.actuals.clone(),
            seen: seen.to_owned(),
            at,
        }
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    fn saved(self, key: &ObligationKey) -> Saved {
        Saved {
            draft: Draft {
                task: key.task,
                group: Some(key.group),
                status: self.status,
                progress: self.progress,
                problems: self.problems,
                next_steps: self.next_steps,
                percent: self.percent,
                actuals: self.actuals,
            },
            seen: self.seen,
            at: self.at,
        }
    }
}

#[cfg(test)]
mod tests;
