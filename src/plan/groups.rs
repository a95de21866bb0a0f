//! Who answers together (责任组).

use super::homes::Homes;
use super::rows::Row;

/// One group of a task, by names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedGroup {
    pub(super) unit: String,
    pub(super) responsible: Vec<String>,
    pub(super) owners: Vec<String>,
}

/// People in the order of the units they stand for.
pub(super) struct Pairing {
    pub(super) names: Vec<String>,
    /// Not in the order of the table.
    pub(super) corrected: bool,
}

/// Most groups of a task; the key of an obligation counts them in a byte.
const MOST_GROUPS: usize = 255;

/// One group per lead unit where units and owners pair off one to one; else one for the task.
pub(super) fn of(row: &Row, homes: &Homes) -> Vec<NamedGroup> {
    let Some(owners) = pair(&row.lead_units, &row.owners, homes) else {
        return vec![NamedGroup {
            unit: row.lead_units.join("、"),
            responsible: row.responsible.clone(),
            owners: row.owners.clone(),
        }];
    };
    let responsible = pair(&row.lead_units, &row.responsible, homes);
    let units = row.lead_units.iter().zip(owners.names).enumerate();
    units
        .map(|(index, (unit, owner))| NamedGroup {
            unit: unit.clone(),
            responsible: match &responsible {
                Some(pairing) => pairing.names.get(index).cloned().into_iter().collect(),
                None => row.responsible.clone(),
            },
            owners: vec![owner],
        })
        .collect()
}

/// Pairs people with units by position; who certainly belongs to one of the units goes there.
///
/// None where they do not pair off: other counts, one unit only, or two people who certainly
/// belong to the same unit.
pub(super) fn pair(units: &[String], names: &[String], homes: &Homes) -> Option<Pairing> {
    let fits = (2..=MOST_GROUPS).contains(&units.len())
        && units.len() == names.len()
        && !units.iter().any(|unit| homes.is_collective(unit));
    if !fits {
        return None;
    }
    let mut places: Vec<Option<&String>> = vec![None; units.len()];
    let mut waiting = Vec::new();
    for name in names {
        let home = homes
            .certain(name)
            .and_then(|home| units.iter().position(|unit| unit == home));
        match home.and_then(|home| places.get_mut(home)) {
            Some(Some(_)) => return None,
            Some(place) => *place = Some(name),
            None => waiting.push(name),
        }
    }
    let mut waiting = waiting.into_iter();
    let names_in_order: Vec<String> = places
        .into_iter()
        .filter_map(|place| place.or_else(|| waiting.next()).cloned())
        .collect();
    Some(Pairing {
        corrected: names_in_order != names,
        names: names_in_order,
    })
}
