//! Who has reported on a quarter and who has not, as a view of the book at a moment.
//!
//! Nothing here is stored: the same question about a past moment is answered by the book as it
//! stood then.

mod attention;
mod audit;
pub mod bars;
pub mod curve;
mod find;
pub mod grid;
mod tally;
mod walk;

use chrono::{DateTime, Utc};

use super::book::{Book, ObligationState};
use super::calendar::Calendar;
use super::ids::{ObligationKey, PersonId, PlanId, Quarter};
use super::message::{Occasion, Stage};
use super::plan::PersonRef;
use super::policy::Policy;
use super::report::{ReportStatus, Via};
use super::target::actual::Actual;
use super::user::Sight;

pub use attention::{Attention, attention};
pub use audit::{StageAudit, audit, audits, oldest_unsent};
pub use find::{Found, Query, Reminded, Sort, SortBy, find};
pub use tally::{OwnerTally, Tally, UnitTally};
pub use walk::{Item, items_in, names};

/// A quarter's obligations at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct QuarterView {
    /// The quarter.
    pub quarter: Quarter,
    /// The moment.
    pub as_of: DateTime<Utc>,
    /// Over all obligations that unit and owner of the filter leave.
    pub totals: Tally,
    /// Those the whole filter leaves, in the order of the table.
    pub rows: Vec<Row>,
    /// By unit, most not reported first; the state of the filter does not count here.
    pub by_unit: Vec<UnitTally>,
    /// By owner, likewise.
    pub by_owner: Vec<OwnerTally>,
}

/// One obligation.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Which.
    pub key: ObligationKey,
    /// The task's first clause.
    pub name: String,
    /// The reporting group's unit.
    pub unit: String,
    /// Who answers.
    pub owners: Vec<PersonRef>,
    /// Where it stands.
    pub state: ObligationState,
    /// When it is due.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was due first, where a later date was granted: kept for the assessment.
    pub first_deadline: Option<DateTime<Utc>>,
    /// What the report that counts says.
    pub status: Option<ReportStatus>,
    /// The figures it gives against their targets.
    pub actuals: Vec<Actual>,
    /// When that came.
    pub reported_at: Option<DateTime<Utc>>,
    /// From whom.
    pub reported_by: Option<PersonId>,
    /// By which door.
    pub via: Option<Via>,
    /// The last message that reached one of the owners, and what it was.
    pub last_reminded: Option<(DateTime<Utc>, Occasion)>,
}

/// What to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Only this plan.
    pub plan: Option<PlanId>,
    /// Only groups of this unit; also where it answers together with others.
    pub unit: Option<String>,
    /// Only what this owner answers for.
    pub owner: Option<PersonId>,
    /// Only these states.
    pub show: Show,
    /// Only what the asker may see.
    pub sight: Sight,
}

impl Filter {
    /// Whether unit and owner leave it.
    fn concerns(&self, item: &Item<'_>) -> bool {
        let unit = self.unit.as_ref();
        let owner = self.owner.as_ref();
        unit.is_none_or(|unit| item.is_of_unit(unit))
            && owner.is_none_or(|person| item.group.owners.iter().any(|one| one.id == *person))
    }
}

/// Which states to show: the numbers at the top of the board, and 待审.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// All.
    #[default]
    All,
    /// 未报, with those overdue and those returned.
    NotReported,
    /// 超期未报.
    Overdue,
    /// 退回.
    Returned,
    /// 已报, with those late and those accepted.
    Reported,
    /// 迟报.
    Late,
    /// 待审: reported, not looked at yet.
    ToReview,
    /// 通过.
    Accepted,
    /// 撤销: taken away by a revised table; in no other list and in no number.
    Withdrawn,
}

impl Show {
    /// All, in the order of the board.
    pub const ALL: [Self; 9] = [
        Self::All,
        Self::NotReported,
        Self::Overdue,
        Self::Returned,
        Self::Reported,
        Self::Late,
        Self::ToReview,
        Self::Accepted,
        Self::Withdrawn,
    ];

    /// The name used in addresses; as in the totals of the JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::NotReported => "not_reported",
            Self::Overdue => "overdue_unreported",
            Self::Returned => "returned",
            Self::Reported => "reported",
            Self::Late => "reported_late",
            Self::ToReview => "to_review",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|show| show.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::All => "应报",
            Self::NotReported => "未报",
            Self::Overdue => "超期未报",
            Self::Returned => "退回",
            Self::Reported => "已报",
            Self::Late => "迟报",
            Self::ToReview => "待审",
            Self::Accepted => "通过",
            Self::Withdrawn => "撤销",
        }
    }

    /// Whether a row in this state is shown. `late` is known beside the state, since a report
    /// that came late stays so when it is accepted.
    #[must_use]
    fn shows(self, state: ObligationState, late: bool) -> bool {
        if state == ObligationState::Withdrawn {
            return self == Self::Withdrawn;
        }
        match self {
            Self::Withdrawn => false,
            Self::All => true,
            Self::NotReported => state.is_open(),
            Self::Overdue => state == ObligationState::OverdueUnreported,
            Self::Returned => state == ObligationState::Returned,
            Self::Reported => !state.is_open(),
            Self::Late => !state.is_open() && late,
            Self::ToReview => matches!(
                state,
                ObligationState::Reported | ObligationState::ReportedLate
            ),
            Self::Accepted => state == ObligationState::Accepted,
        }
    }
}

/// The view of a quarter at `now`.
#[must_use]
pub fn quarter_view(
    book: &Book,
    quarter: Quarter,
    now: DateTime<Utc>,
    filter: &Filter,
) -> QuarterView {
    let mut counted = tally::Counted::default();
    let mut rows = Vec::new();
    for plan in plans(book, filter) {
        for item in items_in(book, plan, quarter, now, &filter.sight) {
            if !filter.concerns(&item) {
                continue;
            }
            counted.add(&item);
            if filter.show.shows(item.state, item.late) {
                rows.push(row(book, &item));
            }
        }
    }
    let (totals, by_unit, by_owner) = counted.finish(book);
    QuarterView {
        quarter,
        as_of: now,
        totals,
        rows,
        by_unit,
        by_owner,
    }
}

/// The plan and quarter to show where nothing was asked for: the one whose first stage came most
/// recently, else the quarter `now` falls in, else the first there is.
#[must_use]
pub fn present(
    book: &Book,
    policy: &Policy,
    calendar: &Calendar,
    now: DateTime<Utc>,
) -> Option<(PlanId, Quarter)> {
    let all = || {
        book.plans.keys().flat_map(|plan| {
            let quarters = book.quarters_of(plan).into_iter();
            quarters.map(move |quarter| (plan, quarter))
        })
    };
    let begun = all()
        .filter_map(|(plan, quarter)| {
            let ladder = book.ladder(plan, quarter).unwrap_or(&policy.ladder);
            let mut stages = Stage::ALL.into_iter();
            let first = stages.find_map(|stage| ladder.time(calendar, quarter, stage))?;
            (first <= now).then_some((first, plan, quarter))
        })
        .max_by_key(|(first, _, _)| *first)
        .map(|(_, plan, quarter)| (plan, quarter));
    let current = Quarter::of(calendar.date_of(now));
    begun
        .or_else(|| all().find(|(_, quarter)| *quarter == current))
        .or_else(|| all().min_by_key(|(_, quarter)| *quarter))
        .map(|(plan, quarter)| (plan.clone(), quarter))
}

fn plans<'a>(book: &'a Book, filter: &'a Filter) -> impl Iterator<Item = &'a PlanId> {
    let wanted = filter.plan.as_ref();
    book.plans
        .keys()
        .filter(move |plan| wanted.is_none_or(|wanted| wanted == *plan))
}

fn row(book: &Book, item: &Item<'_>) -> Row {
    let latest = item.obligation.latest();
    Row {
        key: item.key.clone(),
        name: item.task.short_name(),
        unit: item.group.unit.clone(),
        owners: item.group.owners.clone(),
        state: item.state,
        deadline: item.deadline,
        first_deadline: item
            .obligation
            .granted()
            .and_then(|_| book.deadline(&item.key.plan, item.key.quarter)),
        status: latest.map(|received| received.report.status),
        actuals: latest.map_or_else(Vec::new, |received| received.report.actuals.clone()),
        reported_at: latest.map(|received| received.at),
        reported_by: latest.map(|received| received.report.person.clone()),
        via: latest.map(|received| received.report.via),
        last_reminded: item.obligation.last_reminded,
    }
}

#[cfg(test)]
mod tests;
