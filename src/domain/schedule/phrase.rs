//! How a time is said.

use super::super::ids::Quarter;
use super::context::TimeContext;
use super::cursor::Cursor;
use super::node::{Every, Repeat};
use super::number::digit;
use super::spot::Base;
use super::when::{When, Why};
use super::words::eat_unless;
use super::year::read_year;
use super::{dated, festival, relative, repeat, span, words};

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
    pub(super) why: Option<Why>,
    /// It says by when, so that it opens a clause even behind its subject: `主体6月底前封顶`.
    pub(super) deadline: bool,
    /// What the next time takes its year and month from.
    pub(super) base: Option<Base>,
    /// The table's year and nothing else (`今年完成…`): a time only where no other is told.
    pub(super) loose: bool,
}

impl Phrase {
    pub(super) fn all_year() -> Self {
        Self {
            year: None,
            when: When::AllYear,
            heads: true,
            before: false,
            why: None,
            deadline: false,
            base: None,
            loose: false,
        }
    }
}

/// Reads a time phrase with what closes it (`末`, a comma), if one comes next.
pub(super) fn read(cursor: &mut Cursor<'_>, ctx: &TimeContext, base: Base) -> Option<Phrase> {
    let mut ahead = *cursor;
    let mut phrase =
        read_quartered(&mut ahead, ctx).or_else(|| read_other(&mut ahead, ctx, base))?;
    if !phrase.heads {
        span::extend(&mut ahead, ctx, &mut phrase);
    }
    *cursor = ahead;
    Some(phrase)
}

fn read_quartered(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Option<Phrase> {
    let mut ahead = *cursor;
    let year = read_year(&mut ahead, ctx);
    let mut when = read_when(&mut ahead, ctx)?;
    let before = when.is_quarters() && read_tail(&mut ahead);
    if when == When::AllYear {
        match repeat::read(&mut ahead, ctx) {
            Some(found) => when = When::Recurring(found),
            None => read_carrying_on(&mut ahead),
        }
    }
    let heads = read_separator(&mut ahead);
    *cursor = ahead;
    Some(Phrase {
        year,
        heads,
        before,
        when,
        ..Phrase::all_year()
    })
}

/// Times that are not counted in quarters.
fn read_other(cursor: &mut Cursor<'_>, ctx: &TimeContext, base: Base) -> Option<Phrase> {
    let mut ahead = *cursor;
    let mut phrase = Phrase::all_year();
    if let Some((when, why)) = festival::read(&mut ahead, ctx) {
        (phrase.when, phrase.why) = (when, why);
        read_more_festivals(&mut ahead, ctx, &mut phrase.when);
    } else if let Some(found) = dated::read(&mut ahead, ctx, base) {
        phrase.when = found.when;
        phrase.why = found.why;
        phrase.deadline = found.deadline;
        phrase.base = Some(found.base);
        if let Some(from) = found.from {
            read_recurring_within(&mut ahead, ctx, from, &mut phrase.when);
        }
    } else if ahead.eat_any(&[
        "两节前",
        "双节前",
        "两节期间",
        "本季度末前",
        "本季度末",
        "月底前",
        "月末前",
        "季末前",
        "季度末前",
        "节前",
        "月底",
        "本月底前",
    ]) {
        phrase.when = When::Unknown;
        phrase.why = Some(Why::NoMonth);
    } else if relative::read(&mut ahead) {
        phrase.when = When::Unknown;
        phrase.why = Some(Why::Hangs);
    } else if let Some(year) = read_year_alone(&mut ahead, ctx) {
        if year == ctx.year {
            (phrase.year, phrase.loose) = (Some(year), true);
        } else {
            phrase.when = When::by(chrono::NaiveDate::from_ymd_opt(year, 12, 31)?);
        }
    } else {
        return None;
    }
    phrase.heads = read_separator(&mut ahead);
    *cursor = ahead;
    Some(phrase)
}

/// `春节前、国庆节前`.
fn read_more_festivals(cursor: &mut Cursor<'_>, ctx: &TimeContext, when: &mut When) {
    let When::Day(first) = &*when else { return };
    let mut dates = vec![first.due];
    for _ in 0..8 {
        let mut ahead = *cursor;
        if !matches!(words::read_joiner(&mut ahead), words::Joiner::List) {
            break;
        }
        let Some((When::Day(next), _)) = festival::read(&mut ahead, ctx) else {
            break;
        };
        dates.push(next.due);
        *cursor = ahead;
    }
    if dates.len() > 1 {
        dates.sort_unstable();
        *when = When::Recurring(Repeat {
            every: Every::Listed,
            at: None,
            dates,
        });
    }
}

/// `4—10月每月…`, `3月起，每季度…`: what recurs within the window.
fn read_recurring_within(
    cursor: &mut Cursor<'_>,
    ctx: &TimeContext,
    from: chrono::NaiveDate,
    when: &mut When,
) {
    let mut ahead = *cursor;
    ahead.eat_any(&["，", ","]);
    let Some(found) = repeat::read(&mut ahead, ctx) else {
        return;
    };
    let until = match when {
        When::Day(day) if !day.others.contains(&from) => Some(day.due),
        _ => None,
    };
    *when = When::Recurring(repeat::within(found, from, until));
    *cursor = ahead;
}

/// `明年竣工`, `今年新建…`, `到2025年，…`: a year that is no past one.
fn read_year_alone(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Option<i32> {
    const VERBS: [&str; 38] = [
        "完成",
        "竣工",
        "建成",
        "开工",
        "启动",
        "投用",
        "投产",
        "实现",
        "全面",
        "基本",
        "计划",
        "力争",
        "预计",
        "新增",
        "新建",
        "新开工",
        "转入",
        "推进",
        "开展",
        "继续",
        "组织",
        "累计",
        "打造",
        "建设",
        "推动",
        "实施",
        "争取",
        "确保",
        "拟",
        "共",
        "将",
        "再",
        "改造",
        "达到",
        "通过",
        "培育",
        "引进",
        "筹建",
    ];
    let mut ahead = *cursor;
    let year = read_year(&mut ahead, ctx).filter(|year| *year >= ctx.year)?;
    ahead.eat_any(&["前", "以前", "之前"]);
    let said = ahead.rest().starts_with(['，', ','])
        || VERBS.iter().any(|verb| ahead.rest().starts_with(verb));
    *cursor = ahead;
    said.then_some(year)
}

/// Whether a phrase can begin so inside a sentence: spares reading at every character.
pub(super) fn may_open(first: char) -> bool {
    "第上下前HQqＱ年今明次来五六七八九十二〇".contains(first)
        || number(first).is_some()
        || digit(first).is_some()
}

/// Whether this says no more than that work goes on: `推进`, `常态化推进`, or nothing.
pub(super) fn only_carries_on(text: &str) -> bool {
    let mut cursor = Cursor::new(text);
    while cursor.eat_any(&CARRYING_ON) {}
    cursor.rest().is_empty()
}

/// Whether a text without any time says that its work has no end: `持续推进，长期坚持`.
pub(super) fn goes_on_for_good(text: &str) -> bool {
    const BEGINS: [&str; 9] = [
        "常年",
        "长年",
        "始终坚持",
        "常态化",
        "长期",
        "持续",
        "今年转入常态化",
        "转入常态化",
        "坚持常态化",
    ];
    const ENDS: [&str; 4] = ["长期坚持", "常态化推进", "持续推进", "长期推进"];
    const LONGEST: usize = 40;
    // In a long text such words are about something; alone they are the schedule.
    if text.chars().take(LONGEST + 1).count() > LONGEST {
        return false;
    }
    text.split(['，', '。', '；', ',', ';', '\n', '、'])
        .map(str::trim)
        .any(|clause| {
            BEGINS.iter().any(|word| clause.starts_with(word))
                || ENDS.iter().any(|word| clause.ends_with(word))
        })
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

fn read_when(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Option<When> {
    if let Some(found) = repeat::read(cursor, ctx) {
        return Some(When::Recurring(found));
    }
    if cursor.eat_any(&["上半年", "前半年", "H1", "Ｈ1"]) {
        return Some(When::Quarters(vec![(1, 2)]));
    }
    if cursor.eat_any(&["下半年", "后半年", "H2", "Ｈ2"]) {
        return Some(When::Quarters(vec![(3, 4)]));
    }
    if let Some(run) = read_first_quarters(cursor) {
        return Some(When::Quarters(vec![run]));
    }
    if read_all_year(cursor) {
        return Some(When::AllYear);
    }
    read_quarters(cursor).map(|named| When::Quarters(runs(named)))
}

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

/// The ends of quarters named by number, for `每年一季度`.
pub(super) fn read_quarter_ends(
    cursor: &mut Cursor<'_>,
    year: i32,
) -> Option<Vec<chrono::NaiveDate>> {
    let named = read_quarters(cursor)?;
    let ends = named
        .into_iter()
        .filter_map(|number| span::quarter(year, number));
    Some(ends.map(Quarter::last_day).collect())
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
        let _ = eat_unless(cursor, "内", "部容控外业涝河");
    }
    false
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

pub(super) fn read_separator(cursor: &mut Cursor<'_>) -> bool {
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
        '一' | '首' | 'Ⅰ' => Some(1),
        '二' | 'Ⅱ' => Some(2),
        '三' | 'Ⅲ' => Some(3),
        '四' | 'Ⅳ' => Some(4),
        _ => digit(character).filter(|number| (1..=4).contains(number)),
    }
}
