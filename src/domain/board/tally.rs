//! Counting obligations: over all, by unit, by owner.

use std::collections::HashMap;

use crate::domain::book::{Book, ObligationState};
use crate::domain::ids::PersonId;
use crate::domain::plan::Group;

/// Numbers of obligations. `obligations` = `reported` + `not_reported`; `overdue_unreported` and
/// `returned` are part of the latter, `reported_late` and `accepted` of the former.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// 应报.
    pub obligations: u32,
    /// 已报.
    pub reported: u32,
    /// 未报.
    pub not_reported: u32,
    /// 超期未报.
    pub overdue_unreported: u32,
    /// 迟报.
    pub reported_late: u32,
    /// 退回.
    pub returned: u32,
    /// 通过.
    pub accepted: u32,
    /// 撤销; counts for nothing else.
    pub withdrawn: u32,
}

impl Tally {
    /// 待审: reported, and nobody has looked at it yet.
    #[must_use]
    pub fn to_review(&self) -> u32 {
        self.reported - self.accepted
    }

    /// Takes one more obligation in.
    pub(super) fn add(&mut self, state: ObligationState, late: bool) {
        if state == ObligationState::Withdrawn {
            self.withdrawn += 1;
            return;
        }
        self.obligations += 1;
        if state.is_open() {
            self.not_reported += 1;
            self.overdue_unreported += u32::from(state == ObligationState::OverdueUnreported);
            self.returned += u32::from(state == ObligationState::Returned);
        } else {
            self.reported += 1;
            self.reported_late += u32::from(late);
            self.accepted += u32::from(state == ObligationState::Accepted);
        }
    }
}

/// A reporting group's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitTally {
    /// As the table names it.
    pub unit: String,
    /// Its numbers.
    pub tally: Tally,
}

/// An owner. What a group answers for together counts for each of its owners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerTally {
    /// Who.
    pub person: PersonId,
    /// The name.
    pub name: String,
    /// Their unit.
    pub unit: String,
    /// Their numbers.
    pub tally: Tally,
}

#[derive(Default)]
pub(super) struct Counted {
    totals: Tally,
    units: Vec<UnitTally>,
    unit_at: HashMap<String, usize>,
    owners: Vec<OwnerTally>,
    owner_at: HashMap<PersonId, usize>,
}

impl Counted {
    pub(super) fn add(&mut self, group: &Group, state: ObligationState, late: bool) {
        self.totals.add(state, late);
        let at = *self.unit_at.entry(group.unit.clone()).or_insert_with(|| {
            self.units.push(UnitTally {
                unit: group.unit.clone(),
                tally: Tally::default(),
            });
            self.units.len() - 1
        });
        if let Some(unit) = self.units.get_mut(at) {
            unit.tally.add(state, late);
        }
        for owner in &group.owners {
            let at = *self.owner_at.entry(owner.id.clone()).or_insert_with(|| {
                self.owners.push(OwnerTally {
                    person: owner.id.clone(),
                    name: owner.name.clone(),
                    unit: group.unit.clone(),
                    tally: Tally::default(),
                });
                self.owners.len() - 1
            });
            if let Some(owner) = self.owners.get_mut(at) {
                owner.tally.add(state, late);
            }
        }
    }

    /// Sorted so that whoever owes most stands first, else in the order of the table.
    pub(super) fn finish(mut self, book: &Book) -> (Tally, Vec<UnitTally>, Vec<OwnerTally>) {
        for owner in &mut self.owners {
            if let Some(person) = book.people.get(&owner.person) {
                owner.unit.clone_from(&person.unit);
            }
        }
        let owing =
            |tally: &Tally| std::cmp::Reverse((tally.overdue_unreported, tally.not_reported));
        self.units.sort_by_key(|unit| owing(&unit.tally));
        self.owners.sort_by_key(|owner| owing(&owner.tally));
        (self.totals, self.units, self.owners)
    }
}
