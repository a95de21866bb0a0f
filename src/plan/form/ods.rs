//! OpenDocument spreadsheets (.ods), as LibreOffice and WPS write them.
//!
//! Not by calamine, for the reasons given for .xlsx, and because a cell said to repeat itself over
//! a million rows must not be written out a million times.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::TableError;
use super::super::columns::Mapping;
use super::super::sheet::{MOST_COLUMNS, Merged, RawRow, Sheet};
use super::archive::Archive;
use super::pick;
use super::xml::{attribute, number, push_reference};

pub(super) fn read(
    archive: &mut Archive<'_>,
    file: &str,
    mapping: &Mapping,
) -> Result<Sheet, TableError> {
    let xml = archive
        .part("content.xml")?
        .ok_or_else(|| archive.damaged())?;
    let mut book = Book::new(file);
    let mut reader = Reader::from_str(&xml);
    loop {
        match reader.read_event().map_err(|_| archive.damaged())? {
            Event::Start(start) => book.open(&start),
            Event::Empty(start) => {
                book.open(&start);
                book.close(start.local_name().as_ref())?;
            }
            Event::End(end) => book.close(end.local_name().as_ref())?,
            Event::Text(text) if book.takes_text() => book.text.push_str(&text.xml10_content()),
            Event::CData(text) if book.takes_text() => book.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) if book.takes_text() => {
                push_reference(&mut book.text, &reference);
            }
            Event::Eof if book.ended => break,
            Event::Eof => return Err(archive.damaged()),
            _ => {}
        }
    }
    let of = |table: &Table| pick::Candidate::of(&table.sheet.rows, table.hidden, mapping);
    let found: Vec<_> = book.tables.iter().map(of).collect();
    let chosen = pick::best(&found);
    let names: Vec<_> = book.tables.iter().map(|one| one.name.clone()).collect();
    let table = book.tables.into_iter().nth(chosen);
    let mut sheet = table.ok_or_else(|| archive.damaged())?.sheet;
    pick::tell(&mut sheet, chosen, names.into_iter(), &found);
    Ok(sheet)
}

/// Most worksheets of one file, and most cells and text of them all.
const MOST_TABLES: usize = 1_000;
const MOST_TAKEN: (usize, usize) = (2_000_000, 48 << 20);

#[derive(Default)]
struct Table {
    name: String,
    hidden: bool,
    sheet: Sheet,
    merged: Vec<Merged>,
    next_line: usize,
    next_column: usize,
}

struct Book<'a> {
    file: &'a str,
    tables: Vec<Table>,
    /// Styles of worksheets that do not show.
    hidden_styles: HashSet<String>,
    style: String,
    /// Open elements at and below one that is no text of the table.
    skipping: usize,
    in_text: bool,
    row: RawRow,
    repeated: usize,
    /// Cells and text of all worksheets together.
    taken: (usize, usize),
    cell: Cell,
    text: String,
    ended: bool,
}

#[derive(Default)]
struct Cell {
    repeated: usize,
    /// Columns and rows it is merged over.
    over: (usize, usize),
    /// A date, or a number that shows no text.
    value: Option<String>,
    is_date: bool,
}

impl<'a> Book<'a> {
    fn new(file: &'a str) -> Self {
        Self {
            file,
            tables: Vec::new(),
            hidden_styles: HashSet::new(),
            style: String::new(),
            skipping: 0,
            in_text: false,
            row: RawRow::default(),
            repeated: 1,
            taken: (0, 0),
            cell: Cell::default(),
            text: String::new(),
            ended: false,
        }
    }

    fn takes_text(&self) -> bool {
        self.in_text && self.skipping == 0
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        if self.skipping > 0 {
            self.skipping += 1;
            return;
        }
        match start.local_name().as_ref() {
            "annotation" | "tracked-changes" | "shapes" | "forms" | "frame" => self.skipping = 1,
            "style" => self.style = owned(start, "name"),
            "table-properties" if attribute(start, "display").is_some_and(|on| on == "false") => {
                self.hidden_styles.insert(std::mem::take(&mut self.style));
            }
            "table" if self.tables.len() < MOST_TABLES => {
                let style = owned(start, "style-name");
                self.tables.push(Table {
                    name: owned(start, "name"),
                    hidden: self.hidden_styles.contains(&style),
                    ..Table::default()
                });
            }
            "table-column" => self.open_column(start),
            "table-row" => {
                self.repeated = number(start, "number-rows-repeated").unwrap_or(1).max(1);
                self.row = RawRow {
                    hidden: attribute(start, "visibility").is_some_and(|so| so != "visible"),
                    ..RawRow::default()
                };
            }
            "table-cell" | "covered-table-cell" => self.open_cell(start),
            "p" => {
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                self.in_text = true;
            }
            "s" => {
                let blanks = number(start, "c").unwrap_or(1).min(100);
                self.text.extend(std::iter::repeat_n(' ', blanks));
            }
            "tab" => self.text.push('\t'),
            "line-break" => self.text.push('\n'),
            _ => {}
        }
    }

    fn open_column(&mut self, start: &BytesStart<'_>) {
        let Some(table) = self.tables.last_mut() else {
            return;
        };
        let repeated = number(start, "number-columns-repeated").unwrap_or(1);
        let first = table.next_column;
        table.next_column = first.saturating_add(repeated).min(MOST_COLUMNS);
        if attribute(start, "visibility").is_some_and(|so| so != "visible") {
            table.sheet.hidden.extend(first..table.next_column);
        }
    }

    fn open_cell(&mut self, start: &BytesStart<'_>) {
        let count = |name| number(start, name).unwrap_or(1).max(1);
        let date = attribute(start, "date-value");
        self.cell = Cell {
            repeated: count("number-columns-repeated"),
            over: (
                count("number-columns-spanned"),
                count("number-rows-spanned"),
            ),
            is_date: date.is_some(),
            value: date
                .map(|date| date.split('T').next().unwrap_or_default().to_owned())
                .or_else(|| Some(attribute(start, "value")?.into_owned())),
        };
        self.text.clear();
    }

    fn close(&mut self, name: &str) -> Result<(), TableError> {
        if self.skipping > 0 {
            self.skipping -= 1;
            return Ok(());
        }
        match name {
            "p" => self.in_text = false,
            "table-cell" | "covered-table-cell" => self.close_cell(),
            "table-row" => return self.close_row(),
            "table" => {
                if let Some(table) = self.tables.last_mut() {
                    let merged = std::mem::take(&mut table.merged);
                    return table.sheet.merge(&merged, self.file);
                }
            }
            "document-content" => self.ended = true,
            _ => {}
        }
        Ok(())
    }

    fn close_cell(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        let shown = std::mem::take(&mut self.text);
        let text = match cell.value {
            Some(value) if cell.is_date || shown.is_empty() => value,
            _ => shown,
        };
        let cells = &mut self.row.cells;
        let column = cells.len();
        let room = MOST_COLUMNS.saturating_sub(column);
        cells.extend(std::iter::repeat_n(text, cell.repeated.min(room)));
        let (columns, rows) = cell.over;
        if let Some(table) = self.tables.last_mut()
            && (columns > 1 || rows > 1)
        {
            let last = |first: usize, count: usize| first.saturating_add(count - 1);
            let line = |line: usize| u32::try_from(line).unwrap_or(u32::MAX);
            let first = table.next_line + 1;
            table.merged.push(Merged {
                lines: (line(first), line(last(first, rows))),
                columns: (column, last(column, columns)),
            });
        }
    }

    fn close_row(&mut self) -> Result<(), TableError> {
        let row = std::mem::take(&mut self.row);
        let Some(table) = self.tables.last_mut() else {
            return Ok(());
        };
        let first = table.next_line;
        table.next_line = first.saturating_add(self.repeated);
        if row.filled().next().is_none() {
            return Ok(());
        }
        // A row written once and meant many times; the sheet's bounds end it.
        for line in first..table.next_line {
            let row = RawRow {
                line: u32::try_from(line + 1).unwrap_or(u32::MAX),
                ..row.clone()
            };
            // A row costs more than its cells.
            self.taken.0 += row.cells.len() + 4;
            self.taken.1 += row.cells.iter().map(String::len).sum::<usize>();
            if self.taken.0 > MOST_TAKEN.0 || self.taken.1 > MOST_TAKEN.1 {
                return Err(TableError::TooMuch {
                    file: self.file.into(),
                });
            }
            table.sheet.push(row, self.file)?;
        }
        Ok(())
    }
}

fn owned(start: &BytesStart<'_>, name: &str) -> String {
    attribute(start, name).unwrap_or_default().into_owned()
}
