//! Moments and days as officials write them.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};

use crate::domain::calendar::{Calendar, weekday_chinese};

/// `3月31日（周四）18:00`.
#[must_use]
pub fn moment(calendar: &Calendar, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&calendar.zone());
    let day = short_day(local.date_naive());
    format!("{day}{:02}:{:02}", local.hour(), local.minute())
}

/// `2022年3月31日（周四）18:00`.
#[must_use]
pub fn long_moment(calendar: &Calendar, at: DateTime<Utc>) -> String {
    let year = at.with_timezone(&calendar.zone()).year();
    format!("{year}年{}", moment(calendar, at))
}

/// `18:00`.
#[must_use]
pub fn clock_time(calendar: &Calendar, at: DateTime<Utc>) -> String {
    at.with_timezone(&calendar.zone())
        .format("%H:%M")
        .to_string()
}

/// `03-31 18:00`, for tables.
#[must_use]
pub fn brief(calendar: &Calendar, at: DateTime<Utc>) -> String {
    // By hand: a list of a thousand rows has two of these in each.
    let local = at.with_timezone(&calendar.zone());
    format!(
        "{:02}-{:02} {:02}:{:02}",
        local.month(),
        local.day(),
        local.hour(),
        local.minute()
    )
}

/// `3月31日（周四）`.
#[must_use]
pub fn short_day(day: NaiveDate) -> String {
    format!(
        "{}月{}日（{}）",
        day.month(),
        day.day(),
        weekday_chinese(day)
    )
}

/// RFC 3339 with the office's offset, for JSON.
#[must_use]
pub fn rfc3339(calendar: &Calendar, at: DateTime<Utc>) -> String {
    at.with_timezone(&calendar.zone())
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

/// `3月31日`, where there is little room.
#[must_use]
pub fn month_day(day: NaiveDate) -> String {
    format!("{}月{}日", day.month(), day.day())
}
