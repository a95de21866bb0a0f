//! The cells of a worksheet, whose strings may still be on their way.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::super::TableError;
use super::super::super::sheet::{MOST_CELLS, MOST_COLUMNS, Merged, RawRow, Sheet};
use super::super::xml::{attribute, is_on, number, push_reference};
use super::Book;
use super::strings::{Strings, unescaped};

/// A worksheet as it was read.
#[derive(Default)]
pub(super) struct Cells {
    rows: Vec<Row>,
    merged: Vec<Merged>,
    /// Positions of columns that do not show.
    hidden: Vec<usize>,
    count: usize,
}

#[derive(Default)]
struct Row {
    line: u32,
    hidden: bool,
    cells: Vec<(usize, Value)>,
}

enum Value {
    /// Place among the strings that cells share.
    Shared(usize),
    Text(String),
}

/// Most merged areas of one sheet; each costs memory before it can be judged.
const MOST_MERGED: usize = 200_000;

impl Cells {
    /// Reads a worksheet; its first few rows, of XML that may be cut, where `most` says so.
    pub(super) fn read(
        book: &Book,
        xml: &[u8],
        file: &str,
        most: Option<usize>,
    ) -> Result<Self, TableError> {
        let mut taker = Taker {
            book,
            cells: Self::default(),
            row: Row::default(),
            next_line: 1,
            cell: OpenCell::default(),
            value: String::new(),
            taking: false,
            phonetic: false,
        };
        let damaged = || TableError::Damaged { file: file.into() };
        let mut reader = Reader::from_reader(xml);
        let mut ended = false;
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => taker.open(&start),
                Ok(Event::Empty(start)) => {
                    taker.open(&start);
                    taker.close(start.local_name().as_ref());
                }
                Ok(Event::End(end)) => {
                    ended |= end.local_name().as_ref() == "worksheet";
                    taker.close(end.local_name().as_ref());
                }
                Ok(Event::Text(text)) if taker.takes_text() => {
                    taker.value.push_str(&text.xml10_content());
                }
                Ok(Event::CData(text)) if taker.takes_text() => {
                    taker.value.push_str(&text.xml10_content());
                }
                Ok(Event::GeneralRef(reference)) if taker.takes_text() => {
                    push_reference(&mut taker.value, &reference);
                }
                Ok(Event::Eof) if ended || most.is_some() => break,
                Err(_) if most.is_some() => break,
                Ok(Event::Eof) | Err(_) => return Err(damaged()),
                _ => {}
            }
            if taker.cells.count > MOST_CELLS {
                return Err(TableError::TooMuch { file: file.into() });
            }
            if most.is_some_and(|most| taker.cells.rows.len() >= most) {
                break;
            }
        }
        Ok(taker.cells)
    }

    /// With the strings, the sheet.
    pub(super) fn sheet(self, strings: &Strings, file: &str) -> Result<Sheet, TableError> {
        let mut sheet = Sheet::default();
        sheet.hidden = self.hidden;
        for row in self.rows {
            let width = row.cells.iter().map(|(column, _)| column + 1).max();
            let mut cells = vec![String::new(); width.unwrap_or_default()];
            for (column, value) in row.cells {
                let text = match value {
                    Value::Text(text) => text,
                    Value::Shared(index) => strings.get(index).unwrap_or_default().to_owned(),
                };
                if let Some(place) = cells.get_mut(column) {
                    *place = text;
                }
            }
            let row = RawRow {
                line: row.line,
                hidden: row.hidden,
                cells,
                ..RawRow::default()
            };
            sheet.push(row, file)?;
        }
        sheet.merge(&self.merged, file)?;
        Ok(sheet)
    }
}

/// A worksheet on its way in.
struct Taker<'a> {
    book: &'a Book,
    cells: Cells,
    row: Row,
    next_line: u32,
    cell: OpenCell,
    value: String,
    /// Inside `v` or `t`.
    taking: bool,
    /// Inside a reading aid, which is no text.
    phonetic: bool,
}

#[derive(Default)]
struct OpenCell {
    column: usize,
    kind: Kind,
    style: usize,
}

#[derive(Default, Clone, Copy)]
enum Kind {
    #[default]
    Number,
    Shared,
    Text,
    Date,
    Bool,
    Error,
}

impl Taker<'_> {
    fn takes_text(&self) -> bool {
        self.taking && !self.phonetic
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        match start.local_name().as_ref() {
            "c" => self.open_cell(start),
            "v" | "t" => self.taking = true,
            "rPh" => self.phonetic = true,
            "row" => self.open_row(start),
            "col" if attribute(start, "hidden").is_some_and(|on| is_on(Some(&on))) => {
                let first = number(start, "min").unwrap_or(1).max(1);
                let last = number(start, "max").unwrap_or(first).min(MOST_COLUMNS);
                self.cells.hidden.extend(first - 1..last.max(first - 1));
            }
            "mergeCell" if self.cells.merged.len() < MOST_MERGED => {
                let area = attribute(start, "ref").and_then(|area| area_of(&area));
                self.cells.merged.extend(area);
            }
            _ => {}
        }
    }

    fn open_row(&mut self, start: &BytesStart<'_>) {
        let line = number(start, "r").and_then(|line| u32::try_from(line).ok());
        self.row = Row {
            line: line.unwrap_or(self.next_line),
            hidden: attribute(start, "hidden").is_some_and(|on| is_on(Some(&on))),
            cells: Vec::with_capacity(16),
        };
        self.cell = OpenCell::default();
    }

    fn open_cell(&mut self, start: &BytesStart<'_>) {
        let mut cell = OpenCell {
            column: self.cell.column,
            ..OpenCell::default()
        };
        let mut attributes = start.attributes();
        for one in attributes.with_checks(false).flatten() {
            match one.key.as_ref() {
                "r" => {
                    if let Some((_, column)) = place_of(&one.value) {
                        cell.column = column;
                    }
                }
                "s" => cell.style = one.value.parse().unwrap_or_default(),
                "t" => {
                    cell.kind = match one.value.as_ref() {
                        "s" => Kind::Shared,
                        "str" | "inlineStr" => Kind::Text,
                        "d" => Kind::Date,
                        "b" => Kind::Bool,
                        "e" => Kind::Error,
                        _ => Kind::Number,
                    }
                }
                _ => {}
            }
        }
        self.cell = cell;
        self.value.clear();
    }

    fn close(&mut self, name: &str) {
        match name {
            "v" | "t" => self.taking = false,
            "rPh" => self.phonetic = false,
            "c" => self.close_cell(),
            "row" => {
                let row = std::mem::take(&mut self.row);
                self.next_line = row.line.saturating_add(1);
                if !row.cells.is_empty() {
                    self.cells.count += row.cells.len();
                    self.cells.rows.push(row);
                }
            }
            _ => {}
        }
    }

    fn close_cell(&mut self) {
        let column = self.cell.column;
        self.cell.column += 1;
        if column >= MOST_COLUMNS {
            return;
        }
        let value = self.value.trim();
        let value = match self.cell.kind {
            Kind::Shared => value.parse().ok().map(Value::Shared),
            Kind::Text => said(unescaped(&self.value)),
            Kind::Date => said(value.split('T').next().unwrap_or_default().to_owned()),
            Kind::Number => said(self.number(value)),
            Kind::Bool | Kind::Error => None,
        };
        self.row.cells.extend(value.map(|value| (column, value)));
    }

    fn number(&self, value: &str) -> String {
        let Ok(number) = value.parse::<f64>() else {
            return value.to_owned();
        };
        self.book.text_of(number, self.cell.style)
    }
}

fn said(text: String) -> Option<Value> {
    (!text.is_empty()).then_some(Value::Text(text))
}

/// `B12` as row number and column from 0.
fn place_of(place: &str) -> Option<(u32, usize)> {
    let digits = place.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let letters = place.strip_suffix(digits)?;
    let mut column = 0_usize;
    for letter in letters.bytes() {
        let value = usize::from(letter.to_ascii_uppercase() - b'A') + 1;
        column = column.checked_mul(26)?.checked_add(value)?;
    }
    Some((digits.parse().ok()?, column.checked_sub(1)?))
}

fn area_of(area: &str) -> Option<Merged> {
    let (from, to) = area.split_once(':')?;
    let ((top, left), (bottom, right)) = (place_of(from)?, place_of(to)?);
    Some(Merged {
        lines: (top.min(bottom), top.max(bottom)),
        columns: (left.min(right), left.max(right)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        assert_eq!(place_of("B12"), Some((12, 1)));
        assert_eq!(place_of("AA1"), Some((1, 26)));
        assert_eq!(place_of("12"), None);
        assert_eq!(place_of("ZZZZZZZZZZZZZZZZZZZZZZZZ1"), None);
    }
}
