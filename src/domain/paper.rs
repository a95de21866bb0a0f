//! Papers with a number (发文字号): what was issued to whom.

use chrono::{DateTime, Utc};

use super::ids::{PlanId, Quarter};

/// What kind of paper; each has a series of numbers of its own every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaperKind {
    /// 通报.
    Bulletin,
    /// 催办单.
    UrgeSlip,
    /// 督办通知单.
    SupervisionNotice,
}

impl PaperKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bulletin, Self::UrgeSlip, Self::SupervisionNotice];

    /// The name used in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bulletin => "bulletin",
            Self::UrgeSlip => "urge_slip",
            Self::SupervisionNotice => "supervision_notice",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Bulletin => "通报",
            Self::UrgeSlip => "催办单",
            Self::SupervisionNotice => "督办通知单",
        }
    }
}

/// Which paper: one kind, about one quarter, to one unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paper {
    /// The kind.
    pub kind: PaperKind,
    /// The plan.
    pub plan: PlanId,
    /// The quarter.
    pub quarter: Quarter,
    /// The unit as the plan names the reporting group's; empty where it goes to all.
    pub to: String,
}

/// The number it was issued under. A paper asked for again keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// When.
    pub at: DateTime<Utc>,
    /// The year of the series.
    pub year: i32,
    /// The place in it, from 1.
    pub number: u32,
}

impl Issued {
    /// `〔2022〕3号`.
    #[must_use]
    pub fn chinese(&self) -> String {
        format!("〔{}〕{}号", self.year, self.number)
    }
}
