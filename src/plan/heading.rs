//! What stands over the table: title, issuer, date of issue.

use chrono::NaiveDate;

use super::{Source, TableError, clean};
use crate::domain::ids::PlanId;
use crate::domain::plan::Heading;

/// Reads the lines above the table.
pub(super) fn read(above: &[String], source: &Source) -> Result<Heading, TableError> {
    let lines: Vec<String> = above
        .iter()
        .map(|line| clean::without_blanks(line))
        .collect();
    let issued_on = value(&lines, &["制表时间", "制表日期", "印发时间", "印发日期"]).and_then(date);
    let title = title(&lines);
    let year = source
        .year
        .or_else(|| title.and_then(year_in))
        .or_else(|| year_in(&clean::without_blanks(&source.file_name)))
        .or_else(|| value(&lines, &["工作表"]).and_then(year_in))
        .or_else(|| value(&lines, &["列名"]).and_then(year_in))
        .ok_or_else(|| TableError::NoYear {
            file: source.file_name.clone(),
        })?;
    if !(1900..=2999).contains(&year) {
        return Err(TableError::BadYear { year });
    }
    Ok(Heading {
        title: title.map_or_else(|| format!("{year}年目标任务分解表"), str::to_owned),
        year,
        issuer: value(&lines, &["制表单位", "印发单位", "制表"]).map(str::to_owned),
        issued_on,
    })
}

/// The id given; else the file's name where it can be one; else the year.
pub(super) fn plan_id(source: &Source, year: i32) -> Result<PlanId, TableError> {
    if let Some(id) = &source.id {
        return Ok(id.clone());
    }
    let name = source.file_name.rsplit(['/', '\\']).next();
    let stem = name.and_then(|name| name.split('.').next());
    stem.and_then(|stem| PlanId::new(&stem.to_ascii_lowercase()).ok())
        .map_or_else(|| PlanId::new(&format!("plan-{year}")), Ok)
        .map_err(|_| TableError::BadYear { year })
}

/// The id a plan will have, as far as that shows before the table is read.
pub(super) fn likely_id(source: &Source) -> Option<PlanId> {
    let year = source
        .year
        .or_else(|| year_in(&clean::without_blanks(&source.file_name)));
    // Without a year only the id that was given or the file's name will do.
    plan_id(source, year.unwrap_or_default())
        .ok()
        .filter(|id| year.is_some() || id.as_str() != "plan-0")
}

/// The line that names the table: one with 表 and a year, else one with a year, else the longest.
fn title(lines: &[String]) -> Option<&str> {
    let candidates = || {
        lines
            .iter()
            .map(String::as_str)
            .filter(|line| !line.starts_with("附件") && !line.contains(['：', ':']))
    };
    candidates()
        .find(|line| line.contains('表') && year_in(line).is_some())
        .or_else(|| candidates().find(|line| year_in(line).is_some()))
        .or_else(|| candidates().max_by_key(|line| line.len()))
}

/// What follows one of the labels and a colon.
fn value<'a>(lines: &'a [String], labels: &[&str]) -> Option<&'a str> {
    lines.iter().find_map(|line| {
        let (label, value) = line.split_once(['：', ':'])?;
        (labels.contains(&label) && !value.is_empty()).then_some(value)
    })
}

/// The first four digits in a row that are a year of this century.
///
/// Or four in Chinese: `二〇二三年`.
fn year_in(text: &str) -> Option<i32> {
    const DIGITS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let text: String = text
        .chars()
        .map(|c| {
            let c = if matches!(c, '零' | '○' | 'Ｏ') {
                '〇'
            } else {
                c
            };
            let digit = DIGITS.iter().position(|known| *known == c);
            digit
                .and_then(|digit| char::from_digit(u32::try_from(digit).ok()?, 10))
                .unwrap_or(c)
        })
        .collect();
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|digits| digits.len() == 4)
        .filter_map(|digits| digits.parse().ok())
        .find(|year| (2000..=2099).contains(year))
}

/// `2022年1月27日` or `2022-01-27`.
fn date(text: &str) -> Option<NaiveDate> {
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty());
    let year = numbers.next()?.parse().ok()?;
    let month = numbers.next()?.parse().ok()?;
    let day = numbers.next()?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, month, day)
}
