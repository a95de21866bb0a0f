//! Whom we could not reach today, and what would go unsaid: our fault, so it is shown first.

use std::collections::BTreeSet;
use std::fmt;

use super::read::roles_text;
use super::template::people_of;
use crate::domain::book::{Book, Obligation};
use crate::domain::ids::{PersonId, PlanId, TaskNo};
use crate::domain::due::Reach;
use crate::domain::people::Person;

/// The readiness list of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// People the plan names.
    pub people: usize,
    /// Those of them that cannot be reached, in the order of the table.
    pub unreachable: Vec<Unreachable>,
}

/// A person no channel leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    /// Who.
    pub person: Person,
    /// Whether a contact is known whose channels are not set up on this server.
    pub has_contact: bool,
    /// Tasks with something open that the person answers for as an owner.
    pub open: Vec<TaskNo>,
    /// Those of them where no other owner of the group can be reached either.
    pub uncovered: Vec<TaskNo>,
}

/// Who of the plan's people cannot be reached over the channels that are set up. None where the
/// plan is unknown.
#[must_use]
pub fn readiness(book: &Book, plan: &PlanId, reach: &Reach) -> Option<Readiness> {
    let known = book.plans.get(plan)?;
    let people = people_of(book, known);
    let reached = |id: &PersonId| {
        let contact = book.contacts.get(id);
        let person = book.people.get(id);
        person.is_some_and(|person| !reach.route(person, contact).is_empty())
    };
    let unreachable = people
        .iter()
        .filter(|person| !reached(&person.id))
        .map(|person| {
            let (open, uncovered) = open_tasks(book, plan, &person.id, &reached);
            Unreachable {
                person: (*person).clone(),
                has_contact: book
                    .contacts
                    .get(&person.id)
                    .is_some_and(|contact| !contact.route().is_empty()),
                open: open.into_iter().collect(),
                uncovered: uncovered.into_iter().collect(),
            }
        });
    Some(Readiness {
        people: people.len(),
        unreachable: unreachable.collect(),
    })
}

fn open_tasks(
    book: &Book,
    plan: &PlanId,
    person: &PersonId,
    reached: &impl Fn(&PersonId) -> bool,
) -> (BTreeSet<TaskNo>, BTreeSet<TaskNo>) {
    let (mut open, mut uncovered) = (BTreeSet::new(), BTreeSet::new());
    for quarter in book.quarters_of(plan) {
        let theirs = book.obligations_of(person, plan, quarter);
        for (key, _) in theirs.filter(|(_, obligation)| Obligation::is_open(obligation)) {
            open.insert(key.task);
            let group = book.task_and_group(key).map(|(_, group)| group);
            if group.is_some_and(|group| !group.owners.iter().any(|owner| reached(&owner.id))) {
                uncovered.insert(key.task);
            }
        }
    }
    (open, uncovered)
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.unreachable.is_empty() {
            return writeln!(f, "{}人都有可用的联系方式。", self.people);
        }
        let count = self.unreachable.len();
        writeln!(f, "共{}人，其中{count}人没有可用的联系方式：", self.people)?;
        for person in &self.unreachable {
            writeln!(f, "  {person}")?;
        }
        writeln!(
            f,
            "请用 cuiban contacts template 导出联系人表，填好后用 cuiban contacts import 导入。"
        )
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.person.unit.as_str() {
            "" => "市领导",
            unit => unit,
        };
        write!(
            f,
            "{}（{unit}，{}）",
            self.person.name,
            roles_text(self.person.roles)
        )?;
        if self.has_contact {
            f.write_str("：联系人表里有地址，但本机没有配置对应的渠道")?;
        }
        if !self.open.is_empty() {
            write!(f, "；待报第{}项", list(&self.open))?;
        }
        match self.uncovered.as_slice() {
            [] => Ok(()),
            all if all.len() == self.open.len() => f.write_str("，都没有别人可以提醒"),
            some => write!(f, "，其中第{}项没有别人可以提醒", list(some)),
        }
    }
}

fn list(tasks: &[TaskNo]) -> String {
    let numbers: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    numbers.join("、")
}
