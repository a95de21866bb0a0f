//! A file's bytes into rows of text: CSV in UTF-8, UTF-16 or GB18030, and XLSX.

use std::collections::BTreeMap;
use std::io::Cursor;

use calamine::{DataRef, Reader as _, Xlsx, XlsxError, open_workbook_from_rs};

use super::super::form::{encoding, is_bounded};

/// A row of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number in the file, from 1.
    pub number: u32,
    /// The cells' text.
    pub cells: Vec<String>,
}

/// The file is no sheet that can be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableSheet {
    /// Larger than any contact sheet.
    #[error("文件超过 {most_mb} MB，不像是联系人表，请检查是否选错了文件")]
    TooLarge {
        /// The most that is taken.
        most_mb: usize,
    },
    /// A small file that unpacks to a huge one.
    #[error("文件解压后过大，不像是联系人表，请检查是否选错了文件")]
    TooMuch,
    /// Old Excel, or a newer file with a password: both are wrapped alike.
    #[error(
        "这是旧版 Excel（.xls）文件，或设有密码；请在 Excel 或 WPS 中去掉密码，另存为 .xlsx 再导入"
    )]
    OldExcel,
    /// Damaged, encrypted, or something else in a zip.
    #[error("无法按 Excel（.xlsx）文件读取，文件可能已损坏或设有密码，请重新另存一份")]
    Xlsx(#[from] XlsxError),
    /// No encoding we know.
    #[error("文字编码无法识别，请另存为 UTF-8 编码的 CSV，或改用 .xlsx")]
    Encoding,
    /// Quotes that do not close and the like.
    #[error("不是可读取的 CSV 文件，请检查引号是否成对，或改用 .xlsx")]
    Csv(#[from] csv::Error),
}

/// No contact sheet of a city has more; a file that claims to is a mistake or worse.
const MOST_BYTES: usize = 20 << 20;
const MOST_ROWS: u32 = 50_000;
const MOST_COLUMNS: u32 = 100;

/// Reads the rows of a CSV or XLSX file. Of several worksheets, the first one counts whose
/// beginning holds the heading 姓名; without any, the first.
///
/// # Errors
/// [`UnreadableSheet`] says why, and what to do.
pub fn rows(bytes: &[u8]) -> Result<Vec<Row>, UnreadableSheet> {
    if bytes.len() > MOST_BYTES {
        return Err(UnreadableSheet::TooLarge {
            most_mb: MOST_BYTES >> 20,
        });
    }
    match bytes {
        [b'P', b'K', ..] if !is_bounded(bytes) => Err(UnreadableSheet::TooMuch),
        [b'P', b'K', ..] => xlsx(bytes),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Err(UnreadableSheet::OldExcel),
        _ => csv(bytes),
    }
}

fn xlsx(bytes: &[u8]) -> Result<Vec<Row>, UnreadableSheet> {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(bytes))?;
    let mut first = None;
    for name in book.sheet_names() {
        let rows = worksheet(&mut book, &name)?;
        let found = rows.iter().take(20).any(|row| {
            let is_name = |cell: &String| cell.split_whitespace().collect::<String>() == "姓名";
            row.cells.iter().any(is_name)
        });
        if found {
            return Ok(rows);
        }
        first.get_or_insert(rows);
    }
    Ok(first.unwrap_or_default())
}

/// Cell by cell, not as a range: one stray cell far out would make a range of gigabytes.
fn worksheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<Vec<Row>, UnreadableSheet> {
    let mut found: BTreeMap<u32, BTreeMap<u32, String>> = BTreeMap::new();
    let mut cells = book.worksheet_cells_reader(name)?;
    while let Some(cell) = cells.next_cell()? {
        let (row, column) = cell.get_position();
        if row < MOST_ROWS && column < MOST_COLUMNS {
            let text = cell_text(cell.get_value());
            if !text.is_empty() {
                found.entry(row).or_default().insert(column, text);
            }
        }
    }
    let rows = found.into_iter().map(|(row, mut cells)| {
        let width = cells.last_key_value().map_or(0, |(column, _)| column + 1);
        Row {
            number: row + 1,
            cells: (0..width)
                .map(|column| cells.remove(&column).unwrap_or_default())
                .collect(),
        }
    });
    Ok(rows.collect())
}

fn cell_text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        // Excel keeps 13800000000 as a float; as text it is a telephone number again.
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        DataRef::Float(number) => number.to_string(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::DateTime(_) | DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn csv(bytes: &[u8]) -> Result<Vec<Row>, UnreadableSheet> {
    let text = encoding::decode(bytes)
        .ok_or(UnreadableSheet::Encoding)?
        .text;
    let heading = text.lines().find(|line| line.contains("姓名"));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(heading.unwrap_or_default()))
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push(Row {
            number: u32::try_from(line).unwrap_or(u32::MAX),
            cells: record.iter().map(str::to_owned).collect(),
        });
    }
    Ok(rows)
}

/// What Excel and WPS write differs by system and by menu entry.
fn delimiter(heading: &str) -> u8 {
    [b'\t', b';']
        .into_iter()
        .find(|mark| heading.bytes().any(|byte| byte == *mark))
        .unwrap_or(b',')
}
