//! What people are writing, in a tree of its own beside the facts.

use sled::Batch;

use super::Trees;
use super::fault::{corrupt, guarded};
use crate::domain::ids::{ObligationKey, PersonId, PlanId, Quarter};
use crate::store::StoreError;

impl Trees {
    /// Keeps or forgets drafts of a person, and hands them to the machine: they survive a kill.
    pub(in crate::store) fn keep_drafts(
        &self,
        person: &PersonId,
        drafts: &[(ObligationKey, Option<Vec<u8>>)],
    ) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        let mut changes = false;
        for (key, draft) in drafts {
            let name = format!(
                "{}{}/{}",
                prefix(person, &key.plan, key.quarter),
                key.task,
                key.group
            );
            match draft {
                Some(draft) => batch.insert(name.as_bytes(), draft.as_slice()),
                // Every report says that its draft is done with, and few ever had one.
                None if !guarded(|| self.drafts.contains_key(&name))? => continue,
                None => batch.remove(name.as_bytes()),
            }
            changes = true;
        }
        if !changes {
            return Ok(());
        }
        guarded(|| self.drafts.apply_batch(batch))?;
        self.flush()
    }

    pub(in crate::store) fn drafts(
        &self,
        person: &PersonId,
        plan: &PlanId,
        quarter: Quarter,
    ) -> Result<Vec<(ObligationKey, Vec<u8>)>, StoreError> {
        let prefix = prefix(person, plan, quarter);
        let mut rows = self.drafts.scan_prefix(&prefix);
        let mut found = Vec::new();
        while let Some((name, draft)) = guarded(|| rows.next().transpose())? {
            let place = std::str::from_utf8(&name).ok();
            let place = place.and_then(|name| name.strip_prefix(&prefix)?.split_once('/'));
            let place = place.and_then(|(task, group)| {
                Some(ObligationKey {
                    plan: plan.clone(),
                    quarter,
                    task: task.parse().ok()?,
                    group: group.parse().ok()?,
                })
            });
            let key = place.ok_or_else(|| corrupt("drafts", "键的形式不对"))?;
            found.push((key, draft.to_vec()));
        }
        Ok(found)
    }

    pub(in crate::store) fn forget_drafts(
        &self,
        alive: &dyn Fn(&PlanId, Quarter) -> bool,
    ) -> Result<usize, StoreError> {
        let mut batch = Batch::default();
        let mut count = 0;
        let mut rows = self.drafts.iter().keys();
        while let Some(name) = guarded(|| rows.next().transpose())? {
            // Whose name cannot be read belongs to nothing that lives.
            if !case_of(&name).is_some_and(|(plan, quarter)| alive(&plan, quarter)) {
                batch.remove(name);
                count += 1;
            }
        }
        guarded(|| self.drafts.apply_batch(batch))?;
        Ok(count)
    }
}

fn prefix(person: &PersonId, plan: &PlanId, quarter: Quarter) -> String {
    format!("{plan}/{quarter}/{person}/")
}

fn case_of(name: &[u8]) -> Option<(PlanId, Quarter)> {
    let mut parts = std::str::from_utf8(name).ok()?.split('/');
    let plan = PlanId::new(parts.next()?).ok()?;
    Some((plan, parts.next()?.parse().ok()?))
}
