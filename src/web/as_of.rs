//! A past moment in an address.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use super::WebError;
use crate::domain::calendar::Calendar;

/// The moment an address asks for; none where its field is empty.
///
/// # Errors
/// As for [`read`].
pub fn read_as_of(calendar: &Calendar, text: &str) -> Result<Option<DateTime<Utc>>, WebError> {
    match text.trim() {
        "" => Ok(None),
        text => read(calendar, text).map(Some),
    }
}

/// Reads `2022-03-31T18:00`, at the office, or RFC 3339, of which an address may have turned the
/// `+` into a blank.
///
/// # Errors
/// Says how it is written.
pub fn read(calendar: &Calendar, text: &str) -> Result<DateTime<Utc>, WebError> {
    let text = text.trim();
    let exact: Result<DateTime<FixedOffset>, _> = text.replace(' ', "+").parse();
    if let Ok(at) = exact {
        return Ok(at.with_timezone(&Utc));
    }
    let forms = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let local = forms
        .into_iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    let at = local.map(|local| calendar.instant(local.date(), local.time()));
    at.ok_or_else(|| {
        WebError::BadRequest(format!(
            "“{text}”不是时刻：请写成 2022-03-31T18:00 或 2022-03-31T18:00:00+08:00 的形式"
        ))
    })
}
