//! The contact sheet: a template with every person of the plan, and its way back in.
//!
//! Whom we cannot reach is our fault, so nothing here guesses: a row that cannot be matched to one
//! person, or holds no usable address, is told with its row and column, and is not taken.

mod column;
mod directory;
pub(in crate::plan) mod page;
mod read;
mod rows;
mod template;
mod text;

use crate::domain::book::Book;
use crate::domain::fact::Fact;
use crate::domain::people::{Contact, Person};

pub use crate::domain::readiness::{Readiness, Unreachable, people_of, readiness};
pub use column::Column;
pub use read::{Sheet, SheetFault, read_sheet};
pub use rows::{Row, UnreadableSheet, rows};
pub use template::{template_csv, template_xlsx};

/// What the sheet changes: a fact for each contact that differs from what is known.
#[must_use]
pub fn changes(book: &Book, contacts: &[Contact]) -> Vec<Fact> {
    let differs = |contact: &&Contact| match book.contacts.get(&contact.person) {
        Some(known) => known != *contact,
        None => **contact != Contact::none(contact.person.clone()),
    };
    let set = |contact: &Contact| Fact::ContactSet {
        contact: contact.clone(),
    };
    contacts.iter().filter(differs).map(set).collect()
}

/// What the configuration's coordinators change: people of the office and their contacts.
#[must_use]
pub fn office_changes(book: &Book, coordinators: &[(Person, Contact)]) -> Vec<Fact> {
    let mut facts: Vec<Fact> = coordinators
        .iter()
        .filter(|(person, _)| book.people.get(&person.id) != Some(person))
        .map(|(person, _)| Fact::PersonSet {
            plan: None,
            person: person.clone(),
        })
        .collect();
    for (_, contact) in coordinators {
        facts.extend(changes(book, std::slice::from_ref(contact)));
    }
    facts
}

#[cfg(test)]
mod tests;
