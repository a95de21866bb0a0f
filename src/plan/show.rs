//! What a coordinator reads in the terminal after a table was read.

use std::fmt::{self, Display};

use super::Reading;
use super::mark::Marked;
use crate::domain::plan::{Finding, MilestoneKind, Severity};

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Columns of the terminal; none where lines may be as long as they are.
    pub width: Option<usize>,
    /// Whether the words in question are coloured.
    pub colour: bool,
}

/// The inspection of a table, as text in Chinese, for a file or a pipe.
#[derive(Debug)]
pub struct Inspected<'a>(pub &'a Reading);

impl Display for Inspected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.0, Look::default()).fmt(f)
    }
}

/// The same, for a terminal.
#[derive(Debug)]
pub struct Shown<'a>(pub &'a Reading, pub Look);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(reading, look) = self;
        self.heading(f)?;
        self.counts(f)?;
        writeln!(f)?;
        let findings = Findings {
            reading,
            look: *look,
        };
        write!(f, "{findings}")
    }
}

impl Shown<'_> {
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
struct Findings<'a> {
    reading: &'a Reading,
    look: Look,
}

/// Columns of the table: 级别, 任务, 行, 列; the rest is what was found.
const WIDTHS: [usize; 4] = [8, 6, 6, 20];
/// Where the last column begins.
const INDENT: usize = WIDTHS[0] + WIDTHS[1] + WIDTHS[2] + WIDTHS[3];

impl Display for Findings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = &self.reading.findings;
        if all.is_empty() {
            return writeln!(f, "读表未发现问题。");
        }
        let count = |severity| all.iter().filter(|one| one.severity == severity).count();
        writeln!(
            f,
            "读表发现 {} 处：错误 {} 处，请核对 {} 处，说明 {} 处",
            all.len(),
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Info)
        )?;
        self.write_row(f, ["级别", "任务", "行", "列"], "内容")?;
        for severity in [Severity::Error, Severity::Warning] {
            for finding in all.iter().filter(|one| one.severity == severity) {
                self.write_one(f, finding)?;
            }
        }
        self.write_notes(f)
    }
}

impl Findings<'_> {
    /// What needs no action: the same note on many rows is one line.
    fn write_notes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let notes = self.reading.findings.iter();
        let notes = notes.filter(|one| one.severity == Severity::Info);
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
                self.write_one(f, note)?;
                continue;
            }
            let message = format!("{}：第 {} 项", note.message, tasks.join("、"));
            let count = format!("{}项", tasks.len());
            let column = note.column.as_deref().unwrap_or("-");
            let word = severity_word(note.severity);
            self.write_row(f, [word, &count, "-", column], &message)?;
        }
        Ok(())
    }

    fn write_one(&self, f: &mut fmt::Formatter<'_>, finding: &Finding) -> fmt::Result {
        let number = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
        let (task, row) = (number(finding.task), number(finding.row));
        let column = finding.column.as_deref().unwrap_or("-");
        let word = severity_word(finding.severity);
        self.write_row(f, [word, &task, &row, column], &finding.message)?;
        let tasks = &self.reading.plan.tasks;
        let task = tasks.iter().find(|task| Some(task.no) == finding.task);
        // Where the message has quoted the whole cell there is nothing to add.
        if let Some(marked) = Marked::of(finding, task).filter(Marked::has_surroundings) {
            let words = self.marked(&marked);
            self.write_row(f, [""; 4], &format!("原文：{words}"))?;
        }
        match &finding.repair {
            Some(repair) => self.write_row(f, [""; 4], &format!("→ {repair}")),
            None => Ok(()),
        }
    }

    fn marked(&self, marked: &Marked) -> String {
        let Marked {
            before,
            words,
            after,
            ..
        } = marked;
        match self.look.colour {
            true => format!("{before}\u{1b}[1;31m「{words}」\u{1b}[0m{after}"),
            false => format!("{before}「{words}」{after}"),
        }
    }

    /// One row; what was found goes on under itself where the terminal is narrow.
    fn write_row(
        &self,
        f: &mut fmt::Formatter<'_>,
        cells: [&str; 4],
        message: &str,
    ) -> fmt::Result {
        let room = self.look.width.map(|width| width.saturating_sub(INDENT));
        let lines = match room {
            // A terminal too narrow for a table wraps by itself.
            Some(room) if room >= 16 => wrapped(message, room),
            _ => vec![message.to_owned()],
        };
        for (number, line) in lines.iter().enumerate() {
            let mut row = String::new();
            for (cell, width) in cells.iter().zip(WIDTHS) {
                row.push_str(&padded(if number == 0 { cell } else { "" }, width));
            }
            writeln!(f, "{row}{line}")?;
        }
        Ok(())
    }
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "错误",
        Severity::Warning => "请核对",
        Severity::Info => "说明",
    }
}

/// Columns a character takes in a terminal; a Chinese one takes two.
fn width(c: char) -> usize {
    match c {
        c if c.is_control() => 0,
        c if c.is_ascii() => 1,
        _ => 2,
    }
}

/// Filled up with blanks to this many columns, always with one at the end.
fn padded(text: &str, columns: usize) -> String {
    let taken: usize = text.chars().map(width).sum();
    let blanks = columns.saturating_sub(taken).max(usize::from(columns > 0));
    format!("{text}{}", " ".repeat(blanks))
}

/// Lines of at most this many columns. No line begins with a mark that ends a clause; codes for
/// colour take no room.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    const NEVER_FIRST: &str = "，。；：、）”」》！？…";
    let mut lines = vec![String::new()];
    let mut taken = 0;
    let mut in_code = false;
    for c in text.chars() {
        in_code |= c == '\u{1b}';
        let wide = if in_code { 0 } else { width(c) };
        if in_code && c == 'm' {
            in_code = false;
        }
        if taken + wide > room && !NEVER_FIRST.contains(c) {
            lines.push(String::new());
            taken = 0;
        }
        taken += wide;
        if let Some(line) = lines.last_mut() {
            line.push(c);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrapping_loses_nothing_and_keeps_to_the_width(text in "[督查，。a1「」]{0,120}", room in 16_usize..60) {
            let lines = wrapped(&text, room);
            prop_assert_eq!(lines.concat(), text);
            for line in &lines {
                let body: usize = line.trim_end_matches(['，', '。', '」']).chars().map(width).sum();
                prop_assert!(body <= room, "{line}");
            }
        }
    }
}
