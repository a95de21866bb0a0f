//! Words before a time: labels, and how sure it is.

use super::context::TimeContext;
use super::cursor::Cursor;
use super::firsts;
use super::phrase::{self, Phrase};
use super::spot::Base;
use super::when::When;

/// What stands before a time as a form's label.
pub(super) const LABELS: [&str; 12] = [
    "计划完成时间",
    "完成时限",
    "完成时间",
    "完成日期",
    "时间节点",
    "时间安排",
    "截止时间",
    "截止日期",
    "办结时限",
    "时限",
    "时间",
    "期限",
];

/// All words that may lead to a time.
pub(super) const WORDS: [&[&str]; 6] = [&[AMONG], &LABELS, &ALSO, &AFTERWARDS, &SURENESS, &UNTIL];

const AMONG: &str = "其中";

const ALSO: [&str; 2] = ["并", "同时"];

/// Words that let what recurs begin after the time before it: `3月启动，此后每月通报`.
pub(super) const AFTERWARDS: [&str; 4] = ["此后", "其后", "之后", "以后"];

const SURENESS: [&str; 9] = [
    "力求",
    "力争",
    "争取",
    "计划",
    "预计",
    "拟",
    "确保",
    "务必",
    "原则上",
];

const UNTIL: [&str; 17] = [
    "截至",
    "截止到",
    "截止",
    "最迟不超过",
    "最迟",
    "最晚",
    "不超过",
    "不晚于",
    "不迟于",
    "赶在",
    "即日起至",
    "于",
    "在",
    "自",
    "从",
    "至",
    "到",
];

/// Words between a boundary and the time; gives those that say how sure it is (`力争`).
pub(super) fn read_lead_in<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    if cursor.peek().is_some_and(|c| ('①'..='⑳').contains(&c)) {
        cursor.next();
    } else if firsts::of(*cursor).lead() && cursor.eat(AMONG) {
        cursor.eat_any(&["，", ",", "：", ":"]);
        cursor.skip_blanks();
    }
    if !firsts::of(*cursor).lead() {
        return "";
    }
    read_label(cursor);
    cursor.eat_any(&ALSO);
    cursor.eat_any(&AFTERWARDS);
    let before = cursor.rest();
    cursor.eat_any(&SURENESS);
    let said = before.len() - cursor.rest().len();
    cursor.eat_any(&UNTIL);
    before.get(..said).unwrap_or_default()
}

/// `完成时限：6月底前`.
fn read_label(cursor: &mut Cursor<'_>) {
    let mut ahead = *cursor;
    if ahead.eat_any(&LABELS) && ahead.eat_any(&["：", ":"]) {
        ahead.skip_blanks();
        *cursor = ahead;
    }
}

/// `力争6月、确保8月通车`: what is assured counts, what is hoped for is kept beside it. Whether there
/// was such a pair.
pub(super) fn read_assured(
    cursor: &mut Cursor<'_>,
    ctx: &TimeContext,
    base: Base,
    lead: &str,
    phrase: &mut Phrase,
) -> bool {
    let mut ahead = *cursor;
    ahead.eat_any(&["、", "，", ","]);
    if !ahead.eat_any(&["确保", "力争", "最迟", "争取"]) {
        return false;
    }
    let Some(mut second) = phrase::read(&mut ahead, ctx, base) else {
        return false;
    };
    let keeps_first = lead == "确保";
    let first = phrase.clone();
    let (kept, hoped) = if keeps_first {
        (&first.when, &second.when)
    } else {
        (&second.when, &first.when)
    };
    match (kept, hoped) {
        (When::Day(kept), When::Day(hoped)) => {
            let mut day = kept.clone();
            day.others = vec![hoped.due];
            second.when = When::Day(day);
        }
        (When::Quarters(_) | When::Day(_), When::Quarters(_) | When::Day(_)) => {
            second.when = kept.clone();
            if keeps_first {
                second.year = first.year;
            }
        }
        _ => return false,
    }
    *phrase = second;
    *cursor = ahead;
    true
}
