//! Text files: parted by tabs, commas or semicolons; cells may be quoted as Excel does it.

use encoding_rs::UTF_8;

use super::super::TableError;
use super::super::columns::{Header, Mapping};
use super::super::sheet::{MOST_COLUMNS, RawRow, Sheet};
use super::encoding;

/// Splits a text file into its rows.
pub(super) fn read(bytes: &[u8], file: &str, mapping: &Mapping) -> Result<Sheet, TableError> {
    // No text in any encoding a table comes in has these, but for UTF-16.
    let odd = |byte: &u8| matches!(byte, 0..=8 | 14..=26);
    let utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let binary = || TableError::Binary { file: file.into() };
    if !utf16 && bytes.iter().any(odd) {
        return Err(binary());
    }
    let decoded = encoding::decode(bytes).ok_or_else(|| match utf16 {
        true => binary(),
        false => not_utf8(bytes, file),
    })?;
    if decoded.text.trim().is_empty() {
        return Err(TableError::Empty { file: file.into() });
    }
    let sheet = split(&decoded.text, file, mapping)?;
    // Read in an encoding that was guessed, and no table came out: the guess was wrong.
    let guessed = decoded.encoding != UTF_8 && !has_header(&sheet, mapping);
    match guessed {
        true if utf16 => Err(binary()),
        true => Err(not_utf8(bytes, file)),
        false => Ok(sheet),
    }
}

fn not_utf8(bytes: &[u8], file: &str) -> TableError {
    let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    let before = bytes.iter().take(valid);
    TableError::NotUtf8 {
        file: file.into(),
        line: before.filter(|byte| **byte == b'\n').count() + 1,
    }
}

/// Parts the text in the first way that gives a row of headings near its beginning.
fn split(text: &str, file: &str, mapping: &Mapping) -> Result<Sheet, TableError> {
    let beginning = beginning(text);
    let promises =
        |sheet: Result<Sheet, TableError>| sheet.is_ok_and(|sheet| has_header(&sheet, mapping));
    let quoted = is_quoted(text) && promises(by_mark(beginning, b'\t', file));
    if !quoted && promises(by_tabs(beginning, file)) {
        return by_tabs(text, file);
    }
    let marks = [b'\t', b',', b';', b'|'];
    let mark = marks
        .into_iter()
        .find(|mark| promises(by_mark(beginning, *mark, file)));
    match mark {
        Some(mark) => by_mark(text, mark, file),
        None => by_tabs(text, file),
    }
}

/// The first lines, enough to see how they are parted.
fn beginning(text: &str) -> &str {
    const LINES: usize = 200;
    let ends = text.match_indices('\n').map(|(end, _)| end);
    let end = ends.take(LINES).last().unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

fn has_header(sheet: &Sheet, mapping: &Mapping) -> bool {
    let beginning = sheet.rows.iter().take(100);
    beginning
        .into_iter()
        .any(|row| Header::of(&row.cells, mapping).is_some())
}

/// Whether cells are in quotes as a spreadsheet writes them, and every quote closes.
fn is_quoted(text: &str) -> bool {
    (text.contains("\t\"") || text.contains("\n\"")) && text.matches('"').count().is_multiple_of(2)
}

fn by_tabs(text: &str, file: &str) -> Result<Sheet, TableError> {
    let mut sheet = Sheet::default();
    for (line, number) in text.lines().zip(1_u32..) {
        let cells = line.split('\t').take(MOST_COLUMNS).map(str::to_owned);
        take(&mut sheet, number, cells.collect(), file)?;
    }
    Ok(sheet)
}

fn by_mark(text: &str, mark: u8, file: &str) -> Result<Sheet, TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(mark)
        .from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    for record in reader.records() {
        let record = record.map_err(|_| TableError::Damaged { file: file.into() })?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = record.iter().take(MOST_COLUMNS).map(str::to_owned);
        let number = u32::try_from(line).unwrap_or(u32::MAX);
        take(&mut sheet, number, cells.collect(), file)?;
    }
    Ok(sheet)
}

fn take(sheet: &mut Sheet, line: u32, cells: Vec<String>, file: &str) -> Result<(), TableError> {
    /// Lines over a table; what has more is no table.
    const MOST_ABOVE: usize = 1_000;
    if cells.len() > 1 {
        let row = RawRow {
            line,
            cells,
            ..RawRow::default()
        };
        return sheet.push(row, file);
    }
    if let Some(cell) = cells.first().map(|cell| cell.trim())
        && !cell.is_empty()
        && sheet.rows.is_empty()
        && sheet.above.len() < MOST_ABOVE
    {
        sheet.above.push(cell.to_owned());
    }
    Ok(())
}
