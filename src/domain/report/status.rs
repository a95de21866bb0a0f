//! How a task stands, in its owner's words.

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
