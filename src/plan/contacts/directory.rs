//! Which person of the plan a row means.

use std::collections::HashMap;

use super::column::Column;
use super::text::squeezed;
use crate::domain::people::Person;

/// The people by name, as the sheet may name them.
pub(super) struct Directory<'a> {
    by_name: HashMap<String, Vec<&'a Person>>,
}

impl<'a> Directory<'a> {
    pub(super) fn new(people: &[&'a Person]) -> Self {
        let mut by_name: HashMap<String, Vec<&'a Person>> = HashMap::new();
        for person in people {
            by_name
                .entry(squeezed(&person.name))
                .or_default()
                .push(person);
        }
        Self { by_name }
    }

    /// The one person meant, or why none is.
    pub(super) fn find(&self, name: &str, unit: &str) -> Result<&'a Person, (Column, String)> {
        let Some(same_name) = self.by_name.get(name) else {
            let message = format!("分解表里没有“{name}”，请核对姓名；已不再担任的请删去这一行");
            return Err((Column::Name, message));
        };
        let units = || {
            let units: Vec<&str> = same_name
                .iter()
                .map(|person| unit_text(&person.unit))
                .collect();
            units.join("、")
        };
        if unit.is_empty() && same_name.len() > 1 {
            let message = format!("{}都有“{name}”，请填写单位", units());
            return Err((Column::Unit, message));
        }
        let in_unit = |person: &&&Person| unit.is_empty() || squeezed(&person.unit) == unit;
        match same_name.iter().find(in_unit) {
            Some(person) => Ok(person),
            None => {
                let message = format!("分解表里“{name}”的单位是{}，不是“{unit}”，请核对", units());
                Err((Column::Unit, message))
            }
        }
    }
}

fn unit_text(unit: &str) -> &str {
    if unit.is_empty() {
        "（市领导，单位空着）"
    } else {
        unit
    }
}
