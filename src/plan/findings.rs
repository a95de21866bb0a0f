//! Where a finding is, and the order findings are told in.

use super::columns::{Field, Header};
use crate::domain::ids::TaskNo;
use crate::domain::plan::{Finding, FindingCode, Severity};

/// The row a finding is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) task: Option<TaskNo>,
    pub(super) line: u32,
}

impl Place {
    /// A finding at this row; what it says comes in Chinese, quoting the cell.
    pub(super) fn found(
        self,
        severity: Severity,
        code: FindingCode,
        column: Option<String>,
        message: String,
    ) -> Finding {
        Finding {
            severity,
            code,
            task: self.task,
            row: Some(self.line),
            column,
            message,
            repair: None,
        }
    }
}

/// Says what was done about it.
pub(super) trait Repaired {
    fn repaired(self, how: String) -> Self;
}

impl Repaired for Finding {
    fn repaired(mut self, how: String) -> Self {
        self.repair = Some(how);
        self
    }
}

/// In the order of the table.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| (finding.row, finding.code));
}

/// What the headings lack, and what they have that is not known.
pub(super) fn of_header(header: &Header, line: u32) -> Vec<Finding> {
    let place = Place { task: None, line };
    let unknown = header.unknown().map(|name| {
        place
            .found(
                Severity::Warning,
                FindingCode::UnknownColumn,
                Some(name.clone()),
                format!("表头里的“{name}”不是认识的列名"),
            )
            .repaired("该列未读入".into())
    });
    let missing = header.missing().map(|field| missing(field, place));
    unknown.chain(missing).collect()
}

fn missing(field: Field, place: Place) -> Finding {
    let name = field.heading();
    let (severity, message) = if field.is_needed() {
        (
            Severity::Error,
            format!("表头里没有“{name}”列，无法据此催报，请补上该列后重新导入"),
        )
    } else {
        (Severity::Warning, format!("表头里没有“{name}”列"))
    };
    place
        .found(
            severity,
            FindingCode::MissingColumn,
            Some(name.into()),
            message,
        )
        .repaired("按该列全部为空处理".into())
}
