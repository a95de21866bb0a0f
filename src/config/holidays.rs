//! Holiday tables: the one inside the program, and the site's own over it.
//!
//! The State Council names next year's days in autumn, so a site must be able to add a year
//! without a new program. Shape: `{"2027": {"holidays": {"2027-01-01": "元旦"}, "workdays": {…}}}`;
//! keys that begin with `_` are notes. A later file replaces whole years.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use crate::domain::calendar::{Calendar, YearTable};
use crate::domain::schedule::{Almanac, Festival};

const EMBEDDED: &str = include_str!("../../config/holidays-cn.json");

/// Why a holiday table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("节假日表 {file}：{what}")]
pub struct HolidayFault {
    /// The file.
    pub file: String,
    /// What is wrong, with year and date, and what to do.
    pub what: String,
}

/// The calendar of the embedded table and these files, the later ones over the earlier.
///
/// # Errors
/// Every fault of every file.
pub fn calendar(zone: Tz, files: &[PathBuf]) -> Result<Calendar, Vec<HolidayFault>> {
    let mut faults = Vec::new();
    let mut years = BTreeMap::new();
    let mut take = |file: &str, text: &str, years: &mut BTreeMap<i32, YearTable>| match parse(text)
    {
        Ok(found) => years.extend(found),
        Err(found) => faults.extend(found.into_iter().map(|what| HolidayFault {
            file: file.to_owned(),
            what,
        })),
    };
    take("holidays-cn.json（程序自带）", EMBEDDED, &mut years);
    let mut unread = Vec::new();
    for path in files {
        match read(path) {
            Ok(text) => take(&path.to_string_lossy(), &text, &mut years),
            Err(fault) => unread.push(fault),
        }
    }
    faults.extend(unread);
    if faults.is_empty() {
        Ok(Calendar::new(zone, years))
    } else {
        Err(faults)
    }
}

/// The festivals of the embedded table, without any season.
#[must_use]
pub fn almanac() -> Almanac {
    Almanac {
        festivals: festivals(&[]),
        seasons: Vec::new(),
    }
}

/// The festivals of the embedded table and these files, each with the block of days off it lies in.
///
/// What cannot be read is left out: [`calendar`] has told it.
#[must_use]
pub fn festivals(files: &[PathBuf]) -> Vec<Festival> {
    let mut years: Map<String, Value> = serde_json::from_str(EMBEDDED).unwrap_or_default();
    for path in files {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        years.extend(serde_json::from_str::<Map<String, Value>>(&text).unwrap_or_default());
    }
    let days: BTreeMap<NaiveDate, String> = years
        .values()
        .filter_map(|year| year.get("holidays")?.as_object())
        .flatten()
        .filter_map(|(day, name)| Some((day.parse().ok()?, name.as_str()?.to_owned())))
        .collect();
    let mut found: Vec<Festival> = Vec::new();
    let mut block: Vec<Festival> = Vec::new();
    for (day, name) in days {
        let goes_on = block
            .last()
            .is_some_and(|one| one.last.succ_opt() == Some(day));
        if !goes_on {
            found.append(&mut block);
        }
        let first = block.first().map_or(day, |one| one.first);
        if !block.iter().any(|one| one.name == name) {
            block.push(Festival {
                name,
                first,
                last: day,
            });
        }
        for one in &mut block {
            one.last = day;
        }
    }
    found.append(&mut block);
    found
}

/// The calendar of the embedded table alone.
///
/// # Errors
/// Where the table that was built in is faulty; a test rules it out.
pub fn embedded(zone: Tz) -> Result<Calendar, Vec<HolidayFault>> {
    calendar(zone, &[])
}

fn read(path: &Path) -> Result<String, HolidayFault> {
    std::fs::read_to_string(path).map_err(|error| HolidayFault {
        file: path.to_string_lossy().into_owned(),
        what: format!("无法读取（{error}），请检查路径和权限"),
    })
}

fn parse(text: &str) -> Result<BTreeMap<i32, YearTable>, Vec<String>> {
    let root: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        vec![format!(
            "不合 JSON 语法（第{}行第{}列），请检查引号和逗号",
            error.line(),
            error.column()
        )]
    })?;
    let mut years = BTreeMap::new();
    let mut faults = Vec::new();
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

fn year_table(year: i32, value: &Value, faults: &mut Vec<String>) -> YearTable {
    let Some(lists) = value.as_object() else {
        faults.push(format!(
            "{year}年应写成 {{\"holidays\": {{…}}, \"workdays\": {{…}}}}"
        ));
        return YearTable::default();
    };
    for key in lists.keys() {
        if !matches!(key.as_str(), "holidays" | "workdays") && !key.starts_with('_') {
            faults.push(format!(
                "{year}年里的“{key}”不认识，只能有 holidays 和 workdays"
            ));
        }
    }
    let table = YearTable {
        off: days(year, "holidays", lists.get("holidays"), faults),
        worked: days(year, "workdays", lists.get("workdays"), faults),
    };
    for day in table.off.intersection(&table.worked) {
        faults.push(format!("{day} 既列为休息日又列为上班日，请删去其中之一"));
    }
    for day in &table.worked {
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            faults.push(format!("{day} 不是周末，不应列为调休上班日，请核对日期"));
        }
    }
    table
}

/// Dates as keys with the festival's name, or as a plain list.
fn days(
    year: i32,
    list: &str,
    value: Option<&Value>,
    faults: &mut Vec<String>,
) -> BTreeSet<NaiveDate> {
    let texts: Vec<&str> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(named)) => named.keys().map(String::as_str).collect(),
        Some(Value::Array(plain)) => plain.iter().map(|day| day.as_str().unwrap_or("")).collect(),
        Some(_) => {
            faults.push(format!(
                "{year}年的 {list} 应为日期到节日名称的对照，如 {{\"{year}-01-01\": \"元旦\"}}"
            ));
            Vec::new()
        }
    };
    let mut days = BTreeSet::new();
    for text in texts {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(day) if day.year() == year => {
                days.insert(day);
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
    fn a_faulty_table_names_year_and_date() {
        let text = r#"{"2027": {"holidays": {"2027-1-1": "", "27-01-02": "", "2027-05-01": ""},
            "workdays": {"2027-05-01": "", "2027-05-04": ""}, "workday": {}}, "next": {}, "2028": []}"#;
        insta::assert_snapshot!(parse(text).unwrap_err().join("\n"));
        assert!(parse("{\n\"2027\" {}").unwrap_err()[0].contains("第2行"));
    }
}
