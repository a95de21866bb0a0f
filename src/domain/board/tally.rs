//! Counting obligations: over all, by unit, by owner.

use std::collections::HashMap;

use crate::domain::book::{Book, ObligationState};
use crate::domain::ids::PersonId;
use crate::domain::plan::PersonRef;

use super::walk::Item;

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

/// Counts with borrowed names: only what is handed out is copied.
#[derive(Default)]
pub(super) struct Counted<'a> {
    totals: Tally,
    units: Vec<(&'a str, Tally)>,
    unit_at: HashMap<&'a str, usize>,
    owners: Vec<(&'a PersonRef, &'a str, Tally)>,
    owner_at: HashMap<&'a PersonId, usize>,
}

impl<'a> Counted<'a> {
    pub(super) fn add(&mut self, item: &Item<'a>) {
        let (group, state, late) = (item.group, item.state, item.late);
        self.totals.add(state, late);
        let unit = group.unit.as_str();
        let at = *self.unit_at.entry(unit).or_insert_with(|| {
            self.units.push((unit, Tally::default()));
            self.units.len() - 1
        });
        if let Some((_, tally)) = self.units.get_mut(at) {
            tally.add(state, late);
        }
        for owner in &group.owners {
            let at = *self.owner_at.entry(&owner.id).or_insert_with(|| {
                self.owners.push((owner, unit, Tally::default()));
                self.owners.len() - 1
            });
            if let Some((_, _, tally)) = self.owners.get_mut(at) {
                tally.add(state, late);
            }
        }
    }

    /// Sorted so that whoever owes most stands first, else in the order of the table.
    pub(super) fn finish(mut self, book: &Book) -> (Tally, Vec<UnitTally>, Vec<OwnerTally>) {
        let owing =
            |tally: &Tally| std::cmp::Reverse((tally.overdue_unreported, tally.not_reported));
        self.units.sort_by_key(|(_, tally)| owing(tally));
        self.owners.sort_by_key(|(_, _, tally)| owing(tally));
        let units = self.units.into_iter().map(|(unit, tally)| UnitTally {
            unit: unit.to_owned(),
            tally,
        });
        let owners = self.owners.into_iter().map(|(owner, unit, tally)| {
            let person = book.people.get(&owner.id);
            let unit = person.map_or(unit, |person| person.unit.as_str());
            OwnerTally {
                person: owner.id.clone(),
                name: owner.name.clone(),
                unit: unit.to_owned(),
                tally,
            }
        });
        (self.totals, units.collect(), owners.collect())
    }
}
