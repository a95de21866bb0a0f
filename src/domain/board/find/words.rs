//! What is looked for in the texts of an item.

use crate::domain::board::walk::Item;
use crate::domain::book::Book;
use crate::domain::ids::{PlanId, TaskNo};

/// What is looked for in the texts.
pub(super) enum Words<'a> {
    /// The task of this number, which there is.
    Number(TaskNo),
    /// All of these.
    All(Vec<&'a str>),
}

impl<'a> Words<'a> {
    pub(super) fn of(book: &Book, plan: &PlanId, text: &'a str) -> Self {
        let text = text.trim();
        let bare = text.strip_prefix('第').unwrap_or(text);
        let bare = bare.strip_suffix('项').unwrap_or(bare);
        let tasks = book.plans.get(plan).map(|plan| &plan.tasks);
        match bare.parse() {
            Ok(no) if tasks.is_some_and(|tasks| tasks.contains_key(&no)) => Self::Number(no),
            _ => Self::All(text.split_whitespace().collect()),
        }
    }

    pub(super) fn are_in(&self, item: &Item<'_>) -> bool {
        match self {
            Self::Number(no) => item.key.task == *no,
            Self::All(words) => words.iter().all(|word| says(item, word)),
        }
    }
}

/// Whether a word stands in the task, its milestones, its units and owners, or the report that
/// counts.
fn says(item: &Item<'_>, word: &str) -> bool {
    let (task, group) = (item.task, item.group);
    let owners = group.owners.iter().map(|owner| owner.name.as_str());
    let milestones = task.milestones.iter().map(|node| node.content.as_str());
    let report = item.obligation.latest().map(|latest| &latest.report);
    let said = report.into_iter().flat_map(|report| {
        let texts = [&report.progress, &report.problems, &report.next_steps];
        texts.map(String::as_str)
    });
    [task.goal.as_str(), group.unit.as_str()]
        .into_iter()
        .chain(owners)
        .chain(milestones)
        .chain(said)
        .any(|text| text.contains(word))
}
