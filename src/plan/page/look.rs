//! What is shown before a table is accepted.

use std::collections::BTreeMap;

use askama::Template;

use super::form::Corrected;
use crate::domain::ids::{self, TaskNo};
use crate::domain::plan::{Finding, Severity, Task};
use crate::domain::plan_diff::{CellChange, Excerpt};
use crate::plan::Reading;
use crate::plan::correct::Cells;
use crate::plan::mark::Marked;
use crate::plan::prepare::Prepared;
use crate::plan::told::Moved;
use crate::web::frame::Frame;

/// All there is to show.
pub(super) struct Looked<'a> {
    pub hash: &'a str,
    pub corrected: &'a Corrected,
    /// The file as it is.
    pub plain: &'a Reading,
    /// With the corrections.
    pub reading: &'a Reading,
    pub prepared: &'a Prepared,
    pub version: u32,
    pub outlook: Vec<String>,
    pub notice: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "plan/templates/look.html", config = "src/web/askama.toml")]
pub(super) struct LookPage<'a> {
    frame: Frame<'a>,
    looked: Looked<'a>,
    /// 目标任务, 责任组 …: name and number.
    counts: Vec<(&'static str, usize)>,
    changes: Vec<ChangeView<'a>>,
    people: String,
    rows: Vec<RowView<'a>>,
    /// What is about no row that can be corrected.
    others: Vec<&'a Finding>,
    notes: Vec<&'a Finding>,
    left_out: String,
    corrected: usize,
}

/// A task that is new, reads otherwise, or is gone.
struct ChangeView<'a> {
    kind: &'static str,
    class: &'static str,
    no: TaskNo,
    name: String,
    moved: Option<String>,
    cells: Vec<CellView<'a>>,
    note: &'static str,
}

struct CellView<'a> {
    column: &'a str,
    before: Excerpt,
    after: Excerpt,
}

/// A row of the file with what was found on it.
struct RowView<'a> {
    row: u32,
    findings: Vec<FindingView<'a>>,
    bad: bool,
    sure: bool,
    name: String,
    cells: Cells,
}

struct FindingView<'a> {
    finding: &'a Finding,
    marked: Option<Marked>,
}

impl<'a> LookPage<'a> {
    pub(super) fn new(frame: Frame<'a>, looked: Looked<'a>) -> Self {
        let (rows, others) = rows(&looked);
        let found = looked.reading.findings.iter();
        let people = looked.prepared.difference.people.iter();
        let people: Vec<&str> = people.map(|person| person.name.as_str()).collect();
        Self {
            frame,
            counts: counts(looked.prepared),
            changes: changes(looked.prepared),
            people: people.join("、"),
            rows,
            others,
            notes: found.filter(|one| one.severity == Severity::Info).collect(),
            left_out: ids::told(&looked.prepared.left_out),
            corrected: corrected(&looked),
            looked,
        }
    }
}

fn counts(prepared: &Prepared) -> Vec<(&'static str, usize)> {
    let plan = &prepared.plan;
    let people = |role: fn(&crate::domain::people::Roles) -> bool| {
        plan.people.iter().filter(|one| role(&one.roles)).count()
    };
    vec![
        ("目标任务", plan.tasks.len()),
        (
            "责任组",
            plan.tasks.iter().map(|task| task.groups.len()).sum(),
        ),
        (
            "节点",
            plan.tasks.iter().map(|task| task.milestones.len()).sum(),
        ),
        ("直接责任人", people(|roles| roles.owner)),
        ("责任人", people(|roles| roles.responsible)),
        ("责任领导", people(|roles| roles.leader)),
    ]
}

fn corrected(looked: &Looked<'_>) -> usize {
    let before: BTreeMap<TaskNo, &Task> = tasks(looked.plain);
    let differs =
        |task: &&Task| before.get(&task.no).map(|known| Cells::of(known)) != Some(Cells::of(task));
    looked.reading.plan.tasks.iter().filter(differs).count()
}

fn tasks(reading: &Reading) -> BTreeMap<TaskNo, &Task> {
    reading
        .plan
        .tasks
        .iter()
        .map(|task| (task.no, task))
        .collect()
}

fn changes(prepared: &Prepared) -> Vec<ChangeView<'_>> {
    if !prepared.difference.known {
        return Vec::new();
    }
    let tasks: BTreeMap<TaskNo, &Task> = prepared
        .plan
        .tasks
        .iter()
        .map(|task| (task.no, task))
        .collect();
    let name = |no: &TaskNo| {
        tasks
            .get(no)
            .map(|task| task.short_name())
            .unwrap_or_default()
    };
    let table = &prepared.difference.table;
    let added = table.added.iter().map(|no| ChangeView {
        kind: "新增",
        class: "on_schedule",
        no: *no,
        name: name(no),
        moved: tasks.get(no).map(|task| {
            format!(
                "{}　{}",
                task.lead_units.join("、"),
                task.direct_owners.join("、")
            )
        }),
        cells: Vec::new(),
        note: "",
    });
    let changed = table.changed.iter().map(|change| ChangeView {
        kind: "改动",
        class: "behind",
        no: change.no,
        name: name(&change.no),
        moved: change
            .moved
            .as_ref()
            .map(|moved| format!("责任变更：{}", Moved(moved))),
        cells: change.cells.iter().map(cell).collect(),
        note: match prepared.difference.overruled.contains(&change.no) {
            true => "这一项的直接责任人此前已变更，本次表中另列他人，以表为准",
            false => "",
        },
    });
    let removed = table.removed.iter().map(|no| ChangeView {
        kind: "删去",
        class: "dead",
        no: *no,
        name: String::new(),
        moved: None,
        cells: Vec::new(),
        note: match prepared.difference.reported.contains(no) {
            true => "未报的季度不再催报；已报送的记录仍保留",
            false => "未报的季度不再催报",
        },
    });
    let mut all: Vec<ChangeView<'_>> = added.chain(changed).chain(removed).collect();
    all.sort_by_key(|change| change.no);
    all
}

fn cell(change: &CellChange) -> CellView<'_> {
    let (before, after) = change.marked();
    CellView {
        column: change.column,
        before,
        after,
    }
}

/// The rows to look at, in the order of the table, and what is about none of them.
fn rows<'a>(looked: &Looked<'a>) -> (Vec<RowView<'a>>, Vec<&'a Finding>) {
    let reading = looked.reading;
    let tasks = tasks(reading);
    let mut rows: BTreeMap<u32, RowView<'a>> = BTreeMap::new();
    let mut others = Vec::new();
    for finding in &reading.findings {
        let task = finding.task.and_then(|no| tasks.get(&no).copied());
        let (Some(row), Some(task)) = (finding.row, task) else {
            if finding.severity != Severity::Info {
                others.push(finding);
            }
            continue;
        };
        if finding.severity == Severity::Info {
            continue;
        }
        let view = rows.entry(row).or_insert_with(|| RowView {
            row,
            findings: Vec::new(),
            bad: false,
            sure: looked.corrected.row(row).is_some_and(|one| one.sure),
            name: task.short_name(),
            cells: Cells::of(task),
        });
        view.bad |= finding.severity == Severity::Error;
        view.findings.push(FindingView {
            finding,
            marked: Marked::of(finding, Some(task)).filter(Marked::has_surroundings),
        });
    }
    // A row that has nothing odd left must keep its correction.
    for correction in &looked.corrected.rows {
        rows.entry(correction.row).or_insert_with(|| RowView {
            row: correction.row,
            findings: Vec::new(),
            bad: false,
            sure: correction.sure,
            name: correction.cells.goal.chars().take(30).collect(),
            cells: correction.cells.clone(),
        });
    }
    let mut rows: Vec<RowView<'a>> = rows.into_values().collect();
    // What keeps a row out comes first.
    rows.sort_by_key(|row| (!row.bad, row.row));
    (rows, others)
}
