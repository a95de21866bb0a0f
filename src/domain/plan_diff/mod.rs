//! How a revised table differs from the one before, cell by cell.
//!
//! Pure: two plans in, the difference out. Tasks are the same where their numbers are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::ids::TaskNo;
use super::plan::{Heading, Milestone, MilestoneKind, Task};

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

impl CellChange {
    /// Both texts with what differs marked: short ones whole, of long ones the part that changed
    /// with some characters of its surroundings.
    #[must_use]
    pub fn marked(&self) -> (Excerpt, Excerpt) {
        marked(&self.before, &self.after)
    }
}

/// A text, or a part of it, in which something stands out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// What stands before.
    pub before: String,
    /// What differs; empty where only the other text has more.
    pub words: String,
    /// What stands behind.
    pub after: String,
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (
            self.before.is_empty() && self.after.is_empty(),
            &*self.words,
        ) {
            (true, "") => f.write_str("（空）"),
            (false, "") => write!(f, "{}{}", self.before, self.after),
            (_, words) => write!(f, "{}「{words}」{}", self.before, self.after),
        }
    }
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
    let owners = |task: &Task| -> Vec<(super::ids::PersonId, String)> {
        let groups = task.groups.iter();
        let owners = groups.flat_map(|group| {
            let named = group.owners.iter();
            named.map(|owner| (owner.id.clone(), format!("{} {}", group.unit, owner.name)))
        });
        owners.collect()
    };
    let (had, have) = (owners(before), owners(after));
    let only = |these: &[(super::ids::PersonId, String)],
                those: &[(super::ids::PersonId, String)]| {
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
    let names = |people: &[super::plan::PersonRef]| {
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

/// Texts up to this many characters are shown whole.
const SHORT: usize = 48;
/// Characters shown before and after what changed.
const AROUND: usize = 14;
/// Characters shown of what changed.
const MOST: usize = 80;

fn marked(before: &str, after: &str) -> (Excerpt, Excerpt) {
    let (old, new): (Vec<char>, Vec<char>) = (before.chars().collect(), after.chars().collect());
    let alike = |pairs: &mut dyn Iterator<Item = (&char, &char)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let head = alike(&mut old.iter().zip(&new));
    let rest = old.len().min(new.len()) - head;
    let tail = alike(&mut old.iter().rev().zip(new.iter().rev()).take(rest));
    (part(&old, head, tail), part(&new, head, tail))
}

fn part(text: &[char], head: usize, tail: usize) -> Excerpt {
    let slice = |from: usize, to: usize| -> String {
        text.get(from..to).unwrap_or_default().iter().collect()
    };
    let end = text.len().saturating_sub(tail);
    let whole = text.len() <= SHORT;
    let (from, to) = match whole {
        true => (0, text.len()),
        false => (head.saturating_sub(AROUND), text.len().min(end + AROUND)),
    };
    let dots = |there: bool| if there { "…" } else { "" };
    let words = match end - head > MOST {
        true => format!(
            "{}…{}",
            slice(head, head + MOST / 2),
            slice(end - MOST / 2, end)
        ),
        false => slice(head, end),
    };
    Excerpt {
        before: format!("{}{}", dots(from > 0), slice(from, head)),
        words,
        after: format!("{}{}", slice(end, to), dots(to < text.len())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::book::Book;
    use crate::domain::fixture;

    fn stored() -> (Heading, Vec<Task>) {
        let mut book = Book::default();
        fixture::apply(&mut book, "2022-01-28T10:00", fixture::plan_facts());
        let plan = &book.plans[&fixture::plan()];
        (plan.heading.clone(), plan.tasks.values().cloned().collect())
    }

    /// What a coordinator does to a table between two issues.
    #[derive(Debug, Clone)]
    enum Edit {
        Drop(usize),
        Goal(usize, String),
        Schedule(usize, String),
        Owner(usize, String),
        Units(usize),
        Add(u32),
    }

    fn edits() -> impl Strategy<Value = Vec<Edit>> {
        let at = 0_usize..6;
        let text = "[一二三四季度完成推进：。；]{0,12}";
        let one = prop_oneof![
            at.clone().prop_map(Edit::Drop),
            (at.clone(), text).prop_map(|(at, text)| Edit::Goal(at, text)),
            (at.clone(), text).prop_map(|(at, text)| Edit::Schedule(at, text)),
            (at.clone(), "[张王李]{2}").prop_map(|(at, text)| Edit::Owner(at, text)),
            at.prop_map(Edit::Units),
            (1_u32..200).prop_map(Edit::Add),
        ];
        proptest::collection::vec(one, 0..6)
    }

    fn edited(tasks: &[Task], edits: &[Edit]) -> Vec<Task> {
        let mut tasks = tasks.to_vec();
        for edit in edits {
            let count = tasks.len();
            let at = |at: usize| at % count.max(1);
            match edit {
                Edit::Drop(place) if count > 1 => drop(tasks.remove(at(*place))),
                Edit::Goal(place, text) => tasks[at(*place)].goal.clone_from(text),
                Edit::Schedule(place, text) => tasks[at(*place)].schedule.clone_from(text),
                Edit::Owner(place, name) => tasks[at(*place)].direct_owners = vec![name.clone()],
                Edit::Units(place) => tasks[at(*place)].groups.reverse(),
                Edit::Add(no) if tasks.iter().all(|task| task.no != *no) => {
                    let task = Task {
                        no: *no,
                        ..tasks[0].clone()
                    };
                    tasks.push(task);
                }
                Edit::Drop(_) | Edit::Add(_) => {}
            }
        }
        tasks
    }

    /// The cells by task and column, brought from before to after by the difference.
    fn patched(
        before: &[Task],
        after: &[Task],
        found: &PlanDiff,
    ) -> BTreeMap<(TaskNo, String), String> {
        let cells_of = |task: &Task| {
            let no = task.no;
            cells(task)
                .into_iter()
                .map(move |(column, text)| ((no, column.to_owned()), text))
                .collect::<Vec<_>>()
        };
        let mut table: BTreeMap<_, _> = before.iter().flat_map(cells_of).collect();
        table.retain(|(no, _), _| !found.removed.contains(no));
        let added = after.iter().filter(|task| found.added.contains(&task.no));
        table.extend(added.flat_map(cells_of));
        for change in &found.changed {
            for cell in change
                .cells
                .iter()
                .filter(|cell| !["节点", "责任组"].contains(&cell.column))
            {
                let known = table.get_mut(&(change.no, cell.column.to_owned())).unwrap();
                assert_eq!(*known, cell.before);
                known.clone_from(&cell.after);
            }
        }
        table
    }

    proptest! {
        #[test]
        fn a_table_does_not_differ_from_itself(edits in edits()) {
            let (heading, tasks) = stored();
            let tasks = edited(&tasks, &edits);
            let found = diff((&heading, &tasks), (&heading, &tasks));
            prop_assert!(found.is_empty());
            prop_assert_eq!(found.same, tasks.len());
        }

        #[test]
        fn the_difference_leads_from_one_table_to_the_other(edits in edits()) {
            let (heading, before) = stored();
            let after = edited(&before, &edits);
            let found = diff((&heading, &before), (&heading, &after));
            let table = patched(&before, &after, &found);
            let wanted = patched(&after, &after, &PlanDiff::default());
            prop_assert_eq!(table, wanted);
            prop_assert_eq!(found.added.len() + found.changed.len() + found.same, after.len());
            // Every change says in what.
            prop_assert!(found.changed.iter().all(|change| !change.cells.is_empty()));
            let back = diff((&heading, &after), (&heading, &before));
            prop_assert_eq!(back.added.len(), found.removed.len());
            prop_assert_eq!(back.changed.len(), found.changed.len());
        }

        #[test]
        fn what_is_marked_is_what_differs(before in "[甲乙丙]{0,90}", after in "[甲乙丙]{0,90}") {
            let (old, new) = marked(&before, &after);
            let whole = |one: &Excerpt| format!("{}{}{}", one.before, one.words, one.after);
            if before == after {
                prop_assert_eq!((old.words.as_str(), new.words.as_str()), ("", ""));
            } else if before.chars().count() <= SHORT && after.chars().count() <= SHORT {
                prop_assert_eq!(whole(&old), before);
                prop_assert_eq!(whole(&new), after);
            }
            let old = whole(&old);
            prop_assert!(old.chars().count() <= MOST + 2 * AROUND + 8);
        }
    }

    #[test]
    fn a_long_text_is_shown_where_it_changed() {
        let before = "一季度：开展需求摸查，制定工作方案，并征求各有关单位意见。二季度：完成投资50亿元，推动3个重点项目开工建设，完成立项。";
        let after = before.replace("50亿元", "65亿元");
        let (old, new) = marked(before, &after);
        assert_eq!(
            (old.to_string().as_str(), new.to_string().as_str()),
            (
                "…关单位意见。二季度：完成投资「50」亿元，推动3个重点项目开工建…",
                "…关单位意见。二季度：完成投资「65」亿元，推动3个重点项目开工建…"
            )
        );
    }

    #[test]
    fn a_task_under_another_number_is_told() {
        let (heading, before) = stored();
        let mut after = before.clone();
        for task in &mut after {
            task.no += 1;
        }
        let found = diff((&heading, &before), (&heading, &after));
        assert_eq!(found.renumbered.len(), before.len());
        assert_eq!(found.renumbered[0], (before[0].no, before[0].no + 1));
    }
}
