//! A coordinator's word on single rows, put in place of what the file says.

use super::rows::{Draft, Row};
use super::{Reading, clean};
use crate::domain::ids::TaskNo;
use crate::domain::plan::{FindingCode, Severity, Task};

/// A row as the coordinator wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Row in the file.
    pub row: u32,
    /// It was looked at and is right as it stands now, whatever was found odd.
    pub sure: bool,
    /// Its cells; what is the same as read changes nothing.
    pub cells: Cells,
}

/// The cells of a row that can be corrected, as text; names parted by `、`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the columns of domain::plan::Task")]
pub struct Cells {
    pub no: TaskNo,
    pub goal: String,
    pub schedule: String,
    pub leaders: String,
    pub lead_units: String,
    pub responsible: String,
    pub direct_owners: String,
    pub assisting_units: String,
}

impl Cells {
    /// The cells of a task as it was read.
    #[must_use]
    pub fn of(task: &Task) -> Self {
        Self {
            no: task.no,
            goal: task.goal.clone(),
            schedule: task.schedule.clone(),
            leaders: task.leaders.join("、"),
            lead_units: task.lead_units.join("、"),
            responsible: task.responsible.join("、"),
            direct_owners: task.direct_owners.join("、"),
            assisting_units: task.assisting_units.join("、"),
        }
    }
}

/// Puts the corrections into the rows before people and units are settled.
///
/// `plain` is what the page showed: the same file read without any correction.
pub(super) fn apply(draft: &mut Draft, plain: &Reading, corrections: &[Correction]) {
    for correction in corrections {
        let taken = |no| draft.rows.iter().any(|row| row.no == no);
        let renumber = correction.cells.no > 0 && !taken(correction.cells.no);
        let found = draft.rows.iter_mut().find(|row| row.line == correction.row);
        let Some(row) = found else {
            continue;
        };
        let task = plain.plan.tasks.iter().find(|task| task.no == row.no);
        let Some(known) = task.map(Cells::of) else {
            continue;
        };
        if known == correction.cells && !correction.sure {
            continue;
        }
        replace(row, &known, &correction.cells);
        if renumber {
            row.no = correction.cells.no;
        }
        let (line, no) = (row.line, row.no);
        let settled = renumber || correction.sure;
        let stays = |code| !is_settled(code, settled);
        let findings = &mut draft.findings;
        findings.retain(|one| one.row != Some(line) || stays(one.code));
        for finding in findings.iter_mut() {
            if finding.row == Some(line) && finding.task.is_some() {
                finding.task = Some(no);
            }
        }
    }
}

/// What is found on rows that were looked at keeps nobody out any more.
pub(super) fn accept(reading: &mut Reading, corrections: &[Correction]) {
    let sure = |row| {
        corrections
            .iter()
            .any(|one| one.sure && Some(one.row) == row)
    };
    for finding in &mut reading.findings {
        if finding.severity == Severity::Error && sure(finding.row) {
            finding.severity = Severity::Warning;
            finding.repair = Some("已人工核对，按此入库".into());
        }
    }
}

/// Whether a person's cells settle it; a missing number only with a number.
fn is_settled(code: FindingCode, numbered: bool) -> bool {
    match code {
        FindingCode::ShiftedColumns => true,
        FindingCode::DuplicateTaskNo | FindingCode::MissingTaskNo => numbered,
        _ => false,
    }
}

fn replace(row: &mut Row, known: &Cells, wanted: &Cells) {
    let prose = |to: &mut String, known: &str, wanted: &str| {
        if known != wanted {
            *to = clean::prose(wanted);
        }
    };
    prose(&mut row.goal, &known.goal, &wanted.goal);
    prose(&mut row.schedule, &known.schedule, &wanted.schedule);
    let people = |to: &mut Vec<String>, known: &str, wanted: &str| {
        if known != wanted {
            *to = clean::people(wanted);
        }
    };
    people(&mut row.leaders, &known.leaders, &wanted.leaders);
    if known.lead_units != wanted.lead_units {
        row.lead_units = clean::names(&wanted.lead_units);
    }
    people(
        &mut row.responsible,
        &known.responsible,
        &wanted.responsible,
    );
    people(&mut row.owners, &known.direct_owners, &wanted.direct_owners);
    if known.assisting_units != wanted.assisting_units {
        row.assisting_units = clean::listed_units(&wanted.assisting_units);
    }
}
