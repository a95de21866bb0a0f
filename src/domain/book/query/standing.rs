//! How an obligation stands at a moment.

use chrono::{DateTime, Utc};

use crate::domain::book::Obligation;
use crate::domain::report::{Received, Review};
use crate::domain::request::{Asked, Granted, SaidNotMine};

/// Where an obligation stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObligationState {
    /// 未报, the deadline still ahead.
    NotReported,
    /// 超期未报.
    OverdueUnreported,
    /// 退回: open again.
    Returned,
    /// 已报, in time, to be looked at.
    Reported,
    /// 迟报: reported after the deadline.
    ReportedLate,
    /// 通过.
    Accepted,
    /// 撤销: a revised table took it away before it was reported.
    Withdrawn,
}

impl ObligationState {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::NotReported,
        Self::OverdueUnreported,
        Self::Returned,
        Self::Reported,
        Self::ReportedLate,
        Self::Accepted,
        Self::Withdrawn,
    ];

    /// The name used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotReported => "not_reported",
            Self::OverdueUnreported => "overdue_unreported",
            Self::Returned => "returned",
            Self::Reported => "reported",
            Self::ReportedLate => "reported_late",
            Self::Accepted => "accepted",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::NotReported => "未报",
            Self::OverdueUnreported => "超期未报",
            Self::Returned => "退回",
            Self::Reported => "已报",
            Self::ReportedLate => "迟报",
            Self::Accepted => "通过",
            Self::Withdrawn => "撤销",
        }
    }

    /// Whether a report is still awaited.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::NotReported | Self::OverdueUnreported | Self::Returned
        )
    }
}

impl Obligation {
    /// Whether a report is still awaited: none yet, or the last one was returned.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.closed.is_none() && self.lacks_report()
    }

    /// Whether it was taken away before it was reported.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.closed.is_some() && self.lacks_report()
    }

    fn lacks_report(&self) -> bool {
        self.reports.is_empty() || matches!(self.word(), Some(Review::Returned { .. }))
    }

    fn word(&self) -> Option<&Review> {
        self.review.as_deref().map(|(_, word)| word)
    }

    /// Whether the last report was accepted.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        matches!(self.word(), Some(Review::Accepted))
    }

    /// The report that counts.
    #[must_use]
    pub fn latest(&self) -> Option<&Received> {
        self.reports.last()
    }

    /// Why the last report was returned, while it is.
    #[must_use]
    pub fn returned_for(&self) -> Option<&str> {
        match self.word() {
            Some(Review::Returned { reason }) => Some(reason),
            _ => None,
        }
    }

    /// The later date in force.
    #[must_use]
    pub fn granted(&self) -> Option<&Granted> {
        self.extension.as_ref()?.granted.as_ref()
    }

    /// A later date that waits for a coordinator's word.
    #[must_use]
    pub fn asked(&self) -> Option<&Asked> {
        self.extension.as_ref()?.asked.as_ref()
    }

    /// An owner's word that it is not theirs, until a coordinator has settled it.
    #[must_use]
    pub fn disowned(&self) -> Option<&SaidNotMine> {
        self.not_mine.as_ref()?.said.as_ref()
    }

    /// Whether the office owes an answer: nobody is complained of meanwhile. What was asked after
    /// the date had passed holds nothing up.
    #[must_use]
    pub fn is_owed_word(&self) -> bool {
        let asked = self.asked().is_some_and(|asked| !asked.ask.late);
        asked || self.disowned().is_some()
    }

    /// Where it stands at `now`, its deadline being `deadline`.
    ///
    /// Late is who first reported after the deadline: an amendment of a report given in time is
    /// not late.
    #[must_use]
    pub fn state(&self, deadline: Option<DateTime<Utc>>, now: DateTime<Utc>) -> ObligationState {
        if self.is_withdrawn() {
            return ObligationState::Withdrawn;
        }
        match (self.word(), self.reports.first()) {
            (Some(Review::Accepted), Some(_)) => ObligationState::Accepted,
            (Some(Review::Returned { .. }), Some(_)) => ObligationState::Returned,
            (_, Some(first)) if deadline.is_some_and(|deadline| first.at > deadline) => {
                ObligationState::ReportedLate
            }
            (_, Some(_)) => ObligationState::Reported,
            (_, None) if deadline.is_some_and(|deadline| now > deadline) => {
                ObligationState::OverdueUnreported
            }
            (_, None) => ObligationState::NotReported,
        }
    }
}
