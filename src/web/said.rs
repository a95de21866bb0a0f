//! What a report says, as the pages of two rooms show it.

use crate::domain::report::{Report, ReportStatus};

/// A report in words.
pub struct Said {
    /// How it stands.
    pub status: ReportStatus,
    /// 0 to 100.
    pub percent: Option<u8>,
    /// Each figure with what it is of.
    pub figures: Vec<(String, String)>,
    /// Its texts under their headings.
    pub texts: Vec<(&'static str, String)>,
}

impl Said {
    /// Without what is empty.
    #[must_use]
    pub fn new(report: &Report) -> Self {
        let figures = report.figures();
        let texts = report.texts();
        Self {
            status: report.status,
            percent: report.percent,
            figures: figures
                .map(|(name, told)| (name.to_owned(), told))
                .collect(),
            texts: texts.map(|(name, text)| (name, text.to_owned())).collect(),
        }
    }
}
