//! What a coordinator reads in the terminal after a table was read.

use std::fmt::{self, Display};

use super::Reading;
use crate::domain::plan::{Finding, MilestoneKind, Severity};

/// The inspection of a table, as text in Chinese.
#[derive(Debug)]
pub struct Inspected<'a>(pub &'a Reading);

impl Display for Inspected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reading) = self;
        self.heading(f)?;
        self.counts(f)?;
        writeln!(f)?;
        write!(f, "{}", Findings(&reading.findings))
    }
}

impl Inspected<'_> {
    fn heading(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = &self.0.plan.heading;
        writeln!(f, "{}", heading.title)?;
        write!(f, "年度：{}", heading.year)?;
        if let Some(issuer) = &heading.issuer {
            write!(f, "　制表单位：{issuer}")?;
        }
        if let Some(day) = heading.issued_on {
            write!(f, "　制表时间：{}", day.format("%Y年%-m月%-d日"))?;
        }
        writeln!(f)
    }

    fn counts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = &self.0.plan;
        let tasks = &plan.tasks;
        let groups: usize = tasks.iter().map(|task| task.groups.len()).sum();
        let milestones: usize = tasks.iter().map(|task| task.milestones.len()).sum();
        let assumed = tasks.iter().flat_map(|task| &task.milestones);
        let assumed = assumed
            .filter(|milestone| milestone.kind == MilestoneKind::Unscheduled)
            .count();
        let owners = plan.people.iter().filter(|one| one.roles.owner).count();
        let responsible = plan.people.iter().filter(|one| one.roles.responsible);
        let leaders = plan.people.iter().filter(|one| one.roles.leader).count();
        writeln!(
            f,
            "目标任务 {} 项，责任组 {groups} 个，节点 {milestones} 个（其中 {assumed} 个未写明时间）",
            tasks.len(),
        )?;
        writeln!(
            f,
            "直接责任人 {owners} 人，责任人 {} 人，责任领导 {leaders} 人",
            responsible.count()
        )
    }
}

/// Findings as a table, the worst first.
#[derive(Debug)]
pub struct Findings<'a>(pub &'a [Finding]);

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "读表未发现问题。");
        }
        let count = |severity| {
            let found = self.0.iter().filter(|one| one.severity == severity);
            found.count()
        };
        writeln!(
            f,
            "读表发现 {} 处：错误 {} 处，请核对 {} 处，说明 {} 处",
            self.0.len(),
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Info)
        )?;
        writeln!(f, "{}", line("级别", "任务", "行", "内容"))?;
        for severity in [Severity::Error, Severity::Warning] {
            let found = self.0.iter().filter(|one| one.severity == severity);
            for finding in found {
                write_one(f, finding)?;
            }
        }
        self.write_notes(f)
    }
}

impl Findings<'_> {
    /// What needs no action: the same note on many rows is one line.
    fn write_notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes = self.0.iter().filter(|one| one.severity == Severity::Info);
        let mut alike: Vec<(&Finding, Vec<String>)> = Vec::new();
        for note in notes {
            let task = note.task.map(|no| no.to_string());
            let same = alike
                .iter_mut()
                .find(|(first, _)| first.code == note.code && first.message == note.message);
            match same {
                Some((_, tasks)) => tasks.extend(task),
                None => alike.push((note, task.into_iter().collect())),
            }
        }
        for (note, tasks) in alike {
            if tasks.len() < 2 {
                write_one(f, note)?;
                continue;
            }
            let message = format!("{}：第 {} 项", note.message, tasks.join("、"));
            let count = format!("{}项", tasks.len());
            writeln!(
                f,
                "{}",
                line(severity_word(note.severity), &count, "-", &message)
            )?;
        }
        Ok(())
    }
}

fn write_one(f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
    writeln!(f, "{}", finding_line(finding))?;
    match &finding.repair {
        Some(repair) => writeln!(f, "{}", line("", "", "", &format!("→ {repair}"))),
        None => Ok(()),
    }
}

fn finding_line(finding: &Finding) -> String {
    let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    line(
        severity_word(finding.severity),
        &number(finding.task),
        &number(finding.row),
        &finding.message,
    )
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "错误",
        Severity::Warning => "请核对",
        Severity::Info => "说明",
    }
}

fn line(severity: &str, task: &str, row: &str, message: &str) -> String {
    format!(
        "{}{}{}{message}",
        padded(severity, 8),
        padded(task, 6),
        padded(row, 6)
    )
}

/// Filled up with blanks to this many columns of a terminal; a Chinese character takes two.
fn padded(text: &str, columns: usize) -> String {
    let taken: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    format!("{text}{}", " ".repeat(columns.saturating_sub(taken)))
}
