//! What owners say, and the coordinator's word on it.

pub mod rules;

use chrono::{DateTime, Utc};

use super::evidence::FileHash;
use super::ids::{ObligationKey, PersonId, TaskNo};
use super::target::Target;
use super::target::actual::Actual;
use rules::{Field, ReportRules, StatusRule};

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

/// Longest text of one field, in characters.
pub const LONGEST_TEXT: usize = 2000;

/// An answer as it came in by a door, before anyone has looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The task it is about.
    pub task: TaskNo,
    /// Which of the task's groups; none where the door does not tell them apart.
    pub group: Option<u8>,
    /// Name of a status.
    pub status: String,
    /// 完成情况.
    pub progress: String,
    /// 存在问题.
    pub problems: String,
    /// 下一步措施.
    pub next_steps: String,
    /// 完成比例, with or without `%`; may be empty.
    pub percent: String,
    /// 实际数 by the place of its target among those asked about; may be empty.
    pub actuals: Vec<(usize, String)>,
}

/// What an answer says, understood and tidied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
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
    /// 实际数 as said, by the place of its target; none is empty.
    pub actuals: Vec<(usize, String)>,
}

impl Words {
    /// The report these words make on an obligation that asks about these targets.
    ///
    /// # Errors
    /// Every figure that cannot be understood.
    pub fn report(
        &self,
        obligation: ObligationKey,
        person: PersonId,
        via: Via,
        targets: &[Target],
    ) -> Result<Report, Vec<FieldFault>> {
        let actuals = actuals(&self.actuals, targets)?;
        Ok(Report {
            obligation,
            person,
            delegate: None,
            via,
            status: self.status,
            progress: self.progress.clone(),
            problems: self.problems.clone(),
            next_steps: self.next_steps.clone(),
            percent: self.percent,
            actuals,
        })
    }
}

/// What is wrong with one field of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// `status`, `progress`, `problems`, `next_steps`, `percent`, `actuals`, or `task`.
    pub field: &'static str,
    /// In Chinese, for the owner.
    pub message: String,
}

/// Reads an answer by the office's rules: the same words by any door give the same record, and
/// nothing is cut.
///
/// # Errors
/// Every fault, not only the first.
pub fn read(draft: &Draft, rules: &ReportRules) -> Result<Words, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let status = ReportStatus::from_name(draft.status.trim());
    let free = StatusRule::default();
    let rule = status.map_or(&free, |status| rules.of(status));
    if status.is_none() {
        faults.push(FieldFault {
            field: "status",
            message: "请选择进展情况：已完成、正常推进、进度滞后或未启动".into(),
        });
    }
    let mut text = |field: Field, raw: &str| {
        let text = tidy(raw);
        let wrong = wrong_with(&text, field, rule, status);
        faults.extend(wrong.map(|message| FieldFault {
            field: field.as_str(),
            message,
        }));
        text
    };
    let progress = text(Field::Progress, &draft.progress);
    let problems = text(Field::Problems, &draft.problems);
    let next_steps = text(Field::NextSteps, &draft.next_steps);
    let percent = percent(&draft.percent).unwrap_or_else(|| {
        faults.push(FieldFault {
            field: "percent",
            message: "完成比例请填0至100之间的整数，也可以不填".into(),
        });
        None
    });
    if let (Some(status), true, true) = (
        status,
        rule.required.contains(&Field::Percent),
        draft.percent.trim().is_empty(),
    ) {
        faults.push(FieldFault {
            field: "percent",
            message: missing(Field::Percent, status),
        });
    }
    match status {
        Some(status) if faults.is_empty() => Ok(Words {
            status,
            progress,
            problems,
            next_steps,
            percent,
            actuals: said_actuals(&draft.actuals),
        }),
        _ => Err(faults),
    }
}

/// What is wrong with a text, if anything.
fn wrong_with(
    text: &str,
    field: Field,
    rule: &StatusRule,
    status: Option<ReportStatus>,
) -> Option<String> {
    let (name, length) = (field.chinese(), text.chars().count());
    let required = rule.required.contains(&field);
    if let (true, 0, Some(status)) = (required, length, status) {
        return Some(missing(field, status));
    }
    if length > rule.longest {
        let most = rule.longest;
        return Some(format!(
            "“{name}”共{length}字，超出{most}字的上限，请精简后再提交"
        ));
    }
    let short = field == Field::Progress && length > 0 && length < rule.shortest;
    short.then(|| {
        let least = rule.shortest;
        format!("“{name}”共{length}字，请写明具体情况，不少于{least}字")
    })
}

fn missing(field: Field, status: ReportStatus) -> String {
    let (field, status) = (field.chinese(), status.chinese());
    format!("进展情况为“{status}”的，请填写“{field}”")
}

/// What was said of each target, in their order; an empty field says nothing.
fn said_actuals(raw: &[(usize, String)]) -> Vec<(usize, String)> {
    let mut said: Vec<(usize, String)> = raw
        .iter()
        .map(|(place, text)| (*place, tidy(text)))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    said.sort_by_key(|(place, _)| *place);
    said
}

/// The figures against their targets.
fn actuals(said: &[(usize, String)], targets: &[Target]) -> Result<Vec<Actual>, Vec<FieldFault>> {
    let mut found = Vec::new();
    let mut faults = Vec::new();
    let mut seen = None;
    for (place, text) in said {
        let read = match targets.get(*place) {
            None => Err(format!(
                "没有编号为{place}的指标：该项本季度共有{}个指标，编号从0起",
                targets.len()
            )),
            Some(_) if seen == Some(*place) => Err(format!("编号为{place}的指标填了两次")),
            Some(target) => Actual::read(target, text),
        };
        seen = Some(*place);
        match read {
            Ok(actual) => found.extend(actual),
            Err(message) => faults.push(FieldFault {
                field: "actuals",
                message,
            }),
        }
    }
    if faults.is_empty() {
        Ok(found)
    } else {
        Err(faults)
    }
}

/// One kind of line break, no control characters, no blanks at the ends.
fn tidy(raw: &str) -> String {
    let text: String = raw
        .replace("\r\n", "\n")
        .chars()
        .map(|c| if c == '\r' { '\n' } else { c })
        .filter(|c| *c == '\n' || *c == '\t' || !(c.is_control() || *c == '\u{feff}'))
        .collect();
    text.trim().to_owned()
}

/// None where it is no percentage; `Some(None)` where nothing was said.
fn percent(raw: &str) -> Option<Option<u8>> {
    let digits: String = raw
        .trim()
        .trim_end_matches(['%', '％'])
        .trim_end()
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
            _ => c,
        })
        .collect();
    if digits.is_empty() {
        return Some(None);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u8 = digits.parse().ok()?;
    (number <= 100).then_some(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft {
            task: 16,
            group: None,
            status: "completed".into(),
            progress: " 已举办中国国际商标品牌节。\r\n共签约12项。\u{0} ".into(),
            problems: String::new(),
            next_steps: String::new(),
            percent: "１００％".into(),
            actuals: Vec::new(),
        }
    }

    fn by(draft: &Draft) -> Result<Words, Vec<FieldFault>> {
        read(draft, &ReportRules::default())
    }

    #[test]
    fn the_same_words_by_any_door_give_the_same_record() {
        let form = by(&draft()).unwrap();
        let api = by(&Draft {
            progress: "已举办中国国际商标品牌节。\n共签约12项。".into(),
            percent: "100".into(),
            ..draft()
        });
        assert_eq!(Ok(form), api);
    }

    #[test]
    fn a_status_is_wanted_and_everything_else_may_be_empty() {
        let bare = Draft {
            progress: String::new(),
            percent: " ".into(),
            ..draft()
        };
        assert_eq!(by(&bare).unwrap().percent, None);
        let none = Draft {
            status: "done".into(),
            ..draft()
        };
        assert_eq!(by(&none).unwrap_err()[0].field, "status");
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let long = "督".repeat(LONGEST_TEXT + 1);
        let bad = Draft {
            status: String::new(),
            problems: long.clone(),
            next_steps: long,
            percent: "101".into(),
            ..draft()
        };
        let fields: Vec<_> = by(&bad).unwrap_err().iter().map(|f| f.field).collect();
        assert_eq!(fields, ["status", "problems", "next_steps", "percent"]);
        for percent in ["-1", "1.5", "百", "1e1", "+5", "300"] {
            let bad = Draft {
                percent: percent.into(),
                ..draft()
            };
            assert!(by(&bad).is_err(), "{percent}");
        }
    }

    #[test]
    fn what_an_office_asks_for_is_asked_for_by_status_and_nothing_is_cut() {
        let rules = ReportRules {
            behind: StatusRule {
                required: vec![Field::Problems, Field::NextSteps, Field::Percent],
                shortest: 0,
                longest: 10,
            },
            completed: StatusRule {
                shortest: 5,
                ..StatusRule::default()
            },
            ..ReportRules::default()
        };
        let told = |draft: &Draft| -> Vec<String> {
            let faults = read(draft, &rules).err().unwrap_or_default();
            let told = faults.iter().map(|f| format!("{} {}", f.field, f.message));
            told.collect()
        };
        let behind = Draft {
            status: "behind".into(),
            progress: "场地尚未落实，正在协调。".into(),
            percent: String::new(),
            ..draft()
        };
        assert_eq!(
            told(&behind),
            [
                "progress “完成情况”共12字，超出10字的上限，请精简后再提交",
                "problems 进展情况为“进度滞后”的，请填写“存在问题”",
                "next_steps 进展情况为“进度滞后”的，请填写“下一步措施”",
                "percent 进展情况为“进度滞后”的，请填写“完成比例”",
            ]
        );
        let whole = Draft {
            progress: "协调场地。".into(),
            problems: "场地".into(),
            next_steps: " 再议 ".into(),
            percent: "30".into(),
            ..behind
        };
        assert_eq!(told(&whole), Vec::<String>::new());
        let thin = Draft {
            progress: "已办".into(),
            ..draft()
        };
        assert_eq!(
            told(&thin),
            ["progress “完成情况”共2字，请写明具体情况，不少于5字"]
        );
        let bare = Draft {
            progress: String::new(),
            ..draft()
        };
        assert_eq!(told(&bare), Vec::<String>::new(), "a tap says it all");
        assert_eq!(rules.bare().len(), 3);
        assert_eq!(
            rules.told().unwrap(),
            "“进度滞后”的请填写存在问题、下一步措施、完成比例"
        );
    }
}
