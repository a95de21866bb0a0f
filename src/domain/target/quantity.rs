//! Finds figures with their units in a text: `2万人次`, `不少于15家`, `85%以上`, `5-6家`.
//!
//! What has no unit of a quantity (`12345热线`, `1号桥`, `2022年`, `24小时`, `18岁`) is none; nor is
//! what stands in a title 《》, in quotation marks or in brackets, or has letters beside it.

use super::Bound;
use super::decimal::Decimal;
use super::words::{OTHERWISE, UNITS};

/// A figure and where it stands, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Quantity {
    /// First character, with the words for the bound before it.
    pub(super) from: usize,
    /// First character of the number.
    pub(super) start: usize,
    /// Behind the unit.
    pub(super) end: usize,
    /// Behind the words for the bound that follow.
    pub(super) to: usize,
    pub(super) amount: Decimal,
    pub(super) unit: String,
    pub(super) bound: Bound,
    /// Whether words say at least or at most.
    pub(super) bounded: bool,
    /// Written as 五, not as 5.
    pub(super) in_words: bool,
}

/// A number and its unit without anything around it.
pub(super) struct Figure {
    pub(super) amount: Decimal,
    /// Powers of ten that 万 and 亿 stand for.
    pub(super) tens: u32,
    pub(super) unit: String,
    pub(super) end: usize,
}

/// Nobody reports on more figures than these at once.
const MOST: usize = 100;

/// All figures, in order; `hidden` are the characters that belong to names.
pub(super) fn find(text: &[char], hidden: &[bool]) -> Vec<Quantity> {
    let mut found: Vec<Quantity> = Vec::new();
    let mut at = 0;
    while at < text.len() && found.len() < MOST {
        let is_hidden = hidden.get(at).copied().unwrap_or(true);
        let starts = !is_hidden && is_numeral(text, at);
        match starts.then(|| number_end(text, at)) {
            None => at += 1,
            Some(end) => {
                at = match quantity(text, at) {
                    Some(quantity) => {
                        let to = quantity.to;
                        found.push(quantity);
                        to
                    }
                    None => end.max(at + 1),
                };
            }
        }
    }
    found
}

/// Reads the figure that begins at `at`: digits, 万 or 亿, a unit; the unit may be empty only
/// behind 万 or 亿, which is then money.
pub(super) fn figure(text: &[char], at: usize) -> Option<Figure> {
    let (amount, mut end) = number(text, at)?;
    let mut tens = 0;
    let mut behind = unit(text, end);
    while behind.is_none() {
        let Some(step) = text.get(end).copied().and_then(tens_of) else {
            break;
        };
        tens += step;
        end += 1;
        behind = unit(text, end);
    }
    let unit = match behind {
        Some(unit) => {
            end += unit.chars().count();
            unit.to_owned()
        }
        None if tens >= 4 && ends_here(text, end) => "元".to_owned(),
        None => return None,
    };
    Some(Figure {
        amount: amount.scaled(tens)?,
        tens,
        unit,
        end,
    })
}

/// Units of what is measured, not counted: behind these a 的 makes them an attribute.
pub(super) fn is_measure(unit: &str) -> bool {
    const MEASURES: &[&str] = &[
        "元",
        "美元",
        "港元",
        "欧元",
        "亩",
        "公顷",
        "平方米",
        "平方公里",
        "平方千米",
        "立方米",
        "公里",
        "千米",
        "米",
        "吨",
        "千瓦",
        "兆瓦",
        "千瓦时",
        "MW",
        "GW",
        "kW",
        "kWh",
        "km",
        "㎡",
        "m²",
        "km²",
        "千伏安",
    ];
    MEASURES.contains(&unit)
}

/// `%` and its like: always a measure of how far something has come.
pub(super) fn is_share(unit: &str) -> bool {
    matches!(unit, "%" | "‰" | "个百分点" | "百分点" | "倍")
}

/// The unit that stands here, where it is not the beginning of another word.
fn unit(text: &[char], at: usize) -> Option<&'static str> {
    let unit = UNITS
        .iter()
        .filter(|unit| starts(text, at, unit))
        .max_by_key(|unit| unit.chars().count())?;
    let end = at + unit.chars().count();
    let otherwise = OTHERWISE.iter().find(|(word, _)| word == unit);
    let tails = otherwise.map_or("", |(_, tails)| tails);
    let is_other = text.get(end).is_some_and(|c| {
        tails.split_whitespace().any(|tail| starts(text, end, tail))
            // `30万吨级泊位`: what it is like, not how much of it.
            || *c == '级'
            || (unit.is_ascii() && c.is_ascii_alphanumeric())
    });
    (!is_other).then_some(unit)
}

/// The words for a bound are within so many characters of the number.
const LONGEST_WORDS: usize = 16;

fn quantity(text: &[char], start: usize) -> Option<Quantity> {
    let in_words = !text.get(start)?.is_ascii_digit();
    if is_part_of_a_name(text, start) {
        return None;
    }
    let mut figure = figure(text, start).or_else(|| range(text, start))?;
    if in_words && figure.unit == "成" {
        figure.amount = figure.amount.scaled(1)?;
        figure.unit = "%".into();
    }
    let near = start.saturating_sub(LONGEST_WORDS);
    let before: String = text.get(near..start).unwrap_or_default().iter().collect();
    let (word, said_before) = bound_before(&before);
    let (length, said_behind) = bound_behind(text, figure.end);
    let bound = said_behind
        .filter(|_| said_before != Some(Bound::AtMost))
        .or(said_before);
    Some(Quantity {
        from: start - word,
        start,
        end: figure.end,
        to: figure.end + length,
        amount: figure.amount,
        unit: figure.unit,
        bounded: bound.is_some(),
        bound: bound.unwrap_or(Bound::AtLeast),
        in_words,
    })
}

/// `5-6家`: at least five; the first number counts in the unit of the second.
fn range(text: &[char], start: usize) -> Option<Figure> {
    let (lower, end) = number(text, start)?;
    let is_dash = |c: &&char| matches!(c, '-' | '–' | '—' | '~' | '～' | '－' | '至' | '到');
    text.get(end).filter(is_dash)?;
    let upper = figure(text, end + 1)?;
    Some(Figure {
        amount: lower.scaled(upper.tens)?,
        ..upper
    })
}

/// Ordinals, places in a ranking, codes, fractions, the rest of a longer number.
fn is_part_of_a_name(text: &[char], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).and_then(|at| text.get(at)) else {
        return false;
    };
    before.is_ascii_alphanumeric()
        || matches!(
            before,
            '第' | '前'
                | '+'
                | '-'
                | '/'
                | '.'
                | '·'
                | '×'
                | '－'
                | '–'
                | '—'
                | '～'
                | '~'
                | '〔'
                | '#'
                | '_'
                | '百'
                | '千'
                | '万'
                | '数'
                | '几'
                | '＋'
        )
}

fn is_numeral(text: &[char], at: usize) -> bool {
    text.get(at)
        .is_some_and(|c| c.is_ascii_digit() || digit_of(*c).is_some() || *c == '十')
}

fn number_end(text: &[char], at: usize) -> usize {
    number(text, at).map_or(at + 1, |(_, end)| end)
}

/// A number in digits or in words below ten thousand.
fn number(text: &[char], at: usize) -> Option<(Decimal, usize)> {
    if text.get(at)?.is_ascii_digit() {
        let mut end = at;
        while text.get(end).is_some_and(|c| c.is_ascii_digit())
            || (text.get(end).is_some_and(|c| matches!(c, '.' | ','))
                && text.get(end + 1).is_some_and(char::is_ascii_digit))
        {
            end += 1;
        }
        let mut digits: String = text.iter().skip(at).take(end - at).collect();
        if let Some(number) = Decimal::parse(&digits) {
            return Some((number, end));
        }
        // `800万元,5家` without a group of three: the comma parts clauses.
        let comma = digits.find(',')?;
        digits.truncate(comma);
        return Some((Decimal::parse(&digits)?, at + comma));
    }
    number_in_words(text, at)
}

/// 三, 十二, 二十, 一百二十, 三千五百; 一百 alone is one hundred, 百 alone is "many".
fn number_in_words(text: &[char], at: usize) -> Option<(Decimal, usize)> {
    let mut total: u32 = 0;
    let mut open: Option<u32> = None;
    let mut end = at;
    while let Some(c) = text.get(end) {
        if let Some(digit) = digit_of(*c) {
            if open.is_some_and(|open| open != 0) {
                return None;
            }
            open = Some(digit);
        } else if let Some(times) = [('十', 10), ('百', 100), ('千', 1000)]
            .into_iter()
            .find_map(|(word, times)| (word == *c).then_some(times))
            // `三千米` is three kilometres, `五千瓦` five kilowatts.
            && !(times == 1000 && unit(text, end).is_some())
        {
            let digit = match open.take() {
                Some(digit) => digit,
                None if times == 10 => 1,
                None => return None,
            };
            total = total.checked_add(digit.checked_mul(times)?)?;
        } else {
            break;
        }
        end += 1;
    }
    let total = total.checked_add(open.unwrap_or(0))?;
    Some((Decimal::parse(&total.to_string())?, end)).filter(|_| end > at && total > 0)
}

fn digit_of(c: char) -> Option<u32> {
    Some(match c {
        '零' => 0,
        '一' => 1,
        '二' | '两' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        _ => return None,
    })
}

fn tens_of(c: char) -> Option<u32> {
    Some(match c {
        '多' | '余' => 0,
        '十' => 1,
        '百' => 2,
        '千' => 3,
        '万' => 4,
        '亿' => 8,
        _ => return None,
    })
}

/// Whether the clause ends here, or only words for a bound follow.
fn ends_here(text: &[char], at: usize) -> bool {
    match text.get(at) {
        None => true,
        Some(c) => {
            matches!(
                c,
                '，' | '。' | '；' | '、' | ',' | ';' | '）' | ')' | ' ' | '\n'
            ) || bound_behind(text, at).1.is_some() && {
                let behind = at + bound_behind(text, at).0;
                text.get(behind).is_none_or(|c| !c.is_alphanumeric())
            }
        }
    }
}

/// The bound that the words before say, and their length.
fn bound_before(before: &str) -> (usize, Option<Bound>) {
    const LEAST: &[&str] = &[
        "不少于",
        "不低于",
        "不小于",
        "不得少于",
        "不得低于",
        "不短于",
        "至少",
        "最少",
        "起码",
        "达到",
        "突破",
        "超过",
        "大于",
        "高于",
        "多于",
        "不下于",
        "达",
        "超",
        "逾",
        "至少达到",
        "至少达",
        "达到不少于",
    ];
    const MOST: &[&str] = &[
        "不超过",
        "不超",
        "不高于",
        "不多于",
        "不大于",
        "不得超过",
        "不得高于",
        "不突破",
        "控制在",
        "降至",
        "降到",
        "下降到",
        "下降至",
        "压减至",
        "压缩至",
        "低于",
        "少于",
        "小于",
        "最多",
        "至多",
        "限定在",
        "缩短至",
        "压缩到",
        "减少到",
        "减少至",
        "降低到",
        "降低至",
    ];
    const WEAK: &[&str] = &["约", "近", "共", "各", "合计", "总计", "共计"];
    /// `签约1宗` is no "about one".
    const OTHER_WORDS: &[&str] = &[
        "签约", "节约", "集约", "履约", "预约", "公约", "违约", "最近", "附近", "公共", "传达",
        "到达", "送达", "发达",
    ];
    let mut length = 0;
    let mut rest = before;
    loop {
        let found = LEAST
            .iter()
            .map(|word| (word, Some(Bound::AtLeast)))
            .chain(MOST.iter().map(|word| (word, Some(Bound::AtMost))))
            .chain(WEAK.iter().map(|word| (word, None)))
            .filter(|(word, _)| rest.ends_with(**word))
            .max_by_key(|(word, _)| word.len());
        let Some((word, bound)) = found else {
            return (length, None);
        };
        if OTHER_WORDS.iter().any(|other| rest.ends_with(other)) {
            return (length, None);
        }
        length += word.chars().count();
        rest = rest.strip_suffix(*word).unwrap_or_default();
        if bound.is_some() {
            return (length, bound);
        }
    }
}

/// The bound that the words behind say, and their length.
fn bound_behind(text: &[char], at: usize) -> (usize, Option<Bound>) {
    const WORDS: &[(&str, Option<Bound>)] = &[
        ("及以上", Some(Bound::AtLeast)),
        ("（含）以上", Some(Bound::AtLeast)),
        ("以上", Some(Bound::AtLeast)),
        ("及以下", Some(Bound::AtMost)),
        ("以内", Some(Bound::AtMost)),
        ("之内", Some(Bound::AtMost)),
        ("以下", Some(Bound::AtMost)),
        ("左右", None),
    ];
    let found = WORDS.iter().find(|(word, _)| starts(text, at, word));
    found.map_or((0, None), |(word, bound)| (word.chars().count(), *bound))
}

pub(super) fn starts(text: &[char], at: usize, word: &str) -> bool {
    let mut here = text.iter().skip(at);
    word.chars().all(|c| here.next() == Some(&c))
}
