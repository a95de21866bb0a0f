//! Finds the table in a sheet: what stands above it, its headings, and one entry for each item,
//! with what page breaks, merged cells, totals and signatures did to it undone.

use super::columns::{Field, Header};
use super::compose::Part;
use super::layout::Cells;
use super::sheet::{RawRow, Sheet, Span};
use super::{Source, TableError, clean, marks};

/// The table as it was found.
pub(super) struct Body {
    pub(super) header: Header,
    /// Row of the headings.
    pub(super) line: u32,
    /// Lines of text over the table.
    pub(super) above: Vec<String>,
    pub(super) items: Vec<Item>,
    /// Whether any item has a number.
    pub(super) numbered: bool,
    /// Rows that hold no task: totals, notes, signatures, other tables.
    pub(super) left_out: Vec<(u32, String)>,
    /// Cells beyond the last heading.
    pub(super) beyond: Vec<(u32, String)>,
    /// Rows that were read although they do not show.
    pub(super) hidden: Vec<u32>,
    /// Headings of columns that were read although they do not show.
    pub(super) hidden_columns: Vec<String>,
    pub(super) worksheet: Option<String>,
    /// Worksheets not read, and whether they look like a table.
    pub(super) other_worksheets: Vec<(String, bool)>,
}

/// One item, or what a further row adds to the requirement above it.
#[derive(Default)]
pub(super) struct Item {
    pub(super) line: u32,
    pub(super) cells: Cells,
    /// What stands in a column for each quarter.
    pub(super) parts: Vec<Part>,
    /// Further rows that belong to it.
    pub(super) continued: Vec<u32>,
    /// Fields whose cell is merged with the one above.
    merged: Vec<Field>,
    /// The row does not show.
    hidden: bool,
}

impl Item {
    fn says(&self, field: Field) -> bool {
        !self.merged.contains(&field) && !is_blank(self.cells.get(field))
    }

    /// Whether somebody is named who answers for it.
    fn names_someone(&self) -> bool {
        let fields = [Field::LeadUnit, Field::Responsible, Field::DirectOwner];
        fields.into_iter().any(|field| self.says(field))
    }

    fn has_schedule(&self) -> bool {
        self.says(Field::Schedule)
            || self.says(Field::Deadline)
            || self.parts.iter().any(|part| !is_blank(&part.text))
    }

    fn is_numbered(&self) -> bool {
        let printed = self.cells.get(Field::Number);
        !self.merged.contains(&Field::Number) && marks::task_number(printed).is_some()
            || marks::split_number(&clean::prose(self.cells.get(Field::Goal)))
                .0
                .is_some()
    }

    fn has_arabic_number(&self) -> bool {
        let number = self.cells.get(Field::Number).trim_start();
        number.starts_with(|c: char| c.is_ascii_digit() || ('０'..='９').contains(&c))
    }

    /// `一 | 经济发展` among tasks with the numbers 1, 2, 3 heads those below it.
    fn is_section(&self, arabic: bool) -> bool {
        let own = self.says(Field::Number) && !self.has_arabic_number();
        let marked = marks::task_number(self.cells.get(Field::Number)).is_none() || arabic;
        own && marked && self.says(Field::Goal) && !self.names_someone() && !self.has_schedule()
    }

    /// Takes over what a further row of the same item says.
    fn take(&mut self, further: Self, how: Join) {
        // With a unit of its own the row names who answers for that one.
        let own_unit = further.says(Field::LeadUnit);
        for field in Field::JOINED {
            if !further.says(field) {
                continue;
            }
            let more = further.cells.get(field);
            let so_far = self.cells.get(field);
            let known = || clean::people(so_far);
            let again = || clean::people(more).iter().all(|one| known().contains(one));
            if !field.is_prose() && !own_unit && again() {
                continue;
            }
            let joined = match how {
                _ if is_blank(so_far) => more.to_owned(),
                Join::Cut if field.is_prose() => format!("{so_far}{more}"),
                _ => format!("{so_far}\n{more}"),
            };
            self.cells.set(field, joined);
        }
        for (part, more) in self.parts.iter_mut().zip(further.parts) {
            if !is_blank(&more.text) {
                if how == Join::Rows && !is_blank(&part.text) {
                    part.text.push('\n');
                }
                part.text.push_str(&more.text);
            }
        }
        self.continued.push(further.line);
        self.continued.extend(further.continued);
    }
}

/// Further rows of one item; more is no item.
const MOST_CONTINUED: usize = 100;

/// How a further row goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Join {
    /// The page ended in the middle of a cell.
    Cut,
    /// The item has several rows.
    Rows,
}

/// Finds the table.
pub(super) fn find(sheet: Sheet, source: &Source) -> Result<Body, TableError> {
    let Some((start, header, taken)) = headings(&sheet, source) else {
        return Err(no_headings(&sheet, source));
    };
    let mut body = Body {
        line: sheet.rows.get(start).map_or(0, |row| row.line),
        above: sheet.above,
        items: Vec::new(),
        numbered: false,
        left_out: Vec::new(),
        beyond: Vec::new(),
        hidden: Vec::new(),
        hidden_columns: Vec::new(),
        worksheet: sheet.worksheet,
        other_worksheets: sheet.others,
        header,
    };
    // Where the title names no year, these may.
    let years = body
        .header
        .names
        .iter()
        .filter(|name| name.contains('年') && name.contains(|c: char| c.is_ascii_digit()));
    let years = years
        .map(|name| format!("列名：{name}"))
        .collect::<Vec<_>>();
    let worksheet = body.worksheet.iter().map(|name| format!("工作表：{name}"));
    let aside: Vec<String> = worksheet.chain(years).collect();
    let hidden = sheet.hidden.iter();
    let hidden = hidden.filter(|position| body.header.field(**position).is_some());
    let hidden = hidden.filter_map(|position| body.header.names.get(*position).cloned());
    body.hidden_columns = hidden.collect();
    for row in sheet.rows.iter().take(start) {
        body.above.extend(lines_of(row));
    }
    body.above.extend(aside);
    let rows = sheet.rows.into_iter().skip(start + taken).collect();
    body.take(rows, source);
    body.join();
    Ok(body)
}

fn headings(sheet: &Sheet, source: &Source) -> Option<(usize, Header, usize)> {
    (0..sheet.rows.len()).find_map(|start| {
        let (header, taken) = Header::at(sheet.rows.get(start..)?, &source.columns)?;
        Some((start, header, taken))
    })
}

/// Why no row is one of headings: the column of the tasks may only have an unknown name.
fn no_headings(sheet: &Sheet, source: &Source) -> TableError {
    let file = source.file_name.clone();
    let likely = sheet.rows.iter().find_map(|row| {
        let header = Header::likely(&row.cells, &source.columns)?;
        Some((row.line, header))
    });
    let Some((line, header)) = likely else {
        return TableError::NoHeader { file };
    };
    let found: Vec<&str> = header.names.iter().map(String::as_str).collect();
    let found: Vec<&str> = found.into_iter().filter(|name| !name.is_empty()).collect();
    TableError::NoGoal {
        file,
        line,
        example: header
            .unknown()
            .next()
            .cloned()
            .unwrap_or_else(|| "列名".into()),
        found: found.join("、"),
    }
}

/// The cells of a row over the table as lines; a label goes with the cell behind it.
fn lines_of(row: &RawRow) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (_, cell) in row.filled() {
        match lines.last_mut() {
            Some(label) if label.ends_with(['：', ':']) => label.push_str(cell),
            _ => lines.extend(cell.lines().map(str::to_owned)),
        }
    }
    lines
}

impl Body {
    fn take(&mut self, mut rows: Vec<RawRow>, source: &Source) {
        let mut header = self.header.clone();
        // In a table of another kind, such as one for signatures.
        let mut elsewhere = false;
        // After the notes under the table.
        let mut ended = false;
        let mut skip = 0;
        for index in 0..rows.len() {
            let (Some(row), Some(rest)) = (rows.get(index), rows.get(index..)) else {
                break;
            };
            if skip > 0 {
                skip -= 1;
                continue;
            }
            if header.may_repeat(row, &source.columns)
                && let Some((again, taken)) = Header::at(rest, &source.columns)
            {
                header = again;
                skip = taken - 1;
                (elsewhere, ended) = (false, false);
                continue;
            }
            if row.top {
                elsewhere = row.cells.len() != header.width();
            }
            let filled = || row.filled().filter(|(at, _)| row.span(*at) == Span::Own);
            let first = filled().next();
            let single = first.is_some() && filled().nth(1).is_none();
            ended = marks::is_foot(row) || ended && single;
            if elsewhere || ended {
                let text = first.map_or("", |(_, cell)| cell);
                self.left_out.push((row.line, clean::prose(text)));
                continue;
            }
            if single && self.is_section(row, &header) {
                continue;
            }
            if let Some(row) = rows.get_mut(index) {
                self.take_row(&header, std::mem::take(row));
            }
        }
    }

    /// A line across the table that heads the items below it.
    fn is_section(&mut self, row: &RawRow, header: &Header) -> bool {
        let Some((position, text)) = row.filled().find(|(at, _)| row.span(*at) == Span::Own) else {
            return false;
        };
        let text = clean::prose(text);
        let wide = (position + 1..).take_while(|at| row.span(*at) == Span::Left);
        let across = wide.count() * 2 >= header.width().saturating_sub(1).max(2);
        let field = header.field(position);
        let heads = across || marks::opens_section(&text) && position == 0;
        if !heads || field == Some(Field::Requirement) && !across {
            return false;
        }
        if header.position(Field::Requirement).is_some() {
            self.left_out.push((row.line, text));
            return true;
        }
        let mut item = Item {
            line: row.line,
            ..Item::default()
        };
        item.cells.set(Field::Requirement, text);
        self.items.push(item);
        true
    }

    fn take_row(&mut self, header: &Header, mut row: RawRow) {
        let mut item = Item {
            line: row.line,
            hidden: row.hidden,
            ..Item::default()
        };
        let width = row.cells.len();
        for (position, cell) in std::mem::take(&mut row.cells).into_iter().enumerate() {
            let span = row.span(position);
            match header.field(position) {
                Some(Field::Period(first, last)) => item.parts.push(Part {
                    first,
                    last,
                    text: cell,
                    joined: span == Span::Left,
                }),
                Some(field) => {
                    if span == Span::Above {
                        item.merged.push(field);
                        // Said once, it holds for all rows below.
                        if field == Field::Requirement {
                            continue;
                        }
                    }
                    item.cells.add(field, cell);
                }
                None if position >= header.width() && !cell.trim().is_empty() => {
                    self.beyond.push((row.line, clean::prose(&cell)));
                }
                None => {}
            }
        }
        // Columns of quarters that this row is too short for.
        for position in width..header.width() {
            if let Some(Field::Period(first, last)) = header.field(position) {
                item.parts.push(Part {
                    first,
                    last,
                    text: String::new(),
                    joined: row.span(position) == Span::Left,
                });
            }
        }
        if !item.cells.is_blank() || item.has_schedule() {
            self.items.push(item);
        }
    }

    /// Puts rows back to the items they go on with.
    fn join(&mut self) {
        self.numbered = self.items.iter().any(Item::is_numbered);
        let mut joined: Vec<Item> = Vec::new();
        // The last one that is a task, not a mere requirement.
        let mut last: Option<usize> = None;
        let arabic = self.items.iter().any(Item::has_arabic_number);
        let has_requirements = self.header.position(Field::Requirement).is_some();
        for mut item in std::mem::take(&mut self.items) {
            if item.hidden {
                self.hidden.push(item.line);
            }
            if item.is_section(arabic) {
                let title = item.cells.take(Field::Goal);
                if has_requirements {
                    self.left_out.push((item.line, clean::prose(&title)));
                    continue;
                }
                item.cells = Cells::default();
                item.cells.set(Field::Requirement, title);
            }
            let how = self.goes_on(&item);
            let target = last.and_then(|last| joined.get_mut(last));
            let target = target.filter(|target| target.continued.len() < MOST_CONTINUED);
            if let (Some(how), Some(target)) = (how, target) {
                let requirement = item.cells.take(Field::Requirement);
                let line = item.line;
                target.take(item, how);
                if !is_blank(&requirement) {
                    let mut item = Item {
                        line,
                        ..Item::default()
                    };
                    item.cells.set(Field::Requirement, requirement);
                    joined.push(item);
                }
                continue;
            }
            let is_task = !is_blank(item.cells.get(Field::Goal));
            joined.push(item);
            if is_task {
                last = Some(joined.len() - 1);
            }
        }
        self.items = joined;
    }

    fn goes_on(&self, item: &Item) -> Option<Join> {
        if item.merged.contains(&Field::Goal) || item.merged.contains(&Field::Number) {
            return Some(Join::Rows);
        }
        let says_goal = item.says(Field::Goal);
        let is_rest = !item.names_someone() && !item.is_numbered();
        let goes_on = match says_goal {
            true => self.numbered && is_rest,
            false => is_rest && (item.has_schedule() || item.says(Field::AssistingUnit)),
        };
        goes_on.then_some(Join::Cut)
    }
}

fn is_blank(cell: &str) -> bool {
    clean::is_blank(cell)
}
