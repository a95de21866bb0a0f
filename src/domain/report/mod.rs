//! What owners say, and the coordinator's word on it.

pub mod rules;

mod answer;
mod status;

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::evidence::FileHash;
use super::ids::{ObligationKey, PersonId};
use super::target::Target;
use super::target::actual::Actual;
use rules::Field;

pub use answer::{Draft, FieldFault, LONGEST_TEXT, Words, read};
pub use status::ReportStatus;

/// The door a report came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// The owner's page: `form`.
    Form,
    /// The JSON interface under the same link: `api`.
    Api,
    /// A tap or a word in the WeCom application: `wecom`.
    Wecom,
    /// Entered by a coordinator, for a word by telephone: `coordinator`.
    Coordinator,
    /// By an answer to a mail: `mail`.
    Mail,
}

impl Via {
    /// The name used in JSON and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Api => "api",
            Self::Wecom => "wecom",
            Self::Coordinator => "coordinator",
            Self::Mail => "mail",
        }
    }

    /// The reverse of [`Self::as_str`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Form,
            Self::Api,
            Self::Wecom,
            Self::Coordinator,
            Self::Mail,
        ]
        .into_iter()
        .find(|via| via.as_str() == name)
    }

    /// What people read.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Form | Self::Api => "网页填报",
            Self::Wecom => "企业微信回复",
            Self::Coordinator => "督查科代录",
            Self::Mail => "邮件回复",
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
    /// Who filled it in, where the owner had somebody do it.
    pub delegate: Option<PersonId>,
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
    /// The figures reached (实际数), in the order of the targets.
    pub actuals: Vec<Actual>,
}

impl Report {
    /// What it says, apart from what it is about and who says it, against the targets as they
    /// are read now.
    #[must_use]
    pub fn words(&self, targets: &[Target]) -> Words {
        let said = |target: &Target| {
            let actual = self.actuals.iter().find(|one| one.target == *target)?;
            Some(actual.text.clone())
        };
        Words {
            status: self.status,
            progress: self.progress.clone(),
            problems: self.problems.clone(),
            next_steps: self.next_steps.clone(),
            percent: self.percent,
            actuals: targets
                .iter()
                .enumerate()
                .filter_map(|(place, target)| Some((place, said(target)?)))
                .collect(),
        }
    }

    /// Its texts under their headings, without those that are empty.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = [
            (Field::Progress, &self.progress),
            (Field::Problems, &self.problems),
            (Field::NextSteps, &self.next_steps),
        ];
        let said = texts.into_iter().filter(|(_, text)| !text.is_empty());
        said.map(|(field, text)| (field.chinese(), text.as_str()))
    }

    /// What each of its figures is of, and the figure as people read it.
    pub fn figures(&self) -> impl Iterator<Item = (&str, String)> {
        let figures = self.actuals.iter();
        figures.map(|actual| (actual.target.name(), actual.told()))
    }

    /// Whether both say the same: the same answer twice counts once.
    #[must_use]
    pub fn same_answer(&self, other: &Self) -> bool {
        self.obligation == other.obligation
            && self.status == other.status
            && self.progress == other.progress
            && self.problems == other.problems
            && self.next_steps == other.next_steps
            && self.percent == other.percent
            && self.actuals == other.actuals
    }
}

/// A report as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub report: Report,
    /// The files that stood beside it then.
    pub evidence: Vec<FileHash>,
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
