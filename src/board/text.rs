//! The board as a table for the terminal.

use std::fmt::Write as _;

use crate::domain::board::QuarterView;
use crate::domain::calendar::Calendar;
use crate::web::format::{brief, long_moment};

/// Widest column, in terminal cells; longer texts are cut.
const WIDEST: usize = 36;

/// Totals, and a row for each obligation.
#[must_use]
pub fn status(view: &QuarterView, calendar: &Calendar) -> String {
    let totals = &view.totals;
    let mut out = format!(
        "{}　截至{}\n应报 {}　已报 {}（迟报 {}，通过 {}）　未报 {}（超期未报 {}，退回 {}）\n",
        view.quarter.chinese(),
        long_moment(calendar, view.as_of),
        totals.obligations,
        totals.reported,
        totals.reported_late,
        totals.accepted,
        totals.not_reported,
        totals.overdue_unreported,
        totals.returned,
    );
    if view.rows.is_empty() {
        return out;
    }
    let mut lines = vec![
        [
            "序号",
            "牵头单位",
            "直接责任人",
            "状态",
            "进展",
            "报送时间",
            "最近提醒",
            "目标任务",
        ]
        .map(str::to_owned),
    ];
    for row in &view.rows {
        let owners: Vec<_> = row.owners.iter().map(|owner| owner.name.as_str()).collect();
        let time = |at| brief(calendar, at);
        lines.push([
            row.key.task.to_string(),
            row.unit.clone(),
            owners.join("、"),
            row.state.chinese().into(),
            row.status.map_or("", |status| status.chinese()).into(),
            row.reported_at.map(time).unwrap_or_default(),
            row.last_reminded
                .map(|(at, occasion)| format!("{} {}", time(at), occasion.chinese()))
                .unwrap_or_default(),
            row.name.clone(),
        ]);
    }
    out.push('\n');
    write_table(&mut out, &lines);
    out
}

fn write_table<const N: usize>(out: &mut String, lines: &[[String; N]]) {
    let mut widths = [0; N];
    for line in lines {
        for (most, cell) in widths.iter_mut().zip(line) {
            *most = width(cell).min(WIDEST).max(*most);
        }
    }
    for line in lines {
        let cells = line.iter().zip(widths).map(|(cell, most)| {
            let cell = cut(cell, most);
            let blanks = most.saturating_sub(width(&cell));
            format!("{cell}{}", " ".repeat(blanks))
        });
        let cells: Vec<_> = cells.collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
}

fn cut(cell: &str, most: usize) -> String {
    if width(cell) <= most {
        return cell.to_owned();
    }
    let mut kept = String::new();
    for c in cell.chars() {
        if width(&kept) + cells(c) + 2 > most {
            break;
        }
        kept.push(c);
    }
    kept + "…"
}

fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// Terminals give a Chinese character two cells.
fn cells(c: char) -> usize {
    if (c as u32) < 0x2000 { 1 } else { 2 }
}
