//! The usual columns, for a plan of which only the tasks are known.

use super::super::columns::Field;
use super::grid::{Area, Grid, Kind, Line};
use crate::domain::book::PlanBook;
use crate::domain::plan::{Heading, Task};

pub(super) fn grid(known: &PlanBook) -> Grid {
    let mut grid = Grid {
        columns: Field::ALL.map(Some).to_vec(),
        ..Grid::default()
    };
    for (kind, text) in above(&known.heading) {
        push_above(&mut grid, kind, text);
    }
    grid.rows.push(Line {
        kind: Kind::Heading,
        cells: Field::ALL.map(|field| field.heading().to_owned()).to_vec(),
    });
    for task in known.tasks.values() {
        let cell = |field| match field {
            Field::Goal => numbered(task),
            _ => said(task, field),
        };
        grid.rows.push(Line {
            kind: Kind::Task(task.no),
            cells: Field::ALL.map(cell).to_vec(),
        });
    }
    merge_requirements(&mut grid);
    grid
}

/// A line across the table, merged over all its columns.
pub(super) fn push_above(grid: &mut Grid, kind: Kind, text: String) {
    let row = grid.rows.len();
    grid.rows.push(Line {
        kind,
        cells: vec![text],
    });
    let area = Area {
        rows: (row, row),
        columns: (0, grid.columns.len().saturating_sub(1)),
    };
    if !area.is_one_cell() {
        grid.merged.push(area);
    }
}

/// Merges the same 总体要求 down over the tasks that stand under it.
pub(super) fn merge_requirements(grid: &mut Grid) {
    let is = |field: &Option<Field>| *field == Some(Field::Requirement);
    let Some(column) = grid.columns.iter().position(is) else {
        return;
    };
    let mut first = 0;
    for row in 1..=grid.rows.len() {
        let goes_on = |at: usize| {
            let is_task = grid
                .rows
                .get(at)
                .is_some_and(|row| matches!(row.kind, Kind::Task(_)));
            is_task && !grid.cell(first, column).is_empty()
        };
        let same = grid.cell(row, column) == grid.cell(first, column);
        if same && goes_on(first) && goes_on(row) {
            continue;
        }
        if row > first + 1 {
            for below in first + 1..row {
                grid.set(below, column, String::new());
            }
            grid.merged.push(Area {
                rows: (first, row - 1),
                columns: (column, column),
            });
        }
        first = row;
    }
}

/// The goal with the number before it.
pub(super) fn numbered(task: &Task) -> String {
    format!("{}. {}", task.no, task.goal)
}

/// What the table would print of a task in this column.
pub(super) fn said(task: &Task, field: Field) -> String {
    match field {
        Field::Requirement => task.requirement.clone().unwrap_or_default(),
        Field::Goal => task.goal.clone(),
        Field::Schedule => task.schedule.clone(),
        Field::Leader => task.leaders.join("\n"),
        Field::LeadUnit => task.lead_units.join("\n"),
        Field::Responsible => task.responsible.join("\n"),
        Field::DirectOwner => task.direct_owners.join("\n"),
        Field::AssistingUnit => task.assisting_units.join("、"),
        Field::Number => task.no.to_string(),
        Field::Deadline | Field::Period(..) | Field::Ignored => String::new(),
    }
}

fn above(heading: &Heading) -> Vec<(Kind, String)> {
    let mut lines = vec![(Kind::Title, heading.title.clone())];
    if let Some(issuer) = &heading.issuer {
        lines.push((Kind::Above, format!("制表单位：{issuer}")));
    }
    if let Some(day) = heading.issued_on {
        let day = day.format("%Y年%-m月%-d日");
        lines.push((Kind::Above, format!("制表时间：{day}")));
    }
    lines
}
