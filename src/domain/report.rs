//! What owners say, and the coordinator's word on it.

use chrono::{DateTime, Utc};

use super::ids::{ObligationKey, PersonId};

/// How a task stands, in the owner's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportStatus {
    /// 已完成.
    Completed,
    /// 正常推进.
    OnSchedule,
    /// 进度滞后.
    Behind,
    /// 未启动.
    NotStarted,
}

impl ReportStatus {
    /// All, in the order they are offered.
    pub const ALL: [Self; 4] = [
        Self::Completed,
        Self::OnSchedule,
        Self::Behind,
        Self::NotStarted,
    ];

    /// The name used in JSON, forms and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::OnSchedule => "on_schedule",
            Self::Behind => "behind",
            Self::NotStarted => "not_started",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Completed => "已完成",
            Self::OnSchedule => "正常推进",
            Self::Behind => "进度滞后",
            Self::NotStarted => "未启动",
        }
    }
}

/// The door a report came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// The owner's page: `form`.
    Form,
    /// The JSON interface under the same link: `api`.
    Api,
    /// Entered by a coordinator, for a word by telephone: `coordinator`.
    Coordinator,
}

impl Via {
    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Api => "api",
            Self::Coordinator => "coordinator",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Form, Self::Api, Self::Coordinator]
            .into_iter()
            .find(|via| via.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Form | Self::Api => "网页填报",
            Self::Coordinator => "督查科代录",
        }
    }
}

/// A report (报送) on one obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// On what.
    pub obligation: ObligationKey,
    /// Who answers for it: one of the group's owners.
    pub person: PersonId,
    /// Through which door.
    pub via: Via,
    /// How it stands.
    pub status: ReportStatus,
    /// 完成情况.
    pub progress: String,
    /// 存在问题.
    pub problems: String,
    /// 下一步措施.
    pub next_steps: String,
    /// 0 to 100.
    pub percent: Option<u8>,
}

impl Report {
    /// Whether both say the same: the same answer twice counts once.
    #[must_use]
    pub fn same_answer(&self, other: &Self) -> bool {
        self.obligation == other.obligation
            && self.status == other.status
            && self.progress == other.progress
            && self.problems == other.problems
            && self.next_steps == other.next_steps
            && self.percent == other.percent
    }
}

/// A report as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub report: Report,
}

/// The coordinator's word on the latest report of an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Review {
    /// 通过.
    Accepted,
    /// 退回: the obligation is open again.
    Returned {
        /// Why, for the owner to read.
        reason: String,
    },
}

/// Longest text of one field, in characters.
pub const LONGEST_TEXT: usize = 2000;

/// What is wrong with one field of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// `status`, `progress`, `problems`, `next_steps`, `percent`, or `task`.
    pub field: &'static str,
    /// In Chinese, for the owner.
    pub message: String,
}

/// Checks the fields of a report against the rules for it; empty where all is well.
#[must_use]
pub fn check(report: &Report) -> Vec<FieldFault> {
    let mut faults = Vec::new();
    let texts = [
        ("progress", "完成情况", &report.progress),
        ("problems", "存在问题", &report.problems),
        ("next_steps", "下一步措施", &report.next_steps),
    ];
    for (field, name, text) in texts {
        let length = text.chars().count();
        if length > LONGEST_TEXT {
            faults.push(FieldFault {
                field,
                message: format!(
                    "“{name}”共{length}字，超出{LONGEST_TEXT}字的上限，请精简后再提交"
                ),
            });
        }
    }
    if report.percent.is_some_and(|percent| percent > 100) {
        faults.push(FieldFault {
            field: "percent",
            message: "完成比例应在0至100之间".into(),
        });
    }
    faults
}
