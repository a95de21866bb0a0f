//! Times made of two: `四季度至次年一季度`, `3月至三季度末`, `二季度（5月底前）`, `二季度起每月`.

use chrono::{Datelike, NaiveDate};

use super::super::ids::Quarter;
use super::context::TimeContext;
use super::cursor::Cursor;
use super::lead::read_lead_in;
use super::node::{Every, Repeat};
use super::phrase::{self, Phrase};
use super::repeat;
use super::spot::Base;
use super::when::When;
use super::words::{Joiner, read_joiner};

/// A quarter counted from the first of `year` on.
pub(super) fn quarter(year: i32, number: u8) -> Option<Quarter> {
    let past = number.checked_sub(1)?;
    Quarter::new(year + i32::from(past / 4), past % 4 + 1)
}

/// Reads what goes on from a time that no comma closed.
pub(super) fn extend(cursor: &mut Cursor<'_>, ctx: &TimeContext, phrase: &mut Phrase) {
    let _ = until(cursor, ctx, phrase).is_some()
        || narrowed(cursor, ctx, phrase).is_some()
        || repeated(cursor, ctx, phrase).is_some()
        || each(cursor, ctx, phrase).is_some();
}

/// `…至次年一季度`, `…至年底`.
fn until(cursor: &mut Cursor<'_>, ctx: &TimeContext, phrase: &mut Phrase) -> Option<()> {
    let mut ahead = *cursor;
    ahead.eat_any(&["起", "开始"]);
    if !matches!(read_joiner(&mut ahead), Joiner::Range) {
        return None;
    }
    let (start, _) = span(phrase, ctx)?;
    let base = Base {
        year: start.year(),
        month: None,
    };
    let end = phrase::read(&mut ahead, ctx, base)?;
    let when = match (&phrase.when, &end.when) {
        (When::Quarters(from), When::Quarters(to)) => {
            let ([(first, _)], [(_, last)]) = (from.as_slice(), to.as_slice()) else {
                return None;
            };
            let own = phrase.year.unwrap_or(ctx.year);
            let years = match end.year {
                Some(year) => u8::try_from(year - own).ok().filter(|years| *years < 10)?,
                None => u8::from(last < first),
            };
            let last = last + 4 * years;
            (*first <= last).then(|| When::Quarters(vec![(*first, last)]))?
        }
        _ => {
            let (_, last) = span(&end, ctx)?;
            (start <= last).then(|| When::window(Some(start), last))?
        }
    };
    *phrase = Phrase {
        year: phrase.year,
        when,
        ..end
    };
    *cursor = ahead;
    Some(())
}

/// `二季度（5月底前）`: what is told more closely counts.
fn narrowed(cursor: &mut Cursor<'_>, ctx: &TimeContext, phrase: &mut Phrase) -> Option<()> {
    let mut ahead = *cursor;
    if !phrase.when.is_quarters() || !ahead.eat_any(&["（", "("]) {
        return None;
    }
    let (start, end) = span(phrase, ctx)?;
    let base = Base {
        year: start.year(),
        month: None,
    };
    read_lead_in(&mut ahead);
    let mut closer = phrase::read(&mut ahead, ctx, base)?;
    let inside = matches!(&closer.when, When::Day(day) if start <= day.due && day.due <= end);
    if !inside || !ahead.eat_any(&["）", ")"]) {
        return None;
    }
    closer.heads = phrase::read_separator(&mut ahead);
    *phrase = closer;
    *cursor = ahead;
    Some(())
}

/// `二季度起每月…`, `三、四季度每月…`, `下半年，每季度…`.
pub(super) fn repeated(
    cursor: &mut Cursor<'_>,
    ctx: &TimeContext,
    phrase: &mut Phrase,
) -> Option<()> {
    let (start, end) = phrase.when.is_quarters().then(|| span(phrase, ctx))??;
    let mut ahead = *cursor;
    let open = ahead.eat_any(&["起", "开始"]);
    if open {
        ahead.eat_any(&["，", ","]);
    }
    let found = repeat::read(&mut ahead, ctx)?;
    let found = repeat::within(found, start, (!open).then_some(end));
    // `二季度，按季度统计…` is that quarter's.
    let least = if phrase.heads { 2 } else { 1 };
    if found.dates.len() < least {
        return None;
    }
    phrase.when = When::Recurring(found);
    phrase.heads = phrase::read_separator(&mut ahead);
    *cursor = ahead;
    Some(())
}

/// `一季度、三季度各召开一次`: at the end of each; not `一、二季度各镇街…`.
fn each(cursor: &mut Cursor<'_>, ctx: &TimeContext, phrase: &mut Phrase) -> Option<()> {
    const COUNTED: [&str; 20] = [
        "各一",
        "各1",
        "各两",
        "各2",
        "各召开",
        "各组织",
        "各开展",
        "各完成",
        "各举办",
        "各通报",
        "各报送",
        "各进行",
        "各投",
        "各新",
        "各上报",
        "各检查",
        "各调度",
        "各走访",
        "各举行",
        "各发布",
    ];
    let When::Quarters(runs) = &phrase.when else {
        return None;
    };
    let rest = cursor.rest();
    if !phrase.when.is_long() || !COUNTED.iter().any(|word| rest.starts_with(word)) {
        return None;
    }
    let year = phrase.year.unwrap_or(ctx.year);
    let numbers = runs.iter().flat_map(|&(first, last)| first..=last);
    let dates: Vec<NaiveDate> = numbers
        .filter_map(|number| quarter(year, number))
        .map(Quarter::last_day)
        .collect();
    let every = if dates.len() == 4 {
        Every::Quarter
    } else {
        Every::Listed
    };
    phrase.when = When::Recurring(Repeat {
        every,
        at: None,
        dates,
    });
    Some(())
}

/// The first and the last day of a time that has both.
fn span(phrase: &Phrase, ctx: &TimeContext) -> Option<(NaiveDate, NaiveDate)> {
    match &phrase.when {
        When::Quarters(runs) => {
            let year = phrase.year.unwrap_or(ctx.year);
            let (first, last) = (runs.first()?.0, runs.last()?.1);
            Some((
                quarter(year, first)?.first_day(),
                quarter(year, last)?.last_day(),
            ))
        }
        When::Day(day) => Some((day.start.unwrap_or(day.due), day.due)),
        _ => None,
    }
}
