//! What stands on an owner's page: the book's words about their obligations of the quarter.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest as _, Sha256};

use super::drafts::Saved;
use crate::domain::book::{Answerable, Book, Obligation, ObligationState, PlanBook};
use crate::domain::calendar::Calendar;
use crate::domain::evidence::Evidence;
use crate::domain::hex::hex;
use crate::domain::ids::{ObligationKey, PersonId};
use crate::domain::link::Link;
use crate::domain::people::Person;
use crate::domain::plan::{Group, Milestone, Task};
use crate::domain::report::{Received, Report, Words};
use crate::domain::target::{Target, actual::targets_in};
use crate::web::format::{moment, short_day};

/// An owner's quarter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    pub person: Person,
    pub plan_title: String,
    pub deadline: Option<DateTime<Utc>>,
    /// Most urgent first: returned, then by date and number.
    pub open: Vec<Item>,
    /// Reported, and can be amended until accepted.
    pub reported: Vec<Item>,
    /// Whether its owner has said of all that is open that they have seen it.
    pub seen: bool,
}

impl Sheet {
    /// With what its owner has typed, apart from what says no more than stands there.
    pub(super) fn with_drafts(mut self, mut saved: BTreeMap<ObligationKey, Saved>) -> Self {
        for item in self.open.iter_mut().chain(&mut self.reported) {
            let draft = saved.remove(&item.key);
            item.draft = draft.filter(|draft| item.returned.is_some() || !draft.is_said(item));
        }
        self
    }
}

/// One obligation of the owner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub key: ObligationKey,
    pub name: String,
    pub goal: String,
    pub unit: String,
    pub milestones: Vec<Node>,
    /// What is asked for in figures; an answer names them by their place.
    pub targets: Vec<Target>,
    /// The first day on which something of it falls due; none where only progress is asked for.
    pub due: Option<NaiveDate>,
    pub state: ObligationState,
    pub returned: Option<String>,
    pub latest: Option<Received>,
    /// The name of who gave the latest report, where that was somebody else of the group.
    pub reported_by_other: Option<String>,
    /// Who else answers for it.
    pub with: Vec<String>,
    pub last_quarter: Option<Report>,
    /// The files that stand beside it.
    pub files: Vec<Evidence>,
    /// What its owner has typed and not sent.
    pub draft: Option<Saved>,
    /// The name of the owner for whom this person fills in.
    pub behalf_of: Option<String>,
    /// The later date that was granted.
    pub put_off: Option<DateTime<Utc>>,
    /// The day that was asked for, until there is a word on it, and whether that was late.
    pub asked: Option<(NaiveDate, bool)>,
    /// Whether somebody says that it is not theirs, and there is no word on it yet.
    pub disowned: bool,
    /// Whether this person may sum up what all groups of the task said.
    pub sums_up: bool,
}

impl Item {
    /// What is to be known of it beside what it asks for.
    pub(super) fn marks(&self, calendar: &Calendar) -> Vec<String> {
        let mut marks = Vec::new();
        if let Some(owner) = &self.behalf_of {
            marks.push(format!("此项由{owner}负责，请您代为填报。"));
        }
        if let Some(until) = self.put_off {
            marks.push(format!("已同意延期至{}。", moment(calendar, until)));
        }
        if let Some((day, late)) = self.asked {
            let late = if late { "（逾期申请）" } else { "" };
            marks.push(format!("延期至{}的申请{late}正在审批。", short_day(day)));
        }
        if self.disowned {
            marks.push("已收到此项不由您负责的反映，正在核实。".into());
        }
        marks
    }
}

/// A milestone of this quarter.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub section: Option<String>,
    pub content: String,
    /// The working day on which it is due, where that is in this quarter.
    pub due: Option<NaiveDate>,
}

/// The page behind a link; none where the plan or the person is gone.
pub(super) fn sheet(
    book: &Book,
    link: &Link,
    (now, sums): (DateTime<Utc>, bool),
    date_of: impl Fn(DateTime<Utc>) -> NaiveDate,
) -> Option<Sheet> {
    let plan = book.plans.get(&link.plan)?;
    let person = book.people.get(&link.person)?.clone();
    let deadline = book.deadline(&link.plan, link.quarter);
    let mut items: Vec<Item> = book
        .answerable(&link.person, &link.plan, link.quarter, now)
        .into_iter()
        .filter_map(|one| {
            let (key, obligation) = (one.key, one.obligation);
            let (task, group) = book.task_and_group(key)?;
            let nodes = nodes(plan, task, group, key, &date_of);
            let mut item = item(book, one, (task, group), &link.person);
            item.due = nodes.iter().filter_map(|node| node.due).min();
            item.milestones = nodes;
            item.targets = targets_in(task, group, key.quarter);
            item.state = obligation.state(book.due(key), now);
            item.sums_up =
                sums && book.sums_up(&link.person, &link.plan, link.quarter, key.task, now);
            Some(item)
        })
        .collect();
    items.sort_by_key(|item| {
        let due = item.due.unwrap_or(NaiveDate::MAX);
        (item.returned.is_none(), due, item.key.clone())
    });
    let (open, reported) = items.into_iter().partition(|item| item.state.is_open());
    Some(Sheet {
        person,
        plan_title: plan.heading.title.clone(),
        deadline,
        seen: super::seen::unseen(book, link).is_empty(),
        open,
        reported,
    })
}

/// A short mark of what was said, to tell whether a form was changed since it was made.
pub(super) fn fingerprint(words: &Words) -> String {
    let percent = words.percent.map_or(String::new(), |n| n.to_string());
    let actuals = words.actuals.iter();
    let actuals: Vec<_> = actuals.map(|(at, text)| format!("{at}={text}")).collect();
    let said = [
        words.status.as_str(),
        &words.progress,
        &words.problems,
        &words.next_steps,
        &percent,
        &actuals.join("\0"),
    ]
    .join("\0");
    let digest = Sha256::digest(said.as_bytes());
    hex(digest.iter().take(6))
}

fn item(
    book: &Book,
    one: Answerable<'_>,
    (task, group): (&Task, &Group),
    person: &PersonId,
) -> Item {
    let (key, obligation) = (one.key, one.obligation);
    let name = |id: &PersonId| book.people.get(id).map(|known| known.name.clone());
    let latest = obligation.latest().cloned();
    let reported_by_other = latest
        .as_ref()
        .map(|received| &received.report)
        .filter(|report| report.delegate.as_ref().unwrap_or(&report.person) != person)
        .map(|report| book.told_by(report));
    let others = group
        .owners
        .iter()
        .filter(|owner| owner.id != *person && Some(&owner.id) != one.behalf_of);
    let before = ObligationKey {
        quarter: key.quarter.previous(),
        ..key.clone()
    };
    let said_before = book.obligations.get(&before).and_then(Obligation::latest);
    Item {
        key: key.clone(),
        name: task.short_name(),
        goal: task.goal.clone(),
        unit: group.unit.clone(),
        milestones: Vec::new(),
        targets: Vec::new(),
        due: None,
        state: ObligationState::NotReported,
        returned: obligation.returned_for().map(ToOwned::to_owned),
        latest,
        reported_by_other,
        with: others.map(|owner| owner.name.clone()).collect(),
        last_quarter: said_before.map(|received| received.report.clone()),
        files: obligation
            .shown()
            .map(|filed| filed.evidence.clone())
            .collect(),
        draft: None,
        behalf_of: one.behalf_of.and_then(name),
        put_off: obligation.granted().map(|granted| granted.until),
        asked: obligation
            .asked()
            .map(|asked| (asked.ask.day, asked.ask.late)),
        disowned: obligation.disowned().is_some(),
        sums_up: false,
    }
}

fn nodes(
    plan: &PlanBook,
    task: &Task,
    group: &Group,
    key: &ObligationKey,
    date_of: &impl Fn(DateTime<Utc>) -> NaiveDate,
) -> Vec<Node> {
    let due = |milestone: &Milestone| {
        // What recurs is due at the end of each quarter, not on its last date alone.
        let day = milestone.due.min(key.quarter.last_day());
        let deadline = plan.deadlines.get(&day).copied();
        milestone
            .ends_in(key.quarter)
            .then(|| deadline.map_or(day, date_of))
    };
    task.milestones_in(group, key.quarter)
        .map(|milestone| Node {
            section: milestone.section.clone(),
            content: milestone.content.clone(),
            due: due(milestone),
        })
        .collect()
}
