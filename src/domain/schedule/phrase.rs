//! How a time is said.

use super::context::TimeContext;
use super::cursor::Cursor;
use super::node::{Every, Repeat};
use super::quarters::{read_first_quarters, read_quarters, runs};
use super::spot::Base;
use super::when::{When, Why};
use super::words::eat_unless;
use super::year::read_year;
use super::{dated, festival, firsts, relative, repeat, span, words};

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
    let mut phrase = if firsts::of(ahead).time() || own_season_may_open(ahead, ctx) {
        read_quartered(&mut ahead, ctx).or_else(|| read_other(&mut ahead, ctx, base))
    } else {
        read_hanging(&mut ahead)
    }?;
    if phrase.heads {
        let _ = span::repeated(&mut ahead, ctx, &mut phrase);
    } else {
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
    let early = when.is_quarters() && !before && read_part_of_quarter(&mut ahead);
    if when == When::AllYear {
        match repeat::read(&mut ahead, ctx) {
            Some(found) => when = When::Recurring(found),
            None => read_carrying_on(&mut ahead),
        }
    }
    let heads = when.is_quarters() && read_label(&mut ahead) || read_separator(&mut ahead);
    *cursor = ahead;
    Some(Phrase {
        year,
        heads,
        before,
        why: early.then_some(Why::Early),
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
    } else if ahead.eat_any(&NO_MONTH) {
        phrase.when = When::Unknown;
        phrase.why = Some(Why::NoMonth);
    } else if let Some(found) = read_hanging(&mut ahead) {
        *cursor = ahead;
        return Some(found);
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

/// Words that leave out what they hang on.
pub(super) const NO_MONTH: [&str; 12] = [
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
];

/// Characters that other words of time begin with, beside those in lists of words.
pub(super) const OTHERS: &[&str] = &[
    "上", "下", "中", "前", "后", "H", "Ｈ", "贯穿", "全年", "Q", "q", "Ｑ", "第", "首", "Ⅰ", "Ⅱ",
    "Ⅲ", "Ⅳ", "年", "岁", "月", "底", "末", "初", "廿", "十", "〇", "零", "○", "Ｏ", "一", "二",
    "三", "四", "五", "六", "七", "八", "九", "两", "半",
];

/// Characters that a time may begin with amid a clause, beside digits.
pub(super) const INSIDE: &[&str] = &[
    "第", "上", "下", "前", "H", "Q", "q", "Ｑ", "年", "今", "明", "次", "来", "首", "一", "二",
    "三", "四", "五", "六", "七", "八", "九", "十", "〇", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ",
];

/// `待省批复后15个工作日内`: may begin with any word.
fn read_hanging(cursor: &mut Cursor<'_>) -> Option<Phrase> {
    relative::read(cursor).then(|| Phrase {
        when: When::Unknown,
        why: Some(Why::Hangs),
        heads: read_separator(cursor),
        ..Phrase::all_year()
    })
}

fn own_season_may_open(cursor: Cursor<'_>, ctx: &TimeContext) -> bool {
    let seasons = ctx.almanac.seasons.iter();
    let mut names = seasons.map(|season| season.name.as_str());
    names.any(|name| cursor.rest().starts_with(name))
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

/// Reads `末`, `底前` and the like; true for a lone `前`, which can be taken in two ways.
fn read_tail(cursor: &mut Cursor<'_>) -> bool {
    let ended = cursor.eat_any(&["结束前", "结束之前", "结束以前"])
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

/// `一季度目标：`
fn read_label(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = *cursor;
    let found = ahead.eat_any(&[
        "目标任务",
        "工作目标",
        "工作计划",
        "目标",
        "计划",
        "任务",
        "安排",
    ]) && ahead.eat_any(&["：", ":"]);
    if found {
        *cursor = ahead;
    }
    found
}

/// `三季度初`, `四季度中旬前`: earlier than its end, and nobody knows when.
fn read_part_of_quarter(cursor: &mut Cursor<'_>) -> bool {
    let found = cursor.eat_any(&["初期", "中期", "中旬", "上旬"])
        || eat_unless(cursor, "初", "步级次审中")
        || eat_unless(cursor, "中", "小国心标考层央学型介东西部医药华外山");
    if found {
        let _ = cursor.eat_any(&["以前", "之前"]) || eat_unless(cursor, "前", "期往置端瞻沿述");
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The list of first characters holds whatever a time may begin with.
    #[test]
    fn no_time_is_passed_over_for_its_first_character() {
        let seed = include_str!("../../../seeds/dongguan-2022.txt");
        let samples = include_str!("tests.rs");
        let ctx = TimeContext::of(2022);
        let base = Base {
            year: 2022,
            month: Some(3),
        };
        let wide = "２月底前完成采购，１０月底前建成；２０２２年　９月";
        let lines = samples.lines().chain(seed.lines().take(80));
        let lines = lines.chain([wide]);
        let mut passed_over = 0;
        for line in lines {
            for (at, _) in line.char_indices() {
                let cursor = Cursor::new(line.get(at..).unwrap());
                if firsts::of(cursor).time() {
                    continue;
                }
                let (mut all, mut hanging) = (cursor, cursor);
                let found =
                    read_quartered(&mut all, &ctx).or_else(|| read_other(&mut all, &ctx, base));
                assert_eq!(found, read_hanging(&mut hanging), "{}", cursor.rest());
                passed_over += 1;
            }
        }
        assert!(passed_over > 10_000);
    }
}
