//! A file's bytes to a sheet of cells, whatever its form; told by its content, never by its name.
//!
//! [`text`] reads .txt, .csv and .tsv; [`book`] .xlsx and .xls; [`ods`] and [`docx`] theirs. All keep
//! within bounds: [`archive`] looks into a zip before anyone else does.
//!
//! Hidden rows and columns are data like any other: who hides a column for printing still means it.
//! A hidden worksheet is not read where a visible one has the headings.

pub(super) mod encoding;
mod text;

use super::columns::Mapping;
use super::sheet::Sheet;
use super::{LARGEST_FILE, TableError};

/// Reads the table out of a file.
pub(super) fn read(bytes: &[u8], file: &str, mapping: &Mapping) -> Result<Sheet, TableError> {
    if u64::try_from(bytes.len()).map_or(true, |size| size > LARGEST_FILE) {
        return Err(TableError::TooLarge { file: file.into() });
    }
    text::read(bytes, file, mapping)
}
