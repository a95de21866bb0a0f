//! A single day, month, part of a month or year's end, as it is said.

use chrono::{Datelike, Days, NaiveDate};

use super::context::TimeContext;
use super::cursor::Cursor;
use super::number::{self, read_fixed, read_small};
use super::words::{Joiner, eat_unless, read_joiner};
use super::year::read_year;

/// A stretch of days that words name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) start: NaiveDate,
    pub(super) end: NaiveDate,
    pub(super) sort: Sort,
}

/// What the words name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// `6月30日`.
    Day,
    /// `6月31日`: there is none; the month's last is taken.
    NoSuchDay,
    /// `6月`.
    Month,
    /// `6月中旬`.
    Part,
    /// `6月初`.
    Early,
    /// `6月底`.
    End,
    /// `年底`, `年内`.
    YearEnd,
}

/// Where words that leave out year or month take them from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) year: i32,
    pub(super) month: Option<u32>,
}

/// Reads what one time names; several for `3、6、9、12月底`, which share their ending.
pub(super) fn read(cursor: &mut Cursor<'_>, ctx: &TimeContext, base: Base) -> Option<Spots> {
    let mut ahead = *cursor;
    let found = read_numeric(&mut ahead)
        .map(Spots::one)
        .or_else(|| read_worded(&mut ahead, ctx, base))?;
    *cursor = ahead;
    Some(found)
}

/// What is named, and whether with a year of its own.
#[derive(Debug, Clone)]
pub(super) struct Spots {
    pub(super) all: Vec<Spot>,
    pub(super) range: bool,
    pub(super) own_year: bool,
}

impl Spots {
    fn one(spot: Spot) -> Self {
        Self {
            all: vec![spot],
            range: false,
            own_year: true,
        }
    }
}

/// `2023-06-30`, `2023.6.30`, `2023/6/30`, `2023－06`, `20230630`, `9·30`.
fn read_numeric(cursor: &mut Cursor<'_>) -> Option<Spot> {
    let mut ahead = *cursor;
    let year = i32::try_from(read_fixed(&mut ahead, 4)?).ok()?;
    if !(1990..=2100).contains(&year) {
        return None;
    }
    if let Some(both) = read_fixed(&mut ahead, 4) {
        let goes_on = ahead.peek().and_then(number::digit).is_some();
        let spot = day(year, both / 100, both % 100)?;
        *cursor = ahead;
        return (!goes_on).then_some(spot);
    }
    let separator = ahead.next().filter(|c| "-./－．／".contains(*c))?;
    let month = read_small(&mut ahead, 12)?;
    let mut rest = ahead;
    let spot = if rest.next() == Some(separator) {
        ahead = rest;
        let number = read_small(&mut ahead, 31)?;
        ahead.eat_any(&["日", "号"]);
        day(year, month, number)?
    } else {
        // `2023.6` is a month only with what makes a time of it.
        read_part(&mut ahead, year, month).or_else(|| {
            let dated = ahead
                .rest()
                .starts_with(['前', '月', '—', '-', '至', '）', ')']);
            dated.then(|| of_month(year, month)).flatten()
        })?
    };
    *cursor = ahead;
    Some(spot)
}

fn read_worded(cursor: &mut Cursor<'_>, ctx: &TimeContext, base: Base) -> Option<Spots> {
    let named = read_year(cursor, ctx);
    let year = named.unwrap_or(base.year);
    cursor.skip_blanks();
    let one = |spot| Spots {
        all: vec![spot],
        range: false,
        own_year: named.is_some(),
    };
    if let Some(spot) = read_of_year(cursor, year, named.is_some()) {
        return Some(one(spot));
    }
    if let Some(spot) = read_first_months(cursor, year) {
        return Some(one(spot));
    }
    if let Some((months, range)) = read_months(cursor) {
        let all = read_in_months(cursor, year, &months)?;
        return Some(Spots {
            range: range && all.len() == 2,
            own_year: named.is_some(),
            all,
        });
    }
    if named.is_some() {
        return None;
    }
    read_dotted(cursor, year)
        .or_else(|| read_part(cursor, year, base.month?))
        .map(one)
}

/// `年底`, `年内`, `年中`; after a year's number also `底`, `内`, `末`.
fn read_of_year(cursor: &mut Cursor<'_>, year: i32, after_year: bool) -> Option<Spot> {
    let mut ahead = *cursor;
    let day = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    if !after_year && ahead.eat_any(&["岁末", "岁尾"]) {
        *cursor = ahead;
        return Some(Spot {
            start: day(1, 1)?,
            end: day(12, 31)?,
            sort: Sort::YearEnd,
        });
    }
    let with = ahead.eat("年");
    if !with && !after_year {
        return None;
    }
    if with {
        ahead.eat("度");
    }
    let (end, sort) = if eat_unless(&mut ahead, "底", "数册图账稿")
        || eat_unless(&mut ahead, "末", "端梢")
        || with && ahead.eat("终")
        || eat_unless(&mut ahead, "以内", "")
        || ahead.eat("之内")
        || eat_unless(&mut ahead, "内", "部容控外业涝河")
    {
        (day(12, 31)?, Sort::YearEnd)
    } else if eat_unless(&mut ahead, "中", "小国心标考层央学期央型") {
        (day(6, 30)?, Sort::End)
    } else if eat_unless(&mut ahead, "初", "步期级次审") {
        (day(1, 31)?, Sort::Early)
    } else {
        return None;
    };
    *cursor = ahead;
    Some(Spot {
        start: day(1, 1)?,
        end,
        sort,
    })
}

/// `前三个月`, `前11个月`.
fn read_first_months(cursor: &mut Cursor<'_>, year: i32) -> Option<Spot> {
    let mut ahead = *cursor;
    if !ahead.eat("前") {
        return None;
    }
    let months = if ahead.eat("两") {
        2
    } else {
        read_small(&mut ahead, 12)?
    };
    if !ahead.eat("个月") {
        return None;
    }
    *cursor = ahead;
    Some(Spot {
        start: NaiveDate::from_ymd_opt(year, 1, 1)?,
        end: of_month(year, months)?.end,
        sort: Sort::End,
    })
}

/// `6月`, `4—6月`, `3、6、9、12月`: the months, and whether they are the ends of a range.
fn read_months(cursor: &mut Cursor<'_>) -> Option<(Vec<u32>, bool)> {
    let mut ahead = *cursor;
    let mut months = Vec::new();
    let mut ranges = 0;
    for _ in 0..12 {
        ahead.skip_blanks();
        months.push(read_small(&mut ahead, 12)?);
        ahead.skip_blanks();
        if ahead.eat("月份") || ahead.eat("月") {
            // `2月会` is no time, but neither is it a word.
            *cursor = ahead;
            let range = ranges == 1 && months.len() == 2;
            return (range || ranges == 0).then_some((months, range));
        }
        match read_joiner(&mut ahead) {
            Joiner::Range => ranges += 1,
            Joiner::List => {}
            Joiner::None => return None,
        }
    }
    None
}

/// What follows the months: a day, several, a part, or nothing.
fn read_in_months(cursor: &mut Cursor<'_>, year: i32, months: &[u32]) -> Option<Vec<Spot>> {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    if let [month] = months
        && let Some((first, last)) = read_day_range(&mut ahead)
    {
        *cursor = ahead;
        let (first, last) = (day(year, *month, first)?, day(year, *month, last)?);
        return Some(vec![Spot {
            start: first.start,
            end: last.end,
            sort: Sort::Part,
        }]);
    }
    let mut end = None;
    let spots: Option<Vec<Spot>> = months
        .iter()
        .map(|&month| {
            let mut place = ahead;
            match read_part(&mut place, year, month) {
                Some(spot) => {
                    end = Some(place);
                    Some(spot)
                }
                None => of_month(year, month),
            }
        })
        .collect();
    if let Some(end) = end {
        *cursor = end;
    }
    let mut spots = spots?;
    // `11—2月`: over the year's end.
    if let [first, last] = spots.as_mut_slice()
        && last.end < first.start
    {
        last.start = last.start.with_year(year + 1)?;
        last.end = of_month(year + 1, last.end.month())?.end;
    }
    Some(spots)
}

/// `5—10日`.
fn read_day_range(cursor: &mut Cursor<'_>) -> Option<(u32, u32)> {
    let mut ahead = *cursor;
    let first = read_small(&mut ahead, 31)?;
    if !matches!(read_joiner(&mut ahead), Joiner::Range) {
        return None;
    }
    let last = read_small(&mut ahead, 31)?;
    let found = ahead.eat_any(&["日", "号"]) && first <= last;
    *cursor = ahead;
    found.then_some((first, last))
}

/// The part of a month: `30日`, `上旬`, `底`.
fn read_part(cursor: &mut Cursor<'_>, year: i32, month: u32) -> Option<Spot> {
    let mut ahead = *cursor;
    if let Some(number) = read_small(&mut ahead, 31) {
        ahead.skip_blanks();
        let found = ahead.eat_any(&["日", "号"]) && !ahead.rest().starts_with("个");
        read_weekday(&mut ahead);
        *cursor = ahead;
        return found.then(|| day(year, month, number)).flatten();
    }
    const PARTS: [(&str, u32, u32); 9] = [
        ("上中旬", 1, 20),
        ("中上旬", 1, 20),
        ("中下旬", 11, 31),
        ("上旬", 1, 10),
        ("中旬", 11, 20),
        ("下旬", 21, 31),
        ("上半月", 1, 15),
        ("下半月", 16, 31),
        ("月中", 11, 20),
    ];
    for (word, first, last) in PARTS {
        if ahead.eat(word) {
            *cursor = ahead;
            return Some(Spot {
                start: day(year, month, first)?.start,
                end: day(year, month, last)?.end,
                sort: Sort::Part,
            });
        }
    }
    let (end, sort) = if eat_unless(&mut ahead, "底", "数册图账稿")
        || eat_unless(&mut ahead, "末", "端梢")
    {
        (of_month(year, month)?.end, Sort::End)
    } else if eat_unless(&mut ahead, "初", "步期级次审中") {
        (day(year, month, 10)?.end, Sort::Early)
    } else if eat_unless(&mut ahead, "中", "小国心标考层央学期型介") {
        (day(year, month, 20)?.end, Sort::Part)
    } else {
        return None;
    };
    *cursor = ahead;
    Some(Spot {
        start: of_month(year, month)?.start,
        end,
        sort,
    })
}

/// `6月30日（星期五）前`: the weekday says nothing more.
fn read_weekday(cursor: &mut Cursor<'_>) {
    let mut ahead = *cursor;
    if ahead.eat_any(&["（星期", "（周", "(星期", "(周"])
        && ahead.next().is_some()
        && ahead.eat_any(&["）", ")"])
    {
        *cursor = ahead;
    }
}

/// `9·30`, and `6.30前`, which without its 前 would be a figure.
fn read_dotted(cursor: &mut Cursor<'_>, year: i32) -> Option<Spot> {
    let mut ahead = *cursor;
    let month = read_small(&mut ahead, 12)?;
    let dot = ahead.next()?;
    if !"·•・.．/".contains(dot) {
        return None;
    }
    let number = read_small(&mut ahead, 31)?;
    let clear =
        "·•・".contains(dot) || ahead.rest().starts_with("前") || ahead.rest().starts_with("之前");
    *cursor = ahead;
    clear
        .then(|| day(year, month, number))
        .flatten()
        .filter(|spot| spot.sort == Sort::Day)
}

/// A day; the month's last, marked, where it has no such day.
pub(super) fn day(year: i32, month: u32, number: u32) -> Option<Spot> {
    let (at, sort) = match NaiveDate::from_ymd_opt(year, month, number) {
        Some(at) => (at, Sort::Day),
        None => (of_month(year, month)?.end, Sort::NoSuchDay),
    };
    Some(Spot {
        start: at,
        end: at,
        sort,
    })
}

/// A whole month.
pub(super) fn of_month(year: i32, month: u32) -> Option<Spot> {
    let start = NaiveDate::from_ymd_opt(year, month, 1)?;
    let next = match month {
        12 => NaiveDate::from_ymd_opt(year + 1, 1, 1)?,
        _ => NaiveDate::from_ymd_opt(year, month + 1, 1)?,
    };
    Some(Spot {
        start,
        end: next.checked_sub_days(Days::new(1))?,
        sort: Sort::Month,
    })
}
