//! A past moment in an address.

use chrono::{DateTime, FixedOffset, NaiveDateTime, Utc};

use super::WebError;
use crate::domain::calendar::Calendar;

/// Reads `2022-03-31T18:00`, at the office, or RFC 3339, of which an address may have turned the
/// `+` into a blank. None where nothing was given.
///
/// # Errors
/// Says how it is written.
pub fn read_as_of(calendar: &Calendar, text: &str) -> Result<Option<DateTime<Utc>>, WebError> {
    let text = text.trim().replace(' ', "+");
    if text.is_empty() {
        return Ok(None);
    }
    for form in ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"] {
        if let Ok(local) = NaiveDateTime::parse_from_str(&text, form) {
            return Ok(Some(calendar.instant(local.date(), local.time())));
        }
    }
    let moment: Result<DateTime<FixedOffset>, _> = text.parse();
    moment.map(|at| Some(at.with_timezone(&Utc))).map_err(|_| {
        WebError::BadRequest(format!(
            "“{text}”不是时刻：请写成 2022-03-31T18:00（本地时间）或 2022-03-31T18:00:00+08:00 的形式"
        ))
    })
}
