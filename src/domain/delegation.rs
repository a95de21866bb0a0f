//! Somebody fills in for an owner, who goes on answering for it: 转办 for chosen items until it is
//! ended, 代办 for everything while the owner is away.

use chrono::{DateTime, Utc};

use super::ids::{ObligationKey, PersonId, PlanId, TaskNo};

/// Who fills in for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The owner.
    pub from: PersonId,
    /// Who fills in.
    pub to: PersonId,
    /// What.
    pub scope: Scope,
}

/// What somebody fills in for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// 转办: these of the owner's duties in a plan, in every quarter. Both are reminded.
    Items {
        /// The plan.
        plan: PlanId,
        /// Task and group, in order.
        duties: Vec<(TaskNo, u8)>,
    },
    /// 代办: all of the owner's duties, for a time. The owner is away and left alone.
    Acting {
        /// From this instant on.
        begins: DateTime<Utc>,
        /// Up to this one.
        ends: DateTime<Utc>,
    },
}

impl Delegation {
    /// Whether it covers this duty at this moment; whether the owner has it is another question.
    #[must_use]
    pub fn covers(&self, key: &ObligationKey, now: DateTime<Utc>) -> bool {
        match &self.scope {
            Scope::Items { plan, duties } => {
                *plan == key.plan && duties.contains(&(key.task, key.group))
            }
            Scope::Acting { begins, ends } => *begins <= now && now < *ends,
        }
    }

    /// Whether the owner is away, so that only who fills in is written to.
    #[must_use]
    pub fn is_acting(&self) -> bool {
        matches!(self.scope, Scope::Acting { .. })
    }

    /// 转办 or 代办.
    #[must_use]
    pub fn chinese(&self) -> &'static str {
        match self.scope {
            Scope::Items { .. } => "转办",
            Scope::Acting { .. } => "代办",
        }
    }
}
