//! Which duties each person answers for as an owner: kept up with the plans, so that nobody's own
//! are looked for among everybody's.

use std::collections::HashMap;

use super::{Book, Obligation, PlanBook};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter, TaskNo};

/// Each owner's groups of tasks by plan, task and the group's number, in order.
pub type Duties = HashMap<PersonId, Vec<(PlanId, TaskNo, u8)>>;

impl Book {
    /// The obligations a person answers for as an owner, in a plan's quarter, in the order of the
    /// table.
    pub fn obligations_of<'a>(
        &'a self,
        person: &PersonId,
        plan: &'a PlanId,
        quarter: Quarter,
    ) -> impl Iterator<Item = (&'a ObligationKey, &'a Obligation)> + 'a {
        let all = self.duties.get(person).map_or(&[][..], Vec::as_slice);
        let first = all.partition_point(|(of, ..)| of < plan);
        let own = all
            .iter()
            .skip(first)
            .take_while(move |(of, ..)| of == plan);
        own.filter_map(move |(_, task, group)| {
            let key = ObligationKey {
                plan: plan.clone(),
                quarter,
                task: *task,
                group: *group,
            };
            let known = self.obligations.get_key_value(&key);
            known.filter(|(_, known)| known.closed.is_none())
        })
    }

    /// Notes the owners of a task as it stands now, after those of before were forgotten.
    pub(super) fn note_owners(&mut self, plan: &PlanId, task: TaskNo) {
        let Some(known) = self.plans.get(plan) else {
            return;
        };
        for (person, slot) in owners(known, task) {
            let all = self.duties.entry(person.clone()).or_default();
            let duty = (plan.clone(), task, slot);
            if let Err(place) = all.binary_search(&duty) {
                all.insert(place, duty);
            }
        }
    }

    /// Forgets the owners of a task, before it changes.
    pub(super) fn forget_owners(&mut self, plan: &PlanId, task: TaskNo) {
        let Some(known) = self.plans.get(plan) else {
            return;
        };
        for (person, _) in owners(known, task) {
            if let Some(all) = self.duties.get_mut(person) {
                all.retain(|(of, no, _)| (of, *no) != (plan, task));
                if all.is_empty() {
                    self.duties.remove(person);
                }
            }
        }
    }

    pub(super) fn note_all_owners(&mut self) {
        self.duties = Duties::new();
        let tasks = |(id, plan): (&PlanId, &PlanBook)| {
            let tasks = plan.tasks.keys().copied();
            tasks.map(|task| (id.clone(), task)).collect::<Vec<_>>()
        };
        let all: Vec<_> = self.plans.iter().flat_map(tasks).collect();
        for (plan, task) in all {
            self.note_owners(&plan, task);
        }
    }
}

fn owners(plan: &PlanBook, task: TaskNo) -> impl Iterator<Item = (&PersonId, u8)> {
    let known = plan.tasks.get(&task).zip(plan.slots.get(&task));
    known.into_iter().flat_map(|(task, slots)| {
        let groups = task.groups.iter().zip(slots);
        groups.flat_map(|(group, slot)| group.owners.iter().map(|owner| (&owner.id, *slot)))
    })
}
