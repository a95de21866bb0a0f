//! A year as it is said.

use super::context::TimeContext;
use super::cursor::Cursor;
use super::{firsts, number};

/// Words for a year, and how far it is from this one.
pub(super) const WORDS: [(&[&str], i32); 5] = [
    (&["今年", "本年度", "本年", "当年"], 0),
    (
        &[
            "明年",
            "次年",
            "来年",
            "翌年",
            "下一年度",
            "下一年",
            "下年度",
        ],
        1,
    ),
    (&["后年"], 2),
    (&["去年", "上年度", "上年", "上一年度", "上一年"], -1),
    (&["前年"], -2),
];

/// A year with its word: `2023年`, `二〇二三年度`, `23年`, `今年`, `次年`.
pub(super) fn read_year(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Option<i32> {
    if firsts::of(*cursor).year() {
        for (words, shift) in WORDS {
            if cursor.eat_any(words) {
                if !cursor.rest().starts_with("度工作") {
                    cursor.eat("度");
                }
                return Some(ctx.this_year() + shift);
            }
        }
    }
    let mut ahead = *cursor;
    let mut digits = 0;
    let mut year = 0;
    while let Some(next) = ahead.peek().and_then(number::year_digit) {
        if digits == 4 {
            return None;
        }
        year = year * 10 + i32::from(next);
        digits += 1;
        ahead.next();
    }
    let short = digits == 2 && cursor.peek().is_some_and(|c| number::digit(c).is_some());
    if short {
        year += 2000;
    }
    ahead.skip_blanks();
    if !(short || digits == 4) || !ahead.eat("年") {
        // `2023上半年`, `2023Q1`: the 年 is left out.
        let bare = digits == 4 && ahead.rest().starts_with(['上', '下', 'Q', 'H']);
        if !bare || !(2000..=2100).contains(&year) {
            return None;
        }
    }
    if short
        && !ahead
            .peek()
            .is_some_and(|c| c.is_ascii_digit() || c == '底' || c == '第')
    {
        return None;
    }
    ahead.eat("度");
    ahead.skip_blanks();
    *cursor = ahead;
    Some(year)
}
