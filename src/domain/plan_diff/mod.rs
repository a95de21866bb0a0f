//! How a revised table differs from the one before, cell by cell.
//!
//! Pure: two plans in, the difference out. Tasks are the same where their numbers are.

mod excerpt;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{PersonId, TaskNo};
use super::plan::{Heading, Milestone, MilestoneKind, PersonRef, Task};
pub use excerpt::Excerpt;

/// What a revised table changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanDiff {
    /// Title, year and issue.
    pub heading: Vec<CellChange>,
    /// Tasks that were not there, in the order of the new table.
    pub added: Vec<TaskNo>,
    /// Tasks that read otherwise.
    pub changed: Vec<TaskChange>,
    /// Tasks that are no longer there.
    pub removed: Vec<TaskNo>,
    /// Tasks that stay as they are.
    pub same: usize,
    /// Tasks whose goal stood under another number before: from, to. Reports go by the number, so
    /// someone should look.
    pub renumbered: Vec<(TaskNo, TaskNo)>,
}

/// A task that reads otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskChange {
    /// Its number.
    pub no: TaskNo,
    /// The cells that differ, in the order of the columns; what is only read from them, where no
    /// cell differs.
    pub cells: Vec<CellChange>,
    /// Whose it was and whose it is, where that is not the same.
    pub moved: Option<DutyMove>,
}

/// A cell before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellChange {
    /// The column's heading; 责任组 or 节点 for what is read from the cells.
    pub column: &'static str,
    /// What it said; empty where it was.
    pub before: String,
    /// What it says.
    pub after: String,
}

/// A duty that goes to other owners; each as `单位 姓名`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyMove {
    /// Who answered and does no longer.
    pub from: Vec<String>,
    /// Who answers now and did not before.
    pub to: Vec<String>,
}

impl PlanDiff {
    /// Whether both say the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heading.is_empty()
            && self.added.is_empty()
            && self.changed.is_empty()
            && self.removed.is_empty()
    }
}

/// Compares two tables.
pub fn diff<'a>(
    before: (&Heading, impl IntoIterator<Item = &'a Task>),
    after: (&Heading, impl IntoIterator<Item = &'a Task>),
) -> PlanDiff {
    let old: BTreeMap<TaskNo, &Task> = before.1.into_iter().map(|task| (task.no, task)).collect();
    let new: Vec<&Task> = after.1.into_iter().collect();
    let numbers: BTreeSet<TaskNo> = new.iter().map(|task| task.no).collect();
    let mut found = PlanDiff {
        heading: differing(&heading_cells(before.0), &heading_cells(after.0)),
        renumbered: renumbered(&old, &new),
        ..PlanDiff::default()
    };
    for task in new {
        match old.get(&task.no) {
            None => found.added.push(task.no),
            Some(known) if *known == task => found.same += 1,
            Some(known) => found.changed.push(task_change(known, task)),
        }
    }
    let gone = old.keys().filter(|no| !numbers.contains(no));
    found.removed = gone.copied().collect();
    found
}

/// A task's cells by column, as they are compared.
#[must_use]
pub fn cells(task: &Task) -> Vec<(&'static str, String)> {
    vec![
        ("总体要求", task.requirement.clone().unwrap_or_default()),
        ("年度目标及工作内容", task.goal.clone()),
        ("季度进度安排", task.schedule.clone()),
        ("责任领导", task.leaders.join("、")),
        ("牵头单位", task.lead_units.join("、")),
        ("责任人", task.responsible.join("、")),
        ("直接责任人", task.direct_owners.join("、")),
        ("协助单位", task.assisting_units.join("、")),
    ]
}

fn task_change(before: &Task, after: &Task) -> TaskChange {
    let mut changed = differing(&cells(before), &cells(after));
    if changed.iter().all(|cell| cell.column != "季度进度安排") {
        // The same words are read otherwise: the program has learned.
        changed.extend(differing(
            &[("节点", milestones(before))],
            &[("节点", milestones(after))],
        ));
    }
    if changed.is_empty() {
        changed.extend(differing(
            &[("责任组", groups(before))],
            &[("责任组", groups(after))],
        ));
    }
    TaskChange {
        no: after.no,
        cells: changed,
        moved: moved(before, after),
    }
}

fn heading_cells(heading: &Heading) -> Vec<(&'static str, String)> {
    let day = heading.issued_on.map(|day| day.to_string());
    vec![
        ("标题", heading.title.clone()),
        ("年度", heading.year.to_string()),
        ("制表单位", heading.issuer.clone().unwrap_or_default()),
        ("制表时间", day.unwrap_or_default()),
    ]
}

fn differing(
    before: &[(&'static str, String)],
    after: &[(&'static str, String)],
) -> Vec<CellChange> {
    let pairs = before.iter().zip(after);
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((column, before), (_, after))| CellChange {
            column,
            before: before.clone(),
            after: after.clone(),
        })
        .collect()
}

fn moved(before: &Task, after: &Task) -> Option<DutyMove> {
    let owners = |task: &Task| -> Vec<(PersonId, String)> {
        let groups = task.groups.iter();
        let owners = groups.flat_map(|group| {
            let named = group.owners.iter();
            named.map(|owner| (owner.id.clone(), format!("{} {}", group.unit, owner.name)))
        });
        owners.collect()
    };
    let (had, have) = (owners(before), owners(after));
    let only = |these: &[(PersonId, String)], those: &[(PersonId, String)]| {
        let kept = these.iter().filter(|(id, _)| {
            let known = those.iter().any(|(other, _)| other == id);
            !known
        });
        kept.map(|(_, words)| words.clone()).collect::<Vec<_>>()
    };
    let (from, to) = (only(&had, &have), only(&have, &had));
    (!from.is_empty() || !to.is_empty()).then_some(DutyMove { from, to })
}

fn milestones(task: &Task) -> String {
    let words = |one: &Milestone| {
        let section = one.section.as_deref().map(|name| format!("{name}："));
        let when = match one.kind {
            MilestoneKind::Due => one.due.to_string(),
            MilestoneKind::Recurring => format!("{}至{}定期", one.first_quarter, one.last_quarter),
            MilestoneKind::AllYear => "全年".to_owned(),
            MilestoneKind::Unscheduled => "未定时间".to_owned(),
        };
        format!("{}{}（{when}）", section.unwrap_or_default(), one.content)
    };
    let all: Vec<String> = task.milestones.iter().map(words).collect();
    all.join("；")
}

fn groups(task: &Task) -> String {
    let names = |people: &[PersonRef]| {
        let names: Vec<&str> = people.iter().map(|one| one.name.as_str()).collect();
        names.join("、")
    };
    let all: Vec<String> = task
        .groups
        .iter()
        .map(|group| {
            format!(
                "{}：{}（责任人{}，责任领导{}）",
                group.unit,
                names(&group.owners),
                names(&group.responsible),
                names(&group.leaders)
            )
        })
        .collect();
    all.join("；")
}

fn renumbered(old: &BTreeMap<TaskNo, &Task>, new: &[&Task]) -> Vec<(TaskNo, TaskNo)> {
    let mut by_goal: BTreeMap<&str, Vec<TaskNo>> = BTreeMap::new();
    for task in old.values() {
        by_goal.entry(&task.goal).or_default().push(task.no);
    }
    let stays = |task: &Task| {
        old.get(&task.no)
            .is_some_and(|known| known.goal == task.goal)
    };
    let moved = new.iter().filter(|task| !stays(task)).filter_map(|task| {
        match by_goal.get(task.goal.as_str())?.as_slice() {
            [one] => Some((*one, task.no)),
            _ => None,
        }
    });
    moved.collect()
}
