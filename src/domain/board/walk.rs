//! The obligations of a plan's quarter, each beside its task and group: borrowed from the book, so
//! that a view pays only for what it shows.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::ids::{ObligationKey, PlanId, Quarter, TaskNo};
use crate::domain::plan::{Group, PersonRef, Task};
use crate::domain::user::Sight;

/// One obligation with all that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Which.
    pub key: &'a ObligationKey,
    /// It.
    pub obligation: &'a Obligation,
    /// Its task; of one that was closed, as it last stood.
    pub task: &'a Task,
    /// The group that answers.
    pub group: &'a Group,
    /// When it is due.
    pub deadline: Option<DateTime<Utc>>,
    /// Where it stands.
    pub state: ObligationState,
    /// Whether the first report came after the deadline: that stays so when it is accepted.
    pub late: bool,
}

impl Item<'_> {
    /// Whether the group answers for this unit, alone or together with others.
    #[must_use]
    pub fn is_of_unit(&self, unit: &str) -> bool {
        self.group.unit == unit || self.group.unit.split('、').any(|one| one == unit)
    }

    /// The names of the owners, as people read them.
    #[must_use]
    pub fn owners(&self) -> String {
        names(&self.group.owners)
    }
}

/// Names as people read them.
#[must_use]
pub fn names(people: &[PersonRef]) -> String {
    let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    names.join("、")
}

/// The obligations of a plan's quarter that may be seen, as they stand at `now`, in the order of
/// the table.
pub fn items_in<'a>(
    book: &'a Book,
    plan: &PlanId,
    quarter: Quarter,
    now: DateTime<Utc>,
    sight: &'a Sight,
) -> impl Iterator<Item = Item<'a>> {
    items_among(book, (plan, quarter), 0..=TaskNo::MAX, now, sight)
}

/// The same of these tasks alone.
pub(super) fn items_among<'a>(
    book: &'a Book,
    (plan, quarter): (&PlanId, Quarter),
    among: RangeInclusive<TaskNo>,
    now: DateTime<Utc>,
    sight: &'a Sight,
) -> impl Iterator<Item = Item<'a>> {
    let at = |task: TaskNo, group: u8| ObligationKey {
        plan: plan.clone(),
        quarter,
        task,
        group,
    };
    let all = at(*among.start(), 0)..=at(*among.end(), u8::MAX);
    let known = book.plans.get(plan);
    let planned = book.deadline(plan, quarter);
    // Tasks and obligations stand in the same order: one look beside the other, none up and down.
    let mut tasks = known
        .into_iter()
        .flat_map({
            let among = among.clone();
            move |known| known.tasks.range(among.clone())
        })
        .map(|(_, task)| task)
        .peekable();
    let mut slots = known
        .into_iter()
        .flat_map(move |known| known.slots.range(among.clone()))
        .peekable();
    book.obligations
        .range(all)
        .filter_map(move |(key, obligation)| {
            while tasks.next_if(|task| task.no < key.task).is_some() {}
            while slots.next_if(|(no, _)| **no < key.task).is_some() {}
            let task = tasks.peek().filter(|task| task.no == key.task);
            let of_task = slots.peek().filter(|(no, _)| **no == key.task);
            let place = of_task.and_then(|(_, all)| all.iter().position(|slot| *slot == key.group));
            let standing = task
                .zip(place)
                .and_then(|(task, place)| Some((*task, task.groups.get(place)?)));
            let (task, group) = standing.or_else(|| book.task_and_group(key))?;
            sight.sees(task).then(|| {
                let deadline = obligation
                    .granted()
                    .map(|granted| granted.until)
                    .or(planned);
                let first = obligation.reports.first();
                Item {
                    key,
                    obligation,
                    task,
                    group,
                    deadline,
                    state: obligation.state(deadline, now),
                    late: first.is_some_and(|first| deadline.is_some_and(|due| first.at > due)),
                }
            })
        })
}
