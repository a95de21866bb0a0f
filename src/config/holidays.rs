//! Holiday tables: the one inside the program, and the site's own over it.
//!
//! The State Council names next year's days in autumn, so a site must be able to add a year
//! without a new program. Shape: `{"2027": {"holidays": {"2027-01-01": "元旦"}, "workdays": {…}}}`;
//! keys that begin with `_` are notes. A later file replaces whole years.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::domain::calendar::Calendar;
use crate::domain::holidays::{BroughtYears, Given, GivenYears, YearNotice, calendar, festivals};
use crate::domain::schedule::Almanac;

const EMBEDDED: &str = include_str!("../../config/holidays-cn.json");

/// What the table inside the program is called.
const BROUGHT_ALONG: &str = "holidays-cn.json（程序自带）";

/// Why a holiday table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("节假日表 {file}：{what}")]
pub struct HolidayFault {
    /// The file.
    pub file: String,
    /// What is wrong, with year and date, and what to do.
    pub what: String,
}

/// The notices of the embedded table and these files, the later ones over the earlier.
///
/// # Errors
/// Every fault of every file.
pub fn given(files: &[PathBuf]) -> Result<GivenYears, Vec<HolidayFault>> {
    let mut faults = Vec::new();
    let mut years = GivenYears::new();
    let mut take = |file: Option<&Path>, text: &str| match read_table(text) {
        Ok(found) => years.extend(found.into_iter().map(|(year, notice)| {
            let file = file.map(|path| path.display().to_string());
            (year, Given { file, notice })
        })),
        Err(found) => faults.extend(found.into_iter().map(|what| HolidayFault {
            file: file.map_or(BROUGHT_ALONG.into(), |path| path.display().to_string()),
            what,
        })),
    };
    take(None, EMBEDDED);
    let mut unread = Vec::new();
    for path in files {
        match read(path) {
            Ok(text) => take(Some(path), &text),
            Err(fault) => unread.push(fault),
        }
    }
    faults.extend(unread);
    if faults.is_empty() {
        Ok(years)
    } else {
        Err(faults)
    }
}

/// The festivals of the embedded table, without any season.
#[must_use]
pub fn almanac() -> Almanac {
    let given = given(&[]).unwrap_or_default();
    Almanac {
        festivals: festivals(given.values().map(|one| &one.notice)),
        seasons: Vec::new(),
    }
}

/// The calendar of the embedded table alone.
///
/// # Errors
/// Where the table that was built in is faulty; a test rules it out.
pub fn embedded(zone: Tz) -> Result<Calendar, Vec<HolidayFault>> {
    given(&[]).map(|given| calendar(zone, &given, &BroughtYears::new()))
}

fn read(path: &Path) -> Result<String, HolidayFault> {
    std::fs::read_to_string(path).map_err(|error| HolidayFault {
        file: path.to_string_lossy().into_owned(),
        what: format!("无法读取（{error}），请检查路径和权限"),
    })
}

/// Reads a table of days off: of our shape, or as the list of days in which the State Council's
/// notices are passed on (`{"year": 2027, "days": [{"name", "date", "isOffDay"}]}`).
///
/// # Errors
/// Every fault, in Chinese, each with its year and date.
pub fn read_table(text: &str) -> Result<BTreeMap<i32, YearNotice>, Vec<String>> {
    let root: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        vec![format!(
            "不合 JSON 语法（第{}行第{}列），请检查引号和逗号",
            error.line(),
            error.column()
        )]
    })?;
    let mut years = BTreeMap::new();
    let mut faults = Vec::new();
    if let Some(Value::Array(days)) = root.get("days") {
        let year = root.get("year").and_then(Value::as_i64);
        return listed(year, days);
    }
    for (key, value) in root.iter().filter(|(key, _)| !key.starts_with('_')) {
        match key.parse::<i32>() {
            Ok(year) if (1949..=9999).contains(&year) => {
                years.insert(year, year_table(year, value, &mut faults));
            }
            _ => faults.push(format!("“{key}”不是年份；说明文字的键请以 _ 开头")),
        }
    }
    if faults.is_empty() {
        Ok(years)
    } else {
        Err(faults)
    }
}

fn year_table(year: i32, value: &Value, faults: &mut Vec<String>) -> YearNotice {
    let Some(lists) = value.as_object() else {
        faults.push(format!(
            "{year}年应写成 {{\"holidays\": {{…}}, \"workdays\": {{…}}}}"
        ));
        return YearNotice::default();
    };
    for key in lists.keys() {
        if !matches!(key.as_str(), "holidays" | "workdays") && !key.starts_with('_') {
            faults.push(format!(
                "{year}年里的“{key}”不认识，只能有 holidays 和 workdays"
            ));
        }
    }
    let notice = YearNotice {
        off: days(year, "holidays", lists.get("holidays"), faults),
        worked: days(year, "workdays", lists.get("workdays"), faults)
            .into_keys()
            .collect(),
    };
    check(&notice, faults);
    notice
}

/// One year as a list of days. Days of the years beside it, which such lists have, are left to
/// their own year's list.
fn listed(year: Option<i64>, days: &[Value]) -> Result<BTreeMap<i32, YearNotice>, Vec<String>> {
    let year = year.and_then(|year| i32::try_from(year).ok());
    let Some(year) = year.filter(|year| (1949..=9999).contains(year)) else {
        return Err(vec!["缺少年份 year，请核对文件".into()]);
    };
    let mut notice = YearNotice::default();
    let mut faults = Vec::new();
    for day in days {
        let text = day.get("date").and_then(Value::as_str).unwrap_or_default();
        let name = day.get("name").and_then(Value::as_str).unwrap_or_default();
        let off = day.get("isOffDay").and_then(Value::as_bool);
        match (NaiveDate::parse_from_str(text, "%Y-%m-%d"), off) {
            (Ok(date), _) if date.year() != year => {}
            (Ok(date), Some(true)) => {
                notice.off.insert(date, name.to_owned());
            }
            (Ok(date), Some(false)) => {
                notice.worked.insert(date);
            }
            _ => faults.push(format!(
                "{year}年的 days 里“{text}”不是日期，或没有写明是否放假（isOffDay）"
            )),
        }
    }
    check(&notice, &mut faults);
    match faults.is_empty() {
        true => Ok([(year, notice)].into()),
        false => Err(faults),
    }
}

fn check(notice: &YearNotice, faults: &mut Vec<String>) {
    for day in notice.off.keys().filter(|day| notice.worked.contains(day)) {
        faults.push(format!("{day} 既列为休息日又列为上班日，请删去其中之一"));
    }
    for day in &notice.worked {
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            faults.push(format!("{day} 不是周末，不应列为调休上班日，请核对日期"));
        }
    }
}

/// Dates as keys with the festival's name, or as a plain list.
fn days(
    year: i32,
    list: &str,
    value: Option<&Value>,
    faults: &mut Vec<String>,
) -> BTreeMap<NaiveDate, String> {
    let texts: Vec<(&str, &str)> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(named)) => named
            .iter()
            .map(|(day, name)| (day.as_str(), name.as_str().unwrap_or_default()))
            .collect(),
        Some(Value::Array(plain)) => plain
            .iter()
            .map(|day| (day.as_str().unwrap_or_default(), ""))
            .collect(),
        Some(_) => {
            faults.push(format!(
                "{year}年的 {list} 应为日期到节日名称的对照，如 {{\"{year}-01-01\": \"元旦\"}}"
            ));
            Vec::new()
        }
    };
    let mut days = BTreeMap::new();
    for (text, name) in texts {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) if day.year() == year => {
                days.insert(day, name.to_owned());
            }
            Ok(_) => faults.push(format!(
                "{year}年的 {list} 里有别的年份的日期 {text}，请移到那一年"
            )),
            Err(_) => faults.push(format!(
                "{year}年的 {list} 里“{text}”不是日期，应写成 {year}-01-01 的形式"
            )),
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_inside_the_program_is_sound() {
        let calendar = embedded(chrono_tz::Asia::Shanghai).unwrap();
        let years: Vec<i32> = calendar.known_years().collect();
        assert_eq!(years, [2021, 2022, 2023, 2024, 2025, 2026]);
        assert_eq!(calendar, crate::domain::calendar::testing::china());
    }

    #[test]
    fn a_list_of_days_as_it_is_passed_on_is_read_too() {
        let text = r#"{"year": 2027, "papers": ["https://www.gov.cn/"], "days": [
            {"name": "元旦", "date": "2027-01-01", "isOffDay": true},
            {"name": "元旦", "date": "2026-12-31", "isOffDay": true},
            {"name": "春节", "date": "2027-01-31", "isOffDay": false}]}"#;
        let read = read_table(text).unwrap();
        let notice = &read[&2027];
        assert_eq!(notice.off.len(), 1);
        assert_eq!(notice.worked.len(), 1);
        let wrong = text.replace("2027-01-31", "2027-02-01");
        assert!(read_table(&wrong).unwrap_err()[0].contains("2027-02-01 不是周末"));
    }

    #[test]
    fn a_faulty_table_names_year_and_date() {
        let text = r#"{"2027": {"holidays": {"2027-1-1": "", "27-01-02": "", "2027-05-01": ""},
            "workdays": {"2027-05-01": "", "2027-05-04": ""}, "workday": {}}, "next": {}, "2028": []}"#;
        insta::assert_snapshot!(read_table(text).unwrap_err().join("\n"));
        assert!(read_table("{\n\"2027\" {}").unwrap_err()[0].contains("第2行"));
    }
}
