//! The time a phrase means, and what is doubtful about it.

use chrono::NaiveDate;

use super::node::{Day, Repeat};

/// The time meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum When {
    /// Runs of quarters, each by its first and last: one for `二、三季度`, two for `一、三季度`.
    /// They are counted on past the year's end: 5 is the first of the next year.
    Quarters(Vec<(u8, u8)>),
    /// 全年.
    AllYear,
    /// 每季度, 每月, `3月、6月、9月`.
    Recurring(Repeat),
    /// `6月底前`, `4—6月`.
    Day(Day),
    /// `汛期前`, `待批复后`.
    Unknown,
}

impl When {
    pub(super) fn by(due: NaiveDate) -> Self {
        Self::window(None, due)
    }

    pub(super) fn window(start: Option<NaiveDate>, due: NaiveDate) -> Self {
        Self::Day(Day {
            start,
            due,
            others: Vec::new(),
        })
    }

    pub(super) fn runs(&self) -> &[(u8, u8)] {
        match self {
            Self::Quarters(runs) => runs,
            _ => &[(1, 4)],
        }
    }

    pub(super) fn last_quarter(&self) -> u8 {
        self.runs().last().map_or(4, |&(_, last)| last)
    }

    /// More than one quarter.
    pub(super) fn is_long(&self) -> bool {
        !matches!(self.runs(), [(first, last)] if first == last)
    }

    /// Whether `next` begins after this ends.
    pub(super) fn is_before(&self, next: &Self) -> bool {
        let begins = next.runs().first().map_or(0, |&(first, _)| first);
        self.is_quarters() && self.last_quarter() < begins
    }

    pub(super) fn is_quarters(&self) -> bool {
        matches!(self, Self::Quarters(_))
    }

    pub(super) fn is_recurring(&self) -> bool {
        matches!(self, Self::Recurring(_))
    }

    /// Not counted in quarters.
    pub(super) fn is_dated(&self) -> bool {
        matches!(self, Self::Day(_) | Self::Unknown)
    }
}

/// Why words can be taken in more than one way, or in none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// `6月前`: before it begins, or before it ends?
    Before,
    /// `月初`, `年初`: how late is early?
    Early,
    /// `国庆前后`, `6月左右`.
    Around,
    /// `月底前`: of which month?
    NoMonth,
    /// `6月31日`.
    NoSuchDay,
    /// `元旦前`: this year's or the next?
    WhichYear,
    /// A festival of a year whose holidays are not known.
    Festival,
    /// A local season that the configuration does not know.
    Season,
    /// `待批复后`: a day the text does not tell.
    Hangs,
}
