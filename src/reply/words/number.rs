//! Numbers of tasks in a text, and which part of the text belongs to which.

use super::OpenItem;
use super::status;
use crate::domain::ids::TaskNo;

/// A part of a text and the items it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// None for what stands before the first number, or in a text without any.
    pub tasks: Vec<TaskNo>,
    /// Without the number.
    pub text: &'a str,
}

/// Cuts a text at the numbers of tasks; nothing of it is lost.
pub(super) fn pieces<'a>(text: &'a str, items: &[OpenItem]) -> Vec<Piece<'a>> {
    let mut pieces = Vec::new();
    let mut open: (Vec<TaskNo>, usize) = (Vec::new(), 0);
    let mut listed: Option<TaskNo> = None;
    let mut at = 0;
    while let Some(place) = next_start(text, at) {
        at = place.end;
        let Some(rest) = text.get(place.at..) else {
            break;
        };
        let Some(mark) = mark(rest) else { continue };
        let first = mark.tasks.first().copied().unwrap_or_default();
        let goes_on = listed.is_some_and(|last| last.checked_add(1) == Some(first));
        if (goes_on && !mark.explicit) || !mark.is_meant(rest, items, place.line) {
            if place.line {
                listed = Some(first);
            }
            continue;
        }
        listed = None;
        push(&mut pieces, open.0, text.get(open.1..place.at));
        let end = place.at + mark.length;
        open = (mark.chosen(items), end);
        at = at.max(end);
    }
    push(&mut pieces, open.0, text.get(open.1..));
    pieces
}

fn push<'a>(pieces: &mut Vec<Piece<'a>>, tasks: Vec<TaskNo>, text: Option<&'a str>) {
    let text = text.unwrap_or_default();
    let text = text.trim_matches(|c: char| c.is_whitespace() || "，,；;、".contains(c));
    if !tasks.is_empty() || !text.is_empty() {
        pieces.push(Piece { tasks, text });
    }
}

/// A place where a number of a task may stand.
struct Start {
    at: usize,
    /// Where to look on.
    end: usize,
    /// At the start of a line.
    line: bool,
}

fn next_start(text: &str, from: usize) -> Option<Start> {
    let rest = text.get(from..)?;
    if rest.is_empty() {
        return None;
    }
    let (skip, line) = match from {
        0 => (0, true),
        _ => {
            let (at, found) = rest
                .char_indices()
                .find(|(_, c)| "\n，,。；;！!".contains(*c))?;
            (at + found.len_utf8(), found == '\n')
        }
    };
    let after = rest.get(skip..)?;
    let lead = after.len()
        - after
            .trim_start_matches(|c| " （([【*·•-".contains(c))
            .len();
    let at = from + skip + lead;
    let end = at.max(from + 1);
    let end = (end..=text.len()).find(|end| text.is_char_boundary(*end))?;
    Some(Start { at, end, line })
}

/// A number or a list of them, with all that belongs to it.
struct Mark {
    tasks: Vec<TaskNo>,
    length: usize,
    /// Said to be a number of an item, as in 第14项.
    explicit: bool,
    /// Something stands between it and the text: a stop, a blank, 项.
    apart: bool,
    range: bool,
}

impl Mark {
    fn is_meant(&self, rest: &str, items: &[OpenItem], line: bool) -> bool {
        let known = |task: &TaskNo| items.iter().any(|item| item.task == *task);
        let all = self.tasks.iter().all(known);
        let some = self.tasks.iter().any(known);
        let after = rest.get(self.length..).unwrap_or_default();
        let says = status::begins_with_one(after);
        if self.explicit {
            return true;
        }
        match line {
            true => (all || (self.range && some)) && (self.apart || says) || (says && self.apart),
            false => all && says,
        }
    }

    /// Of a range, only what is the writer's; of numbers written out, each.
    fn chosen(self, items: &[OpenItem]) -> Vec<TaskNo> {
        let known = |task: &TaskNo| items.iter().any(|item| item.task == *task);
        if self.range && self.tasks.iter().any(known) {
            return self.tasks.into_iter().filter(known).collect();
        }
        self.tasks
    }
}

fn mark(rest: &str) -> Option<Mark> {
    const UNITS: &str = "月日年时分个条户栋万亿元人家次台公里米平亩吨件点%期楼层所座间名位份笔批轮度天周季处辆千百十成倍℃.．:-/～~";
    let mut cursor = Cursor { rest, at: 0 };
    let said = ["第", "任务", "序号", "编号", "事项", "#", "No."]
        .into_iter()
        .any(|word| cursor.take(word));
    cursor.blanks();
    let (tasks, range) = list(&mut cursor, said)?;
    let items = cursor.take("项");
    let end = cursor.at;
    let blank = cursor.blanks();
    let next = cursor.peek();
    let closed = cursor.any("）)】]");
    let stop = stop(&mut cursor) || closed;
    // 14.5亿元, 6月30日, 3栋, 12:30 are no numbers of tasks; 第3批 is none either.
    if !items && !stop && next.is_some_and(|c| UNITS.contains(c)) {
        return None;
    }
    if said && !items && !stop && !blank && next.is_some_and(|c| !status::may_begin(c)) {
        return None;
    }
    if !stop {
        cursor.at = end;
    }
    cursor.any("任工");
    if cursor.at > end && cursor.peek().is_some_and(|c| "务作".contains(c)) {
        cursor.any("务作");
    }
    cursor.blanks();
    Some(Mark {
        tasks,
        length: cursor.at,
        explicit: said && (items || stop),
        apart: items || blank || stop || cursor.peek().is_none(),
        range,
    })
}

/// `、` `.` `：` and the like after a number; not the point of 14.5 and not the colon of 9:30.
fn stop(cursor: &mut Cursor<'_>) -> bool {
    let before = cursor.at;
    if !cursor.any("、.．:：。，,") {
        return false;
    }
    if cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
        cursor.at = before;
        return false;
    }
    true
}

fn list(cursor: &mut Cursor<'_>, said: bool) -> Option<(Vec<TaskNo>, bool)> {
    /// As many tasks as a year's table may have, roughly.
    const MOST: u32 = 500;
    let mut tasks = vec![cursor.number(said)?];
    let mut range = false;
    loop {
        let before = cursor.at;
        cursor.take("项");
        let blank = cursor.blanks();
        let through = cursor.any("-—–~～至到");
        let joined = through || cursor.any("、,，和及与/") || blank;
        cursor.blanks();
        cursor.take("第");
        let next = joined.then(|| cursor.number(said)).flatten();
        let Some(next) = next else {
            cursor.at = before;
            break;
        };
        let last = tasks.last().copied().unwrap_or(next);
        if through {
            if next <= last || next - last > MOST {
                cursor.at = before;
                break;
            }
            range = true;
            tasks.extend(last + 1..=next);
        } else {
            tasks.push(next);
        }
        if tasks.len() > 2 * MOST as usize {
            return None;
        }
    }
    tasks.dedup();
    Some((tasks, range))
}

struct Cursor<'a> {
    rest: &'a str,
    at: usize,
}

impl Cursor<'_> {
    fn tail(&self) -> &str {
        self.rest.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.tail().chars().next()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.tail().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn any(&mut self, set: &str) -> bool {
        match self.peek() {
            Some(c) if set.contains(c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    fn blanks(&mut self) -> bool {
        let before = self.at;
        while self.any(" ") {}
        self.at > before
    }

    /// Up to four digits; Chinese ones where a 第 stands before.
    fn number(&mut self, chinese: bool) -> Option<TaskNo> {
        let digits: String = self
            .tail()
            .chars()
            .take_while(char::is_ascii_digit)
            .take(5)
            .collect();
        if (1..=4).contains(&digits.len()) {
            self.at += digits.len();
            return digits.parse().ok().filter(|number| *number > 0);
        }
        if !chinese || !digits.is_empty() {
            return None;
        }
        let words: String = self
            .tail()
            .chars()
            .take_while(|c| "一二三四五六七八九十百零〇两".contains(*c))
            .take(7)
            .collect();
        let number = chinese_number(&words)?;
        self.at += words.len();
        Some(number)
    }
}

/// 十四, 二十, 一百零三: up to 999.
fn chinese_number(words: &str) -> Option<TaskNo> {
    let (mut sum, mut digit) = (0, None);
    for c in words.chars() {
        let value = match c {
            '百' | '十' => {
                let unit = if c == '百' { 100 } else { 10 };
                sum += digit.take().unwrap_or(1) * unit;
                continue;
            }
            '零' | '〇' => continue,
            '两' => 2,
            c => 1 + "一二三四五六七八九".chars().position(|known| known == c)?,
        };
        if digit.replace(u32::try_from(value).ok()?).is_some() {
            return None;
        }
    }
    let number = sum + digit.unwrap_or(0);
    (number > 0).then_some(number)
}
