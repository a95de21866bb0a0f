//! The program's account of itself: for each stage, whoever was expected is accounted for.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, DeliveryState};
use crate::domain::fact::StageOutcome;
use crate::domain::ids::{PlanId, Quarter};
use crate::domain::message::{MessageKey, Occasion, Stage};

/// A stage's people, by what became of the word to each:
/// `expected` = `sent` + `deferred` + `skipped` + `failed` + `in_doubt`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageAudit {
    /// The stage.
    pub stage: Stage,
    /// When it was run or skipped.
    pub ran_at: DateTime<Utc>,
    /// People who were to be told: owners with something open, and who is copied in on it.
    pub expected: u32,
    /// The peer has it, or the person was told by telephone.
    pub sent: u32,
    /// Still waits.
    pub deferred: u32,
    /// Told nothing, with a reason; those who reported before it left are in here.
    pub skipped: u32,
    /// Given up.
    pub failed: u32,
    /// Nobody knows whether it arrived, or it is being sent at this moment.
    pub in_doubt: u32,
    /// How many of all these are people who were only copied in.
    pub copied: u32,
}

impl StageAudit {
    /// Whether everybody is accounted for.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.expected == self.sent + self.deferred + self.skipped + self.failed + self.in_doubt
    }
}

/// The account of each stage of a plan's quarter that has run, in order.
#[must_use]
pub fn audit(book: &Book, plan: &PlanId, quarter: Quarter) -> Vec<StageAudit> {
    let at = |stage| (plan.clone(), quarter, stage);
    let ran = book.stages.range(at(Stage::Notice)..=at(Stage::Escalation));
    count(book, ran).into_values().collect()
}

/// The account of every stage that has run, of all plans and quarters, in one go over the book.
#[must_use]
pub fn audits(book: &Book) -> BTreeMap<(PlanId, Quarter, Stage), StageAudit> {
    count(book, book.stages.iter())
}

/// When the oldest message that is due and not sent was due; none where nothing is late. One that
/// waits for the office hours is not due yet, one that is tried again and again was so at its
/// first try.
#[must_use]
pub fn oldest_unsent(book: &Book, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let waiting = book.queue.values().filter_map(|key| book.messages.get(key));
    waiting
        .chain(book.in_doubt())
        .filter_map(|delivery| match delivery.state {
            DeliveryState::Waiting { until } if delivery.attempts == 0 => Some(until),
            _ => Some(delivery.message.not_before),
        })
        .filter(|due| *due <= now)
        .min()
}

type Ran<'a> = (
    &'a (PlanId, Quarter, Stage),
    &'a (DateTime<Utc>, StageOutcome),
);

fn count<'a>(
    book: &Book,
    ran: impl Iterator<Item = Ran<'a>>,
) -> BTreeMap<(PlanId, Quarter, Stage), StageAudit> {
    let mut audits: BTreeMap<_, _> = ran
        .map(|(key, (ran_at, outcome))| (key.clone(), begin(key.2, *ran_at, outcome)))
        .collect();
    if audits.is_empty() {
        return audits;
    }
    for key in book.skipped.keys() {
        if let Some(audit) = of(&mut audits, key) {
            audit.skipped += 1;
        }
    }
    for (key, delivery) in &book.messages {
        let Some(audit) = of(&mut audits, key) else {
            continue;
        };
        if delivery.message.items.is_empty() {
            audit.copied += 1;
        }
        let place = match delivery.state {
            DeliveryState::Sent { .. } | DeliveryState::Handled { .. } => &mut audit.sent,
            DeliveryState::Waiting { .. } => &mut audit.deferred,
            DeliveryState::Withdrawn { .. } => &mut audit.skipped,
            DeliveryState::Dead { .. } => &mut audit.failed,
            DeliveryState::Sending { .. } | DeliveryState::Held { .. } => &mut audit.in_doubt,
        };
        *place += 1;
    }
    audits
}

fn begin(stage: Stage, ran_at: DateTime<Utc>, outcome: &StageOutcome) -> StageAudit {
    // A stage skipped as a whole leaves no mark for each person.
    let (expected, skipped) = match outcome {
        StageOutcome::Ran { expected, .. } => (*expected, 0),
        StageOutcome::Skipped { expected, .. } => (*expected, *expected),
    };
    StageAudit {
        stage,
        ran_at,
        expected,
        sent: 0,
        deferred: 0,
        skipped,
        failed: 0,
        in_doubt: 0,
        copied: 0,
    }
}

fn of<'a>(
    audits: &'a mut BTreeMap<(PlanId, Quarter, Stage), StageAudit>,
    key: &MessageKey,
) -> Option<&'a mut StageAudit> {
    let Occasion::Stage(stage) = key.occasion else {
        return None;
    };
    audits.get_mut(&(key.plan.clone(), key.quarter, stage))
}
