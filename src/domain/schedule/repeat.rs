//! What comes again: `每月25日前`, `每季度末月20日前`, `每年6月底前`.

use chrono::{Datelike, NaiveDate};

use super::context::TimeContext;
use super::cursor::Cursor;
use super::node::{Every, Repeat};
use super::number::read_small;
use super::spot::{self, Base};
use super::words::{Joiner, eat_unless, read_joiner};
use super::{firsts, quarters};

pub(super) const STEPS: [(&[&str], Every); 10] = [
    (
        &[
            "每两个月",
            "每2个月",
            "每双月",
            "每逢双月",
            "逢双月",
            "每隔一个月",
            "双月",
        ],
        Every::TwoMonths,
    ),
    (&["每半个月", "每半月", "每月两次"], Every::HalfMonth),
    (
        &[
            "每一个季度",
            "每一季度",
            "每1个季度",
            "每个季度",
            "每季度",
            "各个季度",
            "各季度",
            "逐季度",
            "逐季",
            "每季末",
            "每季",
            "按季度",
            "按季",
        ],
        Every::Quarter,
    ),
    (&["每个月", "每月份", "每月", "逐月", "按月"], Every::Month),
    (
        &["每半年度", "每半年", "每个半年", "逐半年", "按半年"],
        Every::Half,
    ),
    (
        &[
            "每两周",
            "每双周",
            "每个星期",
            "每星期",
            "每周",
            "逐周",
            "按周",
        ],
        Every::Week,
    ),
    (&["每旬"], Every::TenDays),
    (&["每年度", "每学年", "每年"], Every::Year),
    (
        &["每日调度", "每日巡查", "每日报送", "每天调度", "每天巡查"],
        Every::Day,
    ),
    (
        &["上、下半年", "上下半年", "上半年、下半年", "上半年和下半年"],
        Every::Half,
    ),
];

/// Steps that only another 一 makes one of.
pub(super) const ONE_EACH: [(&[&str], Every); 5] = [
    (&["周", "一周"], Every::Week),
    (&["月", "一月", "一个月"], Every::Month),
    (&["季度", "季", "一季"], Every::Quarter),
    (&["半年"], Every::Half),
    (&["年度", "年", "一年"], Every::Year),
];

/// Reads one, if it comes next.
pub(super) fn read(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Option<Repeat> {
    if !firsts::of(*cursor).repeat() {
        return None;
    }
    let mut ahead = *cursor;
    let every = match STEPS.iter().find(|(words, _)| ahead.eat_any(words)) {
        Some((_, every)) => *every,
        None => read_one_each(&mut ahead)?,
    };
    let mut repeat = match every {
        Every::Month => monthly(&mut ahead, ctx.year),
        Every::Quarter => quarterly(&mut ahead, ctx.year),
        Every::Year => yearly(&mut ahead, ctx),
        Every::Half => {
            ahead.eat_any(&["末", "底"]);
            months_ends(Every::Half, ctx.year, &[6, 12])
        }
        Every::TwoMonths => {
            let at = read_days(&mut ahead);
            on_days(every, ctx.year, &[2, 4, 6, 8, 10, 12], at)
        }
        _ => {
            if every == Every::Week {
                read_weekday(&mut ahead);
            }
            Repeat {
                every,
                at: None,
                dates: Vec::new(),
            }
        }
    };
    let _ = ahead.eat_any(&["之前", "以前", "以内", "之内"])
        || repeat.at.is_some() && eat_unless(&mut ahead, "内", "部容控外业涝河")
        || eat_unless(&mut ahead, "前", "期往置端瞻沿述");
    // `每年6月、3月15日前`: in the order of the year, whatever that of the words.
    repeat.dates.sort_unstable();
    repeat.dates.dedup();
    *cursor = ahead;
    Some(repeat)
}

/// `每周五报送`; `每周三次` and `每周一调度` tell how often.
fn read_weekday(cursor: &mut Cursor<'_>) {
    let _ = ["二", "三", "四", "五", "六", "日", "末"]
        .iter()
        .any(|day| eat_unless(cursor, day, "次个场期轮天"));
}

/// `半年一考核`, `一周一调度`: the step without its 每.
fn read_one_each(cursor: &mut Cursor<'_>) -> Option<Every> {
    const ACTS: [&str; 14] = [
        "调度", "通报", "考核", "评估", "评价", "督查", "小结", "总结", "研判", "报告", "检查",
        "会商", "分析", "排名",
    ];
    let mut ahead = *cursor;
    let (_, every) = ONE_EACH.iter().find(|(words, _)| ahead.eat_any(words))?;
    // `半年小结` has no other meaning; `月度考核`, `年度考核` are nouns.
    let act = match ahead.rest().strip_prefix('一') {
        None if *every == Every::Half => ahead.rest(),
        act => act?,
    };
    ACTS.iter().any(|one| act.starts_with(one)).then(|| {
        *cursor = ahead;
        *every
    })
}

fn months_ends(every: Every, year: i32, months: &[u32]) -> Repeat {
    let ends = months
        .iter()
        .filter_map(|month| spot::of_month(year, *month));
    Repeat {
        every,
        at: None,
        dates: ends.map(|spot| spot.end).collect(),
    }
}

fn monthly(cursor: &mut Cursor<'_>, year: i32) -> Repeat {
    let every = Every::Month;
    let mut at = read_days(cursor);
    let next = at.is_none() && cursor.eat_any(&["结束后", "终了后", "次月", "后"]);
    if next {
        at = read_days(cursor);
    }
    let mut months: Vec<u32> = (1..=12).collect();
    if next && at.is_none() {
        return months_ends(every, year, &months);
    }
    if next {
        // What follows December falls into the next year.
        months.remove(0);
    }
    on_days(every, year, &months, at)
}

fn quarterly(cursor: &mut Cursor<'_>, year: i32) -> Repeat {
    const FIRST: [&str; 5] = ["首月", "第一个月", "第1个月", "首个月", "第一月"];
    const SECOND: [&str; 4] = ["第二个月", "第2个月", "中间月", "次月"];
    const LAST: [&str; 7] = [
        "最后一个月",
        "最后1个月",
        "最后一月",
        "第三个月",
        "第3个月",
        "末月",
        "末个月",
    ];
    let months = if cursor.eat_any(&["结束后", "终了后", "后"]) {
        [4, 7, 10].as_slice()
    } else if cursor.eat_any(&FIRST) {
        &[1, 4, 7, 10]
    } else if cursor.eat_any(&SECOND) {
        &[2, 5, 8, 11]
    } else {
        let _ = cursor.eat_any(&LAST)
            || eat_unless(cursor, "末", "端梢")
            || eat_unless(cursor, "底", "数");
        &[3, 6, 9, 12]
    };
    cursor.eat("的");
    let at = read_days(cursor);
    on_days(Every::Quarter, year, months, at)
}

/// `每年6月底前`, `每年3月、9月`, else the year's end.
fn yearly(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Repeat {
    let base = Base {
        year: ctx.year,
        month: None,
    };
    let mut dates = Vec::new();
    while dates.len() < 12 {
        let mut ahead = *cursor;
        if !dates.is_empty() && !matches!(read_joiner(&mut ahead), Joiner::List) {
            break;
        }
        if let Some(spots) = spot::read(&mut ahead, ctx, base) {
            dates.extend(spots.all.iter().map(|spot| spot.end));
        } else if let Some(ends) = quarters::read_quarter_ends(&mut ahead, ctx.year) {
            dates.extend(ends);
        } else {
            break;
        }
        ahead.eat_any(&["之前", "以前", "前"]);
        *cursor = ahead;
    }
    if dates.is_empty() {
        let _ = eat_unless(cursor, "底", "数") || eat_unless(cursor, "末", "端");
        dates.extend(NaiveDate::from_ymd_opt(ctx.year, 12, 31));
    }
    Repeat {
        every: Every::Year,
        at: None,
        dates,
    }
}

/// The days of the month: `25日`, `5日、20日`, `底`, `上旬`.
fn read_days(cursor: &mut Cursor<'_>) -> Option<Vec<u32>> {
    const PARTS: [(&str, u32); 9] = [
        ("最后一个工作日", 31),
        ("最后一天", 31),
        ("月底", 31),
        ("月末", 31),
        ("上旬", 10),
        ("中旬", 20),
        ("下旬", 31),
        ("初", 10),
        ("底", 31),
    ];
    if let Some((_, day)) = PARTS.into_iter().find(|(word, _)| cursor.eat(word)) {
        return Some(vec![day]);
    }
    if eat_unless(cursor, "末", "端") {
        return Some(vec![31]);
    }
    let mut days = Vec::new();
    let mut end = *cursor;
    let mut ahead = *cursor;
    while let Some(day) = read_small(&mut ahead, 31).filter(|_| days.len() < 8) {
        let whole = ahead.eat_any(&["日", "号"]);
        days.push(day);
        if whole {
            end = ahead;
        }
        match read_joiner(&mut ahead) {
            Joiner::List => {}
            // `1—5日`: by the last.
            Joiner::Range => days.clear(),
            Joiner::None => break,
        }
    }
    if end.at() == cursor.at() || days.is_empty() {
        return None;
    }
    *cursor = end;
    Some(days)
}

fn on_days(every: Every, year: i32, months: &[u32], at: Option<Vec<u32>>) -> Repeat {
    let Some(days) = at else {
        return months_ends(every, year, months);
    };
    let dates = months
        .iter()
        .flat_map(|month| days.iter().map(move |day| (*month, *day)))
        .filter_map(|(month, day)| spot::day(year, month, day))
        .map(|spot| spot.end)
        .collect();
    let at = match days.as_slice() {
        [day] if *day < 31 => Some(*day),
        _ => None,
    };
    Repeat { every, at, dates }
}

/// Only what lies within a window.
pub(super) fn within(mut repeat: Repeat, from: NaiveDate, until: Option<NaiveDate>) -> Repeat {
    repeat.dates.retain(|day| {
        *day >= from
            && until.is_none_or(|until| {
                *day <= until || day.month() == until.month() && day.year() == until.year()
            })
    });
    repeat
}
