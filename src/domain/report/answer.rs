//! An answer read: what came in by a door becomes tidy words, or every fault in it is told.

use super::rules::{Field, ReportRules, StatusRule};
use super::{Report, ReportStatus, Via};
use crate::domain::ids::{ObligationKey, PersonId, TaskNo};
use crate::domain::target::Target;
use crate::domain::target::actual::Actual;

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
    let percent = said_percent(&draft.percent, rule, status).unwrap_or_else(|message| {
        faults.push(FieldFault {
            field: "percent",
            message,
        });
        None
    });
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

/// What is said in the field of the percentage; none where nothing is.
fn said_percent(
    raw: &str,
    rule: &StatusRule,
    status: Option<ReportStatus>,
) -> Result<Option<u8>, String> {
    let required = rule.required.contains(&Field::Percent) && raw.trim().is_empty();
    match (percent(raw), status) {
        (None, _) => Err("完成比例请填0至100之间的整数，也可以不填".into()),
        (Some(_), Some(status)) if required => Err(missing(Field::Percent, status)),
        (Some(percent), _) => Ok(percent),
    }
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
