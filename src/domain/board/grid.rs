//! Tasks against quarters: where each stands, in one cell.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::walk::{items_among, items_in};
use crate::domain::book::{Book, ObligationState};
use crate::domain::ids::{PlanId, Quarter, TaskNo};
use crate::domain::report::ReportStatus;
use crate::domain::user::Sight;

/// Tasks on one page of the grid.
pub const PAGE: usize = 500;

/// How a task stands in a quarter, the better before the worse. Where several groups answer for
/// it, the worst counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Cell {
    /// Nothing is asked for.
    #[default]
    NotAsked,
    /// 已完成.
    Completed,
    /// 正常推进.
    OnSchedule,
    /// 未报, the deadline still ahead.
    NotReported,
    /// 进度滞后.
    Behind,
    /// 未启动.
    NotStarted,
    /// 退回.
    Returned,
    /// 超期未报.
    Overdue,
}

impl Cell {
    /// All that is asked for, in the order of the legend.
    pub const ASKED: [Self; 7] = [
        Self::Completed,
        Self::OnSchedule,
        Self::Behind,
        Self::NotStarted,
        Self::NotReported,
        Self::Returned,
        Self::Overdue,
    ];

    /// What an obligation's state and the status in its last report come to.
    #[must_use]
    pub fn of(state: ObligationState, status: Option<ReportStatus>) -> Self {
        match (state, status) {
            (ObligationState::Withdrawn, _) => Self::NotAsked,
            (ObligationState::OverdueUnreported, _) => Self::Overdue,
            (ObligationState::Returned, _) => Self::Returned,
            (ObligationState::NotReported, _) | (_, None) => Self::NotReported,
            (_, Some(ReportStatus::Completed)) => Self::Completed,
            (_, Some(ReportStatus::OnSchedule)) => Self::OnSchedule,
            (_, Some(ReportStatus::Behind)) => Self::Behind,
            (_, Some(ReportStatus::NotStarted)) => Self::NotStarted,
        }
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::NotAsked => "本季度不报",
            Self::Completed => "已完成",
            Self::OnSchedule => "正常推进",
            Self::NotReported => "未报",
            Self::Behind => "进度滞后",
            Self::NotStarted => "未启动",
            Self::Returned => "退回",
            Self::Overdue => "超期未报",
        }
    }

    /// The same in one character, for those who do not see the colour.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::NotAsked => "",
            Self::Completed => "✓",
            Self::OnSchedule => "→",
            Self::NotReported => "·",
            Self::Behind => "▲",
            Self::NotStarted => "○",
            Self::Returned => "退",
            Self::Overdue => "超",
        }
    }
}

/// A page of the grid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// The columns.
    pub quarters: Vec<Quarter>,
    /// The rows, in the order of the table.
    pub rows: Vec<GridRow>,
    /// Which page, from 1.
    pub page: usize,
    /// How many there are, at least one.
    pub pages: usize,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    /// Its number.
    pub no: TaskNo,
    /// Its name in short.
    pub name: String,
    /// One for each quarter.
    pub cells: Vec<Cell>,
}

impl Grid {
    /// How many tasks stand how in a quarter, in the order of [`Cell::ASKED`].
    #[must_use]
    pub fn counts(&self, quarter: Quarter) -> [usize; Cell::ASKED.len()] {
        let place = self.quarters.iter().position(|one| *one == quarter);
        Cell::ASKED.map(|cell| {
            let stands_so =
                |row: &&GridRow| place.is_some_and(|at| row.cells.get(at) == Some(&cell));
            self.rows.iter().filter(stands_so).count()
        })
    }
}

/// A page of a plan's tasks, as far as somebody sees them, as things stand at `now`.
#[must_use]
pub fn grid(book: &Book, plan: &PlanId, now: DateTime<Utc>, sight: &Sight, page: usize) -> Grid {
    let quarters = book.quarters_of(plan);
    let numbers = numbers(book, plan, now, sight);
    let pages = numbers.len().div_ceil(PAGE).max(1);
    let page = page.clamp(1, pages);
    let of_page = numbers.into_iter().skip((page - 1) * PAGE).take(PAGE);
    let mut rows: Vec<GridRow> = of_page
        .filter_map(|no| {
            Some(GridRow {
                no,
                name: name(book, plan, no)?,
                cells: vec![Cell::NotAsked; quarters.len()],
            })
        })
        .collect();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Grid {
            quarters,
            page,
            pages,
            ..Grid::default()
        };
    };
    let span = first.no..=last.no;
    for (place, quarter) in quarters.iter().enumerate() {
        let mut at = rows.iter_mut().peekable();
        for item in items_among(book, (plan, *quarter), span.clone(), now, sight) {
            while at.next_if(|row| row.no < item.key.task).is_some() {}
            let row = at.peek_mut().filter(|row| row.no == item.key.task);
            if let Some(cell) = row.and_then(|row| row.cells.get_mut(place)) {
                let status = item.obligation.latest().map(|latest| latest.report.status);
                *cell = (*cell).max(Cell::of(item.state, status));
            }
        }
    }
    Grid {
        quarters,
        rows,
        page,
        pages,
    }
}

/// The tasks of the table, and those a revised table took away that were reported on before.
fn numbers(book: &Book, plan: &PlanId, now: DateTime<Utc>, sight: &Sight) -> Vec<TaskNo> {
    let Some(table) = book.plans.get(plan) else {
        return Vec::new();
    };
    let seen = table.tasks.iter().filter(|(_, task)| sight.sees(task));
    let mut numbers: Vec<TaskNo> = seen.map(|(no, _)| *no).collect();
    let gone = table.closed.iter();
    let gone =
        gone.filter(|((no, _), duty)| !table.tasks.contains_key(no) && sight.sees(&duty.task));
    let gone: BTreeSet<TaskNo> = gone.map(|((no, _), _)| *no).collect();
    if !gone.is_empty() {
        let quarters = book.quarters_of(plan).into_iter();
        let all = quarters.flat_map(|quarter| items_in(book, plan, quarter, now, sight));
        let reported =
            all.filter(|item| gone.contains(&item.key.task) && !item.obligation.is_withdrawn());
        numbers.extend(reported.map(|item| item.key.task));
        numbers.sort_unstable();
        numbers.dedup();
    }
    numbers
}

fn name(book: &Book, plan: &PlanId, no: TaskNo) -> Option<String> {
    let table = book.plans.get(plan)?;
    let gone = || {
        let mut of_task = table.closed.range((no, 0)..=(no, u8::MAX));
        of_task.next().map(|(_, duty)| &duty.task)
    };
    let task = table.tasks.get(&no).or_else(gone)?;
    Some(task.short_name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fact::Fact;
    use crate::domain::fixture::*;
    use crate::domain::report::Review;

    fn book() -> Book {
        let mut book = Book::default();
        apply(&mut book, "2022-02-07T09:00", plan_facts());
        let say = |person, task, group, status| report(person, key(task, group), status, "");
        let said = vec![
            say(ZHANG, 2, 0, ReportStatus::Completed),
            say(ZHANG, 4, 0, ReportStatus::Behind),
            say(LI, 14, 0, ReportStatus::NotStarted),
            say(ZHANG, 16, 1, ReportStatus::OnSchedule),
            say(ZHONG, 32, 0, ReportStatus::OnSchedule),
        ];
        apply(&mut book, "2022-03-21T15:20", said);
        let returned = Fact::ReviewGiven {
            obligation: key(32, 0),
            review: Review::Returned {
                reason: "请补充".into(),
            },
        };
        apply(&mut book, "2022-03-22T09:00", vec![returned]);
        book
    }

    /// Each row's number and signs, `-` for a quarter in which nothing is asked.
    fn told(book: &Book, now: &str) -> Vec<String> {
        let grid = grid(book, &plan(), at(now), &Sight::Everything, 1);
        let sign = |cell: &Cell| match cell {
            Cell::NotAsked => "-",
            cell => cell.sign(),
        };
        let row = |row: &GridRow| {
            let signs: String = row.cells.iter().map(sign).collect();
            format!("{} {signs}", row.no)
        };
        grid.rows.iter().map(row).collect()
    }

    #[test]
    fn each_cell_says_the_worst_of_its_groups() {
        let book = book();
        let before = told(&book, "2022-03-28T10:00");
        let wanted = [
            "2 ✓···",
            "4 ▲---",
            "14 ○---",
            "16 ··--",
            "32 退---",
            "122 ··--",
        ];
        assert_eq!(before, wanted);
        let after = told(&book, "2022-04-01T10:00");
        let wanted = [
            "2 ✓···",
            "4 ▲---",
            "14 ○---",
            "16 超·--",
            "32 退---",
            "122 超·--",
        ];
        assert_eq!(after, wanted);
    }

    #[test]
    fn the_legend_counts_the_tasks_of_one_quarter() {
        let grid = grid(
            &book(),
            &plan(),
            at("2022-04-01T10:00"),
            &Sight::Everything,
            1,
        );
        assert_eq!(grid.counts(quarter("2022Q1")), [1, 0, 1, 1, 0, 1, 2]);
        assert_eq!(grid.counts(quarter("2022Q3")), [0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(grid.counts(quarter("2023Q1")), [0; 7]);
    }

    #[test]
    fn a_leader_sees_their_own_and_a_page_beyond_the_last_is_the_last() {
        let book = book();
        let of = |name: &str| Sight::Leader(name.into());
        let now = at("2022-04-01T10:00");
        assert_eq!(grid(&book, &plan(), now, &of("喻丽君"), 1).rows, []);
        let own = grid(&book, &plan(), now, &of("刘光滨"), 9);
        assert_eq!((own.rows.len(), own.page, own.pages), (6, 1, 1));
        assert_eq!(own.rows[0].name, "实施数字化普及工程");
    }

    #[test]
    fn signs_are_all_different() {
        let signs: BTreeSet<_> = Cell::ASKED.iter().map(|cell| cell.sign()).collect();
        assert_eq!(signs.len(), Cell::ASKED.len());
    }
}
