//! A copy of a table with the findings as comments at its cells.
//!
//! An .xlsx stays what it is, byte for byte, but for the comments: parts that have nothing to do
//! with them are copied without being unpacked. Any other form becomes a new workbook.

mod comments;
mod drawing;
mod fresh;
mod package;
mod splice;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::sheet::Sheet;
use super::super::{Source, TableError, clean};
use super::archive::Archive;
use crate::domain::plan::{Finding, Severity};
use fresh::fresh;
use package::Package;

/// The copy could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AnnotateError {
    /// The file cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The package is not put together as workbooks are.
    #[error(
        "文件 {file} 的内部结构与一般工作簿不同，无法加批注：请用 Excel 或 WPS 打开后另存为 .xlsx 再试"
    )]
    Package {
        /// The file's name.
        file: String,
    },
    /// Writing failed.
    #[error("无法生成带批注的工作簿")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A cell: row and column from 0.
type Cell = (u32, u16);

/// The copy, as the bytes of an .xlsx, and how many cells have a comment.
///
/// # Errors
/// [`AnnotateError`] where the file is no table or cannot be copied.
pub fn annotate(
    bytes: &[u8],
    source: &Source,
    findings: &[Finding],
) -> Result<(Vec<u8>, usize), AnnotateError> {
    let file = source.file_name.as_str();
    let sheet = super::read(bytes, file, &source.columns)?;
    let comments = comments(&sheet, findings);
    let count = comments.len();
    let is_xlsx = bytes.starts_with(b"PK") && {
        let archive = Archive::open(bytes, file)?;
        archive.has("xl/workbook.xml")
    };
    let copy = match is_xlsx {
        true => Package::open(bytes, file, &sheet)?.annotated(&comments)?,
        false => fresh(&sheet, &comments).map_err(write_error)?,
    };
    Ok((copy, count))
}

/// What is said at each cell, by the place in the file.
fn comments(sheet: &Sheet, findings: &[Finding]) -> BTreeMap<Cell, String> {
    let first = sheet.rows.first().map_or(1, |row| row.line);
    let mut comments: BTreeMap<Cell, String> = BTreeMap::new();
    for finding in findings {
        let line = finding.row.unwrap_or(first);
        let column = finding.column.as_deref();
        let column = column
            .and_then(|name| position(sheet, line, name))
            .unwrap_or(0);
        let text = comments
            .entry((line.saturating_sub(1), column))
            .or_default();
        if !text.is_empty() {
            text.push('\n');
        }
        let word = match finding.severity {
            Severity::Error => "错误",
            Severity::Warning => "请核对",
            Severity::Info => "说明",
        };
        let _ = write!(text, "【{word}】{}", finding.message);
        if let Some(repair) = &finding.repair {
            let _ = write!(text, "\n→ {repair}");
        }
    }
    comments
}

/// Where the column of this heading is, by the last headings above the row.
fn position(sheet: &Sheet, line: u32, heading: &str) -> Option<u16> {
    let above = sheet.rows.iter().rev().filter(|row| row.line <= line);
    let found = above.filter_map(|row| {
        row.cells
            .iter()
            .position(|cell| clean::prose(cell) == heading)
    });
    found.map(u16::try_from).find_map(Result::ok)
}

fn write_error(error: impl std::error::Error + Send + Sync + 'static) -> AnnotateError {
    AnnotateError::Write(Box::new(error))
}
