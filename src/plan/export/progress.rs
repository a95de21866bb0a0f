//! What the added columns say of a task: its reports of the quarter, each with its unit where the
//! task has several groups.

use chrono::{DateTime, Utc};

use crate::domain::book::{Book, Obligation, ObligationState};
use crate::domain::calendar::Calendar;
use crate::domain::ids::{ObligationKey, PlanId, Quarter, TaskNo};
use crate::domain::report::Report;

/// The four cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) progress: String,
    pub(super) status: String,
    pub(super) reporter: String,
    pub(super) time: String,
}

/// A quarter of a plan at a moment.
pub(super) struct Told<'a> {
    pub(super) book: &'a Book,
    pub(super) plan: &'a PlanId,
    pub(super) quarter: Quarter,
    pub(super) now: DateTime<Utc>,
    pub(super) calendar: &'a Calendar,
}

impl Told<'_> {
    /// `2022年第一季度进展情况（截至2022年3月31日18:00）`, in the head of every page.
    pub(super) fn caption(&self) -> String {
        let at = self.now.with_timezone(&self.calendar.zone());
        let at = at.format("%Y年%-m月%-d日%H:%M");
        format!("{}进展情况（截至{at}）", self.quarter.chinese())
    }

    pub(super) fn of(&self, no: TaskNo) -> Progress {
        let at = |group| ObligationKey {
            plan: self.plan.clone(),
            quarter: self.quarter,
            task: no,
            group,
        };
        let all = self.book.obligations.range(at(0)..=at(u8::MAX));
        let asked: Vec<_> = all.filter(|(_, known)| !known.is_withdrawn()).collect();
        if asked.is_empty() {
            return Progress {
                status: "本季度无节点".into(),
                ..Progress::default()
            };
        }
        let several = asked.len() > 1;
        let mut whole = Progress::default();
        let summary = self
            .book
            .summaries
            .get(&(self.plan.clone(), self.quarter, no));
        if let Some(summary) = summary {
            add(&mut whole.progress, "汇总", true, &summary.text);
        }
        for (key, known) in asked {
            let group = self.book.task_and_group(key);
            let unit = group.map_or("", |(_, group)| group.unit.as_str());
            let one = self.one(key, known);
            add(&mut whole.progress, unit, several, &one.progress);
            add(&mut whole.status, unit, several, &one.status);
            add(&mut whole.reporter, unit, several, &one.reporter);
            add(&mut whole.time, unit, several, &one.time);
        }
        whole
    }

    fn one(&self, key: &ObligationKey, known: &Obligation) -> Progress {
        let due = self.book.due(key);
        let state = known.state(due, self.now);
        let Some(latest) = known.latest() else {
            return Progress {
                status: match state {
                    ObligationState::OverdueUnreported => "超期未报",
                    _ => "未报送",
                }
                .into(),
                ..Progress::default()
            };
        };
        let first = known.reports.first();
        let late = first.is_some_and(|first| due.is_some_and(|due| first.at > due));
        let says = latest.report.status.chinese();
        let at = latest.at.with_timezone(&self.calendar.zone());
        Progress {
            progress: words(&latest.report, known.returned_for()),
            status: match (state, late) {
                (ObligationState::Returned, _) => format!("{says}（退回待重报）"),
                (_, true) => format!("{says}（迟报）"),
                (_, false) => says.to_owned(),
            },
            reporter: self.book.told_by(&latest.report),
            time: at.format("%Y-%m-%d %H:%M").to_string(),
        }
    }
}

fn words(report: &Report, returned: Option<&str>) -> String {
    let mut lines: Vec<String> = Vec::new();
    if !report.progress.is_empty() {
        lines.push(report.progress.clone());
    }
    for actual in &report.actuals {
        lines.push(format!("{}：{}", actual.target.name(), actual.told()));
    }
    if let Some(percent) = report.percent {
        lines.push(format!("完成比例：{percent}%"));
    }
    for (label, text) in [
        ("存在问题", &report.problems),
        ("下一步措施", &report.next_steps),
    ] {
        if !text.is_empty() {
            lines.push(format!("{label}：{text}"));
        }
    }
    if let Some(reason) = returned {
        lines.push(format!("退回原因：{reason}"));
    }
    lines.join("\n")
}

/// One more group's word, with its unit before it where there are several.
fn add(cell: &mut String, unit: &str, several: bool, text: &str) {
    if text.is_empty() {
        return;
    }
    if !cell.is_empty() {
        cell.push('\n');
    }
    if several {
        cell.push('【');
        cell.push_str(unit);
        cell.push('】');
    }
    cell.push_str(text);
}
