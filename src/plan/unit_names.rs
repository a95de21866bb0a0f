//! Units by the names the coordinators decided on, and what they might decide.

use std::collections::{BTreeSet, HashMap};

use super::columns::{Field, Header};
use super::findings::Repaired;
use super::rows::Row;
use crate::domain::plan::{Finding, FindingCode, Severity};
use crate::domain::units::UnitNames;
use crate::domain::units::alike::{self, Mention, Proposal};

/// Puts the name in use where another one stands; gives each that was put, once.
pub(super) fn apply(rows: &mut [Row], names: &UnitNames) -> Vec<(String, String)> {
    let mut renamed = BTreeSet::new();
    for row in rows {
        for units in [&mut row.lead_units, &mut row.assisting_units] {
            if !units.iter().any(|unit| names.used_for(unit).is_some()) {
                continue;
            }
            for unit in units.iter_mut() {
                if let Some(used) = names.used_for(unit) {
                    let other = std::mem::replace(unit, used.to_owned());
                    renamed.insert((other, used.to_owned()));
                }
            }
            // Both names may have stood in one cell.
            let mut seen = BTreeSet::new();
            units.retain(|unit| seen.insert(unit.clone()));
        }
    }
    renamed.into_iter().collect()
}

/// Names that may be one unit, told once for the whole table.
pub(super) fn proposals(rows: &[Row], header: &Header, names: &UnitNames) -> Vec<Finding> {
    let mentions = mentions(rows);
    alike::proposals(&mentions, names)
        .iter()
        .filter_map(|proposal| told(proposal, rows, header))
        .collect()
}

fn mentions(rows: &[Row]) -> Vec<Mention> {
    let mut known: HashMap<&str, Mention> = HashMap::new();
    for row in rows {
        // Only where the row has one unit do its people surely stand for it.
        let (responsible, owners) = match row.lead_units.as_slice() {
            [_] => (row.responsible.as_slice(), row.owners.as_slice()),
            _ => Default::default(),
        };
        let leading = row.lead_units.iter().map(|unit| (unit, true));
        let assisting = row.assisting_units.iter().map(|unit| (unit, false));
        for (unit, leads) in leading.chain(assisting) {
            let mention = known.entry(unit).or_insert_with(|| Mention {
                unit: unit.clone(),
                times: 0,
                people: BTreeSet::new(),
            });
            mention.times += 1;
            for name in responsible.iter().chain(owners).filter(|_| leads) {
                if !mention.people.contains(name) {
                    mention.people.insert(name.clone());
                }
            }
        }
    }
    known.into_values().collect()
}

fn told(proposal: &Proposal, rows: &[Row], header: &Header) -> Option<Finding> {
    let (unit, other) = (&proposal.unit, &proposal.other);
    let leads = |row: &&Row| row.lead_units.contains(&other.unit);
    let assists = |row: &&Row| row.assisting_units.contains(&other.unit);
    let (row, field) = match rows.iter().find(leads) {
        Some(row) => (row, Field::LeadUnit),
        None => (rows.iter().find(assists)?, Field::AssistingUnit),
    };
    let message = format!(
        "“{}”（{}处）与“{}”（{}处）可能是同一单位：{}。核实后请写入单位名称对照表",
        other.unit, other.times, unit.unit, unit.times, proposal.evidence
    );
    let column = Some(header.name(field));
    let finding = row
        .place()
        .found(Severity::Info, FindingCode::UnitAlias, column, message);
    Some(finding.repaired("暂按两个单位读入".into()))
}
