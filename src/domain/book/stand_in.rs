//! Who fills in for whom, as questions to the book.

use chrono::{DateTime, Utc};

use super::{Book, Obligation};
use crate::domain::delegation::Delegation;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Position, Quarter, TaskNo};

/// An obligation that a person may report on.
#[derive(Debug, Clone, Copy)]
pub struct Answerable<'a> {
    /// Which.
    pub key: &'a ObligationKey,
    /// It.
    pub obligation: &'a Obligation,
    /// The owner for whom they fill in; none where it is their own.
    pub behalf_of: Option<&'a PersonId>,
}

impl Book {
    /// What a person may report on in a quarter: their own, and what others had them fill in for,
    /// in the order of the table.
    #[must_use]
    pub fn answerable<'a>(
        &'a self,
        person: &PersonId,
        plan: &'a PlanId,
        quarter: Quarter,
        now: DateTime<Utc>,
    ) -> Vec<Answerable<'a>> {
        let own = self.obligations_of(person, plan, quarter);
        let mut all: Vec<Answerable<'a>> = own
            .map(|(key, obligation)| Answerable {
                key,
                obligation,
                behalf_of: None,
            })
            .collect();
        for delegation in self.delegations.values().filter(|one| one.to == *person) {
            for (key, obligation) in self.obligations_of(&delegation.from, plan, quarter) {
                let known = all.iter().any(|one| one.key == key);
                if !known && delegation.covers(key, now) {
                    all.push(Answerable {
                        key,
                        obligation,
                        behalf_of: Some(&delegation.from),
                    });
                }
            }
        }
        all.sort_by_key(|one| one.key);
        all
    }

    /// The owner for whom this person fills in on an obligation that is not their own.
    #[must_use]
    pub fn behalf_of(
        &self,
        person: &PersonId,
        key: &ObligationKey,
        now: DateTime<Utc>,
    ) -> Option<&PersonId> {
        let mut all = self.delegations.values();
        let found = all
            .find(|one| one.to == *person && one.covers(key, now) && self.is_owner(&one.from, key));
        found.map(|one| &one.from)
    }

    /// Who fills in for this owner on an obligation now.
    pub fn stand_ins<'a>(
        &'a self,
        owner: &'a PersonId,
        key: &'a ObligationKey,
        now: DateTime<Utc>,
    ) -> impl Iterator<Item = (Position, &'a Delegation)> + 'a {
        let all = self.delegations.iter();
        all.filter(move |(_, one)| one.from == *owner && one.to != *owner && one.covers(key, now))
            .map(|(at, one)| (*at, one))
    }
}

/// 汇总: which groups answer for one task, and who may sum up.
impl Book {
    /// The groups of a task that report on this quarter, in the order of the table.
    pub fn groups_asked(
        &self,
        plan: &PlanId,
        quarter: Quarter,
        task: TaskNo,
    ) -> impl Iterator<Item = (&ObligationKey, &Obligation)> {
        let slots = self.plans.get(plan).and_then(|plan| plan.slots.get(&task));
        let slots = slots.cloned().unwrap_or_default();
        let plan = plan.clone();
        slots.into_iter().filter_map(move |group| {
            let key = ObligationKey {
                plan: plan.clone(),
                quarter,
                task,
                group,
            };
            let known = self.obligations.get_key_value(&key);
            known.filter(|(_, known)| known.closed.is_none())
        })
    }

    /// Whether a person answers, or fills in, for the first of several groups of a task.
    #[must_use]
    pub fn sums_up(
        &self,
        person: &PersonId,
        plan: &PlanId,
        quarter: Quarter,
        task: TaskNo,
        now: DateTime<Utc>,
    ) -> bool {
        let mut groups = self.groups_asked(plan, quarter, task);
        let (Some((first, _)), Some(_)) = (groups.next(), groups.next()) else {
            return false;
        };
        self.is_owner(person, first) || self.behalf_of(person, first, now).is_some()
    }
}
