//! The coordinators' figures of a quarter.

use std::collections::{BTreeMap, BTreeSet};

use super::Order;
use crate::domain::book::{Book, DeliveryState, ObligationState};
use crate::domain::ids::{PersonId, PlanId, Quarter};

/// How a quarter stands, for those who watch over it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Digest {
    /// 应报.
    pub obligations: usize,
    /// 已报: in time, late, or accepted.
    pub reported: usize,
    /// 未报, the deadline still ahead.
    pub not_reported: usize,
    /// 超期未报.
    pub overdue: usize,
    /// 退回.
    pub returned: usize,
    /// Reported and waiting for a look.
    pub to_review: usize,
    /// Units with open items, most first.
    pub units: Vec<UnitRow>,
    /// People with open items whom nothing can reach, `姓名（单位）`.
    pub unreachable: Vec<String>,
    /// Messages of the quarter that were given up.
    pub dead: usize,
    /// Messages of the quarter in doubt that wait for a word.
    pub held: usize,
}

/// A unit that still owes reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRow {
    /// The unit.
    pub unit: String,
    /// How many items.
    pub open: usize,
    /// Whose.
    pub owners: Vec<String>,
}

pub(super) fn digest(book: &Book, order: Order<'_>) -> Digest {
    let key = &order.message.key;
    let mut digest = Digest::default();
    let mut units: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
    let mut owners: BTreeSet<&PersonId> = BTreeSet::new();
    for (obligation_key, obligation) in book.obligations_in(&key.plan, key.quarter) {
        if obligation.is_withdrawn() {
            continue;
        }
        digest.obligations += 1;
        let state = obligation.state(book.due(obligation_key), order.now);
        match state {
            ObligationState::NotReported => digest.not_reported += 1,
            ObligationState::OverdueUnreported => digest.overdue += 1,
            ObligationState::Returned => digest.returned += 1,
            ObligationState::Withdrawn => {}
            ObligationState::Reported | ObligationState::ReportedLate => {
                digest.reported += 1;
                digest.to_review += 1;
            }
            ObligationState::Accepted => digest.reported += 1,
        }
        if let Some((_, group)) = book.task_and_group(obligation_key)
            && state.is_open()
        {
            let row = units.entry(&group.unit).or_default();
            row.0 += 1;
            row.1
                .extend(group.owners.iter().map(|owner| owner.name.as_str()));
            owners.extend(group.owners.iter().map(|owner| &owner.id));
        }
    }
    digest.units = units
        .into_iter()
        .map(|(unit, (open, owners))| UnitRow {
            unit: unit.to_owned(),
            open,
            owners: owners.into_iter().map(str::to_owned).collect(),
        })
        .collect();
    digest.units.sort_by_key(|row| std::cmp::Reverse(row.open));
    digest.unreachable = unreachable(book, &owners);
    (digest.dead, digest.held) = troubles(book, &key.plan, key.quarter);
    digest
}

fn unreachable(book: &Book, owners: &BTreeSet<&PersonId>) -> Vec<String> {
    owners
        .iter()
        .filter(|id| {
            book.contacts
                .get(**id)
                .is_none_or(|contact| contact.route().is_empty())
        })
        .filter_map(|id| book.people.get(*id))
        .map(|person| format!("{}（{}）", person.name, person.unit))
        .collect()
}

fn troubles(book: &Book, plan: &PlanId, quarter: Quarter) -> (usize, usize) {
    let of_quarter = book
        .messages
        .values()
        .filter(|delivery| delivery.message.key.quarter == quarter)
        .filter(|delivery| delivery.message.key.plan == *plan);
    of_quarter.fold((0, 0), |(dead, held), delivery| match delivery.state {
        DeliveryState::Dead { .. } => (dead + 1, held),
        DeliveryState::Held { .. } => (dead, held + 1),
        _ => (dead, held),
    })
}
