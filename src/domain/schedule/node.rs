//! What a clause of a schedule comes to.

use chrono::NaiveDate;

use super::super::ids::Quarter;
use super::super::plan::{Milestone, MilestoneKind};

/// One clause: what is to be done, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The heading it stands under.
    pub section: Option<String>,
    /// What is to be done, in the table's words.
    pub content: String,
    /// When.
    pub time: Time,
}

/// When a clause is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Time {
    /// By the end of the last of these quarters.
    Quarters {
        /// The first named.
        first: Quarter,
        /// The last named; never before the first.
        last: Quarter,
    },
    /// By a day.
    Day(Day),
    /// Again and again.
    Recurring(Repeat),
    /// All through a year, with no node but its end.
    AllYear(i32),
    /// It hangs on something the text does not tell (`待省批复后`, `汛期前`).
    Unknown,
}

/// A day by which something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The first day of the window, where one is stated.
    pub start: Option<NaiveDate>,
    /// The last day on which it is still in time.
    pub due: NaiveDate,
    /// Other days the words can mean.
    pub others: Vec<NaiveDate>,
}

/// Days that come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The step.
    pub every: Every,
    /// The day in the step, where one is told.
    pub at: Option<u32>,
    /// The days within the year; empty where the step is too short to list them.
    pub dates: Vec<NaiveDate>,
}

/// The step of what recurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// 每日.
    Day,
    /// 每周.
    Week,
    /// 每旬.
    TenDays,
    /// 每半月.
    HalfMonth,
    /// 每月.
    Month,
    /// 每两个月.
    TwoMonths,
    /// 每季度.
    Quarter,
    /// 每半年.
    Half,
    /// 每年.
    Year,
    /// The days are listed: `3月、6月、9月、12月`.
    Listed,
}

impl Every {
    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::TenDays => "ten_days",
            Self::HalfMonth => "half_month",
            Self::Month => "month",
            Self::TwoMonths => "two_months",
            Self::Quarter => "quarter",
            Self::Half => "half",
            Self::Year => "year",
            Self::Listed => "listed",
        }
    }
}

impl Node {
    /// What is stored of it, for a table of `year`; without a [`Milestone::unit`].
    #[must_use]
    pub fn milestone(&self, year: i32) -> Option<Milestone> {
        let (kind, first, last, due) = match &self.time {
            Time::Quarters { first, last } => (MilestoneKind::Due, *first, *last, last.last_day()),
            Time::Day(day) => {
                let last = Quarter::of(day.due);
                // A window is asked about from its first day on, but never before the table's year.
                let first = day.start.map_or(last, Quarter::of).min(last);
                (MilestoneKind::Due, first, last, day.due)
            }
            Time::Recurring(repeat) => match (repeat.dates.first(), repeat.dates.last()) {
                (Some(first), Some(last)) => (
                    MilestoneKind::Recurring,
                    Quarter::of(*first),
                    Quarter::of(*last),
                    *last,
                ),
                _ => whole(MilestoneKind::Recurring, year)?,
            },
            Time::AllYear(year) => whole(MilestoneKind::AllYear, *year)?,
            Time::Unknown => whole(MilestoneKind::Unscheduled, year)?,
        };
        Some(Milestone {
            section: self.section.clone(),
            unit: None,
            kind,
            first_quarter: first,
            last_quarter: last,
            due,
            content: self.content.clone(),
        })
    }
}

fn whole(kind: MilestoneKind, year: i32) -> Option<(MilestoneKind, Quarter, Quarter, NaiveDate)> {
    let (first, last) = (Quarter::new(year, 1)?, Quarter::new(year, 4)?);
    Some((kind, first, last, last.last_day()))
}
