//! The items a message lists.

use chrono::{DateTime, NaiveDate};

use super::Order;
use crate::domain::book::{Book, Obligation, ObligationState, PlanBook};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ObligationKey, Quarter, TaskNo};
use crate::domain::plan::{Group, Milestone, MilestoneKind, PersonRef, Task};
use crate::domain::report::ReportStatus;

/// One open item of the addressee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Number in the table.
    pub task: TaskNo,
    /// The goal's first clause.
    pub short_name: String,
    /// The unit that answers.
    pub unit: String,
    /// What has to be reported on this quarter, in the table's order.
    pub milestones: Vec<ItemMilestone>,
    /// Why the last report was returned, while it is.
    pub returned: Option<String>,
    /// The owner for whom the addressee fills in.
    pub behalf_of: Option<String>,
    /// The later day on which it is due.
    pub put_off: Option<NaiveDate>,
    /// The later day that was asked for, until there is a word on it.
    pub asked: Option<NaiveDate>,
    /// An owner says that it is not theirs, and there is no word on it yet.
    pub disowned: bool,
}

/// One milestone of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemMilestone {
    /// The section of the schedule it stands under.
    pub section: Option<String>,
    /// In the table's words.
    pub content: String,
    /// When it is due by the working-day rules.
    pub due: NaiveDate,
    /// Whether it falls due in this quarter; else only progress is reported.
    pub ends: bool,
    /// What kind of time the table gives.
    pub kind: MilestoneKind,
}

/// One item of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboutItem {
    /// Number in the table.
    pub task: TaskNo,
    /// The goal's first clause.
    pub short_name: String,
    /// The unit that answers.
    pub unit: String,
    /// Its owners, by name.
    pub owners: Vec<String>,
    /// Where it stands.
    pub state: ObligationState,
    /// What its report says of it.
    pub status: Option<ReportStatus>,
    /// No message has reached any of its owners: they are not to be complained of.
    pub unreached: bool,
    /// Units and owners that answer for the task now; none where the plan no longer has it.
    pub now_with: Option<String>,
}

/// The addressee's open items, most urgent first: what was returned, then what ends this quarter
/// by date, then what only needs a word on its progress.
pub(super) fn items(book: &Book, calendar: &Calendar, order: Order<'_>) -> Vec<Item> {
    let mut items: Vec<Item> = order
        .items
        .iter()
        .filter_map(|key| item(book, calendar, key, order))
        .collect();
    items.sort_by_key(|item| {
        let ends = item.milestones.iter().filter(|m| m.ends).map(|m| m.due);
        let first = ends.min();
        (item.returned.is_none(), first.is_none(), first, item.task)
    });
    items
}

pub(super) fn about(book: &Book, order: Order<'_>) -> Vec<AboutItem> {
    let mut rows: Vec<AboutItem> = order
        .about
        .iter()
        .filter_map(|key| about_item(book, key, order.now))
        .collect();
    rows.sort_by(|a, b| (&a.unit, a.task).cmp(&(&b.unit, b.task)));
    rows
}

fn item(book: &Book, calendar: &Calendar, key: &ObligationKey, order: Order<'_>) -> Option<Item> {
    let (task, group) = book.task_and_group(key)?;
    let known = book.obligations.get(key);
    let person = &order.message.key.person;
    let behalf_of = match book.is_owner(person, key) {
        true => None,
        false => book.behalf_of(person, key, order.now),
    };
    let plan = book.plans.get(&key.plan)?;
    Some(Item {
        task: task.no,
        short_name: task.short_name(),
        unit: group.unit.clone(),
        milestones: milestones(plan, calendar, task, group, key.quarter),
        returned: known.and_then(Obligation::returned_for).map(str::to_owned),
        behalf_of: behalf_of
            .and_then(|owner| book.people.get(owner))
            .map(|owner| owner.name.clone()),
        put_off: known.and_then(Obligation::granted).map(|one| one.day),
        asked: known.and_then(Obligation::asked).map(|one| one.ask.day),
        disowned: known.is_some_and(|known| known.disowned().is_some()),
    })
}

fn milestones(
    plan: &PlanBook,
    calendar: &Calendar,
    task: &Task,
    group: &Group,
    quarter: Quarter,
) -> Vec<ItemMilestone> {
    let due = |milestone: &Milestone| {
        // What recurs is asked about at the end of each quarter, whenever it ends for good.
        let day = match milestone.kind {
            MilestoneKind::Due => milestone.due,
            _ => quarter.last_day(),
        };
        plan.deadlines
            .get(&day)
            .map_or(day, |at| calendar.date_of(*at))
    };
    task.milestones_in(group, quarter)
        .map(|milestone| ItemMilestone {
            section: milestone.section.clone(),
            content: milestone.content.clone(),
            due: due(milestone),
            ends: milestone.ends_in(quarter),
            kind: milestone.kind,
        })
        .collect()
}

fn about_item(book: &Book, key: &ObligationKey, now: DateTime<chrono::Utc>) -> Option<AboutItem> {
    let (task, group) = book.task_and_group(key)?;
    let obligation = book.obligations.get(key)?;
    Some(AboutItem {
        task: task.no,
        short_name: task.short_name(),
        unit: group.unit.clone(),
        owners: owner_names(&group.owners),
        state: obligation.state(book.due(key), now),
        status: obligation.latest().map(|received| received.report.status),
        unreached: obligation.is_open()
            && obligation.last_reminded.is_none()
            && group
                .owners
                .iter()
                .all(|owner| book.was_told_in_vain(&owner.id, &key.plan, key.quarter)),
        now_with: now_with(book, key, group, obligation),
    })
}

fn now_with(
    book: &Book,
    key: &ObligationKey,
    group: &Group,
    obligation: &Obligation,
) -> Option<String> {
    let words = |group: &Group| format!("{}{}", group.unit, owner_names(&group.owners).join("、"));
    if obligation.closed.is_none() {
        return Some(words(group));
    }
    let task = book.plans.get(&key.plan)?.tasks.get(&key.task)?;
    let groups: Vec<String> = task.groups.iter().map(words).collect();
    Some(groups.join("，"))
}

fn owner_names(owners: &[PersonRef]) -> Vec<String> {
    owners.iter().map(|owner| owner.name.clone()).collect()
}
