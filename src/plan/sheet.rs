//! A table as rows of cells, whatever file it came from.
//!
//! Places are the file's own: a row's line is the row Excel numbers, the line of a text file, or
//! the row among all rows of a Word document's tables; a cell's position is its column from A.

use super::TableError;

/// What a file holds: lines of text, and rows of cells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sheet {
    /// The worksheet it was read from, where the file has such.
    pub(crate) worksheet: Option<String>,
    /// Worksheets that were not read, and whether they have the headings of a table too.
    pub(crate) others: Vec<(String, bool)>,
    /// Lines of text before the first row of cells.
    pub(crate) above: Vec<String>,
    /// Rows of two cells or more, none of them blank.
    pub(crate) rows: Vec<RawRow>,
    /// Positions of columns that do not show.
    pub(crate) hidden: Vec<usize>,
    /// Merged cells as the file lists them; a Word document tells them cell by cell only.
    pub(super) merged: Vec<Merged>,
    cells: usize,
    bytes: usize,
}

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RawRow {
    /// Its number in the file, from 1.
    pub(crate) line: u32,
    /// The cells, not yet cleaned.
    pub(crate) cells: Vec<String>,
    /// How each cell came by its text; shorter than `cells` where all the rest are their own.
    pub(crate) spans: Vec<Span>,
    /// The first row of a further table.
    pub(crate) top: bool,
    /// It does not show: hidden by hand, or filtered out.
    pub(crate) hidden: bool,
}

/// Whether a cell is one by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Span {
    /// It is.
    #[default]
    Own,
    /// Merged with the one above; has its text.
    Above,
    /// Merged with the one to the left; has no text.
    Left,
}

/// Columns beyond are no table's.
pub(super) const MOST_COLUMNS: usize = 200;

/// More cells or text than any table has; a file that claims to is a mistake or worse.
pub(super) const MOST_CELLS: usize = 1_000_000;
const MOST_TEXT: usize = 32 << 20;
const MOST_ROWS: usize = super::MOST_TASKS + 1_000;

/// Lines over a table; what has more is no table.
const MOST_ABOVE: usize = 1_000;

impl RawRow {
    /// How the cell at this position came by its text.
    pub(crate) fn span(&self, position: usize) -> Span {
        self.spans.get(position).copied().unwrap_or_default()
    }

    /// Non-blank cells that are not merely merged with the one to the left.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, &str)> {
        let cells = self.cells.iter().map(|cell| cell.trim()).enumerate();
        cells.filter(|(position, cell)| !cell.is_empty() && self.span(*position) != Span::Left)
    }

    fn set_span(&mut self, position: usize, span: Span) {
        if self.spans.len() <= position {
            self.spans.resize(position + 1, Span::Own);
        }
        if let Some(place) = self.spans.get_mut(position) {
            *place = span;
        }
    }

    fn set(&mut self, position: usize, text: String) {
        if self.cells.len() <= position {
            self.cells.resize(position + 1, String::new());
        }
        if let Some(place) = self.cells.get_mut(position) {
            *place = text;
        }
    }
}

/// Cells merged into one: first and last row by their numbers in the file, first and last column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merged {
    pub(super) lines: (u32, u32),
    pub(super) columns: (usize, usize),
}

impl Sheet {
    /// Adds a line of text over the table unless it is blank or the table has begun.
    pub(super) fn push_above(&mut self, line: &str) {
        let line = line.trim();
        if !line.is_empty() && self.rows.is_empty() && self.above.len() < MOST_ABOVE {
            self.above.push(line.to_owned());
        }
    }

    /// Adds a row unless it is blank.
    ///
    /// # Errors
    /// Where the sheet becomes larger than any table.
    pub(super) fn push(&mut self, mut row: RawRow, file: &str) -> Result<(), TableError> {
        row.cells.truncate(MOST_COLUMNS);
        if row.filled().next().is_none() {
            return Ok(());
        }
        self.cells += row.cells.len();
        self.bytes += row.cells.iter().map(String::len).sum::<usize>();
        self.rows.push(row);
        if self.rows.len() > MOST_ROWS {
            return Err(TableError::TooManyTasks { file: file.into() });
        }
        self.within_bounds(file)
    }

    /// Lets merged cells know of each other. The text stands in the first of them.
    ///
    /// # Errors
    /// Where the sheet becomes larger than any table.
    pub(super) fn merge(&mut self, merged: &[Merged], file: &str) -> Result<(), TableError> {
        for area in merged {
            let first = self.rows.partition_point(|row| row.line < area.lines.0);
            let (left, right) = (area.columns.0, area.columns.1.min(MOST_COLUMNS - 1));
            let mut text = String::new();
            for row in self.rows.iter_mut().skip(first) {
                if row.line > area.lines.1 || left > right {
                    break;
                }
                self.cells += right - left + 1;
                for position in left + 1..=right {
                    row.set_span(position, Span::Left);
                }
                if row.line == area.lines.0 {
                    text = row.cells.get(left).cloned().unwrap_or_default();
                } else {
                    self.bytes += text.len();
                    row.set_span(left, Span::Above);
                    row.set(left, text.clone());
                }
                if self.bytes > MOST_TEXT {
                    break;
                }
            }
            self.within_bounds(file)?;
        }
        self.merged.extend_from_slice(merged);
        Ok(())
    }

    fn within_bounds(&self, file: &str) -> Result<(), TableError> {
        if self.cells > MOST_CELLS || self.bytes > MOST_TEXT {
            return Err(TableError::TooMuch { file: file.into() });
        }
        Ok(())
    }
}
