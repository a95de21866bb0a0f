//! What a report has to hold, by its status: fields that must not be empty, and lengths.

use super::{LONGEST_TEXT, ReportStatus};

/// A field of a report that may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// 完成情况.
    Progress,
    /// 存在问题.
    Problems,
    /// 下一步措施.
    NextSteps,
    /// 完成比例.
    Percent,
}

impl Field {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 4] = [
        Self::Progress,
        Self::Problems,
        Self::NextSteps,
        Self::Percent,
    ];

    /// The name used in JSON, forms and the config.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Problems => "problems",
            Self::NextSteps => "next_steps",
            Self::Percent => "percent",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Progress => "完成情况",
            Self::Problems => "存在问题",
            Self::NextSteps => "下一步措施",
            Self::Percent => "完成比例",
        }
    }
}

/// What reports of one status have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRule {
    /// Fields that must not be empty.
    pub required: Vec<Field>,
    /// Characters that 完成情况 has at least, where there is any or it is required.
    pub shortest: usize,
    /// Characters that each text has at most.
    pub longest: usize,
}

impl Default for StatusRule {
    fn default() -> Self {
        Self {
            required: Vec::new(),
            shortest: 0,
            longest: LONGEST_TEXT,
        }
    }
}

/// The rules for all statuses, and for what follows a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRules {
    /// 已完成.
    pub completed: StatusRule,
    /// 正常推进.
    pub on_schedule: StatusRule,
    /// 进度滞后.
    pub behind: StatusRule,
    /// 未启动.
    pub not_started: StatusRule,
    /// Whether a lead unit may sum up what several groups reported on a task.
    pub summary: bool,
    /// Reasons to return a report that a coordinator can pick.
    pub reasons: Vec<String>,
}

impl Default for ReportRules {
    fn default() -> Self {
        let free = StatusRule::default();
        Self {
            completed: free.clone(),
            on_schedule: free.clone(),
            behind: free.clone(),
            not_started: free,
            summary: true,
            reasons: Vec::new(),
        }
    }
}

impl ReportRules {
    /// The rule for this status.
    #[must_use]
    pub fn of(&self, status: ReportStatus) -> &StatusRule {
        match status {
            ReportStatus::Completed => &self.completed,
            ReportStatus::OnSchedule => &self.on_schedule,
            ReportStatus::Behind => &self.behind,
            ReportStatus::NotStarted => &self.not_started,
        }
    }

    /// The statuses that need no word beside them.
    #[must_use]
    pub fn bare(&self) -> Vec<ReportStatus> {
        let is_bare = |status: &ReportStatus| self.of(*status).required.is_empty();
        ReportStatus::ALL.into_iter().filter(is_bare).collect()
    }

    /// What is asked for beside the status, for those who fill in the form; none where nothing is.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let asked = ReportStatus::ALL.into_iter().filter_map(|status| {
            let fields: Vec<&str> = self
                .of(status)
                .required
                .iter()
                .map(|field| field.chinese())
                .collect();
            let named = format!("“{}”的请填写{}", status.chinese(), fields.join("、"));
            (!fields.is_empty()).then_some(named)
        });
        let asked: Vec<String> = asked.collect();
        (!asked.is_empty()).then(|| asked.join("；"))
    }
}
