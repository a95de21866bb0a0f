//! Word documents: all tables one after the other, as they print.
//!
//! Tracked changes count as accepted. Hidden text, the code of fields and what is said again for
//! older programs do not count; a table inside a cell is text of that cell. A row's line is its
//! number among all rows of all tables.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::TableError;
use super::super::sheet::{MOST_COLUMNS, RawRow, Sheet, Span};
use super::archive::Archive;
use super::xml::{attribute, is_on, number, push_reference};

pub(super) fn read(archive: &mut Archive<'_>, file: &str) -> Result<Sheet, TableError> {
    let part = archive.main_part("word/document.xml")?;
    let xml = archive.part(&part)?.ok_or_else(|| archive.damaged())?;
    let mut reader = Reader::from_str(&xml);
    let mut document = Document::new(file);
    loop {
        match reader.read_event().map_err(|_| archive.damaged())? {
            Event::Start(start) => document.open(&start),
            Event::Empty(start) => {
                document.open(&start);
                document.close(start.local_name().as_ref())?;
            }
            Event::End(end) => document.close(end.local_name().as_ref())?,
            Event::Text(text) if document.takes_text() => {
                document.text.push_str(&text.xml10_content());
            }
            Event::CData(text) if document.takes_text() => {
                document.text.push_str(&text.xml10_content());
            }
            Event::GeneralRef(reference) if document.takes_text() => {
                push_reference(&mut document.text, &reference);
            }
            Event::Eof if document.ended => return Ok(document.sheet),
            Event::Eof => return Err(archive.damaged()),
            _ => {}
        }
    }
}

/// Text that is not the document's: moved away, said again for older programs, or above a line.
const SKIPPED: [&str; 8] = [
    "moveFrom",
    "Fallback",
    "instrText",
    "delText",
    "txbxContent",
    "rt",
    "sdtPr",
    "tblPr",
];

struct Document<'a> {
    file: &'a str,
    sheet: Sheet,
    /// Open elements at and below one that is skipped.
    skipping: usize,
    in_text: bool,
    /// Where the text of the open run began, and whether the run is hidden.
    run: (usize, bool),
    properties: Option<Properties>,
    /// This paragraph's end was deleted: it goes on with the next.
    goes_on: bool,
    /// Tables open, one in the other.
    depth: usize,
    rows: u32,
    row: RawRow,
    row_deleted: bool,
    /// A table began and no row of it was seen.
    top: bool,
    cell: Cell,
    /// The text of the open cell, or of the open paragraph outside tables.
    text: String,
    /// By column, the text of the cell that one merged with it below has.
    above: Vec<String>,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Properties {
    Paragraph,
    Row,
}

#[derive(Clone, Copy)]
struct Cell {
    columns: usize,
    span: Span,
}

const PLAIN: Cell = Cell {
    columns: 1,
    span: Span::Own,
};

impl<'a> Document<'a> {
    fn new(file: &'a str) -> Self {
        Self {
            file,
            sheet: Sheet::default(),
            skipping: 0,
            in_text: false,
            run: (0, false),
            properties: None,
            goes_on: false,
            depth: 0,
            rows: 0,
            row: RawRow::default(),
            row_deleted: false,
            top: false,
            cell: PLAIN,
            text: String::new(),
            above: Vec::new(),
            ended: false,
        }
    }

    fn takes_text(&self) -> bool {
        self.in_text && self.skipping == 0
    }

    fn open(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name();
        let name = name.as_ref();
        if self.skipping > 0 {
            self.skipping += 1;
            return;
        }
        match (name, self.properties) {
            ("del", Some(Properties::Row)) => self.row_deleted |= self.depth == 1,
            ("del", Some(Properties::Paragraph)) => self.goes_on = true,
            ("del", None) => self.skipping = 1,
            _ if SKIPPED.contains(&name) => self.skipping = 1,
            // What the properties were before a tracked change.
            _ if name.ends_with("PrChange") => self.skipping = 1,
            _ => self.open_known(name, start),
        }
    }

    fn open_known(&mut self, name: &str, start: &BytesStart<'_>) {
        match name {
            "tbl" => {
                self.depth += 1;
                if self.depth == 1 {
                    self.top = true;
                    self.above.clear();
                    self.text.clear();
                }
            }
            "tr" if self.depth == 1 => {
                self.rows += 1;
                self.row = RawRow {
                    line: self.rows,
                    ..RawRow::default()
                };
                self.row_deleted = false;
            }
            "trPr" => self.properties = Some(Properties::Row),
            "pPr" => self.properties = Some(Properties::Paragraph),
            "p" => self.goes_on = false,
            "r" => self.run = (self.text.len(), false),
            "t" => self.in_text = true,
            "tab" if self.properties.is_none() => self.text.push('\t'),
            "br" | "cr" => self.text.push('\n'),
            "noBreakHyphen" => self.text.push('-'),
            "vanish" if self.properties.is_none() => {
                self.run.1 = is_on(attribute(start, "val").as_deref());
            }
            _ if self.depth == 1 => self.open_cell(name, start),
            _ => {}
        }
    }

    fn open_cell(&mut self, name: &str, start: &BytesStart<'_>) {
        let goes_on = || attribute(start, "val").is_none_or(|value| value == "continue");
        match name {
            "tc" => {
                self.cell = PLAIN;
                self.text.clear();
            }
            "gridSpan" => {
                let columns = number(start, "val").unwrap_or(1);
                self.cell.columns = columns.clamp(1, MOST_COLUMNS);
            }
            "vMerge" if goes_on() => self.cell.span = Span::Above,
            "hMerge" if goes_on() => self.cell.span = Span::Left,
            "gridBefore" => {
                let columns = number(start, "val").unwrap_or_default();
                for _ in 0..columns.min(MOST_COLUMNS) {
                    self.push_cell(String::new(), Span::Own);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) -> Result<(), TableError> {
        if self.skipping > 0 {
            self.skipping -= 1;
            return Ok(());
        }
        match name {
            "t" => self.in_text = false,
            "r" if self.run.1 => self.text.truncate(self.run.0),
            "trPr" | "pPr" => self.properties = None,
            "p" => self.close_paragraph(),
            "tc" if self.depth == 1 => self.close_cell(),
            "tc" => self.text.push('\n'),
            "tr" if self.depth == 1 => return self.close_row(),
            "tbl" => self.depth = self.depth.saturating_sub(1),
            "document" => self.ended = true,
            _ => {}
        }
        Ok(())
    }

    fn close_paragraph(&mut self) {
        if self.goes_on {
            return;
        }
        if self.depth > 0 {
            self.text.push('\n');
            return;
        }
        for line in std::mem::take(&mut self.text).lines() {
            self.sheet.push_above(line);
        }
    }

    fn close_cell(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim_end_matches('\n').to_owned();
        let Cell { columns, span } = self.cell;
        let at = self.row.cells.len();
        let text = match span {
            Span::Own => text,
            Span::Above => self.above.get(at).cloned().unwrap_or_default(),
            Span::Left => String::new(),
        };
        self.push_cell(text, span);
        for _ in 1..columns {
            self.push_cell(String::new(), Span::Left);
        }
    }

    fn push_cell(&mut self, text: String, span: Span) {
        let at = self.row.cells.len();
        if at >= MOST_COLUMNS {
            return;
        }
        if self.above.len() <= at {
            self.above.resize(at + 1, String::new());
        }
        if let Some(above) = self.above.get_mut(at)
            && *above != text
        {
            above.clone_from(&text);
        }
        self.row.cells.push(text);
        self.row.spans.push(span);
    }

    fn close_row(&mut self) -> Result<(), TableError> {
        let mut row = std::mem::take(&mut self.row);
        if self.row_deleted {
            return Ok(());
        }
        row.top = std::mem::take(&mut self.top);
        self.sheet.push(row, self.file)
    }
}
