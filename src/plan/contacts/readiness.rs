//! Whom we could not reach today, and what would go unsaid: our fault, so it is shown first.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::read::roles_text;
use super::template::people_of;
use crate::domain::book::Book;
use crate::domain::ids::{self, PersonId, PlanId, TaskNo};
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

/// Who of the plan's people cannot be reached, where `reached` says who can: the same word by which
/// messages are decided. None where the plan is unknown.
#[must_use]
pub fn readiness(
    book: &Book,
    plan: &PlanId,
    reached: impl Fn(&PersonId) -> bool,
) -> Option<Readiness> {
    let known = book.plans.get(plan)?;
    let people = people_of(book, known);
    let mut open = open_tasks(book, plan, &reached);
    let unreachable = people.iter().filter(|person| !reached(&person.id));
    let unreachable = unreachable.map(|person| {
        let contact = book.contacts.get(&person.id);
        let tasks = open.remove(&person.id).unwrap_or_default();
        Unreachable {
            person: (*person).clone(),
            has_contact: contact.is_some_and(|contact| !contact.route().is_empty()),
            uncovered: tasks
                .iter()
                .filter(|(_, alone)| **alone)
                .map(|(no, _)| *no)
                .collect(),
            open: tasks.into_keys().collect(),
        }
    });
    Some(Readiness {
        people: people.len(),
        unreachable: unreachable.collect(),
    })
}

/// For each owner nobody reaches, the tasks with something open, and whether no other owner of the
/// group is reached either.
fn open_tasks<'a>(
    book: &'a Book,
    plan: &PlanId,
    reached: &impl Fn(&PersonId) -> bool,
) -> HashMap<&'a PersonId, BTreeMap<TaskNo, bool>> {
    let mut open: HashMap<&PersonId, BTreeMap<TaskNo, bool>> = HashMap::new();
    for quarter in book.quarters_of(plan) {
        let obligations = book.obligations_in(plan, quarter);
        for (key, _) in obligations.filter(|(_, obligation)| obligation.is_open()) {
            let Some((_, group)) = book.task_and_group(key) else {
                continue;
            };
            let alone = !group.owners.iter().any(|owner| reached(&owner.id));
            for owner in group.owners.iter().filter(|owner| !reached(&owner.id)) {
                let tasks = open.entry(&owner.id).or_default();
                *tasks.entry(key.task).or_default() |= alone;
            }
        }
    }
    open
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
            write!(f, "；待报第{}项", ids::told(&self.open))?;
        }
        match self.uncovered.as_slice() {
            [] => Ok(()),
            all if all.len() == self.open.len() => f.write_str("，都没有别人可以提醒"),
            some => write!(f, "，其中第{}项没有别人可以提醒", ids::told(some)),
        }
    }
}
