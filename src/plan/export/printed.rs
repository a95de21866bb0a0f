//! The table as the file prints it, with the present plan's words where they differ.
//!
//! A workbook or a Word table keeps its rows, page breaks and all. A text has no merged cells and
//! no page to fit: each of its tasks gets one row, and 总体要求 is merged down.

use std::collections::{BTreeMap, BTreeSet};

use super::super::columns::{Field, Header};
use super::super::form;
use super::super::rows;
use super::super::sheet::{Merged, RawRow, Sheet, Span};
use super::super::{Source, TableError, clean, heading, settle};
use super::grid::{Area, Grid, Kind, Line};
use super::standard::{merge_requirements, numbered, push_above, said};
use crate::domain::book::PlanBook;
use crate::domain::ids::TaskNo;
use crate::domain::plan::{FindingCode, Plan, Task};

/// Reads the file as it was read at the import, and prints it again.
pub(super) fn grid(bytes: &[u8], source: &Source, known: &PlanBook) -> Result<Grid, TableError> {
    let sheet = form::read(bytes, &source.file_name, &source.columns)?;
    let draft = rows::read(sheet.clone(), source)?;
    let heading = heading::read(&draft.above, source)?;
    let id = heading::plan_id(source, heading.year)?;
    let lines = draft.rows.iter();
    let lines: Vec<_> = lines
        .map(|row| (row.no, row.line, row.continued.clone()))
        .collect();
    let reading = settle::settle(id, heading, draft, source);
    let places = Places::of(lines, &reading.plan, known);
    let moved = reading.findings.iter().filter(|one| {
        let shifted = one.code == FindingCode::ShiftedColumns;
        shifted
            || matches!(
                one.code,
                FindingCode::DuplicateTaskNo | FindingCode::MissingTaskNo
            )
    });
    let printer = Printer {
        form: Form::of(bytes, &sheet),
        source,
        known,
        title: &reading.plan.heading.title,
        moved: moved.filter_map(|one| one.task).collect(),
        read: reading
            .plan
            .tasks
            .iter()
            .map(|task| (task.no, task))
            .collect(),
        places,
    };
    Ok(printer.print(&sheet))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Workbook,
    Word,
    Text,
}

impl Form {
    fn of(bytes: &[u8], sheet: &Sheet) -> Self {
        match bytes {
            [b'P', b'K', ..] | [0xd0, 0xcf, ..] if sheet.worksheet.is_some() => Self::Workbook,
            [b'P', b'K', ..] | [0xd0, 0xcf, ..] => Self::Word,
            _ => Self::Text,
        }
    }
}

/// Which row of the file is which task of the plan.
#[derive(Default)]
struct Places {
    /// By line: the plan's task, and the number the row was read under.
    tasks: BTreeMap<u32, (TaskNo, TaskNo)>,
    more: BTreeMap<u32, TaskNo>,
    /// Tasks of several rows.
    long: BTreeSet<TaskNo>,
}

impl Places {
    fn of(lines: Vec<(TaskNo, u32, Vec<u32>)>, read: &Plan, known: &PlanBook) -> Self {
        let mut places = Self::default();
        let goals = read.tasks.iter().map(|task| (task.no, task.goal.as_str()));
        let goals: BTreeMap<TaskNo, &str> = goals.collect();
        // A coordinator may have given a row another number than the file says.
        let others = known
            .tasks
            .values()
            .filter(|task| !goals.contains_key(&task.no));
        let mut others: Vec<&Task> = others.collect();
        for (no, line, continued) in lines {
            let own = known.tasks.contains_key(&no).then_some(no);
            let own = own.or_else(|| {
                let goal = goals.get(&no)?;
                let at = others.iter().position(|task| task.goal == *goal)?;
                Some(others.remove(at).no)
            });
            let Some(own) = own else {
                continue;
            };
            places.tasks.insert(line, (own, no));
            if !continued.is_empty() {
                places.long.insert(own);
            }
            places
                .more
                .extend(continued.into_iter().map(|line| (line, own)));
        }
        places
    }
}

struct Printer<'a> {
    form: Form,
    source: &'a Source,
    known: &'a PlanBook,
    title: &'a str,
    /// Tasks whose cells or number stand in the file otherwise than they were read.
    moved: BTreeSet<TaskNo>,
    /// As the file says them.
    read: BTreeMap<TaskNo, &'a Task>,
    places: Places,
}

impl Printer<'_> {
    fn print(&self, sheet: &Sheet) -> Grid {
        let rows = &sheet.rows;
        let header = (0..rows.len()).find_map(|start| {
            let (header, taken) = Header::at(rows.get(start..)?, &self.source.columns)?;
            Some((start, header, taken))
        });
        // A table was read out of it, so that there are headings.
        let Some((start, mut header, mut taken)) = header else {
            return super::standard::grid(self.known);
        };
        let width = width(rows, start, &header);
        let mut grid = Grid {
            worksheet: sheet.worksheet.clone(),
            columns: (0..width).map(|at| header.field(at)).collect(),
            ..Grid::default()
        };
        for line in &sheet.above {
            let kind = self.above(line);
            push_above(&mut grid, kind, line.clone());
        }
        let mut at_line: BTreeMap<u32, usize> = BTreeMap::new();
        let mut headings = taken;
        let mut before = None;
        for (index, row) in rows.iter().enumerate() {
            if index > start && headings == 0 && header.may_repeat(row, &self.source.columns) {
                let again = rows.get(index..).unwrap_or_default();
                if let Some((again, count)) = Header::at(again, &self.source.columns) {
                    (header, taken) = (again, count);
                    headings = taken;
                }
            }
            let is_heading = index >= start && headings > 0;
            headings -= usize::from(is_heading);
            let kind = match () {
                () if index < start => self.above(&row.cells.concat()),
                () if is_heading => Kind::Heading,
                () => self.kind(row.line),
            };
            if self.form == Form::Text && self.is_left_out(row, kind, index > start + 1, &header) {
                continue;
            }
            if self.form == Form::Workbook {
                blank(&mut grid, &mut at_line, before, row.line);
            }
            before = Some(row.line);
            at_line.insert(row.line, grid.rows.len());
            grid.rows.push(self.row(row, kind, &header, width));
        }
        self.append_others(&mut grid);
        match self.form {
            Form::Workbook => areas(&mut grid, &at_line, &sheet.merged),
            Form::Word => areas(&mut grid, &at_line, &spanned(rows)),
            Form::Text => merge_requirements(&mut grid),
        }
        grid
    }

    fn above(&self, text: &str) -> Kind {
        match clean::without_blanks(text) == self.title {
            true => Kind::Title,
            false => Kind::Above,
        }
    }

    fn kind(&self, line: u32) -> Kind {
        match (self.places.tasks.get(&line), self.places.more.get(&line)) {
            (Some((no, _)), _) => Kind::Task(*no),
            (_, Some(no)) => Kind::More(*no),
            (None, None) => Kind::Other,
        }
    }

    /// What a text's page breaks made, and is said elsewhere.
    fn is_left_out(&self, row: &RawRow, kind: Kind, below: bool, header: &Header) -> bool {
        match kind {
            Kind::More(_) => true,
            Kind::Heading => below,
            Kind::Other => row
                .filled()
                .all(|(at, _)| header.field(at) == Some(Field::Requirement)),
            _ => false,
        }
    }

    fn row(&self, row: &RawRow, kind: Kind, header: &Header, width: usize) -> Line {
        let shown = |at: usize| match (row.span(at), row.cells.get(at)) {
            (Span::Own, Some(cell)) => plain(cell),
            _ => String::new(),
        };
        let mut line = Line {
            kind,
            cells: (0..width).map(shown).collect(),
        };
        match kind {
            Kind::Task(no) => self.put_present(&mut line, no, row.line, header),
            Kind::More(no) => self.put_blank(&mut line, no, row, header),
            _ => {}
        }
        line
    }

    /// The plan's words in place of what differs.
    fn put_present(&self, line: &mut Line, no: TaskNo, at: u32, header: &Header) {
        let Some(task) = self.known.tasks.get(&no) else {
            return;
        };
        let read = self.places.tasks.get(&at).map(|(_, read)| *read);
        let own_number = header.position(Field::Number).is_some();
        for field in Field::ALL.into_iter().chain([Field::Number]) {
            if !self.is_to_be_said(task, field) {
                continue;
            }
            let text = match field {
                Field::Goal if !own_number => numbered(task),
                Field::Number if read == Some(no) && !self.moved.contains(&no) => continue,
                _ => said(task, field),
            };
            let mut text = Some(text);
            for (at, cell) in line.cells.iter_mut().enumerate() {
                if header.field(at) == Some(field) {
                    *cell = text.take().unwrap_or_default();
                }
            }
        }
    }

    /// What the first row now says whole is not said again below.
    fn put_blank(&self, line: &mut Line, no: TaskNo, row: &RawRow, header: &Header) {
        let Some(task) = self.known.tasks.get(&no) else {
            return;
        };
        for (at, cell) in line.cells.iter_mut().enumerate() {
            let field = header.field(at);
            let said = field.is_some_and(|field| self.is_to_be_said(task, field));
            if said && row.span(at) == Span::Own {
                cell.clear();
            }
        }
    }

    /// Whether the plan's words stand in place of the file's.
    fn is_to_be_said(&self, task: &Task, field: Field) -> bool {
        let read = self.read.get(&task.no).copied();
        let Some(read) = read.filter(|_| !self.moved.contains(&task.no)) else {
            return true;
        };
        if field == Field::Number {
            return false;
        }
        let whole = self.form == Form::Text && self.places.long.contains(&task.no);
        let differs = whole || said(read, field) != said(task, field);
        match (self.form, field) {
            // Merged down, or as the file has it.
            (Form::Text, Field::Requirement) => true,
            (_, Field::Requirement) => false,
            // Where nobody is named the file says why: 待定.
            (Form::Text, _) => differs || is_list(field) && !said(task, field).is_empty(),
            _ => differs,
        }
    }

    /// Tasks that the file does not have.
    fn append_others(&self, grid: &mut Grid) {
        let there: BTreeSet<TaskNo> = self.places.tasks.values().map(|(no, _)| *no).collect();
        let others = self.known.tasks.values();
        for task in others.filter(|task| !there.contains(&task.no)) {
            let numbers = grid.columns.contains(&Some(Field::Number));
            let cells = grid.columns.iter().map(|field| match field {
                Some(Field::Goal) if !numbers => numbered(task),
                Some(field) => said(task, *field),
                None => String::new(),
            });
            grid.rows.push(Line {
                kind: Kind::Task(task.no),
                cells: cells.collect(),
            });
        }
    }
}

fn is_list(field: Field) -> bool {
    matches!(
        field,
        Field::Leader
            | Field::LeadUnit
            | Field::Responsible
            | Field::DirectOwner
            | Field::AssistingUnit
    )
}

/// A cell's text without the marks of a conversion.
fn plain(cell: &str) -> String {
    match cell.contains('<') {
        true => clean::prose(cell),
        false => cell.trim().to_owned(),
    }
}

/// Columns up to the last that says something, without those an earlier export added.
fn width(rows: &[RawRow], start: usize, header: &Header) -> usize {
    let names: Vec<&str> = header.names.iter().map(String::as_str).collect();
    let added = names.windows(super::ADDED.len());
    if let Some(added) = added.into_iter().position(|names| names == super::ADDED)
        && names
            .iter()
            .skip(added + super::ADDED.len())
            .all(|name| name.is_empty())
    {
        return added;
    }
    let table = rows.iter().skip(start);
    let last = table.filter_map(|row| row.filled().map(|(at, _)| at + 1).max());
    last.max().unwrap_or(1)
}

/// Blank rows of a workbook, as far as they part one thing from the next.
fn blank(grid: &mut Grid, at_line: &mut BTreeMap<u32, usize>, before: Option<u32>, line: u32) {
    const MOST: u32 = 3;
    let first = before.map_or(1, |before| before + 1);
    for blank in first..line.min(first.saturating_add(MOST)) {
        at_line.insert(blank, grid.rows.len());
        let above = grid.headings().is_none();
        grid.rows.push(Line {
            kind: if above { Kind::Above } else { Kind::Other },
            cells: Vec::new(),
        });
    }
}

/// Puts the file's merged cells where its rows stand now.
fn areas(grid: &mut Grid, at_line: &BTreeMap<u32, usize>, merged: &[Merged]) {
    let width = grid.columns.len();
    for one in merged {
        let rows = at_line.range(one.lines.0..=one.lines.1);
        let rows: Vec<usize> = rows.map(|(_, at)| *at).collect();
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            continue;
        };
        let right = one.columns.1.min(width.saturating_sub(1));
        let area = Area {
            rows: (*first, *last),
            columns: (one.columns.0, right),
        };
        if one.columns.0 <= right && !area.is_one_cell() {
            grid.merged.push(area);
        }
    }
}

/// The merged cells of a table that tells them cell by cell.
fn spanned(rows: &[RawRow]) -> Vec<Merged> {
    let mut merged = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        for at in 0..row.cells.len() {
            if row.span(at) != Span::Own {
                continue;
            }
            let wide = |row: &RawRow| {
                let left = (at + 1..row.cells.len()).take_while(|at| row.span(*at) == Span::Left);
                left.count()
            };
            let right = at + wide(row);
            let below = rows.iter().skip(index + 1);
            let below = below.take_while(|below| {
                below.span(at) == Span::Above && !below.top && at + wide(below) == right
            });
            let last = below.last().map_or(row.line, |last| last.line);
            if last > row.line || right > at {
                merged.push(Merged {
                    lines: (row.line, last),
                    columns: (at, right),
                });
            }
        }
    }
    merged
}
