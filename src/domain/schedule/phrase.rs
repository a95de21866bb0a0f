//! How a time is said.

use super::super::plan::MilestoneKind;
use super::cursor::Cursor;

/// A time phrase at the head of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    /// The year, where the phrase names one.
    pub(super) year: Option<i32>,
    pub(super) when: When,
    /// A comma or colon follows: it heads what comes, rather than being part of its sentence.
    pub(super) heads: bool,
    /// `三季度前`.
    pub(super) before: bool,
}

/// The time meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum When {
    /// Runs of quarters, each by its first and last: one for `二、三季度`, two for `一、三季度`.
    Quarters(Vec<(u8, u8)>),
    /// 全年.
    AllYear,
    /// 每季度, 每月.
    Recurring,
}

impl When {
    pub(super) fn spans(&self) -> Vec<(u8, u8)> {
        match self {
            Self::Quarters(runs) => runs.clone(),
            Self::AllYear | Self::Recurring => vec![(1, 4)],
        }
    }

    pub(super) fn kind(&self) -> MilestoneKind {
        match self {
            Self::Quarters(_) => MilestoneKind::Due,
            Self::AllYear => MilestoneKind::AllYear,
            Self::Recurring => MilestoneKind::Recurring,
        }
    }

    pub(super) fn last_quarter(&self) -> u8 {
        self.spans().last().map_or(4, |&(_, last)| last)
    }

    /// More than one quarter.
    pub(super) fn is_long(&self) -> bool {
        !matches!(self.spans().as_slice(), [(first, last)] if first == last)
    }

    /// Whether `next` begins where this ends.
    pub(super) fn is_followed_by(&self, next: &Self) -> bool {
        let begins = next.spans().first().map_or(0, |&(first, _)| first);
        matches!(self, Self::Quarters(_)) && self.last_quarter() + 1 == begins
    }
}

/// Reads a time phrase with what closes it (`末`, a comma), if one comes next.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Phrase> {
    let mut ahead = *cursor;
    let year = read_year(&mut ahead);
    let when = read_when(&mut ahead)?;
    let before = matches!(when, When::Quarters(_)) && read_tail(&mut ahead);
    if when == When::AllYear {
        read_carrying_on(&mut ahead);
    }
    let heads = read_separator(&mut ahead);
    *cursor = ahead;
    Some(Phrase {
        year,
        when,
        heads,
        before,
    })
}

/// Whether a phrase that names quarters can begin so: spares reading at every character.
pub(super) fn may_open_quarters(first: char) -> bool {
    "第上下前HQqＱ".contains(first) || number(first).is_some() || digit(first).is_some()
}

/// Whether this says no more than that work goes on: `推进`, `常态化推进`, or nothing.
pub(super) fn only_carries_on(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    while cursor.eat_any(&CARRYING_ON) {}
    cursor.rest().is_empty()
}

const CARRYING_ON: [&str; 13] = [
    "常态化",
    "持续",
    "长期",
    "稳步",
    "扎实",
    "深入",
    "全面",
    "推进",
    "开展",
    "坚持",
    "实施",
    "进行",
    "落实",
];

fn read_year(cursor: &mut Cursor<'_>) -> Option<i32> {
    let mut ahead = *cursor;
    let mut year = 0;
    for _ in 0..4 {
        let digit = digit(ahead.next()?)?;
        year = year * 10 + i32::from(digit);
    }
    ahead.skip_blanks();
    if !ahead.eat_any(&["年度", "年"]) {
        return None;
    }
    ahead.skip_blanks();
    *cursor = ahead;
    Some(year)
}

fn read_when(cursor: &mut Cursor<'_>) -> Option<When> {
    if cursor.eat("上半年") || cursor.eat("H1") {
        return Some(When::Quarters(vec![(1, 2)]));
    }
    if cursor.eat("下半年") || cursor.eat("H2") {
        return Some(When::Quarters(vec![(3, 4)]));
    }
    if cursor.eat_any(&RECURRING) {
        return Some(When::Recurring);
    }
    if let Some(run) = read_first_quarters(cursor) {
        return Some(When::Quarters(vec![run]));
    }
    if read_all_year(cursor) {
        return Some(When::AllYear);
    }
    read_quarters(cursor).map(|named| When::Quarters(runs(named)))
}

const RECURRING: [&str; 13] = [
    "每个季度",
    "每季度",
    "各季度",
    "逐季度",
    "逐季",
    "每季",
    "每个月",
    "每月",
    "逐月",
    "按月",
    "每半年",
    "每周",
    "每旬",
];

/// `前三季度`, `前两个季度`.
fn read_first_quarters(cursor: &mut Cursor<'_>) -> Option<(u8, u8)> {
    let mut ahead = *cursor;
    if !ahead.eat("前") {
        return None;
    }
    let last = if ahead.eat("两") {
        2
    } else {
        number(ahead.next()?)?
    };
    ahead.eat("个");
    if !ahead.eat("季度") {
        return None;
    }
    *cursor = ahead;
    Some((1, last))
}

/// `全年`, `贯穿全年`; not as part of a noun (`全年目标得以完成`).
fn read_all_year(cursor: &mut Cursor<'_>) -> bool {
    const NOUNS: [&str; 6] = ["目标", "任务", "度", "工作的", "工作总结", "工作要点"];
    let mut ahead = *cursor;
    ahead.eat("贯穿");
    let found = ahead.eat("全年") && !NOUNS.iter().any(|noun| ahead.rest().starts_with(noun));
    if found {
        *cursor = ahead;
    }
    found
}

/// Quarters by number: `一季度`, `第一、二季度`, `二季度、三季度`, `二至三季度`, `三四季度`, `Q3-Q4`.
///
/// Stops after the last word that completes a quarter, so that `一季度、三农工作` is one quarter.
fn read_quarters(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut ahead = *cursor;
    let mut numbers: Vec<u8> = Vec::new();
    let mut complete = None;
    let mut range = false;
    // Each number is 1 to 4; a text of many thousand numerals is no schedule.
    for _ in 0..16 {
        let Some((number, whole)) = read_quarter_number(&mut ahead) else {
            break;
        };
        match numbers.last() {
            Some(&from) if range && from >= number => break,
            Some(&from) if range => numbers.extend(from + 1..=number),
            _ => numbers.push(number),
        }
        if whole {
            complete = Some((ahead, numbers.len()));
        }
        range = match read_joiner(&mut ahead) {
            Joiner::Range => true,
            Joiner::List => false,
            Joiner::None if whole => break,
            Joiner::None => false,
        };
    }
    let (end, count) = complete?;
    *cursor = end;
    numbers.truncate(count);
    Some(numbers)
}

/// A number, and whether it is a whole quarter (`二季度`, `Q2`) or waits for one (`二、三季度`).
fn read_quarter_number(cursor: &mut Cursor<'_>) -> Option<(u8, bool)> {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    if ahead.eat_any(&["Q", "q", "Ｑ"]) {
        let found = number(ahead.next()?)?;
        // `Q12` is something else.
        if ahead
            .peek()
            .is_some_and(|next| next.is_alphanumeric() && next.is_ascii())
        {
            return None;
        }
        *cursor = ahead;
        return Some((found, true));
    }
    ahead.eat("第");
    ahead.skip_blanks();
    let found = number(ahead.next()?)?;
    let mut unit = ahead;
    unit.skip_blanks();
    unit.eat("个");
    let whole = unit.eat("季度");
    *cursor = if whole { unit } else { ahead };
    Some((found, whole))
}

enum Joiner {
    List,
    Range,
    None,
}

fn read_joiner(cursor: &mut Cursor<'_>) -> Joiner {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    let joiner = if ahead.eat_any(&["、", "和", "及", "与"]) {
        Joiner::List
    } else if ahead.eat_any(&["至", "到", "—", "–", "-", "～", "~", "－"]) {
        ahead.eat("—");
        Joiner::Range
    } else {
        return Joiner::None;
    };
    *cursor = ahead;
    joiner
}

/// Quarters as runs without gaps, in order.
fn runs(mut numbers: Vec<u8>) -> Vec<(u8, u8)> {
    numbers.sort_unstable();
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if number <= *last + 1 => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// Reads `末`, `底前` and the like; true for a lone `前`, which can be taken in two ways.
fn read_tail(cursor: &mut Cursor<'_>) -> bool {
    let ended = cursor.eat("结束前")
        || eat_unless(cursor, "末", "端梢")
        || eat_unless(cursor, "底", "数册图账稿");
    if cursor.eat_any(&["以前", "之前"]) || eat_unless(cursor, "前", "期往置端瞻沿述") {
        return !ended;
    }
    if !ended && !cursor.eat("期间") {
        eat_unless(cursor, "内", "部容控外业涝河");
    }
    false
}

/// Reads `word` unless one of `others` follows, with which it is another word (`前期`, `内部`).
fn eat_unless(cursor: &mut Cursor<'_>, word: &str, others: &str) -> bool {
    let mut ahead = *cursor;
    let found = ahead.eat(word) && !ahead.peek().is_some_and(|next| others.contains(next));
    if found {
        *cursor = ahead;
    }
    found
}

/// `全年推进，…`: the verb belongs to the heading. `全年推进实施…` keeps it.
fn read_carrying_on(cursor: &mut Cursor<'_>) {
    let mut ahead = *cursor;
    while ahead.eat_any(&CARRYING_ON) {}
    let at_separator = ahead.peek().is_some_and(|next| SEPARATORS.contains(&next));
    if at_separator {
        *cursor = ahead;
    }
}

const SEPARATORS: [char; 4] = ['，', ',', '：', ':'];

fn read_separator(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    ahead.skip_blanks();
    let found = ahead.peek().is_some_and(|next| SEPARATORS.contains(&next));
    if found {
        ahead.next();
        *cursor = ahead;
    }
    found
}

/// The number of a quarter.
fn number(character: char) -> Option<u8> {
    match character {
        '一' => Some(1),
        '二' => Some(2),
        '三' => Some(3),
        '四' => Some(4),
        _ => digit(character).filter(|number| (1..=4).contains(number)),
    }
}

/// A digit, also of full width.
fn digit(character: char) -> Option<u8> {
    let zero = if character.is_ascii() { '0' } else { '０' };
    let value = u32::from(character).checked_sub(u32::from(zero))?;
    u8::try_from(value).ok().filter(|value| *value <= 9)
}
