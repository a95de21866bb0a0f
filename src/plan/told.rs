//! The difference to what is stored, in words, for the one who imports.

use std::fmt;

use super::import::Difference;
use crate::domain::ids::TaskNo;
use crate::domain::plan::{Heading, Plan, Task};
use crate::domain::plan_diff::{CellChange, DutyMove, TaskChange};

/// The difference as lines of text.
pub struct Told<'a> {
    /// The plan as read.
    pub plan: &'a Plan,
    /// What differs.
    pub difference: &'a Difference,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Heading { title, year, .. } = &self.plan.heading;
        let (id, count) = (&self.plan.id, self.plan.tasks.len());
        let difference = self.difference;
        writeln!(f, "{title}（编号 {id}，按{year}年读取）：共{count}项任务。")?;
        if !difference.known {
            let owners = self.plan.people.iter().filter(|person| person.roles.owner);
            let people = self.plan.people.len();
            let owners = owners.count();
            return writeln!(f, "首次导入，涉及{people}人，其中直接责任人{owners}人。");
        }
        if difference.is_empty() {
            return writeln!(f, "与已导入的内容相同，没有改动。");
        }
        let table = &difference.table;
        writeln!(
            f,
            "与已导入的相比：新增{}项，改动{}项，删去{}项，未变{}项。",
            table.added.len(),
            table.changed.len(),
            table.removed.len(),
            table.same
        )?;
        for cell in &table.heading {
            write_cell(f, "  ", cell)?;
        }
        for no in &table.added {
            writeln!(f, "  新增 第{no}项 {}", self.added(*no))?;
        }
        for change in &table.changed {
            self.write_change(f, change)?;
        }
        for no in &table.removed {
            let kept = match difference.reported.contains(no) {
                true => "；已报送的记录仍保留",
                false => "",
            };
            writeln!(f, "  删去 第{no}项（未报的季度不再催报{kept}）")?;
        }
        for no in &difference.upheld {
            writeln!(
                f,
                "  第{no}项的直接责任人此前已变更，表中未改，仍按已变更的执行"
            )?;
        }
        for (from, to) in &table.renumbered {
            writeln!(
                f,
                "  注意 第{to}项与原第{from}项的目标相同，可能是序号有调整；报送记录按序号归属，请核对"
            )?;
        }
        if !difference.people.is_empty() {
            let names = difference.people.iter().map(|person| person.name.as_str());
            let names: Vec<&str> = names.collect();
            writeln!(f, "  新增或变更身份的人员：{}", names.join("、"))?;
        }
        Ok(())
    }
}

impl Told<'_> {
    fn task(&self, no: TaskNo) -> Option<&Task> {
        self.plan.tasks.iter().find(|task| task.no == no)
    }

    fn added(&self, no: TaskNo) -> String {
        self.task(no).map_or_else(String::new, |task| {
            let owners = task.direct_owners.join("、");
            let units = task.lead_units.join("、");
            format!("{}（{units}　{owners}）", task.short_name())
        })
    }

    fn write_change(&self, f: &mut fmt::Formatter<'_>, change: &TaskChange) -> fmt::Result {
        let name = self.task(change.no).map(Task::short_name);
        writeln!(f, "  改动 第{}项 {}", change.no, name.unwrap_or_default())?;
        if let Some(moved) = &change.moved {
            writeln!(f, "      责任变更：{}", Moved(moved))?;
        }
        if self.difference.overruled.contains(&change.no) {
            writeln!(
                f,
                "      注意：这一项的直接责任人此前已变更，本次表中另列他人，以表为准"
            )?;
        }
        for cell in &change.cells {
            write_cell(f, "      ", cell)?;
        }
        Ok(())
    }
}

/// A duty's move in words.
pub(super) struct Moved<'a>(pub(super) &'a DutyMove);

impl fmt::Display for Moved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |people: &[String]| match people {
            [] => "（无）".to_owned(),
            people => people.join("、"),
        };
        write!(f, "{} → {}", listed(&self.0.from), listed(&self.0.to))
    }
}

/// A cell on one line where it is short, else before and after under each other.
fn write_cell(f: &mut fmt::Formatter<'_>, indent: &str, cell: &CellChange) -> fmt::Result {
    /// Characters of both that fit on one line beside the column's name.
    const LINE: usize = 40;
    let (before, after) = cell.marked();
    let (before, after) = (before.to_string(), after.to_string());
    let column = cell.column;
    if before.chars().count() + after.chars().count() <= LINE {
        return writeln!(f, "{indent}{column}：{before} → {after}");
    }
    writeln!(f, "{indent}{column}：")?;
    writeln!(f, "{indent}  原：{}", before.replace('\n', " "))?;
    writeln!(f, "{indent}  现：{}", after.replace('\n', " "))
}
