//! Questions to the book that several rooms ask.

mod messages;
mod reach;
mod standing;

use chrono::{DateTime, Utc};

use super::{Book, KnownMail, Obligation, PlanBook};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::ladder::Ladder;
use crate::domain::paper::PaperKind;
use crate::domain::plan::{Group, Task};
use crate::domain::report::Report;
pub use standing::ObligationState;

impl Book {
    /// Whether nothing is decided or sent before a person has spoken; the operator is told why.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.clock_doubt.is_some() || self.restored.is_some()
    }

    /// The task of an obligation and the group that answers for it; of one that was closed, as
    /// they last stood.
    #[must_use]
    pub fn task_and_group(&self, key: &ObligationKey) -> Option<(&Task, &Group)> {
        let plan = self.plans.get(&key.plan)?;
        plan.duty(key.task, key.group).or_else(|| {
            let closed = plan.closed.get(&(key.task, key.group))?;
            Some((&closed.task, &closed.group))
        })
    }

    /// The obligations of a plan's quarter, in the order of the table.
    pub fn obligations_in(
        &self,
        plan: &PlanId,
        quarter: Quarter,
    ) -> impl Iterator<Item = (&ObligationKey, &Obligation)> {
        let at = |task: TaskNo, group: u8| ObligationKey {
            plan: plan.clone(),
            quarter,
            task,
            group,
        };
        self.obligations.range(at(0, 0)..=at(TaskNo::MAX, u8::MAX))
    }

    /// Whether the person is an owner in the group that answers for this.
    #[must_use]
    pub fn is_owner(&self, person: &PersonId, key: &ObligationKey) -> bool {
        self.task_and_group(key)
            .is_some_and(|(_, group)| group.owners.iter().any(|owner| owner.id == *person))
    }

    /// The ladder that a case began with; none before it begins.
    #[must_use]
    pub fn ladder(&self, plan: &PlanId, quarter: Quarter) -> Option<&Ladder> {
        self.ladders.get(&(plan.clone(), quarter))
    }

    /// When reports for a plan's quarter are due.
    #[must_use]
    pub fn deadline(&self, plan: &PlanId, quarter: Quarter) -> Option<DateTime<Utc>> {
        let known = self.plans.get(plan)?;
        known.deadlines.get(&quarter.last_day()).copied()
    }

    /// When this obligation is due: the quarter's deadline, or the later date that was granted.
    #[must_use]
    pub fn due(&self, key: &ObligationKey) -> Option<DateTime<Utc>> {
        let granted = self.obligations.get(key).and_then(Obligation::granted);
        match granted {
            Some(granted) => Some(granted.until),
            None => self.deadline(&key.plan, key.quarter),
        }
    }

    /// Where an obligation stands at `now` by its own date; none where it is not known.
    #[must_use]
    pub fn state(&self, key: &ObligationKey, now: DateTime<Utc>) -> Option<ObligationState> {
        let known = self.obligations.get(key)?;
        Some(known.state(self.due(key), now))
    }

    /// Who said what a report says: the owner, or `由王某代李某填报`.
    #[must_use]
    pub fn told_by(&self, report: &Report) -> String {
        let name = |id| self.people.get(id).map_or("", |known| known.name.as_str());
        let owner = name(&report.person);
        match &report.delegate {
            Some(delegate) => format!("由{}代{owner}填报", name(delegate)),
            None => owner.to_owned(),
        }
    }

    /// Mails that wait for a coordinator, oldest first.
    pub fn mails_waiting(&self) -> impl Iterator<Item = (&Position, &KnownMail)> {
        let waits = |known: &KnownMail| known.settled.is_none() && known.mail.waits();
        self.mails.iter().filter(move |(_, known)| waits(known))
    }

    /// The next number of a series.
    #[must_use]
    pub fn next_number(&self, kind: PaperKind, year: i32) -> u32 {
        let of_series = self.papers.iter().filter(|(paper, _)| paper.kind == kind);
        let taken = of_series.filter(|(_, issued)| issued.year == year);
        let last = taken.map(|(_, issued)| issued.number).max();
        last.unwrap_or(0).saturating_add(1)
    }
}

impl PlanBook {
    /// The task and that one of its groups that has this number.
    #[must_use]
    pub fn duty(&self, task: TaskNo, slot: u8) -> Option<(&Task, &Group)> {
        let slots = self.slots.get(&task)?;
        let place = slots.iter().position(|known| *known == slot)?;
        let task = self.tasks.get(&task)?;
        Some((task, task.groups.get(place)?))
    }
}
