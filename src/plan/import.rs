//! The step that turns a read plan into facts: what differs from what is stored, no more.
//!
//! Pure: book and plan in, facts out. Importing the same file twice gives no facts, so it can be
//! repeated without harm; reports stay with their obligations.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::domain::book::{Book, PlanBook};
use crate::domain::calendar::Calendar;
use crate::domain::fact::Fact;
use crate::domain::ids::{PersonId, PlanId, Quarter, TaskNo};
use crate::domain::people::Person;
use crate::domain::plan::{Milestone, Plan, Task};
use crate::domain::plan_diff::{self, PlanDiff};
use crate::domain::policy::Policy;

/// The file a plan was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// The file's name, without folders.
    pub name: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// How many error findings were accepted as repaired.
    pub accepted: u32,
    /// Other names of units in it, each with the name it was read as by the coordinators' word.
    pub units: Vec<(String, String)>,
}

/// What an import would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Whether a plan of this id is stored already.
    pub known: bool,
    /// Cell by cell; every task is added where nothing is stored.
    pub table: PlanDiff,
    /// Removed tasks on which reports are stored.
    pub reported: BTreeSet<TaskNo>,
    /// Tasks whose owner a coordinator had changed, and for whom the table now names others: the
    /// table counts.
    pub overruled: BTreeSet<TaskNo>,
    /// Tasks whose owner a coordinator had changed, and for whom the table names whom it named
    /// before: the coordinator's word counts.
    pub upheld: BTreeSet<TaskNo>,
    /// People new to this plan, or with other columns than before.
    pub people: Vec<Person>,
}

impl Difference {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known && self.table.is_empty() && self.people.is_empty()
    }
}

/// Compares a plan as read with what is stored under its id.
#[must_use]
pub fn diff(book: &Book, plan: &Plan) -> Difference {
    let stored = book.plans.get(&plan.id);
    let before = stored.map_or(&plan.heading, |stored| &stored.heading);
    let tasks = stored.into_iter().flat_map(|stored| stored.tasks.values());
    let after = settled(stored, plan);
    let table = plan_diff::diff((before, tasks), (&plan.heading, after.iter()));
    let changed = stored
        .into_iter()
        .flat_map(|stored| stored.tabled.keys().copied());
    let is_upheld = |no: &TaskNo| {
        let pairs = plan.tasks.iter().zip(&after);
        pairs
            .filter(|(row, _)| row.no == *no)
            .any(|(row, task)| row.groups != task.groups)
    };
    let is_there = |no: &TaskNo| after.iter().any(|task| task.no == *no);
    let (upheld, overruled) = changed.filter(is_there).partition(is_upheld);
    let reported = reported(book, &plan.id);
    Difference {
        known: stored.is_some(),
        reported: table
            .removed
            .iter()
            .copied()
            .filter(|no| reported.contains(no))
            .collect(),
        overruled,
        upheld,
        people: people_to_set(book, stored, plan),
        table,
    }
}

/// The rows as they will stand: what a coordinator decided of an owner goes before what the table
/// says as it did before.
fn settled(stored: Option<&PlanBook>, plan: &Plan) -> Vec<Task> {
    let rows = plan.tasks.iter();
    match stored {
        Some(stored) => rows.map(|row| stored.settled(row)).collect(),
        None => rows.cloned().collect(),
    }
}

/// The plan with the ids its people have already.
///
/// A person's unit is worked out from the whole table, so that a revised row elsewhere can move
/// someone to another unit, and thus to another id; contact and messages would be lost. Who bears
/// a name that is single in the stored plan and in the new one is the same person.
#[must_use]
pub fn keep_ids(book: &Book, mut plan: Plan) -> Plan {
    let Some(stored) = book.plans.get(&plan.id) else {
        return plan;
    };
    let known: Vec<&Person> = stored
        .people
        .iter()
        .filter_map(|id| book.people.get(id))
        .collect();
    let single = |people: &[&Person], name: &str| match people
        .iter()
        .filter(|person| person.name == name)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [one] => Some(one.id.clone()),
        _ => None,
    };
    let read: Vec<&Person> = plan.people.iter().collect();
    let kept: BTreeMap<PersonId, PersonId> = read
        .iter()
        .filter(|person| !stored.people.contains(&person.id))
        .filter_map(|person| {
            single(&read, &person.name)?;
            Some((person.id.clone(), single(&known, &person.name)?))
        })
        .collect();
    if kept.is_empty() {
        return plan;
    }
    for person in &mut plan.people {
        rename(&kept, &mut person.id);
    }
    for group in plan.tasks.iter_mut().flat_map(|task| &mut task.groups) {
        let named = group.owners.iter_mut().chain(&mut group.responsible);
        for person in named.chain(&mut group.leaders) {
            rename(&kept, &mut person.id);
        }
    }
    plan
}

fn rename(kept: &BTreeMap<PersonId, PersonId>, id: &mut PersonId) {
    if let Some(known) = kept.get(id) {
        *id = known.clone();
    }
}

/// The facts that bring what is stored to the plan as read; none where nothing differs.
#[must_use]
pub fn facts(
    book: &Book,
    plan: &Plan,
    file: &TableFile,
    policy: &Policy,
    calendar: &Calendar,
) -> Vec<Fact> {
    let difference = diff(book, plan);
    let stored = book.plans.get(&plan.id);
    let same_file = stored.is_some_and(|stored| stored.sha256 == file.sha256);
    let tasks = || plan.tasks.iter();
    let dates = Dates::of(stored, tasks(), policy, calendar);
    let mut facts = Vec::new();
    if !(difference.is_empty() && same_file) {
        facts.push(Fact::PlanImported {
            plan: plan.id.clone(),
            heading: plan.heading.clone(),
            source: file.name.clone(),
            sha256: file.sha256.clone(),
            accepted: file.accepted,
            units: file.units.clone(),
        });
    }
    facts.extend(difference.people.iter().map(|person| Fact::PersonSet {
        plan: Some(plan.id.clone()),
        person: person.clone(),
    }));
    let removed = difference.table.removed.iter();
    facts.extend(removed.map(|task| Fact::TaskRemoved {
        plan: plan.id.clone(),
        task: *task,
    }));
    let stored_task = |no: TaskNo| stored.and_then(|stored| stored.in_table(no));
    let to_set = tasks().filter(|task| stored_task(task.no) != Some(*task));
    facts.extend(to_set.map(|task| Fact::TaskSet {
        plan: plan.id.clone(),
        task: Box::new(task.clone()),
    }));
    if !stored.is_some_and(|stored| dates.are_those_of(stored)) {
        facts.push(dates.fact(&plan.id));
    }
    facts
}

/// The facts that set the deadlines of all plans anew where the calendar or the policy gives
/// others than are stored: a holiday table came, or an hour was changed.
#[must_use]
pub fn redate(book: &Book, policy: &Policy, calendar: &Calendar) -> Vec<Fact> {
    let plans = book.plans.iter().filter_map(|(id, stored)| {
        let dates = Dates::of(Some(stored), stored.tasks.values(), policy, calendar);
        (!dates.are_those_of(stored)).then(|| dates.fact(id))
    });
    plans.collect()
}

/// The deadlines of a plan.
struct Dates {
    deadlines: BTreeMap<NaiveDate, DateTime<Utc>>,
    assumed_years: BTreeSet<i32>,
}

impl Dates {
    /// Every date a milestone names, and the end of every quarter in which one runs, or once ran:
    /// what was due in a quarter stays so when a revised table has no more of it.
    fn of<'a>(
        stored: Option<&PlanBook>,
        tasks: impl Iterator<Item = &'a Task>,
        policy: &Policy,
        calendar: &Calendar,
    ) -> Self {
        let milestones = tasks.flat_map(|task| &task.milestones);
        let ran = stored.into_iter().flat_map(|stored| {
            let of_year = |day: &&NaiveDate| day.year() == stored.heading.year;
            let days = stored.deadlines.keys().filter(of_year);
            days.filter(|day| Quarter::of(**day).last_day() == **day)
        });
        let days: BTreeSet<NaiveDate> = milestones.flat_map(days_of).chain(ran.copied()).collect();
        let deadlines: BTreeMap<_, _> = days
            .into_iter()
            .map(|day| (day, policy.deadline(calendar, day)))
            .collect();
        let years = deadlines
            .iter()
            .flat_map(|(day, at)| [day.year(), calendar.date_of(*at).year()]);
        Self {
            assumed_years: years.filter(|year| !calendar.knows(*year)).collect(),
            deadlines,
        }
    }

    fn are_those_of(&self, stored: &PlanBook) -> bool {
        self.deadlines == stored.deadlines && self.assumed_years == stored.assumed_years
    }

    fn fact(self, plan: &PlanId) -> Fact {
        Fact::DeadlinesSet {
            plan: plan.clone(),
            deadlines: self.deadlines.into_iter().collect(),
            assumed_years: self.assumed_years.into_iter().collect(),
        }
    }
}

fn days_of(milestone: &Milestone) -> impl Iterator<Item = NaiveDate> + use<> {
    let (first, last) = (milestone.first_quarter, milestone.last_quarter);
    std::iter::successors(Some(first), |quarter| Some(quarter.next()))
        .take_while(move |quarter| *quarter <= last)
        .map(Quarter::last_day)
        .chain([milestone.due])
}

fn people_to_set(book: &Book, stored: Option<&PlanBook>, plan: &Plan) -> Vec<Person> {
    let listed: BTreeSet<_> = stored
        .into_iter()
        .flat_map(|stored| &stored.people)
        .collect();
    let is_same = |person: &&Person| {
        listed.contains(&person.id) && book.people.get(&person.id) == Some(person)
    };
    let differing = plan.people.iter().filter(|person| !is_same(person));
    differing.cloned().collect()
}

/// Tasks of the plan with a report stored.
fn reported(book: &Book, plan: &PlanId) -> BTreeSet<TaskNo> {
    book.obligations
        .iter()
        .filter(|(key, known)| key.plan == *plan && !known.reports.is_empty())
        .map(|(key, _)| key.task)
        .collect()
}

#[cfg(test)]
mod tests;
