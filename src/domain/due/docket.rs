//! Which matters a pass has to look at: ordered by time, so that where nothing is due nothing is
//! looked at, however much there is.
//!
//! A docket follows from the book, the rules and the time alone and is never stored: one that has
//! lost the thread begins anew, and an empty one gives the same answers as any other.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};

use super::{World, daily, handover, stage};
use crate::domain::book::Matter;
use crate::domain::calendar::Calendar;
use crate::domain::fact::Fact;
use crate::domain::ids::{PersonId, Position};
use crate::domain::policy::Policy;

/// The matters of one book by the time at which they are looked at next.
#[derive(Debug, Clone, Default)]
pub struct Docket {
    read: Option<Read>,
    /// Those in which something may be said at once, or waits for something other than time.
    open: BTreeSet<Matter>,
    times: BTreeSet<(DateTime<Utc>, Matter)>,
    time_of: HashMap<Matter, DateTime<Utc>>,
}

/// What the docket was made from.
#[derive(Debug, Clone)]
struct Read {
    at: DateTime<Utc>,
    position: Position,
    calendar: Calendar,
    policy: Policy,
    coordinators: Vec<PersonId>,
}

/// When something may be said in a matter, as the book stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Outlook {
    /// Now.
    pub(super) now: bool,
    /// The next moment after now at which it is to be looked at.
    pub(super) look: Option<DateTime<Utc>>,
    /// The next moment after now at which somebody will be told, as far as it can be foreseen;
    /// a way to reach somebody may open before.
    pub(super) speak: Option<DateTime<Utc>>,
}

impl Outlook {
    pub(super) fn of(world: &World<'_>, matter: &Matter, now: DateTime<Utc>) -> Self {
        match matter {
            Matter::Case(plan, quarter) => {
                let stages = stage::outlook(world, plan, *quarter, now);
                stages.and(daily::outlook(world, plan, *quarter, now))
            }
            Matter::Handovers(plan) => handover::outlook(world, plan, now),
        }
    }

    /// Told at this moment and not before.
    pub(super) fn at(moment: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let next = (moment > now).then_some(moment);
        Self {
            now: moment <= now,
            look: next,
            speak: next,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        let earlier = |a: Option<_>, b: Option<_>| [a, b].into_iter().flatten().min();
        Self {
            now: self.now || other.now,
            look: earlier(self.look, other.look),
            speak: earlier(self.speak, other.speak),
        }
    }
}

impl Docket {
    /// The facts that are to be appended now: stages run or skipped, messages queued, each with
    /// its reason. Empty when there is nothing to do.
    #[must_use]
    pub fn pass(&mut self, world: &World<'_>, now: DateTime<Utc>) -> Vec<Fact> {
        self.bring_up_to(world, now);
        say(world, self.open.iter(), now)
    }

    /// The next moment after `now` at which a pass may have something to do.
    #[must_use]
    pub fn next_after(&mut self, world: &World<'_>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.bring_up_to(world, now);
        self.times.first().map(|(at, _)| *at)
    }

    fn bring_up_to(&mut self, world: &World<'_>, now: DateTime<Utc>) {
        let changed: Option<Vec<Matter>> = self
            .read
            .as_ref()
            .filter(|read| read.holds(world, now))
            .and_then(|read| world.book.touched_since(read.position))
            .map(|changed| changed.cloned().collect());
        match changed {
            Some(changed) => {
                let due = self.times.iter().take_while(|(at, _)| *at <= now);
                let mut stale: BTreeSet<Matter> = due.map(|(_, matter)| matter.clone()).collect();
                stale.extend(changed);
                stale.append(&mut self.open);
                for matter in stale {
                    self.place(world, matter, now);
                }
            }
            None => {
                *self = Self::default();
                for matter in world.book.matters() {
                    self.place(world, matter, now);
                }
            }
        }
        match &mut self.read {
            Some(read) => (read.at, read.position) = (now, world.book.position),
            None => self.read = Some(Read::of(world, now)),
        }
    }

    fn place(&mut self, world: &World<'_>, matter: Matter, now: DateTime<Utc>) {
        let outlook = Outlook::of(world, &matter, now);
        let before = match outlook.look {
            Some(at) => self.time_of.insert(matter.clone(), at),
            None => self.time_of.remove(&matter),
        };
        if let Some(before) = before {
            self.times.remove(&(before, matter.clone()));
        }
        if let Some(at) = outlook.look {
            self.times.insert((at, matter.clone()));
        }
        if outlook.now {
            self.open.insert(matter);
        }
    }
}

impl Read {
    fn of(world: &World<'_>, now: DateTime<Utc>) -> Self {
        Self {
            at: now,
            position: world.book.position,
            calendar: world.calendar.clone(),
            policy: world.policy.clone(),
            coordinators: world.coordinators.to_vec(),
        }
    }

    /// Whether what was foreseen then can still be counted on: the clock was not set back and the
    /// rules are the same.
    fn holds(&self, world: &World<'_>, now: DateTime<Utc>) -> bool {
        self.at <= now
            && self.policy == *world.policy
            && self.coordinators == world.coordinators
            && self.calendar == *world.calendar
    }
}

/// What is to be said in these matters.
pub(super) fn say<'a>(
    world: &World<'_>,
    matters: impl Iterator<Item = &'a Matter> + Clone,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    let cases = matters.clone().filter_map(|matter| match matter {
        Matter::Case(plan, quarter) => Some((plan, *quarter)),
        Matter::Handovers(_) => None,
    });
    for (plan, quarter) in cases.clone() {
        stage::run_due(world, plan, quarter, now, &mut facts);
    }
    for matter in matters {
        if let Matter::Handovers(plan) = matter {
            handover::tell(world, plan, now, &mut facts);
        }
    }
    if world.is_digest_time(now) {
        for (plan, quarter) in cases {
            daily::digest(world, plan, quarter, now, &mut facts);
            daily::settled(world, plan, quarter, now, &mut facts);
        }
    }
    facts
}
