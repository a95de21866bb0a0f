//! `[report]`: what a report has to hold, by its status.

use super::reader::Reader;
use crate::domain::report::rules::{Field, ReportRules, StatusRule};
use crate::domain::report::{LONGEST_TEXT, ReportStatus};

/// Reads `[report]`.
pub(super) fn read(r: &mut Reader<'_>) -> Option<ReportRules> {
    let summary = r.flag("summary");
    let mut rule = |status: ReportStatus| r.section(status.as_str(), read_rule);
    let [completed, on_schedule, behind, not_started] = ReportStatus::ALL.map(&mut rule);
    Some(ReportRules {
        completed: completed?,
        on_schedule: on_schedule?,
        behind: behind?,
        not_started: not_started?,
        summary: summary?,
        reasons: Vec::new(),
    })
}

/// Longest reason to pick, in characters.
const LONGEST_REASON: usize = 100;

/// Reads `[review]`: the reasons to return a report.
pub(super) fn read_reasons(r: &mut Reader<'_>) -> Option<Vec<String>> {
    let reasons = r.texts("reasons")?;
    let fits = |reason: &String| (1..=LONGEST_REASON).contains(&reason.chars().count());
    if !reasons.iter().all(fits) {
        r.fault("reasons", format!("每条原因应为 1 至 {LONGEST_REASON} 字"));
        return None;
    }
    Some(reasons)
}

fn read_rule(r: &mut Reader<'_>) -> Option<StatusRule> {
    let most = i64::try_from(LONGEST_TEXT).unwrap_or(i64::MAX);
    let required = fields(r);
    let shortest = r
        .number("shortest", 0..=most)
        .and_then(|n| usize::try_from(n).ok());
    let longest = r
        .number("longest", 10..=most)
        .and_then(|n| usize::try_from(n).ok());
    let (shortest, longest) = (shortest?, longest?);
    if shortest > longest {
        r.fault("shortest", "应不大于 longest");
        return None;
    }
    Some(StatusRule {
        required: required?,
        shortest,
        longest,
    })
}

fn fields(r: &mut Reader<'_>) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    for name in r.texts("required")? {
        let Some(field) = Field::from_name(&name) else {
            let known =
                Field::ALL.map(|field| format!("{}（{}）", field.as_str(), field.chinese()));
            let known = known.join("、");
            r.fault("required", format!("没有“{name}”这一栏；可用的有 {known}"));
            return None;
        };
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    Some(fields)
}
