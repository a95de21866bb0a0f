//! What a number in a cell is: a day, a month, a share, or just a number.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use quick_xml::Reader;
use quick_xml::events::Event;

use super::super::xml::{attribute, number};

/// How a number shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Plain,
    Percent,
    Day,
    Month,
}

impl Number {
    /// The text a cell with this style shows for a number.
    pub(super) fn text(self, number: f64, from_1904: bool) -> String {
        match self {
            Self::Plain => plain_number(number),
            Self::Percent => format!("{}%", plain_number(number * 100.0)),
            Self::Day | Self::Month => day(number, from_1904).map_or_else(
                || plain_number(number),
                |day| match self {
                    Self::Month => day.format("%Y年%-m月").to_string(),
                    _ => day.format("%Y-%m-%d").to_string(),
                },
            ),
        }
    }
}

/// A number without the dust of binary fractions.
pub(in super::super) fn plain_number(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return format!("{number:.0}");
    }
    let text = format!("{number:.10}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The day a date cell holds.
fn day(serial: f64, from_1904: bool) -> Option<NaiveDate> {
    let first = match from_1904 {
        true => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        // Excel thinks 1900 had a 29th of February.
        false => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    if !(1.0..3_000_000.0).contains(&serial) {
        return None;
    }
    // In range, so the cast is exact; the fraction is the time of day.
    let days: u64 = format!("{:.0}", serial.floor()).parse().ok()?;
    first.checked_add_days(Days::new(days))
}

/// By style, how a number in it shows.
pub(super) fn styles(xml: &str) -> Option<Vec<Number>> {
    let mut reader = Reader::from_str(xml);
    let mut formats: HashMap<usize, Number> = HashMap::new();
    let mut styles = Vec::new();
    let mut in_cells = false;
    loop {
        let event = reader.read_event().ok()?;
        let start = match &event {
            Event::Start(start) | Event::Empty(start) => start,
            Event::End(end) => {
                in_cells &= end.local_name().as_ref() != "cellXfs";
                continue;
            }
            Event::Eof => return Some(styles),
            _ => continue,
        };
        match start.local_name().as_ref() {
            "numFmt" if styles.is_empty() => {
                let code = attribute(start, "formatCode").unwrap_or_default();
                formats.insert(number(start, "numFmtId")?, shown(&code));
            }
            "cellXfs" => in_cells = matches!(event, Event::Start(_)),
            "xf" if in_cells => {
                let id = number(start, "numFmtId").unwrap_or_default();
                let custom = formats.get(&id).copied();
                styles.push(custom.unwrap_or_else(|| built_in(id)));
            }
            _ => {}
        }
    }
}

fn built_in(id: usize) -> Number {
    match id {
        9 | 10 => Number::Percent,
        17 | 55 | 57 => Number::Month,
        14..=16 | 22 | 27..=31 | 36 | 50..=54 | 56 | 58 => Number::Day,
        _ => Number::Plain,
    }
}

/// What a format such as `yyyy"年"m"月"d"日"` shows.
fn shown(code: &str) -> Number {
    let mut letters = String::new();
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for c in code.split(';').next().unwrap_or_default().chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' if !quoted => bracketed = true,
            ']' if !quoted => bracketed = false,
            _ if !quoted && !bracketed => letters.push(c.to_ascii_lowercase()),
            _ => {}
        }
    }
    let (year, day) = (letters.contains('y'), letters.contains('d'));
    match (year, letters.contains('m'), day) {
        _ if letters.contains("general") => Number::Plain,
        (_, _, true) => Number::Day,
        (true, true, false) => Number::Month,
        _ if letters.ends_with('%') => Number::Percent,
        _ => Number::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_tell_dates_from_numbers() {
        for (code, number) in [
            ("yyyy\"年\"m\"月\"d\"日\"", Number::Day),
            ("m/d/yyyy", Number::Day),
            ("[$-804]yyyy\\-mm", Number::Month),
            ("0.00_);[Red]\\(0.00\\)", Number::Plain),
            ("0\"day\"", Number::Plain),
            ("0.0%", Number::Percent),
            ("h:mm", Number::Plain),
            ("General", Number::Plain),
        ] {
            assert_eq!(shown(code), number, "{code}");
        }
    }

    #[test]
    fn days_count_as_excel_counts_them() {
        let told = |serial, from_1904| day(serial, from_1904).unwrap().to_string();
        assert_eq!(told(45107.0, false), "2023-06-30");
        assert_eq!(told(45107.75, false), "2023-06-30");
        assert_eq!(told(43645.0, true), "2023-06-30");
        assert_eq!(day(0.5, false), None);
        assert_eq!(day(f64::NAN, false), None);
        assert_eq!(plain_number(0.1 + 0.2), "0.3");
        assert_eq!(plain_number(14.0), "14");
    }
}
