//! Where a finding is, and the order findings are told in.

use super::body::Body;
use super::columns::{Field, Header};
use super::lexicon;
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

/// What was odd about the table as a whole.
pub(super) fn of_body(body: &Body) -> Vec<Finding> {
    let mut found = of_header(&body.header, body.line);
    let at = |line| Place { task: None, line };
    let note = |line, code, message| at(line).found(Severity::Info, code, None, message);
    found.extend(body.other_worksheets.iter().map(|(name, is_table)| {
        let severity = if *is_table {
            Severity::Warning
        } else {
            Severity::Info
        };
        let read = body.worksheet.as_deref().unwrap_or_default();
        let message = format!("文件有多个工作表，读入的是“{read}”，没有读入“{name}”");
        let code = FindingCode::OtherWorksheet;
        let finding = at(body.line).found(severity, code, None, message);
        match is_table {
            true => finding.repaired(format!("如“{name}”也要读入，请另存为单独的文件后导入")),
            false => finding,
        }
    }));
    if let Some(first) = body.hidden.first() {
        let lines = lines(&body.hidden);
        let message = format!("第 {lines} 行在文件中被隐藏（可能设了筛选）");
        let finding = note(*first, FindingCode::HiddenRows, message);
        found.push(finding.repaired("仍按有效任务读入；如不需要，请从表中删去".into()));
    }
    found.extend(body.hidden_columns.iter().map(|name| {
        let message = format!("“{name}”列在文件中被隐藏");
        let finding = at(body.line);
        let code = FindingCode::HiddenColumns;
        finding
            .found(Severity::Info, code, Some(name.clone()), message)
            .repaired("仍按该列内容读入".into())
    }));
    found.extend(body.left_out.iter().map(|(line, text)| {
        let message = format!("“{}”不是任务，没有读入", quote(text));
        note(*line, FindingCode::RowLeftOut, message)
    }));
    found.extend(body.beyond.iter().map(|(line, cell)| {
        let message = format!(
            "这一行比表头多出一格“{}”，可能整行错位，请核对",
            quote(cell)
        );
        at(*line)
            .found(Severity::Error, FindingCode::ShiftedColumns, None, message)
            .repaired("多出的一格未读入".into())
    }));
    if !body.numbered && !body.items.is_empty() {
        let message = "表中的目标任务都没有序号".into();
        let column = Some(body.header.name(Field::Goal));
        found.push(
            at(body.line)
                .found(
                    Severity::Warning,
                    FindingCode::MissingTaskNo,
                    column,
                    message,
                )
                .repaired(
                    "按先后次序编为第 1 项起；增删任务会使编号变动，建议在表中加上序号".into(),
                ),
        );
    }
    found
}

/// A row that was joined to the task before it.
pub(super) fn continued(task: TaskNo, line: u32) -> Finding {
    let place = Place {
        task: Some(task),
        line,
    };
    place
        .found(
            Severity::Info,
            FindingCode::ItemContinued,
            None,
            "这一行是上一项的续行".into(),
        )
        .repaired(format!("已与第 {task} 项接成一项"))
}

/// A cell's beginning, to be quoted.
pub(super) fn quote(text: &str) -> String {
    const MOST: usize = 30;
    if text.chars().count() <= MOST {
        return text.replace('\n', " ");
    }
    let cut: String = text.chars().take(MOST).collect();
    format!("{}…", cut.replace('\n', " "))
}

/// The first few of many rows.
fn lines(all: &[u32]) -> String {
    const MOST: usize = 10;
    let named: Vec<String> = all.iter().take(MOST).map(u32::to_string).collect();
    match all.len() > MOST {
        true => format!("{} 等 {}", named.join("、"), all.len()),
        false => named.join("、"),
    }
}

/// What the headings lack, and what they have that is not known.
fn of_header(header: &Header, line: u32) -> Vec<Finding> {
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
    let missing = header.missing().map(|field| missing(field, header, place));
    unknown.chain(missing).collect()
}

fn missing(field: Field, header: &Header, place: Place) -> Finding {
    let name = field.heading();
    let candidates: Vec<&str> = header
        .unknown()
        .map(String::as_str)
        .filter(|name| !lexicon::is_remark(name))
        .collect();
    // Without a schedule every task is asked about each quarter, which is a plan too.
    let asked = match candidates.first() {
        Some(first) if field.is_needed() => Some(format!(
            "表头里没有认出“{name}”列。没有认出的列有：{}。如果其中一列就是，请用 --map 列名={name} 指明，例如 --map {first}={name}",
            candidates.join("、")
        )),
        None if field.is_needed() && field != Field::Schedule => Some(format!(
            "表头里没有“{name}”列，无法据此催报，请补上该列后重新导入"
        )),
        _ => None,
    };
    let (severity, message) = match asked {
        Some(message) => (Severity::Error, message),
        None => (Severity::Warning, format!("表头里没有“{name}”列")),
    };
    place
        .found(
            severity,
            FindingCode::MissingColumn,
            Some(name.into()),
            message,
        )
        .repaired(match field {
            Field::Schedule => "各项任务按每季度报送处理".into(),
            _ => "按该列全部为空处理".into(),
        })
}
