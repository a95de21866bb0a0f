//! What owners ask beside reporting, who fills in for whom, and what a lead unit sums up.

use chrono::{DateTime, Utc};

use super::Inconsistent;
use crate::domain::book::{Book, Effect, Summary};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::plan::PersonRef;
use crate::domain::request::{
    Asked, ExtensionAsk, ExtensionWord, Granted, NotMineWord, OtherOwner, SaidNotMine,
};

impl Book {
    pub(super) fn ask_extension(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        key: &ObligationKey,
        person: &PersonId,
        ask: &ExtensionAsk,
    ) -> Result<(), Inconsistent> {
        let asked = Asked {
            at,
            person: person.clone(),
            ask: ask.clone(),
        };
        self.said(here, key, |known| {
            let extension = known.extension.get_or_insert_default();
            extension.asked = Some(asked);
            extension.refused = None;
        })
    }

    pub(super) fn decide_extension(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        key: &ObligationKey,
        word: &ExtensionWord,
    ) -> Result<(), Inconsistent> {
        self.said(here, key, |known| {
            let extension = known.extension.get_or_insert_default();
            extension.asked = None;
            match word {
                ExtensionWord::Granted { day, until, note } => {
                    extension.refused = None;
                    extension.granted = Some(Granted {
                        at,
                        day: *day,
                        until: *until,
                        note: note.clone(),
                    });
                }
                ExtensionWord::Refused { reason } => {
                    extension.refused = Some((at, reason.clone()));
                }
            }
        })
    }

    pub(super) fn say_not_mine(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        key: &ObligationKey,
        person: &PersonId,
        other: &OtherOwner,
    ) -> Result<(), Inconsistent> {
        let said = SaidNotMine {
            at,
            person: person.clone(),
            other: other.clone(),
        };
        self.said(here, key, |known| {
            known.not_mine.get_or_insert_default().said = Some(said);
        })
    }

    pub(super) fn settle_not_mine(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        key: &ObligationKey,
        word: &NotMineWord,
    ) -> Result<(), Inconsistent> {
        self.said(here, key, |known| {
            let not_mine = known.not_mine.get_or_insert_default();
            not_mine.said = None;
            not_mine.word = Some((at, word.clone()));
        })
    }

    /// The duties stand in the plan as if a revised table had moved them, under one new version,
    /// so that both hear of it in one message each.
    pub(super) fn change_owner(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        plan: &PlanId,
        duties: &[(TaskNo, u8)],
        from: &PersonId,
        to: &PersonRef,
    ) -> Result<Vec<Effect>, Inconsistent> {
        self.plan(here, plan)?.version += 1;
        let mut effects = Vec::new();
        for (no, slot) in duties {
            let known = self.plan(here, plan)?;
            let slots = known.slots.get(no).cloned().unwrap_or_default();
            let place = slots.iter().position(|known| known == slot);
            let task = known.tasks.get(no).cloned();
            let (Some(place), Some(mut task)) = (place, task) else {
                return Err(Inconsistent::Unknown {
                    position: here,
                    what: format!("第{no}项任务"),
                });
            };
            let tabled = known.tabled.remove(no).unwrap_or_else(|| task.clone());
            let Some(group) = task.groups.get(place) else {
                continue;
            };
            task.change_owners(place, put_in_place(&group.owners, from, to));
            if task.groups != tabled.groups {
                known.tabled.insert(*no, tabled);
            }
            effects.extend(self.put_task(here, at, plan, &task, slots)?);
        }
        Ok(effects)
    }

    pub(super) fn end_delegation(
        &mut self,
        here: Position,
        delegation: Position,
    ) -> Result<(), Inconsistent> {
        let known = self.delegations.remove(&delegation);
        known.map(drop).ok_or_else(|| Inconsistent::Unknown {
            position: here,
            what: format!("第{delegation}号委托"),
        })
    }

    pub(super) fn sum_task_up(
        &mut self,
        (here, at): (Position, DateTime<Utc>),
        (plan, quarter, task): (&PlanId, Quarter, TaskNo),
        person: &PersonId,
        text: &str,
    ) -> Result<(), Inconsistent> {
        self.plan(here, plan)?;
        let summary = Summary {
            at,
            person: person.clone(),
            text: text.to_owned(),
        };
        self.summaries
            .insert((plan.clone(), quarter, task), summary);
        Ok(())
    }
}

/// The owners with one of them in place of another; none stands twice.
fn put_in_place(owners: &[PersonRef], from: &PersonId, to: &PersonRef) -> Vec<PersonRef> {
    let is_there = owners.iter().any(|owner| owner.id == to.id);
    let mut after = owners.to_vec();
    match after.iter_mut().find(|owner| owner.id == *from) {
        Some(owner) if !is_there => *owner = to.clone(),
        Some(_) => after.retain(|owner| owner.id != *from),
        None if !is_there => after.push(to.clone()),
        None => {}
    }
    after
}
