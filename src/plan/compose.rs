//! One schedule out of columns: one per quarter, or one with a date.

use super::clean::{self, is_nothing};
use crate::domain::schedule::{self, TimeContext};

/// What a row says in the column of a quarter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) first: u8,
    pub(super) last: u8,
    pub(super) text: String,
    /// The cell is merged with the one to its left.
    pub(super) joined: bool,
}

/// The text that the schedule reader takes: `一季度：…。\n二季度：…。`
///
/// `同左` says again what the quarter before says; cells merged over quarters are one clause for
/// all of them; `—`, `/` and `无` say nothing.
pub(super) fn by_quarter(parts: &[Part]) -> String {
    let mut said: Vec<Part> = Vec::new();
    // What the cell to the left said, blank included.
    let mut left = String::new();
    for part in parts {
        let text = clean::prose(&part.text);
        if part.joined && text.is_empty() {
            if let Some(open) = said.last_mut().filter(|_| !left.is_empty()) {
                open.first = open.first.min(part.first);
                open.last = open.last.max(part.last);
            }
            continue;
        }
        if !is_same(&text) {
            left = if is_nothing(&text) {
                String::new()
            } else {
                text
            };
        }
        if !left.is_empty() {
            said.push(Part {
                text: left.clone(),
                ..*part
            });
        }
    }
    said.sort_by_key(|part| (part.first, part.last));
    let clauses: Vec<String> = said.iter().map(clause).collect();
    clauses.join("\n")
}

/// A date or time by itself, made to head what is to be done.
pub(super) fn by_deadline(deadline: &str, goal: &str) -> String {
    /// What is longer, or has a sentence in it, is a schedule already.
    const LONGEST: usize = 20;
    let text = clean::prose(deadline);
    if is_nothing(&text) {
        return String::new();
    }
    if text.chars().count() > LONGEST || text.contains(['，', '；', '\n']) {
        return text;
    }
    let time = date(&text).unwrap_or_else(|| text.trim_end_matches(['。', '.']).to_owned());
    let what = goal.split(['。', '；', '\n']).next().unwrap_or_default();
    // A goal that tells times itself would be taken apart.
    let what = if what.is_empty() || tells_time(what) {
        "完成本项任务"
    } else {
        what
    };
    format!("{time}，{what}。")
}

/// A schedule that names no time has that of the column beside it.
pub(super) fn with_deadline(schedule: String, deadline: &str) -> String {
    if clean::is_blank(deadline) || tells_time(&schedule) {
        return schedule;
    }
    let time = by_deadline(deadline, "");
    match time.strip_suffix("，完成本项任务。") {
        Some(time) => format!("{time}，{schedule}"),
        None => schedule,
    }
}

fn clause(part: &Part) -> String {
    let text = folded(&part.text);
    let head = match (part.first, part.last) {
        (1, 4) => "全年".to_owned(),
        (1, 2) => "上半年".to_owned(),
        (3, 4) => "下半年".to_owned(),
        (first, last) if first == last => format!("{}季度", name(first)),
        (first, last) => format!("{}至{}季度", name(first), name(last)),
    };
    let opens_itself = opens_with_time(&text) && tells_time(&text);
    if opens_itself {
        closed(text)
    } else {
        format!("{head}：{}", closed(text))
    }
}

/// Lines of one cell as one, so that none of them opens a section of its own.
fn folded(text: &str) -> String {
    let mut folded = String::new();
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        if !folded.is_empty() && !folded.ends_with(['。', '；', ';', '，', '、', '：']) {
            folded.push('；');
        }
        folded.push_str(line);
    }
    folded
}

fn closed(mut text: String) -> String {
    if !text.ends_with(['。', '！', '？']) {
        text.truncate(text.trim_end_matches(['；', ';', '，', '、']).len());
        text.push('。');
    }
    text
}

fn name(quarter: u8) -> &'static str {
    match quarter {
        1 => "一",
        2 => "二",
        3 => "三",
        _ => "四",
    }
}

fn is_same(text: &str) -> bool {
    matches!(
        text.trim_end_matches('。'),
        "同左"
            | "同前"
            | "同上季度"
            | "同上一季度"
            | "〃"
            | "″"
            | "同一季度"
            | "同二季度"
            | "同三季度"
    )
}

/// Whether the schedule reader finds a time in it.
fn tells_time(text: &str) -> bool {
    // Any year will do: only whether there is a time is asked.
    const YEAR: i32 = 2022;
    let read = schedule::read(text, &TimeContext::of(YEAR));
    !read.nodes.is_empty() || !read.doubts.is_empty()
}

fn opens_with_time(text: &str) -> bool {
    const WORDS: [&str; 6] = ["上半年", "下半年", "全年", "年底前", "每月", "每季度"];
    let rest = text.trim_start_matches(['第', '前']);
    let after = rest.trim_start_matches(|c: char| {
        c.is_ascii_digit() || "一二三四五六七八九十、—-至和".contains(c)
    });
    WORDS.iter().any(|word| text.starts_with(word))
        || after.len() < rest.len()
            && ["季度", "月", "年"]
                .iter()
                .any(|unit| after.starts_with(unit))
}

/// `2023-06-30`, `2023/6/30`, `2023.6.30` or `2023年6月30日` as `2023年6月30日前`.
fn date(text: &str) -> Option<String> {
    let text = text.trim_end_matches(['前', '日']);
    let numbers: Vec<&str> = text
        .split(['-', '/', '.', '．', '年', '月'])
        .map(str::trim)
        .collect();
    let [year, month, day] = numbers.as_slice() else {
        return None;
    };
    let year: i32 = year.parse().ok()?;
    let (month, day): (u32, u32) = (month.parse().ok()?, day.parse().ok()?);
    chrono::NaiveDate::from_ymd_opt(year, month, day)
        .filter(|_| (2000..=2099).contains(&year))
        .map(|_| format!("{year}年{month}月{day}日前"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(quarter: u8, text: &str) -> Part {
        Part {
            first: quarter,
            last: quarter,
            text: text.into(),
            joined: false,
        }
    }

    /// The spans and contents the schedule reader takes from it.
    fn read(parts: &[Part]) -> Vec<(u8, u8, String)> {
        let read = schedule::read(&by_quarter(parts), &TimeContext::of(2023));
        let taken = read.milestones(2023).into_iter();
        taken
            .map(|(m, _)| (m.first_quarter.number(), m.last_quarter.number(), m.content))
            .collect()
    }

    #[test]
    fn a_column_per_quarter_is_one_milestone_each() {
        let parts = [
            part(1, "开展调研，形成报告"),
            part(2, "同左"),
            part(3, "—"),
            part(4, "1. 印发方案；\n2. 召开推进会"),
        ];
        assert_eq!(
            read(&parts),
            [
                (1, 1, "开展调研，形成报告".into()),
                (2, 2, "开展调研，形成报告".into()),
                (4, 4, "1.印发方案；2.召开推进会".into()),
            ]
        );
        assert_eq!(by_quarter(&[part(1, "/"), part(2, ""), part(3, "无")]), "");
        // Nothing to the left: nothing said.
        assert_eq!(by_quarter(&[part(1, "—"), part(2, "同左")]), "");
    }

    #[test]
    fn merged_quarters_are_one_clause_and_a_cell_may_name_its_time_itself() {
        let mut joined = part(2, "");
        joined.joined = true;
        let parts = [
            part(1, "完成立项"),
            joined,
            part(3, "三季度完成招标"),
            part(4, "建成"),
        ];
        assert_eq!(
            read(&parts),
            [
                (1, 2, "完成立项".into()),
                (3, 3, "完成招标".into()),
                (4, 4, "建成".into())
            ]
        );
    }

    #[test]
    fn a_date_heads_the_task() {
        for (deadline, composed) in [
            ("2023-06-30", "2023年6月30日前，完成改造。"),
            ("2023/6/30", "2023年6月30日前，完成改造。"),
            ("第二季度", "第二季度，完成改造。"),
            ("6月底前", "6月底前，完成改造。"),
            ("/", ""),
            ("一季度，立项；二季度，开工", "一季度，立项；二季度，开工"),
        ] {
            assert_eq!(by_deadline(deadline, "完成改造。另附"), composed);
        }
        assert_eq!(by_deadline("12月", "一季度，调研"), "12月，完成本项任务。");
    }
}
