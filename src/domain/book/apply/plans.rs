//! Plans, their people, tasks and deadlines.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::Inconsistent;
use crate::domain::book::{Book, Effect, PlanBook};
use crate::domain::ids::{ObligationKey, PlanId, Position, Quarter, TaskNo};
use crate::domain::people::Person;
use crate::domain::plan::{Heading, Task};

impl Book {
    pub(super) fn import(
        &mut self,
        plan: &PlanId,
        heading: &Heading,
        source: &str,
        sha256: &str,
        at: DateTime<Utc>,
    ) {
        let known = self.plans.entry(plan.clone()).or_insert_with(|| PlanBook {
            heading: heading.clone(),
            source: String::new(),
            sha256: String::new(),
            columns: Vec::new(),
            imported_at: at,
            tasks: BTreeMap::new(),
            people: Vec::new(),
            deadlines: BTreeMap::new(),
            assumed_years: Default::default(),
        });
        known.heading = heading.clone();
        source.clone_into(&mut known.source);
        sha256.clone_into(&mut known.sha256);
        known.imported_at = at;
    }

    pub(super) fn map_columns(
        &mut self,
        here: Position,
        plan: &PlanId,
        columns: &[String],
    ) -> Result<(), Inconsistent> {
        self.plan(here, plan)?.columns = columns.to_vec();
        Ok(())
    }

    pub(super) fn set_person(
        &mut self,
        here: Position,
        plan: Option<&PlanId>,
        person: &Person,
    ) -> Result<(), Inconsistent> {
        if let Some(plan) = plan {
            let known = self.plan(here, plan)?;
            if !known.people.contains(&person.id) {
                known.people.push(person.id.clone());
            }
        }
        self.people.insert(person.id.clone(), person.clone());
        Ok(())
    }

    pub(super) fn set_task(
        &mut self,
        here: Position,
        plan: &PlanId,
        task: &Task,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let mut effects = match self.plan(here, plan)?.tasks.contains_key(&task.no) {
            true => self.remove_task(here, plan, task.no)?,
            false => Vec::new(),
        };
        let known = self.plan(here, plan)?;
        effects.extend(milestone_effects(plan, task, &known.deadlines));
        known.tasks.insert(task.no, task.clone());
        for key in obligations_of(plan, task) {
            // Reports already given stay with the obligation when a plan is imported anew.
            self.obligations.entry(key).or_default();
        }
        Ok(effects)
    }

    pub(super) fn remove_task(
        &mut self,
        here: Position,
        plan: &PlanId,
        no: TaskNo,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let known = self.plan(here, plan)?;
        let Some(task) = known.tasks.remove(&no) else {
            return Err(Inconsistent::Unknown {
                position: here,
                what: format!("第{no}项任务"),
            });
        };
        for key in obligations_of(plan, &task) {
            if self
                .obligations
                .get(&key)
                .is_some_and(|known| known.reports.is_empty())
            {
                self.obligations.remove(&key);
            }
        }
        let gone = (0..task.milestones.len()).map(|index| Effect::MilestoneRemoved {
            plan: plan.clone(),
            task: no,
            index: u16::try_from(index).unwrap_or(u16::MAX),
        });
        Ok(gone.collect())
    }

    pub(super) fn set_deadlines(
        &mut self,
        here: Position,
        plan: &PlanId,
        deadlines: &[(NaiveDate, DateTime<Utc>)],
        assumed_years: &[i32],
    ) -> Result<Vec<Effect>, Inconsistent> {
        let known = self.plan(here, plan)?;
        known.deadlines = deadlines.iter().copied().collect();
        known.assumed_years = assumed_years.iter().copied().collect();
        let effects = known
            .tasks
            .values()
            .flat_map(|task| milestone_effects(plan, task, &known.deadlines));
        Ok(effects.collect())
    }
}

/// The obligations a task makes: each group in each quarter in which something of it runs.
fn obligations_of(plan: &PlanId, task: &Task) -> Vec<ObligationKey> {
    let mut keys = Vec::new();
    let first = task.milestones.iter().map(|m| m.first_quarter).min();
    let last = task.milestones.iter().map(|m| m.last_quarter).max();
    let (Some(first), Some(last)) = (first, last) else {
        return keys;
    };
    let quarters = std::iter::successors(Some(first), |q: &Quarter| Some(q.next()))
        .take_while(|quarter| *quarter <= last);
    for quarter in quarters {
        for (index, group) in (0_u8..=u8::MAX).zip(&task.groups) {
            if task.milestones_in(group, quarter).next().is_some() {
                keys.push(ObligationKey {
                    plan: plan.clone(),
                    quarter,
                    task: task.no,
                    group: index,
                });
            }
        }
    }
    keys
}

fn milestone_effects<'a>(
    plan: &'a PlanId,
    task: &'a Task,
    deadlines: &'a BTreeMap<NaiveDate, DateTime<Utc>>,
) -> impl Iterator<Item = Effect> + 'a {
    (0_u16..=u16::MAX)
        .zip(&task.milestones)
        .map(|(index, milestone)| Effect::MilestoneSet {
            plan: plan.clone(),
            task: task.no,
            index,
            milestone: milestone.clone(),
            deadline: deadlines.get(&milestone.due).copied(),
        })
}
