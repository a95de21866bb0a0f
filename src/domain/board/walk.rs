//! A quarter's obligations side by side with their tasks, without looking each task up: both are
//! in the order of the table, and there may be a hundred thousand.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::ids::{ObligationKey, PlanId, Quarter, TaskNo};
use crate::domain::plan::{Group, Task};
use crate::domain::user::Sight;

/// All tasks of a table.
pub(super) const ALL_TASKS: RangeInclusive<TaskNo> = 0..=TaskNo::MAX;

/// One obligation, with what it is about.
#[derive(Clone, Copy)]
pub(super) struct Duty<'a> {
    pub key: &'a ObligationKey,
    pub known: &'a Obligation,
    pub task: &'a Task,
    pub group: &'a Group,
    /// When it is due, a later date that was granted included.
    pub due: Option<DateTime<Utc>>,
}

impl Duty<'_> {
    pub(super) fn state(&self, now: DateTime<Utc>) -> ObligationState {
        self.known.state(self.due, now)
    }

    /// Whether the first report came after the deadline.
    pub(super) fn is_late(&self) -> bool {
        let first = self.known.reports.first();
        first.is_some_and(|first| self.due.is_some_and(|due| first.at > due))
    }
}

/// What somebody sees of a plan's quarter, of these tasks.
pub(super) fn duties<'a>(
    book: &'a Book,
    plan: &'a PlanId,
    quarter: Quarter,
    tasks: RangeInclusive<TaskNo>,
    sight: &'a Sight,
) -> impl Iterator<Item = Duty<'a>> + 'a {
    let at = |task: TaskNo, group: u8| ObligationKey {
        plan: plan.clone(),
        quarter,
        task,
        group,
    };
    let range = at(*tasks.start(), 0)..=at(*tasks.end(), u8::MAX);
    let deadline = book.deadline(plan, quarter);
    let table = book.plans.get(plan);
    let mut beside = table.map(|table| {
        let numbers = table.slots.range(tasks.clone());
        numbers.zip(table.tasks.range(tasks)).peekable()
    });
    book.obligations
        .range(range)
        .filter_map(move |(key, known)| {
            let beside = beside.as_mut()?;
            while beside.next_if(|((no, _), _)| **no < key.task).is_some() {}
            let (task, group) = match beside.peek() {
                // The two maps have the same keys; where they had not, the book is asked.
                Some(((no, slots), (same, task))) if **no == key.task && no == same => {
                    let place = slots.iter().position(|slot| *slot == key.group);
                    let group = place.and_then(|place| task.groups.get(place));
                    match group {
                        Some(group) => (*task, group),
                        None => book.task_and_group(key)?,
                    }
                }
                _ => book.task_and_group(key)?,
            };
            let granted = known.granted();
            sight.sees(task).then_some(Duty {
                key,
                known,
                task,
                group,
                due: granted.map_or(deadline, |granted| Some(granted.until)),
            })
        })
}
