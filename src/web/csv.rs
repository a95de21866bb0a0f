//! Tables as CSV for Excel: UTF-8 with the mark by which Excel knows it, and no cell that it would
//! take for a formula.

use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse as _, Response};

use super::WebError;
use super::attachment::disposition;
use crate::domain::formula::csv_cell;

/// A table on its way out.
#[derive(Debug)]
pub struct Csv(String);

impl Csv {
    /// A table with these headings.
    #[must_use]
    pub fn new(headings: &[&str]) -> Self {
        let mut csv = Self(String::from("\u{feff}"));
        csv.line(headings);
        csv
    }

    /// One more line.
    pub fn line(&mut self, cells: &[impl AsRef<str>]) {
        for (place, text) in cells.iter().enumerate() {
            if place > 0 {
                self.0.push(',');
            }
            self.0.push_str(&csv_cell(text.as_ref()));
        }
        self.0.push_str("\r\n");
    }

    /// The bytes of the file.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }

    /// The file as a download under this name, which needs no ending.
    ///
    /// # Errors
    /// Where the name cannot stand in a header, which no encoded one does.
    pub fn download(self, name: &str) -> Result<Response, WebError> {
        let headers: [(HeaderName, HeaderValue); 3] = [
            (
                CONTENT_TYPE,
                HeaderValue::from_static("text/csv; charset=utf-8"),
            ),
            (
                CONTENT_DISPOSITION,
                disposition("table.csv", &format!("{name}.csv"))?,
            ),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        Ok((headers, self.into_bytes()).into_response())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_every_cell_comes_back() {
        let mut csv = Csv::new(&["序号", "完成情况"]);
        let cells = [
            "=HYPERLINK(\"http://x\",\"点\")",
            "-1",
            "+1",
            "@SUM(A1)",
            "\t=1",
            "第一行\n第二行，“好”",
            "普通",
        ];
        for cell in cells {
            csv.line(&["1", cell]);
        }
        let bytes = csv.into_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        insta::assert_snapshot!(text.escape_debug().to_string().replace("\\r\\n", "\n"));
    }
}
