//! Who belongs to which unit, by what the whole table says.

use std::collections::HashMap;

use super::groups;
use super::rows::Row;
use super::units::is_collective;
use crate::domain::units::UnitNames;

/// How often each person is named for each unit, the first seen first.
type Votes = HashMap<String, Vec<(String, u32)>>;

/// The unit of each person that answers for something.
pub(super) struct Homes {
    /// From rows with one unit: there is no doubt whom the person stands for.
    alone: Votes,
    /// From rows where units and people pair off.
    paired: Votes,
    /// From all other rows, each unit of the row.
    among: Votes,
    names: UnitNames,
}

impl Homes {
    /// Gathers the evidence of all rows.
    pub(super) fn of(rows: &[Row], names: &UnitNames) -> Self {
        let mut homes = Self {
            alone: Votes::new(),
            paired: Votes::new(),
            among: Votes::new(),
            names: names.clone(),
        };
        for row in rows {
            if let Some(unit) = homes.only_unit(row) {
                for name in row.responsible.iter().chain(&row.owners) {
                    vote(&mut homes.alone, name, unit);
                }
            }
        }
        for row in rows {
            if homes.own_units(row).nth(1).is_some() {
                homes.gather_among_many(row);
            }
        }
        homes
    }

    fn gather_among_many(&mut self, row: &Row) {
        /// More than these in one cell is no evidence of anything.
        const MOST: usize = 64;
        for names in [&row.responsible, &row.owners] {
            if names.len() > MOST || row.lead_units.len() > MOST {
                continue;
            }
            if let Some(pairing) = groups::pair(&row.lead_units, names, self) {
                for (unit, name) in row.lead_units.iter().zip(&pairing.names) {
                    vote(&mut self.paired, name, unit);
                }
            } else {
                let units: Vec<&String> = self.own_units(row).collect();
                for name in names {
                    for unit in &units {
                        vote(&mut self.among, name, unit);
                    }
                }
            }
        }
    }

    /// Whether the name stands for whoever it may be, not for a unit.
    pub(super) fn is_collective(&self, unit: &str) -> bool {
        is_collective(unit) || self.names.is_group(unit)
    }

    /// The name in use of a unit, where this is another one of it.
    pub(super) fn used_for(&self, unit: &str) -> Option<&str> {
        self.names.used_for(unit)
    }

    fn only_unit<'a>(&self, row: &'a Row) -> Option<&'a String> {
        let mut units = self.own_units(row);
        units.next().filter(|_| units.next().is_none())
    }

    fn own_units<'a>(&self, row: &'a Row) -> impl Iterator<Item = &'a String> {
        let units = row.lead_units.iter();
        units.filter(|unit| !self.is_collective(unit))
    }

    /// The unit there is no doubt about.
    pub(super) fn certain(&self, name: &str) -> Option<&str> {
        most(self.alone.get(name)?)
    }

    /// The unit that the evidence speaks for: certain; else by pairs; else the one unit that
    /// all the rows of this person have in common.
    pub(super) fn home(&self, name: &str) -> Option<&str> {
        self.certain(name)
            .or_else(|| most(self.paired.get(name)?))
            .or_else(|| in_common(self.among.get(name)?))
    }

    /// All units this person is named for alone or in a pair, the first seen first.
    pub(super) fn units(&self, name: &str) -> Vec<&str> {
        let mut units: Vec<&str> = Vec::new();
        for votes in [&self.alone, &self.paired] {
            for (unit, _) in votes.get(name).into_iter().flatten() {
                if !units.contains(&unit.as_str()) {
                    units.push(unit);
                }
            }
        }
        units
    }
}

fn vote(votes: &mut Votes, name: &str, unit: &str) {
    let units = match votes.get_mut(name) {
        Some(units) => units,
        None => votes.entry(name.to_owned()).or_default(),
    };
    match units.iter_mut().find(|(known, _)| known == unit) {
        Some((_, count)) => *count += 1,
        None => units.push((unit.to_owned(), 1)),
    }
}

/// The unit with most votes, the first of equals.
fn most(units: &[(String, u32)]) -> Option<&str> {
    let highest = units.iter().map(|(_, count)| *count).max()?;
    let first = units.iter().find(|(_, count)| *count == highest);
    first.map(|(unit, _)| unit.as_str())
}

fn in_common(units: &[(String, u32)]) -> Option<&str> {
    let highest = units.iter().map(|(_, count)| *count).max()?;
    let mut top = units.iter().filter(|(_, count)| *count == highest);
    let (unit, _) = top.next()?;
    (highest > 1 && top.next().is_none()).then_some(unit.as_str())
}
