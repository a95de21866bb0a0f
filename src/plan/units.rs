//! Lead units as they must have been meant: one broken by a space, two run together.

use std::collections::{HashMap, HashSet};

use super::columns::{Field, Header};
use super::findings::Repaired;
use super::rows::{Row, listed};
use crate::domain::plan::{Finding, FindingCode, Severity};

/// Repairs the lead units of all rows by what the other rows say; tells what it did.
pub(super) fn repair(rows: &mut [Row], header: &Header) -> Vec<Finding> {
    let column = header.name(Field::LeadUnit);
    let mut findings = Vec::new();
    let named = names(
        rows.iter()
            .flat_map(|row| row.lead_units.iter().chain(&row.assisting_units)),
    );
    let broken = told_for(rows, |units| join_broken(units, &named));
    for (row, joined) in broken {
        if let Some(row) = rows.get_mut(row) {
            findings.push(told(row, &column, FindingCode::UnitSplitBySpace, &joined));
            row.lead_units = joined;
        }
    }
    // What only assists is no evidence here: `市、镇财政部门` would make a unit of 市.
    let leading = names(rows.iter().flat_map(|row| row.lead_units.iter()));
    let units: HashSet<&str> = rows
        .iter()
        .flat_map(|row| &row.lead_units)
        .map(String::as_str)
        .collect();
    let joined: HashMap<&str, (&str, &str)> = units
        .into_iter()
        .filter_map(|unit| Some((unit, split_joined(unit, &leading)?)))
        .collect();
    let parted = told_for(rows, |units| part_joined(units, &joined));
    for (row, parted) in parted {
        if let Some(row) = rows.get_mut(row) {
            findings.push(told(row, &column, FindingCode::JoinedUnits, &parted));
            row.lead_units = parted;
        }
    }
    findings
}

/// The rows, by index, whose lead units must be others.
fn told_for(
    rows: &[Row],
    repair: impl Fn(&[String]) -> Option<Vec<String>>,
) -> Vec<(usize, Vec<String>)> {
    let rows = rows.iter().enumerate();
    rows.filter_map(|(index, row)| Some((index, repair(&row.lead_units)?)))
        .collect()
}

/// All names long enough to be a unit's.
fn names<'a>(units: impl Iterator<Item = &'a String>) -> HashSet<&'a str> {
    const SHORTEST: usize = 3;
    let mut names: HashSet<&str> = units.map(String::as_str).collect();
    names.retain(|unit| unit.chars().nth(SHORTEST - 1).is_some());
    names
}

/// `各整备土地属地镇街（园区）` is whoever it may be, not a unit that a person stands for.
pub(super) fn is_collective(unit: &str) -> bool {
    unit.starts_with(['各', '有', '相'])
        && ["各", "有关", "相关"].iter().any(|w| unit.starts_with(w))
}

fn told(row: &Row, column: &str, code: FindingCode, repaired: &[String]) -> Finding {
    let what = match code {
        FindingCode::JoinedUnits => "连写了不止一个单位",
        _ => "有单位名称被空格断开",
    };
    let message = format!("牵头单位“{}”{what}", row.lead_units.join(" "));
    row.place()
        .found(Severity::Warning, code, Some(column.to_owned()), message)
        .repaired(format!("按“{}”读入", listed(repaired)))
}

/// Two neighbours that stand elsewhere in the table as one unit.
fn join_broken(units: &[String], known: &HashSet<&str>) -> Option<Vec<String>> {
    if units.len() < 2 {
        return None;
    }
    let mut joined: Vec<String> = Vec::new();
    for unit in units {
        let whole = joined.last().map(|last| format!("{last}{unit}"));
        match (joined.last_mut(), whole) {
            (Some(last), Some(whole)) if known.contains(whole.as_str()) => *last = whole,
            _ => joined.push(unit.clone()),
        }
    }
    (joined.len() < units.len()).then_some(joined)
}

/// A unit known from elsewhere with another, or a collective, run on behind it.
fn part_joined(units: &[String], joined: &HashMap<&str, (&str, &str)>) -> Option<Vec<String>> {
    if !units.iter().any(|unit| joined.contains_key(unit.as_str())) {
        return None;
    }
    let mut parted = Vec::new();
    for unit in units {
        match joined.get(unit.as_str()) {
            Some((first, second)) => parted.extend([*first, *second].map(str::to_owned)),
            None => parted.push(unit.clone()),
        }
    }
    Some(parted)
}

fn split_joined<'a>(unit: &'a str, known: &HashSet<&str>) -> Option<(&'a str, &'a str)> {
    /// Two names of units; what is longer is no name.
    const LONGEST: usize = 80;
    let ends = unit.char_indices().map(|(end, _)| end).take(LONGEST);
    ends.filter_map(|end| unit.split_at_checked(end))
        .find(|(first, second)| {
            known.contains(*first) && (is_collective(second) || known.contains(*second))
        })
}
