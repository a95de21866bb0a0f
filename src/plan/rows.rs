//! Takes the tasks out of the sheet: headings repeated on each page, 总体要求 carried down, numbers.

use std::collections::HashSet;

use super::columns::{Field, Header};
use super::findings::{self, Place, Repaired};
use super::layout::{Cells, Names, Shift};
use super::text::{RawRow, Sheet};
use super::{MOST_TASKS, TableError, clean};
use crate::domain::ids::TaskNo;
use crate::domain::plan::{Finding, FindingCode, Severity};

/// The table's rows, each with its cells taken apart, and what was odd so far.
pub(super) struct Draft {
    pub(super) header: Header,
    pub(super) rows: Vec<Row>,
    pub(super) findings: Vec<Finding>,
}

/// One task before people and units are settled.
pub(super) struct Row {
    pub(super) line: u32,
    pub(super) no: TaskNo,
    pub(super) goal: String,
    pub(super) requirement: Option<String>,
    pub(super) schedule: String,
    pub(super) leaders: Vec<String>,
    pub(super) lead_units: Vec<String>,
    pub(super) responsible: Vec<String>,
    pub(super) owners: Vec<String>,
    pub(super) assisting_units: Vec<String>,
}

impl Row {
    pub(super) fn place(&self) -> Place {
        Place {
            task: Some(self.no),
            line: self.line,
        }
    }
}

/// Reads the rows below the first row of headings.
pub(super) fn read(sheet: &Sheet, file_name: &str) -> Result<Draft, TableError> {
    let file = || file_name.to_owned();
    let (start, header) = sheet
        .rows
        .iter()
        .enumerate()
        .find_map(|(index, row)| Some((index, Header::of(&row.cells)?)))
        .ok_or_else(|| TableError::NoHeader { file: file() })?;
    let line = sheet.rows.get(start).map_or(0, |row| row.line);
    let below = sheet.rows.get(start..).unwrap_or_default();
    if below.len() > MOST_TASKS {
        return Err(TableError::TooManyTasks { file: file() });
    }
    let mut taker = Taker::new(header, line);
    taker.take(below);
    if taker.rows.is_empty() {
        return Err(TableError::NoTasks { file: file(), line });
    }
    Ok(taker.finish())
}

struct Taker {
    header: Header,
    rows: Vec<Row>,
    /// For each row, the requirement it stands under.
    under: Vec<Option<usize>>,
    requirements: Vec<String>,
    last_number: Option<u32>,
    numbers: HashSet<TaskNo>,
    findings: Vec<Finding>,
}

impl Taker {
    fn new(header: Header, line: u32) -> Self {
        let findings = findings::of_header(&header, line);
        Self {
            header,
            rows: Vec::new(),
            under: Vec::new(),
            requirements: Vec::new(),
            last_number: None,
            numbers: HashSet::new(),
            findings,
        }
    }

    fn take(&mut self, below: &[RawRow]) {
        let mut header = self.header.clone();
        let mut taken: Vec<(u32, Cells)> = Vec::new();
        for row in below {
            if let Some(again) = Header::of(&row.cells) {
                header = again;
                continue;
            }
            let cells = self.cells(&header, row);
            if !cells.is_blank() {
                taken.push((row.line, cells));
            }
        }
        let names = Names::of(taken.iter().map(|(_, cells)| cells));
        for (line, cells) in taken {
            let shift = names.shift(&cells);
            let repaired = shift.as_ref().and_then(|shift| shift.repaired.clone());
            self.take_row(line, &repaired.unwrap_or(cells), shift.as_ref());
        }
    }

    /// The cells of a row by field; what stands beyond the last heading is told.
    fn cells(&mut self, header: &Header, row: &RawRow) -> Cells {
        let mut cells = Cells::default();
        for (position, cell) in row.cells.iter().enumerate() {
            if let Some(field) = header.field(position) {
                cells.set(field, cell.clone());
            } else if position >= header.width() && !cell.trim().is_empty() {
                let place = Place {
                    task: None,
                    line: row.line,
                };
                let message = format!(
                    "这一行比表头多出一格“{}”，可能整行错位，请核对",
                    quote(&clean::prose(cell))
                );
                self.findings.push(
                    place
                        .found(Severity::Error, FindingCode::ShiftedColumns, None, message)
                        .repaired("多出的一格未读入".into()),
                );
            }
        }
        cells
    }

    fn take_row(&mut self, line: u32, cells: &Cells, shift: Option<&Shift>) {
        let goal = clean::prose(cells.get(Field::Goal));
        if goal.is_empty() {
            self.take_requirement(Place { task: None, line }, cells.get(Field::Requirement));
            self.tell_missing_goal(line);
            return;
        }
        let (printed, goal) = split_number(&goal);
        let no = self.number(line, printed, &goal);
        let place = Place {
            task: Some(no),
            line,
        };
        self.take_requirement(place, cells.get(Field::Requirement));
        let row = Row {
            line,
            no,
            goal,
            requirement: None,
            schedule: clean::prose(cells.get(Field::Schedule)),
            leaders: people(cells.get(Field::Leader)),
            lead_units: clean::names(cells.get(Field::LeadUnit)),
            responsible: people(cells.get(Field::Responsible)),
            owners: people(cells.get(Field::DirectOwner)),
            assisting_units: clean::listed_units(cells.get(Field::AssistingUnit)),
        };
        if let Some(shift) = shift {
            let finding = self.tell_shift(&row, shift);
            self.findings.push(finding);
        }
        self.rows.push(row);
        self.under.push(self.requirements.len().checked_sub(1));
    }

    /// A requirement begins with its number; what does not goes on with the one before.
    fn take_requirement(&mut self, place: Place, cell: &str) {
        let text = clean::prose(cell);
        if text.is_empty() {
            return;
        }
        let column = Some(self.header.name(Field::Requirement));
        if let Some(number) = requirement_number(&text) {
            if let Some(last) = self.last_number
                && number != last + 1
            {
                let message = format!(
                    "总体要求的序号从（{}）跳到（{}），请核对原表是否缺漏",
                    chinese(last),
                    chinese(number)
                );
                let code = FindingCode::RequirementNumberGap;
                self.findings
                    .push(place.found(Severity::Warning, code, column, message));
            }
            self.last_number = Some(number);
            self.requirements.push(text);
        } else if let Some(open) = self.requirements.last_mut() {
            open.push_str(&text);
            let message = format!("总体要求“{}”是上一页同一格的续文", quote(&text));
            self.findings.push(
                place
                    .found(
                        Severity::Info,
                        FindingCode::RequirementContinued,
                        column,
                        message,
                    )
                    .repaired("已与上一页的总体要求接成一段".into()),
            );
        } else {
            self.requirements.push(text);
        }
    }

    /// The task's number: as printed where it is there and new, else the next one free.
    fn number(&mut self, line: u32, printed: Option<TaskNo>, goal: &str) -> TaskNo {
        let fresh = printed.filter(|no| !self.numbers.contains(no));
        let no = fresh.unwrap_or_else(|| self.free_number());
        self.numbers.insert(no);
        if fresh.is_none() {
            let place = Place {
                task: Some(no),
                line,
            };
            let (code, message) = match printed {
                Some(printed) => (
                    FindingCode::DuplicateTaskNo,
                    format!("任务序号 {printed} 重复：“{}”", quote(goal)),
                ),
                None => (
                    FindingCode::MissingTaskNo,
                    format!("目标任务“{}”前面没有序号", quote(goal)),
                ),
            };
            let column = Some(self.header.name(Field::Goal));
            self.findings.push(
                place
                    .found(Severity::Error, code, column, message)
                    .repaired(format!("暂编为第 {no} 项")),
            );
        }
        no
    }

    fn free_number(&self) -> TaskNo {
        let next = self.rows.last().map_or(1, |row| row.no.saturating_add(1));
        (next..=TaskNo::MAX)
            .chain(1..next)
            .find(|no| !self.numbers.contains(no))
            .unwrap_or(next)
    }

    fn tell_missing_goal(&mut self, line: u32) {
        let place = Place { task: None, line };
        self.findings.push(
            place
                .found(
                    Severity::Error,
                    FindingCode::MissingTaskNo,
                    Some(self.header.name(Field::Goal)),
                    "这一行没有目标任务，可能是上一项的续行，请核对".into(),
                )
                .repaired("该行未读入".into()),
        );
    }

    fn tell_shift(&self, row: &Row, shift: &Shift) -> Finding {
        let column = self.header.name(shift.field);
        let message = format!(
            "“{column}”一栏填的是“{}”，与该栏不符，疑似整行错开一列",
            quote(&shift.found)
        );
        let finding = row.place().found(
            Severity::Error,
            FindingCode::ShiftedColumns,
            Some(column),
            message,
        );
        if shift.repaired.is_none() {
            return finding;
        }
        finding.repaired(format!(
            "按错开一列更正：牵头单位“{}”，责任人“{}”，直接责任人“{}”，协助单位“{}”",
            listed(&row.lead_units),
            listed(&row.responsible),
            listed(&row.owners),
            listed(&row.assisting_units)
        ))
    }

    fn finish(mut self) -> Draft {
        for (row, under) in self.rows.iter_mut().zip(&self.under) {
            row.requirement = under.and_then(|index| self.requirements.get(index).cloned());
        }
        Draft {
            header: self.header,
            rows: self.rows,
            findings: self.findings,
        }
    }
}

/// A cell's beginning, to be quoted.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 30;
    if text.chars().count() <= MOST {
        return text.replace('\n', " ");
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{}…", cut.replace('\n', " "))
}

/// Names joined for reading.
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "空".into()
    } else {
        names.join("、")
    }
}

/// The people in a cell. A name set wide (`王  健`) is one name: nobody has one character only.
fn people(cell: &str) -> Vec<String> {
    let mut people: Vec<String> = Vec::new();
    let mut half = false;
    for name in clean::names(cell) {
        let single = name.chars().count() == 1;
        match people.last_mut() {
            Some(last) if half && single => {
                last.push_str(&name);
                half = false;
            }
            _ => {
                people.push(name);
                half = single;
            }
        }
    }
    people
}

/// Splits `14. 加快发展…` into number and goal.
fn split_number(goal: &str) -> (Option<TaskNo>, String) {
    let rest = goal.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = goal.strip_suffix(rest).unwrap_or_default();
    let number = digits.parse().ok().filter(|no| *no > 0);
    let after = rest.strip_prefix(['.', '．', '、']);
    match (number, after) {
        // `3.0 版` is no number of a task.
        (Some(no), Some(after)) if !after.starts_with(|c: char| c.is_ascii_digit()) => {
            (Some(no), after.trim_start().to_owned())
        }
        _ => (None, goal.to_owned()),
    }
}

/// The number in `(二十一)实施…`.
fn requirement_number(text: &str) -> Option<u32> {
    let inside = text.strip_prefix(['(', '（'])?;
    let (number, _) = inside.split_once([')', '）'])?;
    chinese_number(number.trim())
}

/// `二十一` to 21, up to 99.
fn chinese_number(text: &str) -> Option<u32> {
    let digit = |text: &str| {
        let mut chars = text.chars();
        let only = chars.next().filter(|_| chars.next().is_none())?;
        let position = DIGITS.iter().position(|digit| *digit == only)?;
        u32::try_from(position).ok().map(|position| position + 1)
    };
    match text.split_once('十') {
        None => digit(text),
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { digit(tens)? };
            let ones = if ones.is_empty() { 0 } else { digit(ones)? };
            Some(tens * 10 + ones)
        }
    }
}

const DIGITS: [char; 9] = ['一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// 21 to `二十一`, up to 99.
fn chinese(number: u32) -> String {
    let digit = |value: u32| {
        let index = usize::try_from(value).ok().and_then(|v| v.checked_sub(1));
        index.and_then(|index| DIGITS.get(index)).copied()
    };
    let mut text = String::new();
    if number >= 20 {
        text.extend(digit(number / 10));
    }
    if number >= 10 {
        text.push('十');
    }
    text.extend(digit(number % 10));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_requirements_are_read_and_told() {
        for number in 1..=99 {
            assert_eq!(chinese_number(&chinese(number)), Some(number));
        }
        assert_eq!(chinese(47), "四十七");
        assert_eq!(requirement_number("（十）将松山湖"), Some(10));
        assert_eq!(requirement_number("(筹)大学"), None);
        assert_eq!(requirement_number("信息材料"), None);
    }

    #[test]
    fn a_tasks_number_is_told_from_a_figure() {
        assert_eq!(split_number("14. 加快"), (Some(14), "加快".into()));
        assert_eq!(split_number("3.0版行动"), (None, "3.0版行动".into()));
        assert_eq!(split_number("50个园区"), (None, "50个园区".into()));
        assert_eq!(split_number("99999999999.x").0, None);
    }

    #[test]
    fn a_name_set_wide_is_one_name() {
        assert_eq!(people("王  健 李树峰"), ["王健", "李树峰"]);
        assert_eq!(people("张琦、彭燕"), ["张琦", "彭燕"]);
    }
}
