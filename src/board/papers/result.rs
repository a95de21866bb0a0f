//! A quarter's result as papers tell it: five classes counted, and what is wrong with which item.
//!
//! The five are 已完成、正常推进、进度滞后、未启动 and 未报送: every 应报事项 is in one of them, so that
//! they add up. A report that was returned counts as none, and is told apart.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ObligationKey, PlanId, Quarter, TaskNo};
use crate::domain::plan::{Group, Task};
use crate::domain::report::ReportStatus;
use crate::domain::user::Sight;

/// All items of a quarter at a moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuarterResult {
    pub(super) title: String,
    pub(super) quarter: Quarter,
    pub(super) at: DateTime<Utc>,
    pub(super) deadline: Option<DateTime<Utc>>,
    pub(super) items: Vec<Item>,
}

/// One 应报事项.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) no: TaskNo,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) owners: Vec<String>,
    pub(super) responsible: Vec<String>,
    pub(super) leaders: Vec<String>,
    /// This quarter's milestones, in the table's words.
    pub(super) milestones: Vec<String>,
    pub(super) due: Option<DateTime<Utc>>,
    /// What the report that counts says; none while one is awaited.
    pub(super) status: Option<ReportStatus>,
    pub(super) lack: Option<Lack>,
    /// Reported after it was due: by so many working days.
    pub(super) late: Option<u32>,
    pub(super) problems: String,
    pub(super) next_steps: String,
}

impl Item {
    /// 进度滞后 or 未启动, as its report says.
    pub(super) fn is_behind(&self) -> bool {
        matches!(
            self.status,
            Some(ReportStatus::Behind | ReportStatus::NotStarted)
        )
    }
}

/// Why there is no report that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// It is not due yet: before the deadline, or by a later date that was granted.
    NotDue {
        /// A later date was granted.
        granted: bool,
    },
    /// The office owes an answer to what its owner asked.
    Asked,
    /// 超期未报, by so many working days.
    Overdue(u32),
    /// 退回, with the reason.
    Returned(String),
}

impl Lack {
    /// What a list says of it.
    pub(super) fn chinese(&self) -> String {
        match self {
            Self::NotDue { granted: true } => "已同意延期".into(),
            Self::NotDue { granted: false } => "未报送".into(),
            Self::Asked => "申请办理中".into(),
            Self::Overdue(0) => "超期未报送".into(),
            Self::Overdue(days) => format!("逾期{days}个工作日"),
            Self::Returned(reason) => format!("退回后未重新报送：{reason}"),
        }
    }
}

impl QuarterResult {
    /// None where there is no such plan.
    pub(super) fn of(
        book: &Book,
        (plan, quarter): (&PlanId, Quarter),
        at: DateTime<Utc>,
        sight: &Sight,
        calendar: &Calendar,
    ) -> Option<Self> {
        let known = book.plans.get(plan)?;
        let all = book.obligations_in(plan, quarter);
        let wanted = all.filter(|(_, known)| !known.is_withdrawn());
        let items = wanted.filter_map(|(key, known)| {
            let (task, group) = book.task_and_group(key)?;
            sight
                .sees(task)
                .then(|| item(book, (key, known), (task, group), at, calendar))
        });
        Some(Self {
            title: known.heading.title.clone(),
            quarter,
            at,
            deadline: book.deadline(plan, quarter),
            items: items.collect(),
        })
    }

    /// Whether the quarter's deadline has passed.
    pub(super) fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| self.at > deadline)
    }

    /// Every lead unit by itself, with all it has a part in: who answers together with another is no
    /// better than that other.
    pub(super) fn lead_units(&self) -> Vec<(&str, Vec<&Item>)> {
        let mut units: Vec<(&str, Vec<&Item>)> = Vec::new();
        for item in &self.items {
            for unit in item.unit.split('、') {
                match units.iter_mut().find(|(name, _)| *name == unit) {
                    Some((_, items)) => items.push(item),
                    None => units.push((unit, vec![item])),
                }
            }
        }
        units
    }

    /// By lead unit, in the order of the table.
    pub(super) fn by_unit(&self) -> Vec<(String, Vec<&Item>)> {
        let mut units: Vec<(String, Vec<&Item>)> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for item in &self.items {
            let at = *places.entry(&item.unit).or_insert_with(|| {
                units.push((item.unit.clone(), Vec::new()));
                units.len() - 1
            });
            if let Some((_, items)) = units.get_mut(at) {
                items.push(item);
            }
        }
        units
    }

    /// By 责任领导, in the order of the table; what two answer for counts for both.
    pub(super) fn by_leader(&self) -> Vec<(String, Vec<&Item>)> {
        let mut leaders: Vec<(String, Vec<&Item>)> = Vec::new();
        for item in &self.items {
            for leader in &item.leaders {
                match leaders.iter_mut().find(|(name, _)| name == leader) {
                    Some((_, items)) => items.push(item),
                    None => leaders.push((leader.clone(), vec![item])),
                }
            }
        }
        leaders
    }
}

/// The five classes, and what is told apart within them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes {
    pub(super) all: u32,
    pub(super) by_status: [u32; 4],
    pub(super) unreported: u32,
    pub(super) returned: u32,
    pub(super) overdue: u32,
    pub(super) late: u32,
}

impl Classes {
    pub(super) fn of<'a>(items: impl IntoIterator<Item = &'a Item>) -> Self {
        let mut classes = Self::default();
        for item in items {
            classes.all += 1;
            let counted = ReportStatus::ALL.into_iter().zip(&mut classes.by_status);
            for (status, count) in counted {
                *count += u32::from(item.status == Some(status));
            }
            classes.late += u32::from(item.status.is_some() && item.late.is_some());
            if let Some(lack) = &item.lack {
                classes.unreported += 1;
                classes.returned += u32::from(matches!(lack, Lack::Returned(_)));
                classes.overdue += u32::from(matches!(lack, Lack::Overdue(_)));
            }
        }
        classes
    }

    pub(super) fn reported(&self) -> u32 {
        self.all - self.unreported
    }

    /// Each class with its name.
    pub(super) fn named(&self) -> [(&'static str, u32); 5] {
        let [completed, on_schedule, behind, not_started] = self.by_status;
        [
            (ReportStatus::Completed.chinese(), completed),
            (ReportStatus::OnSchedule.chinese(), on_schedule),
            (ReportStatus::Behind.chinese(), behind),
            (ReportStatus::NotStarted.chinese(), not_started),
            ("未报送", self.unreported),
        ]
    }
}

fn item(
    book: &Book,
    (key, known): (&ObligationKey, &Obligation),
    (task, group): (&Task, &Group),
    at: DateTime<Utc>,
    calendar: &Calendar,
) -> Item {
    let due = book.due(key);
    let state = known.state(due, at);
    let days = |to: DateTime<Utc>| {
        let from = due.unwrap_or(to);
        let days = calendar.working_days_between(calendar.date_of(from), calendar.date_of(to));
        u32::try_from(days).unwrap_or(0)
    };
    let lack = match state {
        ObligationState::Returned => Some(Lack::Returned(
            known.returned_for().unwrap_or_default().into(),
        )),
        _ if !state.is_open() => None,
        _ if known.is_owed_word() => Some(Lack::Asked),
        ObligationState::OverdueUnreported => Some(Lack::Overdue(days(at))),
        _ => Some(Lack::NotDue {
            granted: known.granted().is_some(),
        }),
    };
    let latest = known.latest().filter(|_| lack.is_none());
    let first = known.reports.first();
    let late = first.filter(|first| due.is_some_and(|due| first.at > due));
    let names = |people: &[crate::domain::plan::PersonRef]| {
        people.iter().map(|person| person.name.clone()).collect()
    };
    Item {
        no: key.task,
        name: task.short_name(),
        unit: group.unit.clone(),
        owners: names(&group.owners),
        responsible: names(&group.responsible),
        leaders: task.leaders.clone(),
        milestones: task
            .milestones_in(group, key.quarter)
            .map(|one| one.content.clone())
            .collect(),
        due,
        status: latest.map(|latest| latest.report.status),
        late: late.map(|first| days(first.at)),
        problems: latest.map_or_else(String::new, |one| one.report.problems.clone()),
        next_steps: latest.map_or_else(String::new, |one| one.report.next_steps.clone()),
        lack,
    }
}
