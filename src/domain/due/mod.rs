//! Who is to be told what, now, and why: pure rules over the book, the calendar and the clock.
//!
//! A pass takes no input but these. It can be run at any moment and any number of times: what was
//! decided before stands in the book and is not decided again, so a restart, a missed tick or a
//! clock set back needs no path of its own.

mod daily;
mod docket;
pub mod extension;
mod handover;
mod resume;
mod simulate;
mod stage;
mod test_message;
#[cfg(test)]
mod tests;
mod urge;
pub mod word;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::book::Book;
use super::calendar::Calendar;
use super::fact::{Fact, SkipWhy, StageOutcome};
use super::ids::{ObligationKey, PersonId, PlanId, Quarter};
use super::ladder::Ladder;
use super::message::Stage;
use super::people::{ChannelKind, Contact, Person};
use super::policy::Policy;
use docket::Outlook;

pub use docket::Docket;
pub use resume::resume;
pub use simulate::{Simulated, simulate};
pub use test_message::{TestTo, test};
pub use urge::{UrgeFate, UrgeFilter, Urging, urge};

/// What the rules look at.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// All that is known.
    pub book: &'a Book,
    /// Working days.
    pub calendar: &'a Calendar,
    /// The office's rules.
    pub policy: &'a Policy,
    /// The ways out that are configured.
    pub reach: &'a Reach,
    /// Who gets the digest and is copied in on escalations.
    pub coordinators: &'a [PersonId],
}

/// The ways out that this office has configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// SMTP is configured.
    pub email: bool,
    /// The WeCom application is configured.
    pub app: bool,
    /// Which units have a group robot.
    pub robots: Robots,
}

/// Units with a group robot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Robots {
    /// One serves every unit that has none of its own.
    pub for_all: bool,
    /// Units with one of their own.
    pub units: BTreeSet<String>,
}

impl Reach {
    /// The channels to try for this person, in order; empty where there is no way.
    ///
    /// With nothing configured every message is written to the spool, whatever the sheet says.
    #[must_use]
    pub fn route(&self, person: &Person, contact: Option<&Contact>) -> Vec<ChannelKind> {
        if *self == Self::default() {
            return vec![ChannelKind::Spool];
        }
        let Some(contact) = contact else {
            return Vec::new();
        };
        let mut route = contact.route();
        route.retain(|kind| self.has(*kind, person));
        route
    }

    /// The same with `first` before the sheet's own: what an office wants of a stage must not make
    /// anyone unreachable.
    #[must_use]
    pub fn route_by(
        &self,
        person: &Person,
        contact: Option<&Contact>,
        first: &[ChannelKind],
    ) -> Vec<ChannelKind> {
        let own = self.route(person, contact);
        let (Some(contact), false) = (contact, first.is_empty() || *self == Self::default()) else {
            return own;
        };
        let usable =
            |kind: &&ChannelKind| contact.has_address_for(**kind) && self.has(**kind, person);
        let mut route: Vec<ChannelKind> = first.iter().filter(usable).copied().collect();
        for kind in own {
            if !route.contains(&kind) {
                route.push(kind);
            }
        }
        route
    }

    fn has(&self, kind: ChannelKind, person: &Person) -> bool {
        match kind {
            ChannelKind::Email => self.email,
            ChannelKind::WecomApp => self.app,
            ChannelKind::WecomRobot => {
                self.robots.for_all || self.robots.units.contains(&person.unit)
            }
            ChannelKind::Spool => true,
        }
    }
}

impl World<'_> {
    /// The channels to try for the person of this id.
    #[must_use]
    pub fn route(&self, person: &PersonId) -> Vec<ChannelKind> {
        let Some(known) = self.book.people.get(person) else {
            return Vec::new();
        };
        let mut route = self.addresses(known);
        route.retain(|kind| self.may_work(person, *kind));
        route
    }

    /// Every channel that leads to an address of this person, also to one that was refused.
    #[must_use]
    pub fn addresses(&self, person: &Person) -> Vec<ChannelKind> {
        self.reach.route(person, self.book.contacts.get(&person.id))
    }

    /// Where the peer says that nobody lives, nothing is left until the sheet or a test says
    /// otherwise.
    fn may_work(&self, person: &PersonId, kind: ChannelKind) -> bool {
        let without = kind == ChannelKind::WecomApp && self.book.is_without_account(person);
        !without && !self.book.is_refused(person, kind)
    }

    /// The same, with the channels of a stage first.
    #[must_use]
    pub fn route_by(&self, person: &PersonId, first: &[ChannelKind]) -> Vec<ChannelKind> {
        let Some(known) = self.book.people.get(person) else {
            return Vec::new();
        };
        let contact = self.book.contacts.get(person);
        let mut route = self.reach.route_by(known, contact, first);
        route.retain(|kind| self.may_work(person, *kind));
        route
    }

    /// The ladder of a case: the one it began with, else the one it would begin with.
    #[must_use]
    pub fn ladder(&self, plan: &PlanId, quarter: Quarter) -> &Ladder {
        let begun = self.book.ladder(plan, quarter);
        begun.unwrap_or(&self.policy.ladder)
    }

    /// The time of a stage; none where the case does without it.
    #[must_use]
    pub fn stage_time(
        &self,
        plan: &PlanId,
        quarter: Quarter,
        stage: Stage,
    ) -> Option<DateTime<Utc>> {
        let ladder = self.ladder(plan, quarter);
        ladder.time(self.calendar, quarter, stage)
    }

    /// Whether this person may get one more message, `room` being kept for what matters more.
    fn within_budget(&self, person: &PersonId, now: DateTime<Utc>, room: usize) -> bool {
        let since = now - self.policy.budget_window;
        self.book.burden(person, since) + room < self.policy.budget
    }

    fn has_run(&self, plan: &PlanId, quarter: Quarter, stage: Stage) -> bool {
        self.book
            .stages
            .contains_key(&(plan.clone(), quarter, stage))
    }

    fn working_days_since(&self, then: DateTime<Utc>, now: DateTime<Utc>) -> u32 {
        let days = self
            .calendar
            .working_days_between(self.calendar.date_of(then), self.calendar.date_of(now));
        u32::try_from(days).unwrap_or(0)
    }

    /// Whether `now` is the time of day for digests and for word that something is settled.
    fn is_digest_time(&self, now: DateTime<Utc>) -> bool {
        let time = self.calendar.time_of(now);
        self.calendar.is_working(self.calendar.date_of(now))
            && time >= self.policy.digest_time
            && time < self.policy.quiet_from
    }

    /// The days on which a quarter of a plan is followed daily: from the reminder on, until a
    /// stage after the escalation would be too late.
    fn daily_span(
        &self,
        plan: &PlanId,
        quarter: Quarter,
    ) -> Option<(chrono::NaiveDate, chrono::NaiveDate)> {
        self.span_around(plan, quarter, self.calendar.last_working_day(quarter))
    }

    /// The same around a day of its own.
    fn span_around(
        &self,
        plan: &PlanId,
        quarter: Quarter,
        day: chrono::NaiveDate,
    ) -> Option<(chrono::NaiveDate, chrono::NaiveDate)> {
        let ladder = self.ladder(plan, quarter);
        let time = |stage| ladder.time_around(self.calendar, day, stage);
        let first = time(Stage::Reminder).or_else(|| time(Stage::Due))?;
        let last = Stage::ALL.into_iter().rev().find_map(time)?;
        let days = i32::try_from(self.policy.too_late_days).unwrap_or(i32::MAX);
        let last = self.calendar.shift(self.calendar.date_of(last), days);
        Some((self.calendar.date_of(first), last))
    }
}

/// Who is written to for an owner about something that is theirs: the owner, and who fills in; an
/// owner who is away is left alone while whoever acts for them can be reached, unless the office
/// wants them copied in.
fn recipients(
    world: &World<'_>,
    owner: &PersonId,
    key: &ObligationKey,
    now: DateTime<Utc>,
) -> Vec<PersonId> {
    let mut people = Vec::new();
    let mut away = false;
    for (_, delegation) in world.book.stand_ins(owner, key, now) {
        away |= delegation.is_acting() && !world.route(&delegation.to).is_empty();
        if !people.contains(&delegation.to) {
            people.push(delegation.to.clone());
        }
    }
    if !away || world.policy.copy_absent {
        people.insert(0, owner.clone());
    }
    people
}

/// A single pass: [`Docket::pass`] with an empty docket, which looks at everything.
#[must_use]
pub fn pass(world: &World<'_>, now: DateTime<Utc>) -> Vec<Fact> {
    Docket::default().pass(world, now)
}

/// The next moment after `now` at which somebody will be told something, as far as it can be
/// foreseen.
#[must_use]
pub fn next_after(world: &World<'_>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let matters = world.book.matters();
    matters
        .filter_map(|matter| Outlook::of(world, &matter, now).speak)
        .min()
}

/// What a pass leaves out, in words for whoever imported the plan: one line a quarter.
#[must_use]
pub fn explain_skipped(facts: &[Fact]) -> Vec<String> {
    let mut lines: Vec<(Quarter, Vec<String>)> = Vec::new();
    for fact in facts {
        let Fact::StageRun {
            quarter,
            stage,
            outcome: StageOutcome::Skipped { why, .. },
            ..
        } = fact
        else {
            continue;
        };
        let words = match why {
            SkipWhy::TooLate { working_days } => {
                format!("{}已过{working_days}个工作日", stage.chinese())
            }
            SkipWhy::FoldedInto { stage: later } => {
                format!("{}并入{}", stage.chinese(), later.chinese())
            }
            SkipWhy::Unreachable | SkipWhy::OverBudget => continue,
        };
        match lines.iter_mut().find(|(known, _)| known == quarter) {
            Some((_, all)) => all.push(words),
            None => lines.push((*quarter, vec![words])),
        }
    }
    lines
        .into_iter()
        .map(|(quarter, words)| format!("{}：{}，不再发送", quarter.chinese(), words.join("，")))
        .collect()
}
