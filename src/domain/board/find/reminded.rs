//! By what an item's owners were last reminded, as something to narrow the list by.

use crate::domain::message::{Occasion, Stage};

/// By what its owners were last reminded of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reminded {
    /// Not at all.
    Never,
    /// At this stage, of the quarter or of a date it was put off to.
    At(Stage),
    /// By a coordinator's 催办.
    Urged,
}

impl Reminded {
    /// All, in order.
    pub const ALL: [Self; 7] = [
        Self::Never,
        Self::At(Stage::Notice),
        Self::At(Stage::Reminder),
        Self::At(Stage::Due),
        Self::At(Stage::Overdue),
        Self::At(Stage::Escalation),
        Self::Urged,
    ];

    /// The name used in addresses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::At(stage) => stage.as_str(),
            Self::Urged => "urge",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Never => "尚未提醒",
            Self::At(stage) => stage.chinese(),
            Self::Urged => "人工催办",
        }
    }

    pub(super) fn is(self, last: Option<Occasion>) -> bool {
        match self {
            Self::Never => last.is_none(),
            Self::At(stage) => last.and_then(Occasion::stage) == Some(stage),
            Self::Urged => matches!(last, Some(Occasion::Urge(_))),
        }
    }
}
