//! Which of the waiting messages share the next call.
//!
//! They are chosen from a look at the book and measured outside the writer's thread; whether each
//! may still go is asked again in the step that writes the intents.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::fleet::Fleet;
use super::lane::Lane;
use super::pick::{self, Hours, Job};
use super::{Outbox, waiting};
use crate::channel::{Attempted, Measure, Packing};
use crate::domain::delivery::{FailReason, Failure, Next, SendOutcome};
use crate::domain::ids::ObligationKey;
use crate::domain::message::MessageKey;
use crate::domain::packing;

/// What a lane has measured before, and what must go alone on it.
#[derive(Default)]
pub(super) struct Measured(Mutex<Known>);

#[derive(Default)]
struct Known {
    sizes: HashMap<MessageKey, Size>,
    alone: HashSet<MessageKey>,
}

/// The measure of a message that speaks of these items.
struct Size {
    at: DateTime<Utc>,
    items: Vec<ObligationKey>,
    about: Vec<ObligationKey>,
    measure: Option<Measure>,
}

/// Messages looked at together; behind them others wait their turn.
const MOST: usize = 500;

impl Outbox {
    /// The messages that are to share the next call; none where it is to carry but one.
    pub(super) fn plan_pack(&self, fleet: &Fleet, index: usize, hours: Hours) -> Vec<MessageKey> {
        let Some(lane) = fleet.lane(index) else {
            return Vec::new();
        };
        let Some(packing) = lane.channel.packing() else {
            return Vec::new();
        };
        let jobs: Vec<Job> = {
            let book = self.ledger.book();
            let ready = waiting(fleet, &book, index, hours.now).take(MOST);
            ready
                .filter_map(|delivery| pick::sendable(&book, hours, delivery))
                .collect()
        };
        let measures = self.measure(fleet, lane, packing, &jobs, hours.now);
        let mut first = None;
        let mut candidates = Vec::new();
        for (job, measure) in jobs.iter().zip(&measures) {
            let kind = measure.as_ref().map(|measure| &measure.kind);
            // Who has waited longest says what kind of call this is.
            if *first.get_or_insert(kind) == kind
                && let Some(measure) = measure
            {
                candidates.push((&job.message.key, measure));
            }
        }
        let sizes: Vec<usize> = candidates.iter().map(|(_, size)| size.bytes).collect();
        let room = candidates.iter().map(|(_, size)| size.room).min();
        let packs = packing::packs(&sizes, room.unwrap_or(0));
        let pack = packs.first().map_or(&[][..], Vec::as_slice);
        let mut pack = pack.to_vec();
        pack.sort_unstable();
        pack.into_iter()
            .filter_map(|index| candidates.get(index))
            .map(|(key, _)| (*key).clone())
            .collect()
    }

    /// Where a call of several was refused for what it says, nobody knows for whose part: each
    /// goes alone the next time.
    pub(super) fn each_alone(&self, lane: &Lane, jobs: &[Job], attempted: Attempted) -> Attempted {
        let Attempted {
            outcome: SendOutcome::Failed(failure),
            rest,
            learned,
        } = attempted
        else {
            return attempted;
        };
        let about_the_words =
            matches!(failure.reason, FailReason::OurDefect | FailReason::Rejected)
                && failure.next == Next::NextChannel;
        let next = if jobs.len() > 1 && about_the_words {
            let keys = jobs.iter().map(|job| job.message.key.clone());
            lane.measured.known().alone.extend(keys);
            Next::Again { after: None }
        } else {
            failure.next
        };
        Attempted {
            outcome: SendOutcome::Failed(Failure { next, ..failure }),
            rest,
            learned,
        }
    }

    /// What each takes of a call; what was measured lately and says the same is not measured anew.
    fn measure(
        &self,
        fleet: &Fleet,
        lane: &Lane,
        packing: &dyn Packing,
        jobs: &[Job],
        now: DateTime<Utc>,
    ) -> Vec<Option<Measure>> {
        let unknown: Vec<Job> = {
            let mut known = lane.measured.known();
            known.forget(now);
            jobs.iter().filter(|job| !known.has(job)).cloned().collect()
        };
        let briefs = self.compose(fleet, &unknown);
        let fresh: Vec<Option<Measure>> =
            briefs.iter().map(|brief| packing.measure(brief)).collect();
        let mut known = lane.measured.known();
        for (job, measure) in unknown.into_iter().zip(fresh) {
            let size = Size {
                at: now,
                items: job.items,
                about: job.about,
                measure,
            };
            known.sizes.insert(job.message.key, size);
        }
        jobs.iter()
            .map(|job| &job.message.key)
            .map(|key| match known.alone.contains(key) {
                true => None,
                false => known.sizes.get(key)?.measure.clone(),
            })
            .collect()
    }
}

impl Measured {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn has(&self, job: &Job) -> bool {
        let size = self.sizes.get(&job.message.key);
        size.is_some_and(|size| size.items == job.items && size.about == job.about)
    }

    /// The words change with the hour and the day, the sizes hardly.
    fn forget(&mut self, now: DateTime<Utc>) {
        const LONG: TimeDelta = TimeDelta::minutes(10);
        self.sizes.retain(|_, size| (now - size.at).abs() < LONG);
        const MANY: usize = 10_000;
        if self.alone.len() > MANY {
            self.alone.clear();
        }
    }
}
