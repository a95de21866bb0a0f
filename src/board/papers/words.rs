//! Turns of phrase that official papers share.

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};

use super::result::Item;
use crate::domain::calendar::{Calendar, weekday_chinese};
use crate::domain::ids::{Quarter, TaskNo, told};

/// `3月31日`.
pub(super) fn brief_day(calendar: &Calendar, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&calendar.zone());
    local.format("%-m月%-d日").to_string()
}

/// `2022年4月1日`.
pub(super) fn day(day: NaiveDate) -> String {
    format!("{}年{}月{}日", day.year(), day.month(), day.day())
}

/// `4月7日（周四）18时`.
pub(super) fn day_and_hour(day: NaiveDate, hour: u32) -> String {
    format!(
        "{}月{}日（{}）{hour}时",
        day.month(),
        day.day(),
        weekday_chinese(day)
    )
}

/// `2022年4月1日10时30分`.
pub(super) fn moment(calendar: &Calendar, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&calendar.zone());
    let minute = match local.minute() {
        0 => String::new(),
        minute => format!("{minute}分"),
    };
    format!("{}{}时{minute}", day(local.date_naive()), local.hour())
}

/// What the table is about: its title without the year and `分解表`.
pub(super) fn subject(title: &str, quarter: Quarter) -> String {
    let year = format!("{}年", quarter.year());
    let plain = title.strip_prefix(&year).unwrap_or(title);
    let plain = plain.trim_start_matches("度").trim();
    let endings = ["责任分解表", "任务分解表", "分解表", "台账", "一览表", "表"];
    let ending = endings.into_iter().find(|ending| plain.ends_with(ending));
    let kept = match ending {
        Some("任务分解表") => plain.strip_suffix("分解表"),
        Some(ending) => plain.strip_suffix(ending),
        None => Some(plain),
    };
    let kept = kept.map(str::trim).filter(|kept| !kept.is_empty());
    kept.unwrap_or("年度重点工作").to_owned()
}

/// `92.7%`; `100%`.
pub(super) fn share(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "0%".into();
    }
    let thousandths = (u64::from(part) * 1000 + u64::from(whole) / 2) / u64::from(whole);
    // What is not all is not a hundred, and what is something is not nothing.
    let thousandths = match thousandths {
        1000 if part < whole => 999,
        0 if part > 0 => 1,
        other => other,
    };
    match (thousandths / 10, thousandths % 10) {
        (whole, 0) => format!("{whole}%"),
        (whole, tenth) => format!("{whole}.{tenth}%"),
    }
}

/// `第14、16项`.
pub(super) fn numbers(items: &[&Item]) -> String {
    let mut tasks: Vec<TaskNo> = items.iter().map(|item| item.no).collect();
    tasks.dedup();
    format!("第{}项", told(&tasks))
}

/// A sentence ends once, whatever its writer put there.
pub(super) fn sentence(text: &str) -> String {
    let lines = text.split('\n').map(str::trim);
    let text: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let text = text.join("");
    let bare = text.trim_end_matches(['。', '；', '，', '、', '.', ';', ',']);
    if bare.is_empty() {
        return String::new();
    }
    match bare.ends_with(['！', '？', '”', '）']) && text == bare {
        true => text,
        false => format!("{bare}。"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_s_title_says_what_it_is_about() {
        let quarter = Quarter::new(2022, 1).unwrap();
        for (title, about) in [
            (
                "2022年市政府主要目标任务（含十件民生实事）分解表",
                "市政府主要目标任务（含十件民生实事）",
            ),
            ("2022年度重点工作任务分解表", "重点工作任务"),
            ("2022年督查台账", "督查"),
            ("2022年分解表", "年度重点工作"),
            ("市委深改委工作要点", "市委深改委工作要点"),
        ] {
            assert_eq!(subject(title, quarter), about);
        }
    }

    #[test]
    fn shares_never_claim_what_is_not_so() {
        assert_eq!(share(280, 302), "92.7%");
        assert_eq!(share(302, 302), "100%");
        assert_eq!(share(2999, 3000), "99.9%");
        assert_eq!(share(1, 9000), "0.1%");
        assert_eq!(share(0, 0), "0%");
        assert_eq!(share(1, 2), "50%");
    }

    #[test]
    fn a_sentence_ends_once() {
        assert_eq!(sentence("用地未批"), "用地未批。");
        assert_eq!(
            sentence("用地未批；\n资金未到位。"),
            "用地未批；资金未到位。"
        );
        assert_eq!(sentence(" \n"), "");
    }
}
