//! Numbers of tasks and requirements, and how lines begin that are neither.

use super::clean;
use super::sheet::RawRow;
use crate::domain::ids::TaskNo;

/// Splits `14. 加快发展…` into number and goal.
pub(super) fn split_number(goal: &str) -> (Option<TaskNo>, String) {
    match leading_number(goal) {
        Some((no, after)) => (Some(no), after.trim_start().to_owned()),
        None => (None, goal.to_owned()),
    }
}

/// The number before the goal, and what follows it.
pub(super) fn leading_number(goal: &str) -> Option<(TaskNo, &str)> {
    let rest = goal.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = goal.strip_suffix(rest).unwrap_or_default();
    let number = digits.parse().ok().filter(|no| *no > 0)?;
    let after = rest.strip_prefix(['.', '．', '、'])?;
    // `3.0 版` is no number of a task.
    (!after.starts_with(|c: char| c.is_ascii_digit())).then_some((number, after))
}

/// The number in a column of its own: `14`, `１４`, `14.`, `十四`.
pub(super) fn task_number(cell: &str) -> Option<TaskNo> {
    let text = clean::prose(cell);
    let text = text.trim_end_matches(['.', '．', '、', '。']);
    let text = text.strip_suffix(".0").unwrap_or(text);
    let number = text.parse().ok().or_else(|| chinese_number(text));
    number.filter(|number| *number > 0)
}

/// The number in `(二十一)实施…`.
pub(super) fn requirement_number(text: &str) -> Option<u32> {
    let inside = text.strip_prefix(['(', '（'])?;
    let (number, _) = inside.split_once([')', '）'])?;
    chinese_number(number.trim())
}

/// Whether a line opens a part of the table: `一、`, `（一）`, `第一部分`.
pub(super) fn opens_section(text: &str) -> bool {
    let number = text
        .split_once('、')
        .and_then(|(number, _)| chinese_number(number));
    let part = text.strip_prefix('第').is_some_and(|rest| {
        let rest = rest.trim_start_matches(|c| DIGITS.contains(&c) || c == '十');
        ["部分", "篇", "章", "类"]
            .iter()
            .any(|word| rest.starts_with(word))
    });
    number.is_some() || part || requirement_number(text).is_some()
}

/// Whether a row stands under the table: a total, a note, a signature.
pub(super) fn is_foot(row: &RawRow) -> bool {
    const TOTALS: [&str; 4] = ["合计", "总计", "小计", "共计"];
    const LABELS: [&str; 22] = [
        "注",
        "备注",
        "说明",
        "填表说明",
        "填表人",
        "填报人",
        "填报单位",
        "填报时间",
        "填表时间",
        "填表单位",
        "审核人",
        "审核",
        "审签",
        "制表人",
        "制表",
        "制表单位",
        "制表时间",
        "单位负责人",
        "分管领导签字",
        "主要领导签字",
        "联系电话",
        "打印日期",
    ];
    let Some((_, cell)) = row.filled().next() else {
        return false;
    };
    // Nearly every row begins with something else.
    let first = cell.chars().next().unwrap_or_default();
    let mut words = TOTALS.iter().chain(&LABELS);
    if first != '第' && !words.any(|word| word.starts_with(first)) {
        return false;
    }
    // Notes are long; how they begin is enough.
    let beginning: String = cell.chars().take(24).collect();
    let beginning = clean::without_blanks(&beginning);
    let total = TOTALS.iter().find_map(|word| beginning.strip_prefix(word));
    let label = beginning.split_once(['：', ':']).map(|(label, _)| label);
    let label = label
        .unwrap_or_default()
        .split(['（', '('])
        .next()
        .unwrap_or_default();
    let page = beginning.strip_prefix('第');
    let page = page.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    total.is_some_and(|rest| !rest.starts_with(char::is_alphabetic))
        || LABELS.contains(&label)
        || page && beginning.contains('页')
}

/// `二十一` to 21, up to 99.
fn chinese_number(text: &str) -> Option<u32> {
    let digit = |text: &str| {
        let mut chars = text.chars();
        let only = chars.next().filter(|_| chars.next().is_none())?;
        let position = DIGITS.iter().position(|digit| *digit == only)?;
        u32::try_from(position).ok().map(|position| position + 1)
    };
    match text.split_once('十') {
        None => digit(text),
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { digit(tens)? };
            let ones = if ones.is_empty() { 0 } else { digit(ones)? };
            Some(tens * 10 + ones)
        }
    }
}

const DIGITS: [char; 9] = ['一', '二', '三', '四', '五', '六', '七', '八', '九'];

/// 21 to `二十一`, up to 99.
pub(super) fn chinese(number: u32) -> String {
    let digit = |value: u32| {
        let index = usize::try_from(value).ok().and_then(|v| v.checked_sub(1));
        index.and_then(|index| DIGITS.get(index)).copied()
    };
    let mut text = String::new();
    if number >= 20 {
        text.extend(digit(number / 10));
    }
    if number >= 10 {
        text.push('十');
    }
    text.extend(digit(number % 10));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_requirements_are_read_and_told() {
        for number in 1..=99 {
            assert_eq!(chinese_number(&chinese(number)), Some(number));
        }
        assert_eq!(chinese(47), "四十七");
        assert_eq!(requirement_number("（十）将松山湖"), Some(10));
        assert_eq!(requirement_number("(筹)大学"), None);
        assert_eq!(requirement_number("信息材料"), None);
    }

    #[test]
    fn a_tasks_number_is_told_from_a_figure() {
        assert_eq!(split_number("14. 加快"), (Some(14), "加快".into()));
        assert_eq!(split_number("3.0版行动"), (None, "3.0版行动".into()));
        assert_eq!(split_number("50个园区"), (None, "50个园区".into()));
        assert_eq!(split_number("99999999999.x").0, None);
        for (cell, number) in [
            ("14", Some(14)),
            ("１４．", Some(14)),
            ("14.0", Some(14)),
            ("十四", Some(14)),
            ("", None),
            ("0", None),
            ("合计", None),
        ] {
            assert_eq!(task_number(cell), number, "{cell}");
        }
    }

    #[test]
    fn what_stands_under_a_table_is_told_from_tasks() {
        let row = |cell: &str| RawRow {
            cells: vec![cell.into(), String::new()],
            ..RawRow::default()
        };
        for foot in [
            "合  计",
            "总计：12项",
            "注：1.各单位",
            "填表人：张三",
            "单位负责人（签字）：",
            "第 1 页 共 3 页",
        ] {
            assert!(is_foot(&row(foot)), "{foot}");
        }
        for task in [
            "合计新增50家",
            "备注册",
            "1. 注重：",
            "说明会筹备",
            "第一页",
        ] {
            assert!(!is_foot(&row(task)), "{task}");
        }
    }

    #[test]
    fn parts_of_a_table_have_headings() {
        for section in ["一、经济发展", "（三）民生保障", "第二部分 重点工作"]
        {
            assert!(opens_section(section), "{section}");
        }
        for other in ["第一时间完成", "一季度", "经济、社会"] {
            assert!(!opens_section(other), "{other}");
        }
    }
}
