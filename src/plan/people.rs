//! Everyone a plan names.

use std::collections::HashMap;

use super::findings::Place;
use super::rows::Row;
use crate::domain::ids::PersonId;
use crate::domain::people::{Person, Roles};
use crate::domain::plan::PersonRef;

/// The column a person stands in.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Owner,
    Responsible,
    Leader,
}

/// Everyone named, each once, in the order of the table.
#[derive(Default)]
pub(super) struct People {
    pub(super) all: Vec<Person>,
    /// For each person the row that names them first.
    pub(super) places: Vec<Place>,
    by_name: HashMap<String, usize>,
}

impl People {
    /// The person of this name, new or known; the unit is that of the first time.
    pub(super) fn name(&mut self, name: &str, unit: &str, role: Role, row: &Row) -> PersonRef {
        let index = match self.by_name.get(name) {
            Some(index) => *index,
            None => self.add(name, unit, row),
        };
        let id = self.all.get_mut(index).map(|person| {
            match role {
                Role::Owner => person.roles.owner = true,
                Role::Responsible => person.roles.responsible = true,
                Role::Leader => person.roles.leader = true,
            }
            person.id.clone()
        });
        PersonRef {
            id: id.unwrap_or_else(|| PersonId::of(unit, name)),
            name: name.to_owned(),
        }
    }

    fn add(&mut self, name: &str, unit: &str, row: &Row) -> usize {
        let index = self.all.len();
        self.by_name.insert(name.to_owned(), index);
        self.places.push(row.place());
        self.all.push(Person {
            id: PersonId::of(unit, name),
            name: name.to_owned(),
            unit: unit.to_owned(),
            roles: Roles::default(),
        });
        index
    }
}
