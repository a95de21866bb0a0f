//! A table that was no .xlsx, as a new workbook with its cells and notes.

use std::collections::BTreeMap;

use rust_xlsxwriter::{Format, FormatAlign, FormatBorder, Note, Workbook, XlsxError};

use super::super::super::clean;
use super::super::super::sheet::Sheet;
use super::Cell;

/// A workbook with the table's cells and notes.
pub(super) fn fresh(
    sheet: &Sheet,
    comments: &BTreeMap<Cell, String>,
) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let page = book.add_worksheet();
    let plain = Format::new()
        .set_text_wrap()
        .set_align(FormatAlign::Top)
        .set_border(FormatBorder::Thin);
    let marked = plain.clone().set_background_color("FFF2CC");
    let mut next = 0;
    for line in &sheet.above {
        page.write_string(next, 0, line.trim())?;
        next += 1;
    }
    for row in &sheet.rows {
        for (column, cell) in (0_u16..).zip(&row.cells) {
            let note = comments.get(&(row.line.saturating_sub(1), column));
            let format = if note.is_some() { &marked } else { &plain };
            page.write_string_with_format(next, column, clean::prose(cell), format)?;
            if let Some(note) = note {
                page.insert_note(
                    next,
                    column,
                    &Note::new(note).set_author("催办").set_width(320),
                )?;
            }
        }
        next += 1;
    }
    let widest = sheet.rows.iter().map(|row| row.cells.len()).max();
    let columns = u16::try_from(widest.unwrap_or(1)).unwrap_or(1);
    for column in 0..columns {
        page.set_column_width(column, 22)?;
    }
    book.save_to_buffer()
}
