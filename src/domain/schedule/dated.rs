//! Days, months and windows with what stands after them: `6月底前`, `3月16日—6月30日`, `7月1日起`.

use chrono::{Datelike, Days, NaiveDate};

use super::context::TimeContext;
use super::cursor::Cursor;
use super::node::{Day, Every, Repeat};
use super::number::read_small;
use super::spot::{self, Base, Sort, Spot};
use super::when::{When, Why};
use super::words::{Joiner, eat_unless, read_joiner};

/// A time told by days and months.
#[derive(Debug, Clone)]
pub(super) struct Dated {
    pub(super) when: When,
    pub(super) why: Option<Why>,
    /// What the next time takes its year and month from.
    pub(super) base: Base,
    /// Its words end with `前`.
    pub(super) deadline: bool,
    /// The day from which something is to recur: a window, or `3月起`.
    pub(super) from: Option<NaiveDate>,
}

/// Reads one, if it comes next.
pub(super) fn read(cursor: &mut Cursor<'_>, ctx: &TimeContext, base: Base) -> Option<Dated> {
    let mut ahead = *cursor;
    let mut stretches = read_stretches(&mut ahead, ctx, base)?;
    read_common_day(&mut ahead, &mut stretches);
    join_neighbours(&mut stretches, ahead);
    if matches!(stretches.as_slice(), [one] if one.range) {
        // `3月、4月两个月集中排查`
        ahead.eat_any(&["两个月", "2个月", "三个月", "3个月"]);
    }
    let tail = read_tail(&mut ahead);
    if ahead.rest().starts_with(['已']) || ahead.rest().starts_with("以来") {
        return None;
    }
    let last = *stretches.last()?;
    let base = Base {
        year: last.spot.end.year(),
        month: Some(last.spot.end.month()),
    };
    *cursor = ahead;
    let (when, why) = match stretches.as_slice() {
        [one] => one_time(*one, &tail)?,
        many => (listed(many), None),
    };
    Some(Dated {
        when,
        why,
        base,
        deadline: tail == Tail::Before,
        from: (last.range || tail == Tail::From).then_some(last.spot.start),
    })
}

/// A spot, or the window between two.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    spot: Spot,
    range: bool,
}

fn read_stretches(cursor: &mut Cursor<'_>, ctx: &TimeContext, base: Base) -> Option<Vec<Stretch>> {
    const MOST: usize = 16;
    let spots = spot::read(cursor, ctx, base)?;
    let mut found = stretches_of(&spots);
    while found.len() < MOST {
        let last = *found.last()?;
        let near = Base {
            year: last.spot.end.year(),
            month: Some(last.spot.end.month()),
        };
        let mut ahead = *cursor;
        let from = ahead.eat_any(&["起", "开始"]);
        if !from {
            ahead.eat_any(&["之前", "以前", "前"]);
        }
        match read_joiner(&mut ahead) {
            Joiner::Range => {
                let Some(until) = spot::read(&mut ahead, ctx, near) else {
                    break;
                };
                let end = until_after(last.spot, until.all.last().copied()?, until.own_year)?;
                found.pop();
                found.push(Stretch {
                    spot: Spot {
                        start: last.spot.start,
                        ..end
                    },
                    range: true,
                });
            }
            Joiner::List if !from => {
                let Some(next) = spot::read(&mut ahead, ctx, near) else {
                    break;
                };
                found.extend(stretches_of(&next));
            }
            _ => break,
        }
        *cursor = ahead;
    }
    Some(found)
}

/// The end of a window; in the next year where it would lie before the start.
fn until_after(start: Spot, end: Spot, own_year: bool) -> Option<Spot> {
    if end.end >= start.start {
        return Some(end);
    }
    let (year, month) = (end.end.year() + 1, end.end.month());
    let later = match end.sort {
        Sort::Month | Sort::End => spot::of_month(year, month)?,
        _ => spot::day(year, month, end.end.day())?,
    };
    (!own_year).then_some(Spot {
        sort: end.sort,
        ..later
    })
}

fn stretches_of(spots: &spot::Spots) -> Vec<Stretch> {
    match spots.all.as_slice() {
        [first, last] if spots.range => vec![Stretch {
            spot: Spot {
                start: first.start,
                ..*last
            },
            range: true,
        }],
        all => all
            .iter()
            .map(|spot| Stretch {
                spot: *spot,
                // `6月5—10日`
                range: spot.sort == Sort::Part && spot.start.day() != 1,
            })
            .collect(),
    }
}

/// `1月、4月、7月的15日前`: the day is every month's.
fn read_common_day(cursor: &mut Cursor<'_>, stretches: &mut [Stretch]) {
    let mut ahead = *cursor;
    let months = stretches.iter().all(|one| one.spot.sort == Sort::Month);
    if !months || !ahead.eat("的") {
        return;
    }
    let Some(number) = read_small(&mut ahead, 31) else {
        return;
    };
    if !ahead.eat_any(&["日", "号"]) {
        return;
    }
    for one in stretches {
        let (year, month) = (one.spot.end.year(), one.spot.end.month());
        if let Some(spot) = spot::day(year, month, number) {
            one.spot = spot;
        }
    }
    *cursor = ahead;
}

/// `7、8月开展…` is one window; `7月、8月各…` are two days.
fn join_neighbours(stretches: &mut Vec<Stretch>, after: Cursor<'_>) {
    let apart = after.rest().starts_with(['各', '分', '均', '每']);
    let months = stretches.windows(2).all(|pair| {
        let [one, next] = pair else { return false };
        one.spot.sort == Sort::Month
            && next.spot.sort == Sort::Month
            && one.spot.end.succ_opt() == Some(next.spot.start)
    });
    if let [first, .., last] = stretches.as_slice()
        && months
        && !apart
    {
        let spot = Spot {
            start: first.spot.start,
            ..last.spot
        };
        *stretches = vec![Stretch { spot, range: true }];
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Tail {
    None,
    Before,
    From,
    Around,
}

fn read_tail(cursor: &mut Cursor<'_>) -> Tail {
    if cursor.eat_any(&["左右", "前后"]) {
        return Tail::Around;
    }
    if cursor.eat_any(&["之前", "以前"]) || eat_unless(cursor, "前", "期往置端瞻沿述") {
        return Tail::Before;
    }
    if cursor.eat_any(&["起始", "开始"]) || eat_unless(cursor, "起", "草点重诉吊步降飞")
    {
        return Tail::From;
    }
    if !cursor.eat_any(&["期间", "之间", "以内", "之内", "份"]) {
        let _ = eat_unless(cursor, "间", "") || eat_unless(cursor, "内", "部容控外业涝河");
    }
    Tail::None
}

fn one_time(one: Stretch, tail: &Tail) -> Option<(When, Option<Why>)> {
    let Spot { start, end, sort } = one.spot;
    let day = |start, due, others| When::Day(Day { start, due, others });
    let day_before = start.checked_sub_days(Days::new(1))?;
    let why = match sort {
        Sort::NoSuchDay => Some(Why::NoSuchDay),
        Sort::Early => Some(Why::Early),
        _ => None,
    };
    // What is named by its last day alone has no first.
    let from = match sort {
        Sort::Day | Sort::NoSuchDay | Sort::End | Sort::YearEnd if !one.range => None,
        _ => Some(start),
    };
    Some(match (tail, sort) {
        (Tail::Before, Sort::Month | Sort::Part) if !one.range => {
            (day(None, day_before, vec![end]), Some(Why::Before))
        }
        (Tail::Before, Sort::Part) => (day(from, end, vec![day_before]), Some(Why::Before)),
        (Tail::Around, _) => (day(from, end, vec![day_before]), Some(Why::Around)),
        (Tail::From, _) => (day(from, end, vec![start]), why),
        _ => {
            let early = start
                .checked_add_days(Days::new(4))
                .filter(|_| sort == Sort::Early);
            (day(from, end, early.into_iter().collect()), why)
        }
    })
}

fn listed(many: &[Stretch]) -> When {
    let mut dates: Vec<NaiveDate> = many.iter().map(|one| one.spot.end).collect();
    dates.sort_unstable();
    dates.dedup();
    When::Recurring(Repeat {
        every: Every::Listed,
        at: None,
        dates,
    })
}
