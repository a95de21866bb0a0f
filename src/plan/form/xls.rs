//! Old Excel workbooks (.xls), by calamine, after [`mod@super::compound`] has looked through them.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Data, Reader as _, SheetType, SheetVisible, Xls};

use super::super::TableError;
use super::super::columns::Mapping;
use super::super::sheet::{MOST_COLUMNS, Merged, RawRow, Sheet};
use super::compound::{self, Unfit};
use super::pick;

/// Reads the table out of the workbook's stream and file.
pub(super) fn read(
    stream: &[u8],
    bytes: &[u8],
    file: &str,
    mapping: &Mapping,
) -> Result<Sheet, TableError> {
    let file_name = || file.to_owned();
    compound::look_through(stream).map_err(|unfit| match unfit {
        Unfit::Encrypted => TableError::Encrypted { file: file_name() },
        Unfit::TooMuch => TableError::TooMuch { file: file_name() },
        Unfit::Damaged => TableError::Damaged { file: file_name() },
    })?;
    // It indexes into damaged files without looking.
    let taken = catch_unwind(AssertUnwindSafe(|| tables(bytes, stream, file)));
    let tables = taken.unwrap_or_else(|_| Err(TableError::Damaged { file: file_name() }))?;
    let of = |table: &Table| pick::Candidate::of(&table.sheet.rows, table.hidden, mapping);
    let found: Vec<_> = tables.iter().map(of).collect();
    let chosen = pick::best(&found);
    let names: Vec<_> = tables.iter().map(|one| one.name.clone()).collect();
    let table = tables.into_iter().nth(chosen);
    let mut sheet = table
        .ok_or_else(|| TableError::Damaged { file: file_name() })?
        .sheet;
    pick::tell(&mut sheet, chosen, names.into_iter(), &found);
    Ok(sheet)
}

struct Table {
    name: String,
    hidden: bool,
    sheet: Sheet,
}

fn tables(bytes: &[u8], stream: &[u8], file: &str) -> Result<Vec<Table>, TableError> {
    let damaged = || TableError::Damaged { file: file.into() };
    let hidden_rows = compound::look_through(stream).map_err(|_| damaged())?;
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    let listed = book.sheets_metadata().to_vec();
    let mut tables = Vec::new();
    // Both list the worksheets as the workbook does.
    for (index, listed) in listed.into_iter().enumerate() {
        if listed.typ != SheetType::WorkSheet {
            continue;
        }
        let range = book.worksheet_range(&listed.name).map_err(|_| damaged())?;
        let (top, left) = range.start().unwrap_or_default();
        let left = usize::try_from(left).unwrap_or_default();
        let hidden = hidden_rows.get(index).map(|(_, rows)| rows.as_slice());
        let mut sheet = Sheet::default();
        for (cells, line) in range.rows().zip(top + 1..) {
            let blanks = std::iter::repeat_n(String::new(), left.min(MOST_COLUMNS));
            let row = RawRow {
                line,
                cells: blanks
                    .chain(cells.iter().map(text))
                    .take(MOST_COLUMNS)
                    .collect(),
                hidden: hidden.is_some_and(|rows| rows.contains(&line)),
                ..RawRow::default()
            };
            sheet.push(row, file)?;
        }
        let merged = book
            .merge_cells_by_sheet_name(&listed.name)
            .unwrap_or_default();
        let merged: Vec<Merged> = merged.iter().map(area).collect();
        sheet.merge(&merged, file)?;
        tables.push(Table {
            name: listed.name,
            hidden: listed.visible != SheetVisible::Visible,
            sheet,
        });
    }
    Ok(tables)
}

fn area(area: &calamine::Dimensions) -> Merged {
    let column = |column: u32| usize::try_from(column).unwrap_or(usize::MAX);
    Merged {
        lines: (area.start.0.saturating_add(1), area.end.0.saturating_add(1)),
        columns: (column(area.start.1), column(area.end.1)),
    }
}

fn text(cell: &Data) -> String {
    match cell {
        Data::String(text) => text.replace('\r', ""),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => super::xlsx::plain_number(*number),
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        _ => String::new(),
    }
}
