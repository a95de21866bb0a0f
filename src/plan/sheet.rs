//! A table as rows of cells, whatever file it came from.

use super::TableError;

/// What a file holds: lines of text, and rows of cells.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Lines of text before the first row of cells.
    pub(super) above: Vec<String>,
    /// Rows of two cells or more, none of them blank.
    pub(super) rows: Vec<RawRow>,
    cells: usize,
    bytes: usize,
}

/// A row as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RawRow {
    /// Line in the file, from 1; of a Word document, the row among all rows of its tables.
    pub(super) line: u32,
    /// The cells, not yet cleaned.
    pub(super) cells: Vec<String>,
    /// How each cell came by its text; shorter than `cells` where all the rest are their own.
    pub(super) spans: Vec<Span>,
    /// The first row of a further table, or of a further page.
    pub(super) top: bool,
}

/// Whether a cell is one by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Span {
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
const MOST_CELLS: usize = 2_000_000;
const MOST_TEXT: usize = 64 << 20;
const MOST_ROWS: usize = super::MOST_TASKS + 1_000;

impl RawRow {
    pub(super) fn span(&self, position: usize) -> Span {
        self.spans.get(position).copied().unwrap_or_default()
    }

    /// Non-blank cells that are not merely merged with another.
    pub(super) fn filled(&self) -> impl Iterator<Item = (usize, &str)> {
        let cells = self.cells.iter().map(|cell| cell.trim()).enumerate();
        cells.filter(|(position, cell)| !cell.is_empty() && self.span(*position) != Span::Left)
    }
}

impl Sheet {
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
        if self.cells > MOST_CELLS || self.bytes > MOST_TEXT {
            return Err(TableError::TooMuch { file: file.into() });
        }
        Ok(())
    }

    /// Puts another sheet's rows behind these.
    pub(super) fn append(&mut self, other: Self, file: &str) -> Result<(), TableError> {
        other
            .rows
            .into_iter()
            .try_for_each(|row| self.push(row, file))
    }
}
