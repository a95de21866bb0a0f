//! The step that turns a read plan into facts: what differs from what is stored, no more.
//!
//! Pure: book and plan in, facts out. Importing the same file twice gives no facts, so it can be
//! repeated without harm; reports stay with their obligations.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use crate::domain::book::{Book, PlanBook};
use crate::domain::calendar::Calendar;
use crate::domain::fact::Fact;
use crate::domain::ids::{PersonId, PlanId, Quarter, TaskNo};
use crate::domain::people::Person;
use crate::domain::plan::{Heading, Milestone, Plan, Task};
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
    /// Title, year or issue differ.
    pub heading: bool,
    /// Tasks not stored yet.
    pub new: Vec<TaskNo>,
    /// Tasks that read otherwise now, and in what.
    pub changed: Vec<(TaskNo, Vec<Change>)>,
    /// Tasks no longer in the table, and whether reports on them are stored.
    pub removed: Vec<(TaskNo, bool)>,
    /// Tasks with reports stored whose reporting groups stand otherwise now: a report belongs to
    /// the first, second … group, so someone should look.
    pub regrouped: Vec<TaskNo>,
    /// People new to this plan, or with other columns than before.
    pub people: Vec<Person>,
    /// Tasks that stay as they are.
    pub same: usize,
}

/// A column that reads otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The column's heading, or 责任组, 节点 for what is read from it.
    pub column: &'static str,
    /// Before and after, where that fits on a line.
    pub values: Option<(String, String)>,
}

impl Difference {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known
            && !self.heading
            && self.new.is_empty()
            && self.changed.is_empty()
            && self.removed.is_empty()
            && self.people.is_empty()
    }
}

/// Compares a plan as read with what is stored under its id.
#[must_use]
pub fn diff(book: &Book, plan: &Plan) -> Difference {
    let stored = book.plans.get(&plan.id);
    let reported = reported(book, &plan.id);
    let tasks = |no: TaskNo| stored.and_then(|stored| stored.tasks.get(&no));
    let mut difference = Difference {
        known: stored.is_some(),
        heading: stored.is_some_and(|stored| stored.heading != plan.heading),
        new: Vec::new(),
        changed: Vec::new(),
        removed: Vec::new(),
        regrouped: Vec::new(),
        people: people_to_set(book, stored, plan),
        same: 0,
    };
    for task in &plan.tasks {
        match tasks(task.no) {
            None => difference.new.push(task.no),
            Some(before) if before == task => difference.same += 1,
            Some(before) => {
                difference.changed.push((task.no, changes(before, task)));
                if units(before) != units(task) && reported.contains(&task.no) {
                    difference.regrouped.push(task.no);
                }
            }
        }
    }
    let read: BTreeSet<TaskNo> = plan.tasks.iter().map(|task| task.no).collect();
    let stored_numbers = stored.into_iter().flat_map(|stored| stored.tasks.keys());
    difference.removed = stored_numbers
        .filter(|no| !read.contains(no))
        .map(|no| (*no, reported.contains(no)))
        .collect();
    difference
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
    let dates = Dates::of(tasks(), policy, calendar);
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
    facts.extend(
        difference
            .removed
            .iter()
            .map(|(task, _)| Fact::TaskRemoved {
                plan: plan.id.clone(),
                task: *task,
            }),
    );
    let stored_task = |no: TaskNo| stored.and_then(|stored| stored.tasks.get(&no));
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
        let dates = Dates::of(stored.tasks.values(), policy, calendar);
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
    /// Every date a milestone names, and the end of every quarter in which one runs.
    fn of<'a>(tasks: impl Iterator<Item = &'a Task>, policy: &Policy, calendar: &Calendar) -> Self {
        let milestones = tasks.flat_map(|task| &task.milestones);
        let days: BTreeSet<NaiveDate> = milestones.flat_map(days_of).collect();
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

fn units(task: &Task) -> Vec<&str> {
    task.groups
        .iter()
        .map(|group| group.unit.as_str())
        .collect()
}

/// Tasks of the plan with a report stored.
fn reported(book: &Book, plan: &PlanId) -> BTreeSet<TaskNo> {
    book.obligations
        .iter()
        .filter(|(key, known)| key.plan == *plan && !known.reports.is_empty())
        .map(|(key, _)| key.task)
        .collect()
}

fn changes(before: &Task, after: &Task) -> Vec<Change> {
    let mut changes = Vec::new();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let long = [
        (
            "总体要求",
            text(&before.requirement),
            text(&after.requirement),
        ),
        (
            "年度目标及工作内容",
            before.goal.clone(),
            after.goal.clone(),
        ),
        (
            "季度进度安排",
            before.schedule.clone(),
            after.schedule.clone(),
        ),
    ];
    for (column, before, after) in long {
        if before != after {
            let values = None;
            changes.push(Change { column, values });
        }
    }
    let lists = [
        ("责任领导", &before.leaders, &after.leaders),
        ("牵头单位", &before.lead_units, &after.lead_units),
        ("责任人", &before.responsible, &after.responsible),
        ("直接责任人", &before.direct_owners, &after.direct_owners),
        ("协助单位", &before.assisting_units, &after.assisting_units),
    ];
    for (column, before, after) in lists {
        if before != after {
            let values = Some((before.join("、"), after.join("、")));
            changes.push(Change { column, values });
        }
    }
    // What is read from the columns can change by itself, when the program has learned to read.
    let values = None;
    if before.groups != after.groups && changes.is_empty() {
        changes.push(Change {
            column: "责任组",
            values: values.clone(),
        });
    }
    if before.milestones != after.milestones && before.schedule == after.schedule {
        changes.push(Change {
            column: "节点",
            values,
        });
    }
    changes
}

/// The difference in words, for the one who imports.
pub struct Told<'a> {
    /// The plan as read.
    pub plan: &'a Plan,
    /// What differs.
    pub difference: &'a Difference,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Heading { title, year, .. } = &self.plan.heading;
        let (id, count) = (&self.plan.id, self.plan.tasks.len());
        let difference = self.difference;
        writeln!(f, "{title}（编号 {id}，按{year}年读取）：共{count}项任务。")?;
        if !difference.known {
            let owners = self.plan.people.iter().filter(|person| person.roles.owner);
            let people = self.plan.people.len();
            return writeln!(
                f,
                "首次导入，涉及{people}人，其中直接责任人{}人。",
                owners.count()
            );
        }
        if difference.is_empty() {
            return writeln!(f, "与已导入的内容相同，没有改动。");
        }
        let (new, changed) = (difference.new.len(), difference.changed.len());
        let (removed, same) = (difference.removed.len(), difference.same);
        writeln!(
            f,
            "与已导入的相比：新增{new}项，改动{changed}项，删去{removed}项，未变{same}项。"
        )?;
        if difference.heading {
            writeln!(f, "  标题、年度或制表信息有改动")?;
        }
        for no in &difference.new {
            let task = self.plan.tasks.iter().find(|task| task.no == *no);
            let name = task.map(Task::short_name).unwrap_or_default();
            writeln!(f, "  新增 第{no}项 {name}")?;
        }
        for (no, changes) in &difference.changed {
            let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
            writeln!(f, "  改动 第{no}项 {}", changes.join("；"))?;
        }
        for (no, reported) in &difference.removed {
            let kept = if *reported {
                "（已有的报送记录仍保留）"
            } else {
                ""
            };
            writeln!(f, "  删去 第{no}项{kept}")?;
        }
        for no in &difference.regrouped {
            writeln!(
                f,
                "  注意 第{no}项已有报送，而责任单位有变，请核对报送记录归在哪个单位名下"
            )?;
        }
        if !difference.people.is_empty() {
            let names: Vec<&str> = difference
                .people
                .iter()
                .map(|person| person.name.as_str())
                .collect();
            writeln!(f, "  新增或变更身份的人员：{}", names.join("、"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |text: &str| match text {
            "" => "（空）".to_owned(),
            text => text.to_owned(),
        };
        match &self.values {
            None => f.write_str(self.column),
            Some((before, after)) => {
                let (before, after) = (or_none(before), or_none(after));
                write!(f, "{}由“{before}”改为“{after}”", self.column)
            }
        }
    }
}

#[cfg(test)]
mod tests;
