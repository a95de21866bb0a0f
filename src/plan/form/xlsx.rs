//! Excel workbooks (.xlsx): the worksheet that holds the table, read once, cell by cell.
//!
//! Not by calamine, which reads .xls for us: its bounds are not ours (a small file may unpack to
//! gigabytes of strings before it says a word), and it does not tell hidden rows and columns, nor
//! merged cells without reading the sheet again.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::TableError;
use super::super::columns::Mapping;
use super::super::sheet::{MOST_COLUMNS, Merged, RawRow, Sheet};
use super::archive::Archive;
use super::pick;
use super::xml::{attribute, is_on, number, push_reference};

pub(super) fn read(
    archive: &mut Archive<'_>,
    file: &str,
    mapping: &Mapping,
) -> Result<Sheet, TableError> {
    let main = archive.main_part("xl/workbook.xml")?;
    let book = Book::read(archive, &main)?;
    if let [only] = book.worksheets.as_slice() {
        let mut sheet = book.sheet(archive, &only.part, file)?;
        sheet.worksheet = Some(only.name.clone());
        return Ok(sheet);
    }
    let mut found = Vec::new();
    for worksheet in &book.worksheets {
        let beginning = archive.beginning(&worksheet.part, BEGINNING);
        let beginning = book.rows(&beginning.unwrap_or_default(), file, Some(pick::ROWS));
        let rows = beginning.map(|sheet| sheet.rows).unwrap_or_default();
        found.push(pick::Candidate::of(&rows, worksheet.hidden, mapping));
    }
    let chosen = pick::best(&found);
    let worksheet = book
        .worksheets
        .get(chosen)
        .ok_or_else(|| archive.damaged())?;
    let mut sheet = book.sheet(archive, &worksheet.part, file)?;
    let names = book.worksheets.iter().map(|one| one.name.clone());
    pick::tell(&mut sheet, chosen, names, &found);
    Ok(sheet)
}

/// Worksheets beyond are not looked at.
const MOST_WORKSHEETS: usize = 1_000;

/// Of a worksheet, enough to see its headings.
const BEGINNING: u64 = 128 << 10;

/// What the worksheets share.
#[derive(Default)]
struct Book {
    worksheets: Vec<Worksheet>,
    strings: Strings,
    /// By style, what a number in it is.
    styles: Vec<Number>,
    from_1904: bool,
}

struct Worksheet {
    name: String,
    part: String,
    hidden: bool,
}

/// How a number shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Plain,
    Percent,
    Day,
    Month,
}

impl Book {
    fn read(archive: &mut Archive<'_>, main: &str) -> Result<Self, TableError> {
        let xml = archive.part(main)?.ok_or_else(|| archive.damaged())?;
        let relations = archive.relations(main)?;
        let mut book = Self::default();
        let mut reader = Reader::from_str(&xml);
        loop {
            let event = reader.read_event().map_err(|_| archive.damaged())?;
            let start = match &event {
                Event::Start(start) | Event::Empty(start) => start,
                Event::Eof => break,
                _ => continue,
            };
            match start.local_name().as_ref() {
                "workbookPr" => {
                    let from_1904 = attribute(start, "date1904");
                    book.from_1904 = from_1904.is_some() && is_on(from_1904.as_deref());
                }
                "sheet" if book.worksheets.len() < MOST_WORKSHEETS => {
                    let id = attribute(start, "id").unwrap_or_default();
                    let part = relations.iter().find(|one| one.id == id);
                    // A sheet of charts or macros has no cells.
                    let part = part.filter(|one| one.kind == "worksheet");
                    book.worksheets.extend(part.map(|part| Worksheet {
                        name: attribute(start, "name").unwrap_or_default().into_owned(),
                        part: part.target.clone(),
                        hidden: attribute(start, "state").is_some_and(|state| state != "visible"),
                    }));
                }
                _ => {}
            }
        }
        for relation in &relations {
            match relation.kind.as_str() {
                "sharedStrings" => {
                    if let Some(xml) = archive.part(&relation.target)? {
                        book.strings = Strings::read(&xml).ok_or_else(|| archive.damaged())?;
                    }
                }
                "styles" => {
                    if let Some(xml) = archive.part(&relation.target)? {
                        book.styles = styles(&xml).ok_or_else(|| archive.damaged())?;
                    }
                }
                _ => {}
            }
        }
        Ok(book)
    }

    fn sheet(
        &self,
        archive: &mut Archive<'_>,
        part: &str,
        file: &str,
    ) -> Result<Sheet, TableError> {
        let xml = archive.part(part)?.ok_or_else(|| archive.damaged())?;
        self.rows(&xml, file, None)
    }

    /// The rows of a worksheet; the first few, of XML that may be cut, where `most` says so.
    fn rows(&self, xml: &str, file: &str, most: Option<usize>) -> Result<Sheet, TableError> {
        let mut taker = Taker {
            book: self,
            file,
            sheet: Sheet::default(),
            merged: Vec::new(),
            row: RawRow::default(),
            next_line: 1,
            cell: OpenCell::default(),
            value: String::new(),
            taking: false,
            phonetic: false,
        };
        let mut reader = Reader::from_str(xml);
        let mut ended = false;
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => taker.open(&start),
                Ok(Event::Empty(start)) => {
                    taker.open(&start);
                    taker.close(start.local_name().as_ref())?;
                }
                Ok(Event::End(end)) => {
                    ended |= end.local_name().as_ref() == "worksheet";
                    taker.close(end.local_name().as_ref())?;
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
                Ok(Event::Eof) | Err(_) => return Err(TableError::Damaged { file: file.into() }),
                _ => {}
            }
            if most.is_some_and(|most| taker.sheet.rows.len() >= most) {
                break;
            }
        }
        let Taker {
            mut sheet, merged, ..
        } = taker;
        sheet.merge(&merged, file)?;
        Ok(sheet)
    }
}

/// Most merged areas of one sheet; each costs memory before it can be judged.
const MOST_MERGED: usize = 200_000;

/// A worksheet on its way into a sheet.
struct Taker<'a> {
    book: &'a Book,
    file: &'a str,
    sheet: Sheet,
    merged: Vec<Merged>,
    row: RawRow,
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
                self.sheet.hidden.extend(first - 1..last.max(first - 1));
            }
            "mergeCell" if self.merged.len() < MOST_MERGED => {
                let area = attribute(start, "ref").and_then(|area| area_of(&area));
                self.merged.extend(area);
            }
            _ => {}
        }
    }

    fn open_row(&mut self, start: &BytesStart<'_>) {
        let line = number(start, "r").and_then(|line| u32::try_from(line).ok());
        self.row = RawRow {
            line: line.unwrap_or(self.next_line),
            cells: Vec::with_capacity(16),
            hidden: attribute(start, "hidden").is_some_and(|on| is_on(Some(&on))),
            ..RawRow::default()
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

    fn close(&mut self, name: &str) -> Result<(), TableError> {
        match name {
            "v" | "t" => self.taking = false,
            "rPh" => self.phonetic = false,
            "c" => self.close_cell(),
            "row" => {
                let row = std::mem::take(&mut self.row);
                self.next_line = row.line.saturating_add(1);
                return self.sheet.push(row, self.file);
            }
            _ => {}
        }
        Ok(())
    }

    fn close_cell(&mut self) {
        let column = self.cell.column;
        self.cell.column += 1;
        if column >= MOST_COLUMNS {
            return;
        }
        let value = self.value.trim();
        let text = match self.cell.kind {
            Kind::Shared => {
                let index = value.parse().ok();
                let text = index.and_then(|index| self.book.strings.get(index));
                text.unwrap_or_default().to_owned()
            }
            Kind::Text => unescaped(&self.value),
            Kind::Date => value.split('T').next().unwrap_or_default().to_owned(),
            Kind::Number => self.number(value),
            Kind::Bool | Kind::Error => String::new(),
        };
        if text.is_empty() {
            return;
        }
        let cells = &mut self.row.cells;
        if cells.len() < column {
            cells.resize(column, String::new());
        }
        match cells.get_mut(column) {
            Some(place) => *place = text,
            None => cells.push(text),
        }
    }

    fn number(&self, value: &str) -> String {
        let style = self.book.styles.get(self.cell.style);
        let Ok(number) = value.parse::<f64>() else {
            return value.to_owned();
        };
        match style.unwrap_or(&Number::Plain) {
            Number::Plain => plain_number(number),
            Number::Percent => format!("{}%", plain_number(number * 100.0)),
            Number::Day | Number::Month => {
                let is_month = style == Some(&Number::Month);
                day(number, self.book.from_1904).map_or_else(
                    || plain_number(number),
                    |day| match is_month {
                        true => day.format("%Y年%-m月").to_string(),
                        false => day.format("%Y-%m-%d").to_string(),
                    },
                )
            }
        }
    }
}

/// A number without the dust of binary fractions.
pub(super) fn plain_number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return format!("{number:.0}");
    }
    let text = format!("{number:.10}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The day a date cell holds.
fn day(serial: f64, from_1904: bool) -> Option<NaiveDate> {
    let first = match from_1904 {
        true => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        // Excel thinks 1900 had a 29th of February.
        false => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    if !(1.0..3_000_000.0).contains(&serial) {
        return None;
    }
    // In range, so the cast is exact; the fraction is the time of day.
    let days: u64 = format!("{:.0}", serial.floor()).parse().ok()?;
    first.checked_add_days(Days::new(days))
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

/// The strings cells share, one behind the other.
#[derive(Default)]
struct Strings {
    all: String,
    ends: Vec<u32>,
}

impl Strings {
    fn read(xml: &str) -> Option<Self> {
        let mut strings = Self::default();
        let mut reader = Reader::from_str(xml);
        let (mut taking, mut phonetic) = (false, false);
        let mut begin = 0;
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "t" => taking = !phonetic,
                    "rPh" => phonetic = true,
                    "si" => begin = strings.all.len(),
                    _ => {}
                },
                Event::Empty(start) if start.local_name().as_ref() == "si" => {
                    begin = strings.all.len();
                    strings.end(begin)?;
                }
                Event::End(end) => match end.local_name().as_ref() {
                    "t" => taking = false,
                    "rPh" => phonetic = false,
                    "si" => strings.end(begin)?,
                    "sst" => return Some(strings),
                    _ => {}
                },
                Event::Text(text) if taking => strings.all.push_str(&text.xml10_content()),
                Event::CData(text) if taking => strings.all.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) if taking => {
                    push_reference(&mut strings.all, &reference);
                }
                // `<sst/>` has no end.
                Event::Eof => return strings.ends.is_empty().then_some(strings),
                _ => {}
            }
        }
    }

    fn end(&mut self, begin: usize) -> Option<()> {
        if self.all.get(begin..)?.contains("_x") {
            let text = unescaped(self.all.get(begin..)?);
            self.all.truncate(begin);
            self.all.push_str(&text);
        }
        self.ends.push(u32::try_from(self.all.len()).ok()?);
        Some(())
    }

    fn get(&self, index: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let begin = match index.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.all.get(begin..end)
    }
}

/// `_x000D_` is how the file writes a character that XML cannot hold.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = after.get(..4).filter(|_| after.get(4..5) == Some("_"));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(c) => {
                plain.extend((c != '\r').then_some(c));
                rest = after.get(5..).unwrap_or_default();
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// By style, how a number in it shows.
fn styles(xml: &str) -> Option<Vec<Number>> {
    let mut reader = Reader::from_str(xml);
    let mut formats: HashMap<usize, Number> = HashMap::new();
    let mut styles = Vec::new();
    let mut in_cells = false;
    loop {
        let event = reader.read_event().ok()?;
        let start = match &event {
            Event::Start(start) | Event::Empty(start) => start,
            Event::End(end) => {
                in_cells &= end.local_name().as_ref() != "cellXfs";
                continue;
            }
            Event::Eof => return Some(styles),
            _ => continue,
        };
        match start.local_name().as_ref() {
            "numFmt" if styles.is_empty() => {
                let code = attribute(start, "formatCode").unwrap_or_default();
                formats.insert(number(start, "numFmtId")?, shown(&code));
            }
            "cellXfs" => in_cells = matches!(event, Event::Start(_)),
            "xf" if in_cells => {
                let id = number(start, "numFmtId").unwrap_or_default();
                let custom = formats.get(&id).copied();
                styles.push(custom.unwrap_or_else(|| built_in(id)));
            }
            _ => {}
        }
    }
}

fn built_in(id: usize) -> Number {
    match id {
        9 | 10 => Number::Percent,
        17 | 55 | 57 => Number::Month,
        14..=16 | 22 | 27..=31 | 36 | 50..=54 | 56 | 58 => Number::Day,
        _ => Number::Plain,
    }
}

/// What a format such as `yyyy"年"m"月"d"日"` shows.
fn shown(code: &str) -> Number {
    let mut letters = String::new();
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for c in code.split(';').next().unwrap_or_default().chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracketed = true,
            ']' if !quoted => bracketed = false,
            _ if !quoted && !bracketed => letters.push(c.to_ascii_lowercase()),
            _ => {}
        }
    }
    let (year, day) = (letters.contains('y'), letters.contains('d'));
    match (year, letters.contains('m'), day) {
        _ if letters.contains("general") => Number::Plain,
        (_, _, true) => Number::Day,
        (true, true, false) => Number::Month,
        _ if letters.ends_with('%') => Number::Percent,
        _ => Number::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_tell_dates_from_numbers() {
        for (code, number) in [
            ("yyyy\"年\"m\"月\"d\"日\"", Number::Day),
            ("m/d/yyyy", Number::Day),
            ("[$-804]yyyy\\-mm", Number::Month),
            ("0.00_);[Red]\\(0.00\\)", Number::Plain),
            ("0\"day\"", Number::Plain),
            ("0.0%", Number::Percent),
            ("h:mm", Number::Plain),
            ("General", Number::Plain),
        ] {
            assert_eq!(shown(code), number, "{code}");
        }
    }

    #[test]
    fn days_count_as_excel_counts_them() {
        let told = |serial, from_1904| day(serial, from_1904).unwrap().to_string();
        assert_eq!(told(45107.0, false), "2023-06-30");
        assert_eq!(told(45107.75, false), "2023-06-30");
        assert_eq!(told(43645.0, true), "2023-06-30");
        assert_eq!(day(0.5, false), None);
        assert_eq!(day(f64::NAN, false), None);
        assert_eq!(plain_number(0.1 + 0.2), "0.3");
        assert_eq!(plain_number(14.0), "14");
    }

    #[test]
    fn places_and_escapes_are_read() {
        assert_eq!(place_of("B12"), Some((12, 1)));
        assert_eq!(place_of("AA1"), Some((1, 26)));
        assert_eq!(place_of("12"), None);
        assert_eq!(place_of("ZZZZZZZZZZZZZZZZZZZZZZZZ1"), None);
        assert_eq!(
            unescaped("一季度_x000D_\n二_x季_x4E8C_"),
            "一季度\n二_x季二"
        );
    }
}
