//! Tables edited as a coordinator would, and what is told of it.

use proptest::prelude::*;

use super::excerpt::{AROUND, MOST, SHORT, marked};
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
