//! The words of a cell that a finding is about, and what stands around them.

use crate::domain::plan::{Finding, Task};

/// A part of a cell with the words in question: `before`「`words`」`after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// The column's heading, as the table prints it.
    pub column: String,
    /// What stands before, with `…` where there is more.
    pub before: String,
    /// The words; `空` where the cell is.
    pub words: String,
    /// What stands behind.
    pub after: String,
}

/// Characters shown before and behind.
const AROUND: usize = 16;

impl Marked {
    /// Whether it says more than the words alone.
    #[must_use]
    pub fn has_surroundings(&self) -> bool {
        !(self.before.is_empty() && self.after.is_empty())
    }

    /// The words a finding quotes, in the cell of this task; none where it is about no cell.
    #[must_use]
    pub fn of(finding: &Finding, task: Option<&Task>) -> Option<Self> {
        let column = finding.column.clone()?;
        let cell = task
            .and_then(|task| cell(task, &column))
            .unwrap_or_default();
        let quoted: Vec<&str> = quoted(&finding.message)
            .filter(|words| *words != column)
            .collect();
        let found = quoted.iter().find_map(|words| {
            let (before, after) = cell.split_once(words)?;
            Some(Self {
                column: column.clone(),
                before: last(before),
                words: (*words).to_owned(),
                after: first(after),
            })
        });
        found.or_else(|| {
            let words = match quoted.first() {
                Some(words) => (*words).to_owned(),
                None if cell.is_empty() => "空".to_owned(),
                None => return None,
            };
            Some(Self {
                column,
                before: String::new(),
                words,
                after: String::new(),
            })
        })
    }
}

/// What a task says under a heading.
#[must_use]
pub fn cell(task: &Task, heading: &str) -> Option<String> {
    let has = |words: &[&str]| words.iter().any(|word| heading.contains(word));
    let text = if has(&["直接责任", "具体责任", "经办", "联络"]) {
        task.direct_owners.join("、")
    } else if has(&["协", "配合"]) {
        task.assisting_units.join("、")
    } else if has(&["责任领导", "分管", "牵头领导", "领导"]) {
        task.leaders.join("、")
    } else if has(&["牵头", "责任单位", "主办", "承办"]) {
        task.lead_units.join("、")
    } else if has(&["责任人"]) {
        task.responsible.join("、")
    } else if has(&["进度", "节点", "时限", "季度"]) {
        task.schedule.clone()
    } else if has(&["要求"]) {
        task.requirement.clone().unwrap_or_default()
    } else if has(&["目标", "任务", "工作", "事项"]) {
        task.goal.clone()
    } else {
        return None;
    };
    Some(text.replace('\n', " "))
}

/// What a message quotes, without the `…` of what was cut. A quotation may hold another one.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    let mut found = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, c) in message.char_indices() {
        match c {
            '“' => {
                if depth == 0 {
                    start = at + c.len_utf8();
                }
                depth += 1;
            }
            '”' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    found.extend(message.get(start..at));
                }
            }
            _ => {}
        }
    }
    found
        .into_iter()
        .map(|words| words.trim_end_matches('…'))
        .filter(|words| !words.is_empty())
}

fn first(text: &str) -> String {
    let mut shown: String = text.chars().take(AROUND).collect();
    if text.chars().count() > AROUND {
        shown.push('…');
    }
    shown
}

fn last(text: &str) -> String {
    let count = text.chars().count();
    let shown: String = text.chars().skip(count.saturating_sub(AROUND)).collect();
    match count > AROUND {
        true => format!("…{shown}"),
        false => shown,
    }
}
