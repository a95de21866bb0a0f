//! Takes the tasks out of the table: 总体要求 carried down, numbers, shifted rows put right.

use std::collections::HashSet;

use super::body::{self, Body, Item};
use super::columns::{Field, Header};
use super::compose;
pub(super) use super::findings::quote;
use super::findings::{self, Place, Repaired};
use super::layout::{Cells, Duties, Names, Shift};
use super::marks::{chinese, leading_number, requirement_number, split_number, task_number};
use super::sheet::Sheet;
use super::{MOST_TASKS, Source, TableError, clean, parallel};
use crate::domain::ids::TaskNo;
use crate::domain::plan::{Finding, FindingCode, Severity};

/// The table's rows, each with its cells taken apart, and what was odd so far.
#[derive(Clone)]
pub(super) struct Draft {
    /// Lines of text over the table.
    pub(super) above: Vec<String>,
    pub(super) header: Header,
    pub(super) rows: Vec<Row>,
    pub(super) findings: Vec<Finding>,
}

/// One task before people and units are settled.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) line: u32,
    /// Further rows of the file that belong to it.
    pub(super) continued: Vec<u32>,
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

/// Reads the rows below the headings.
pub(super) fn read(sheet: Sheet, source: &Source) -> Result<Draft, TableError> {
    let file = || source.file_name.clone();
    let body = body::find(sheet, source)?;
    if body.items.len() > MOST_TASKS {
        return Err(TableError::TooManyTasks { file: file() });
    }
    let line = body.line;
    let mut taker = Taker::new(&body);
    taker.take(body.items);
    if taker.rows.is_empty() {
        return Err(TableError::NoTasks { file: file(), line });
    }
    // Carried down, one long text would become gigabytes.
    let lengths = taker.under.iter().flatten();
    let lengths = lengths.filter_map(|index| taker.requirements.get(*index));
    if lengths.map(String::len).sum::<usize>() > MOST_CARRIED {
        return Err(TableError::TooMuch { file: file() });
    }
    Ok(taker.finish(body.above))
}

fn any_number(item: &Item) -> Option<TaskNo> {
    let before_goal = || leading_number(item.cells.get(Field::Goal).trim_start());
    task_number(item.cells.get(Field::Number)).or_else(|| Some(before_goal()?.0))
}

/// Most text of requirements, counted once for each task under them.
const MOST_CARRIED: usize = 64 << 20;

struct Taker {
    header: Header,
    rows: Vec<Row>,
    /// For each row, the requirement it stands under.
    under: Vec<Option<usize>>,
    requirements: Vec<String>,
    last_number: Option<u32>,
    /// Whether requirements have numbers; else each text is one of its own.
    numbered_requirements: bool,
    numbers: HashSet<TaskNo>,
    /// Those that stand in any row: another is given to none of the rest, else one number printed
    /// twice would move all behind it.
    printed: HashSet<TaskNo>,
    /// Whether tasks have numbers.
    numbered: bool,
    findings: Vec<Finding>,
}

impl Taker {
    fn new(body: &Body) -> Self {
        let numbered_requirements = body.items.iter().any(|item| {
            let text = clean::prose(item.cells.get(Field::Requirement));
            requirement_number(&text).is_some()
        });
        Self {
            header: body.header.clone(),
            rows: Vec::new(),
            under: Vec::new(),
            requirements: Vec::new(),
            last_number: None,
            numbered_requirements,
            numbers: HashSet::new(),
            printed: body.items.iter().filter_map(any_number).collect(),
            numbered: body.numbered,
            findings: findings::of_body(body),
        }
    }

    fn take(&mut self, items: Vec<Item>) {
        let said = parallel::map(&items, |item| (Duties::of(&item.cells), Prose::of(item)));
        let (duties, prose): (Vec<_>, Vec<_>) = said.into_iter().unzip();
        let names = Names::of(&duties);
        let rows = items.iter().zip(&duties);
        let shifts: Vec<Option<Shift>> = rows
            .map(|(item, duties)| names.shift(&item.cells, duties))
            .collect();
        let rows = items.into_iter().zip(duties).zip(prose).zip(shifts);
        for (((mut item, mut duties), prose), shift) in rows {
            let repaired = shift.as_ref().and_then(|shift| shift.repaired.clone());
            if let Some(repaired) = repaired {
                duties = Duties::of(&repaired);
                item.cells = repaired;
            }
            match prose {
                Some(prose) => self.take_item(&item, duties, prose, shift.as_ref()),
                None => self.take_further(&item),
            }
        }
    }

    /// Takes a row without a goal.
    fn take_further(&mut self, item: &Item) {
        let Item { line, cells, .. } = item;
        let place = Place {
            task: None,
            line: *line,
        };
        self.take_requirement(place, cells.get(Field::Requirement));
        if !cells.is_only(&[Field::Requirement, Field::Number]) {
            self.tell_missing_goal(*line);
        }
    }

    fn take_item(&mut self, item: &Item, duties: Duties, prose: Prose, shift: Option<&Shift>) {
        let Item { line, cells, .. } = item;
        let line = *line;
        let Prose {
            printed,
            goal,
            schedule,
        } = prose;
        let no = self.number(line, printed, &goal);
        let place = Place {
            task: Some(no),
            line,
        };
        self.take_requirement(place, cells.get(Field::Requirement));
        let row = Row {
            line,
            continued: item.continued.clone(),
            no,
            requirement: None,
            schedule,
            goal,
            leaders: duties.leaders,
            lead_units: duties.lead_units,
            responsible: duties.responsible,
            owners: duties.owners,
            assisting_units: duties.assisting_units,
        };
        if let Some(shift) = shift {
            let finding = self.tell_shift(&row, shift);
            self.findings.push(finding);
        }
        for line in &item.continued {
            self.findings.push(findings::continued(no, *line));
        }
        self.rows.push(row);
        self.under.push(self.requirements.len().checked_sub(1));
    }

    /// A requirement begins with its number; what does not goes on with the one before.
    fn take_requirement(&mut self, place: Place, cell: &str) {
        let text = clean::prose(cell);
        if clean::is_nothing(&text) {
            return;
        }
        // Written out again in each row, where others merge the cells.
        if self.requirements.last() == Some(&text) {
            return;
        }
        let column = Some(self.header.name(Field::Requirement));
        if !self.numbered_requirements {
            self.requirements.push(text);
        } else if let Some(number) = requirement_number(&text) {
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
        if fresh.is_none() && self.numbered {
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
            .find(|no| !self.numbers.contains(no) && !self.printed.contains(no))
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

    fn finish(mut self, above: Vec<String>) -> Draft {
        for (row, under) in self.rows.iter_mut().zip(&self.under) {
            row.requirement = under.and_then(|index| self.requirements.get(index).cloned());
        }
        Draft {
            above,
            header: self.header,
            rows: self.rows,
            findings: self.findings,
        }
    }
}

/// Names joined for reading.
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        "空".into()
    } else {
        names.join("、")
    }
}

/// What a row says in sentences.
struct Prose {
    printed: Option<TaskNo>,
    /// Without its number.
    goal: String,
    /// Put together where the table parts it over columns.
    schedule: String,
}

impl Prose {
    /// None where no goal is told.
    fn of(item: &Item) -> Option<Self> {
        let goal = clean::prose(item.cells.get(Field::Goal));
        if goal.is_empty() {
            return None;
        }
        let (printed, goal) = printed_number(&item.cells, goal);
        Some(Self {
            printed,
            schedule: schedule(item, &goal),
            goal,
        })
    }
}

/// The number in a column of its own or before the goal; the goal without it.
fn printed_number(cells: &Cells, goal: String) -> (Option<TaskNo>, String) {
    let Some(own) = task_number(cells.get(Field::Number)) else {
        return split_number(&goal);
    };
    match split_number(&goal) {
        // Said twice; but `1. …2. …` are the steps of one goal.
        (Some(before), rest) if before == own && !rest.contains(&format!("{}.", own + 1)) => {
            (Some(own), rest)
        }
        _ => (Some(own), goal),
    }
}

/// The schedule's text, put together where the table parts it over columns.
fn schedule(item: &Item, goal: &str) -> String {
    let told = clean::prose(item.cells.get(Field::Schedule));
    let by_quarter = compose::by_quarter(&item.parts);
    let deadline = item.cells.get(Field::Deadline);
    match (told.is_empty(), by_quarter.is_empty()) {
        (true, true) => compose::by_deadline(deadline, goal),
        (true, false) => by_quarter,
        (false, true) => compose::with_deadline(told, deadline),
        (false, false) => format!("{told}\n{by_quarter}"),
    }
}
