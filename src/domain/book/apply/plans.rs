//! Plans, their people, tasks and deadlines.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::Inconsistent;
use crate::domain::book::{Book, ClosedDuty, ClosedWhy, Effect, Hand, Handover, Matter, PlanBook};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};
use crate::domain::people::Person;
use crate::domain::plan::{Group, Heading, Task};

impl Book {
    pub(super) fn import(
        &mut self,
        plan: &PlanId,
        heading: &Heading,
        source: &str,
        sha256: &str,
        (here, at): (Position, DateTime<Utc>),
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
            changed: (here, at),
            version: 0,
            slots: BTreeMap::new(),
            tabled: BTreeMap::new(),
            closed: BTreeMap::new(),
            handovers: Vec::new(),
        });
        known.version += 1;
        known.heading = heading.clone();
        source.clone_into(&mut known.source);
        sha256.clone_into(&mut known.sha256);
        known.imported_at = at;
        known.changed = (here, at);
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

    /// A table says so. Owners whom a coordinator's word put in place of those the table still
    /// names stay.
    pub(super) fn set_task(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        plan: &PlanId,
        task: &Task,
    ) -> Result<Vec<Effect>, Inconsistent> {
        let known = self.plan(here, plan)?;
        let slots = Duties::in_table(known, task.no).slots_for(known, task);
        let settled = known.settled_with(task, &slots);
        match settled == *task {
            true => known.tabled.remove(&task.no),
            false => known.tabled.insert(task.no, task.clone()),
        };
        self.put_task(here, at, plan, &settled, slots)
    }

    /// The task is so from now on, its groups under these numbers.
    pub(super) fn put_task(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        plan: &PlanId,
        task: &Task,
        slots: Vec<u8>,
    ) -> Result<Vec<Effect>, Inconsistent> {
        self.forget_owners(plan, task.no);
        let known = self.plan(here, plan)?;
        let before = Duties::of(known, task.no);
        let after = Duties {
            task: Some(task.clone()),
            slots: slots.clone(),
        };
        known.slots.insert(task.no, slots);
        known.closed.retain(|key, _| !after.holds(*key));
        let old = known.tasks.insert(task.no, task.clone());
        let mut effects = milestones_gone(plan, old.as_ref());
        effects.extend(milestone_effects(plan, task, &known.deadlines));
        known.closed.extend(before.without(&after));
        known.hand_over(at, &before, &after);
        self.note_owners(plan, task.no);
        self.touch(Matter::Handovers(plan.clone()));
        let wanted = after.obligations(plan);
        self.close(at, plan, &before, &wanted, |slot| {
            match after.slots.contains(&slot) {
                true => ClosedWhy::Rescheduled,
                false => ClosedWhy::GroupRemoved,
            }
        });
        for key in wanted {
            // Reports already given stay with the obligation when a plan is imported anew.
            self.want(key);
        }
        Ok(effects)
    }

    pub(super) fn remove_task(
        &mut self,
        here: Position,
        at: DateTime<Utc>,
        plan: &PlanId,
        no: TaskNo,
    ) -> Result<Vec<Effect>, Inconsistent> {
        self.forget_owners(plan, no);
        let known = self.plan(here, plan)?;
        let before = Duties::of(known, no);
        known.slots.remove(&no);
        known.tabled.remove(&no);
        let Some(task) = known.tasks.remove(&no) else {
            return Err(Inconsistent::Unknown {
                position: here,
                what: format!("第{no}项任务"),
            });
        };
        let none = Duties::default();
        known.closed.extend(before.without(&none));
        known.hand_over(at, &before, &none);
        self.touch(Matter::Handovers(plan.clone()));
        self.close(at, plan, &before, &BTreeSet::new(), |_| {
            ClosedWhy::TaskRemoved
        });
        Ok(milestones_gone(plan, Some(&task)))
    }

    /// Closes what is no longer wanted. What nobody was told of and nobody missed leaves no trace.
    fn close(
        &mut self,
        at: DateTime<Utc>,
        plan: &PlanId,
        before: &Duties,
        wanted: &BTreeSet<ObligationKey>,
        why: impl Fn(u8) -> ClosedWhy,
    ) {
        for key in before.obligations(plan) {
            if wanted.contains(&key) {
                continue;
            }
            let deadline = self.deadline(plan, key.quarter);
            let Some(known) = self.obligations.get(&key) else {
                continue;
            };
            let noticed = !known.reports.is_empty()
                || !known.evidence.is_empty()
                || known.last_reminded.is_some()
                || deadline.is_some_and(|deadline| deadline < at);
            if noticed {
                let closed = Some((at, why(key.group)));
                self.change(&key, |known| known.closed = closed);
            } else {
                self.forget(&key);
            }
        }
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

impl PlanBook {
    /// A task as its table has it, where a coordinator's word has changed it since.
    #[must_use]
    pub fn in_table(&self, no: TaskNo) -> Option<&Task> {
        self.tabled.get(&no).or_else(|| self.tasks.get(&no))
    }

    /// A table's row as it would stand here: with the owners whom a coordinator's word put in
    /// place of those the row still names.
    #[must_use]
    pub fn settled(&self, task: &Task) -> Task {
        let slots = Duties::in_table(self, task.no).slots_for(self, task);
        self.settled_with(task, &slots)
    }

    fn settled_with(&self, task: &Task, slots: &[u8]) -> Task {
        let mut settled = task.clone();
        let Some(tabled) = self.tabled.get(&task.no) else {
            return settled;
        };
        let known = self.slots.get(&task.no).into_iter().flatten();
        let stands = self.tasks.get(&task.no);
        let before: Vec<_> = known
            .zip(&tabled.groups)
            .zip(stands.into_iter().flat_map(|task| &task.groups))
            .collect();
        for (slot, (place, group)) in slots.iter().zip(task.groups.iter().enumerate()) {
            let found = before.iter().find(|((known, _), _)| *known == slot);
            if let Some(((_, tabled), stands)) = found
                && tabled.names_the_owners_of(group)
            {
                settled.change_owners(place, stands.owners.clone());
            }
        }
        settled
    }

    /// Notes whose the task is now, and whose it was. Who keeps a part in it is not told.
    fn hand_over(&mut self, at: DateTime<Utc>, before: &Duties, after: &Duties) {
        if before.task.is_none() {
            return;
        }
        let (had, have) = (before.owners(), after.owners());
        let part = |(person, group): (&PersonId, u8), hand, task| Handover {
            version: self.version,
            at,
            person: person.clone(),
            hand,
            task,
            group,
        };
        let no = before.task.as_ref().map_or(0, |task| task.no);
        let is_in = |list: &[(&PersonId, u8)], person: &PersonId| {
            list.iter().any(|(known, _)| *known == person)
        };
        let taken = have.iter().filter(|(person, _)| !is_in(&had, person));
        let given = had.iter().filter(|(person, _)| !is_in(&have, person));
        let parts: Vec<Handover> = taken
            .map(|one| part(*one, Hand::Taken, no))
            .chain(given.map(|one| part(*one, Hand::Given, no)))
            .collect();
        self.handovers.extend(parts);
    }
}

/// Whether a group of the new table goes on from one of the old.
type GoesOn<'a> = &'a dyn Fn(&Group, &Group) -> bool;

/// A task's groups with the numbers that name them.
#[derive(Default)]
struct Duties {
    task: Option<Task>,
    slots: Vec<u8>,
}

impl Duties {
    fn of(plan: &PlanBook, no: TaskNo) -> Self {
        Self {
            task: plan.tasks.get(&no).cloned(),
            slots: plan.slots.get(&no).cloned().unwrap_or_default(),
        }
    }

    /// The same with the owners the table names.
    fn in_table(plan: &PlanBook, no: TaskNo) -> Self {
        Self {
            task: plan.in_table(no).cloned(),
            slots: plan.slots.get(&no).cloned().unwrap_or_default(),
        }
    }

    fn groups(&self) -> impl Iterator<Item = (&Task, &Group, u8)> {
        self.task.iter().flat_map(|task| {
            let groups = task.groups.iter().zip(&self.slots);
            groups.map(move |(group, slot)| (task, group, *slot))
        })
    }

    fn holds(&self, (no, slot): (TaskNo, u8)) -> bool {
        self.task.as_ref().is_some_and(|task| task.no == no) && self.slots.contains(&slot)
    }

    fn owners(&self) -> Vec<(&PersonId, u8)> {
        let mut owners = Vec::new();
        for (_, group, slot) in self.groups() {
            owners.extend(group.owners.iter().map(|owner| (&owner.id, slot)));
        }
        owners
    }

    /// The duties that `after` has no longer.
    fn without(&self, after: &Self) -> Vec<((TaskNo, u8), ClosedDuty)> {
        let gone = self
            .groups()
            .filter(|(_, _, slot)| !after.slots.contains(slot));
        gone.map(|(task, group, slot)| {
            let duty = ClosedDuty {
                task: task.clone(),
                group: group.clone(),
            };
            ((task.no, slot), duty)
        })
        .collect()
    }

    /// Which number each group of the task has from now on: that of the group it goes on from,
    /// which has its unit, or else one of its owners; else one that none ever had.
    ///
    /// This is part of what a journal means: it must not change.
    fn slots_for(&self, plan: &PlanBook, task: &Task) -> Vec<u8> {
        let closed = plan.closed.range((task.no, 0)..=(task.no, u8::MAX));
        // A task that comes back goes on where it was closed; another one of its number does not.
        let back = closed
            .clone()
            .filter(|(_, duty)| duty.task.goal == task.goal)
            .map(|((_, slot), duty)| (&duty.group, *slot));
        let mut free: Vec<(&Group, u8)> = self
            .groups()
            .map(|(_, group, slot)| (group, slot))
            .chain(back)
            .collect();
        let used: BTreeSet<u8> = self
            .slots
            .iter()
            .copied()
            .chain(closed.map(|((_, slot), _)| *slot))
            .collect();
        let mut slots: Vec<Option<u8>> = vec![None; task.groups.len()];
        let same_unit = |new: &Group, old: &Group| new.unit == old.unit;
        let same_owner = |new: &Group, old: &Group| {
            let mut owners = new.owners.iter();
            owners.any(|one| old.owners.iter().any(|other| other.id == one.id))
        };
        let rules: [GoesOn<'_>; 2] = [&same_unit, &same_owner];
        for goes_on in rules {
            for (slot, group) in slots.iter_mut().zip(&task.groups) {
                if slot.is_some() {
                    continue;
                }
                let found = free.iter().position(|(old, _)| goes_on(group, old));
                *slot = found.map(|place| free.remove(place).1);
            }
        }
        let next = used.last().map_or(0, |last| last.saturating_add(1));
        let mut fresh = (next..=u8::MAX)
            .chain(0..next)
            .filter(|slot| !used.contains(slot));
        slots
            .into_iter()
            .map(|slot| slot.or_else(|| fresh.next()).unwrap_or(u8::MAX))
            .collect()
    }

    /// The obligations they make: each group in each quarter in which something of it runs.
    fn obligations(&self, plan: &PlanId) -> BTreeSet<ObligationKey> {
        let mut keys = BTreeSet::new();
        for (task, group, slot) in self.groups() {
            let first = task.milestones.iter().map(|m| m.first_quarter).min();
            let last = task.milestones.iter().map(|m| m.last_quarter).max();
            let (Some(first), Some(last)) = (first, last) else {
                continue;
            };
            let quarters = std::iter::successors(Some(first), |q: &Quarter| Some(q.next()))
                .take_while(|quarter| *quarter <= last)
                .filter(|quarter| task.milestones_in(group, *quarter).next().is_some());
            keys.extend(quarters.map(|quarter| ObligationKey {
                plan: plan.clone(),
                quarter,
                task: task.no,
                group: slot,
            }));
        }
        keys
    }
}

fn milestones_gone(plan: &PlanId, task: Option<&Task>) -> Vec<Effect> {
    let Some(task) = task else {
        return Vec::new();
    };
    let gone = (0..task.milestones.len()).map(|index| Effect::MilestoneRemoved {
        plan: plan.clone(),
        task: task.no,
        index: u16::try_from(index).unwrap_or(u16::MAX),
    });
    gone.collect()
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
