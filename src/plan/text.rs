//! Text files: bytes to a sheet of cells.

use super::{LARGEST_FILE, TableError};

/// A table as rows of cells, whatever file it came from.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Lines of text before the first row of cells.
    pub(super) above: Vec<String>,
    /// Rows of two cells or more.
    pub(super) rows: Vec<RawRow>,
}

/// A row as it stands in the file.
#[derive(Debug, Clone)]
pub(super) struct RawRow {
    /// Line in the file, from 1.
    pub(super) line: u32,
    /// The cells, not yet cleaned.
    pub(super) cells: Vec<String>,
}

/// Splits a text file into its rows; cells are parted by tabs.
pub(super) fn read(bytes: &[u8], file_name: &str) -> Result<Sheet, TableError> {
    let file = || file_name.to_owned();
    if u64::try_from(bytes.len()).map_or(true, |size| size > LARGEST_FILE) {
        return Err(TableError::TooLarge { file: file() });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // No text in any encoding a table comes in has these, but for UTF-16.
    if bytes.iter().any(|byte| matches!(byte, 0..=8 | 14..=26)) {
        return Err(TableError::Binary { file: file() });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| TableError::NotUtf8 {
        file: file(),
        line: line_at(bytes, error.valid_up_to()),
    })?;
    if text.trim().is_empty() {
        return Err(TableError::Empty { file: file() });
    }
    Ok(split(text))
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    let before = bytes.iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}

fn split(text: &str) -> Sheet {
    let mut sheet = Sheet::default();
    for (line, number) in text.lines().zip(1_u32..) {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        if cells.len() > 1 {
            sheet.rows.push(RawRow {
                line: number,
                cells,
            });
        } else if sheet.rows.is_empty() && !line.trim().is_empty() {
            sheet.above.push(line.trim().to_owned());
        }
    }
    sheet
}
