//! Festivals and seasons: `春节前`, `国庆期间`, `汛期前`, `秋季学期开学前`.

use chrono::{Datelike, Days, NaiveDate};

use super::context::TimeContext;
use super::cursor::Cursor;
use super::firsts;
use super::node::Day;
use super::number::read_small;
use super::when::{When, Why};
use super::words::{eat_unless, read_joiner};
use super::year::read_year;

/// Words for a festival, its name in the holiday table, and its day where the sun fixes it.
pub(super) type Known = (&'static [&'static str], &'static str, Option<(u32, u32)>);

pub(super) const FESTIVALS: [Known; 17] = [
    (&["高考"], "", Some((6, 7))),
    (&["国家宪法日", "宪法日"], "", Some((12, 4))),
    (&["元旦春节", "元旦、春节", "春节"], "春节", None),
    (&["元旦"], "元旦", Some((1, 1))),
    (&["清明"], "清明节", None),
    (&["五一", "劳动节", "“五一”", "5·1"], "劳动节", Some((5, 1))),
    (&["端午"], "端午节", None),
    (&["中秋"], "中秋节", None),
    (&["国庆", "十一", "“十一”"], "国庆节", Some((10, 1))),
    (&["妇女节", "三八", "“三八”"], "", Some((3, 8))),
    (&["植树节"], "", Some((3, 12))),
    (&["五四", "“五四”", "青年节"], "", Some((5, 4))),
    (&["六一", "“六一”", "儿童节"], "", Some((6, 1))),
    (&["七一", "“七一”", "建党节"], "", Some((7, 1))),
    (&["八一", "“八一”", "建军节"], "", Some((8, 1))),
    (&["教师节"], "", Some((9, 10))),
    (&["元宵", "重阳", "中元"], "元宵节", None),
];

/// Local seasons, longer words first; `None` where only the site can tell the day.
pub(super) const SEASONS: [&str; 54] = [
    "秋季学期开学",
    "秋季新学期开学",
    "秋季学期",
    "秋季开学",
    "新学年开学",
    "新学年",
    "春季学期开学",
    "春季开学",
    "春季学期",
    "新学期开学",
    "新学期",
    "开学",
    "主汛期",
    "汛期",
    "入汛",
    "台风季节",
    "台风季",
    "雨季",
    "枯水期",
    "禁渔期",
    "休渔期",
    "春耕",
    "春播",
    "三夏",
    "夏收",
    "夏种",
    "秋收",
    "秋播",
    "秋种",
    "三秋",
    "冬播",
    "供暖季",
    "供暖期",
    "采暖季",
    "采暖期",
    "供暖",
    "入冬",
    "入夏",
    "防火期",
    "暑假",
    "寒假",
    "暑期",
    "全国两会",
    "省两会",
    "市两会",
    "两会",
    "春运",
    "中考",
    "梅雨季节",
    "梅雨季",
    "台风",
    "森林防火期",
    "防汛",
    "汛",
];

/// Reads a festival or season with the word that makes a time of it.
pub(super) fn read(cursor: &mut Cursor<'_>, ctx: &TimeContext) -> Option<(When, Option<Why>)> {
    let mut ahead = *cursor;
    let year = read_year(&mut ahead, ctx);
    let found =
        read_festival(&mut ahead, ctx, year).or_else(|| read_season(&mut ahead, ctx, year))?;
    *cursor = ahead;
    Some(found)
}

/// The word after a festival.
#[derive(PartialEq)]
enum Side {
    Before,
    During,
    After,
    Around,
}

fn read_side(cursor: &mut Cursor<'_>) -> Option<Side> {
    if cursor.eat_any(&["前后", "左右"]) {
        return Some(Side::Around);
    }
    if cursor.eat_any(&["以前", "之前", "前夕"]) || eat_unless(cursor, "前", "期往置端瞻沿述")
    {
        return Some(Side::Before);
    }
    if cursor.eat_any(&["期间"]) {
        return Some(Side::During);
    }
    (cursor.eat_any(&["以后", "之后"]) || eat_unless(cursor, "后", "续勤备")).then_some(Side::After)
}

fn read_festival(
    cursor: &mut Cursor<'_>,
    ctx: &TimeContext,
    year: Option<i32>,
) -> Option<(When, Option<Why>)> {
    let mut ahead = *cursor;
    let (name, fixed) = read_name(&mut ahead)?;
    // `中秋、国庆节前`: before the first of them.
    for _ in 0..3 {
        let mut next = ahead;
        // `中秋国庆双节前`
        read_joiner(&mut next);
        if read_name(&mut next).is_none() {
            break;
        }
        ahead = next;
    }
    ahead.eat_any(&["双节", "两节"]);
    let side = read_side(&mut ahead)?;
    *cursor = ahead;
    // Work to be done before New Year's Day is this year's.
    let new_year = name == "元旦" && year.is_none();
    let year = year.unwrap_or(ctx.year) + i32::from(new_year);
    let block = ctx
        .almanac
        .festivals
        .iter()
        .find(|one| one.name == name && one.last.year() == year)
        .map(|one| (one.first, one.last))
        .or_else(|| {
            let (month, day) = fixed?;
            NaiveDate::from_ymd_opt(year, month, day).map(|day| (day, day))
        });
    let Some((first, last)) = block else {
        return Some((When::Unknown, Some(Why::Festival)));
    };
    let before = first.checked_sub_days(Days::new(1))?;
    let why = new_year.then_some(Why::WhichYear);
    Some(match side {
        Side::Before => (When::by(before), why),
        Side::During => (When::window(Some(first), last), why),
        Side::Around => (
            When::Day(Day {
                start: None,
                due: before,
                others: vec![first, last],
            }),
            Some(Why::Around),
        ),
        Side::After => (When::Unknown, Some(Why::Hangs)),
    })
}

/// A festival's name, with the word for its holidays.
fn read_name(cursor: &mut Cursor<'_>) -> Option<(&'static str, Option<(u32, u32)>)> {
    if !firsts::of(*cursor).festival() {
        return None;
    }
    let mut ahead = *cursor;
    let (_, name, fixed) = FESTIVALS
        .iter()
        .find(|(words, _, _)| ahead.eat_any(words))?;
    ahead.eat("国际");
    ahead.eat_any(&["劳动节", "节假日", "节", "”"]);
    ahead.eat_any(&["黄金周", "小长假", "长假", "假期", "放假"]);
    *cursor = ahead;
    Some((*name, *fixed))
}

fn read_season(
    cursor: &mut Cursor<'_>,
    ctx: &TimeContext,
    year: Option<i32>,
) -> Option<(When, Option<Why>)> {
    let mut ahead = *cursor;
    let month = read_month(&mut ahead);
    let own = ctx
        .almanac
        .seasons
        .iter()
        .map(|season| season.name.as_str());
    let known = if firsts::of(ahead).season() {
        SEASONS.as_slice()
    } else {
        &[]
    };
    let mut words = known.iter().copied().chain(own);
    let word = words.find(|word| ahead.eat(word))?;
    // `6月汛期` tells no more than `汛期`; `9月开学` tells which.
    let month = month.filter(|_| word.contains("开学"));
    ahead.eat_any(&["来临", "到来", "开始", "生产", "工作"]);
    let side = read_side(&mut ahead)?;
    let year = year.unwrap_or(ctx.year);
    // The site's word for it, which may be a part of the table's: `主汛期`.
    let own = ctx
        .almanac
        .seasons
        .iter()
        .filter(|season| is_part(&season.name, word))
        .max_by_key(|season| season.name.len())
        .map(|season| (season.month, season.day));
    let autumn = word.starts_with("秋季") || word.starts_with("新学年");
    let begins = month
        .map(|month| (month, 1))
        .or(own)
        .or(autumn.then_some((9, 1)));
    *cursor = ahead;
    let first = begins.and_then(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
    Some(match (side, first) {
        (Side::Before, Some(first)) => (When::by(first.checked_sub_days(Days::new(1))?), None),
        (Side::Around, Some(first)) => (When::by(first), Some(Why::Around)),
        _ => (When::Unknown, Some(Why::Season)),
    })
}

/// `汛期` for `主汛期`, and for `汛` of `汛前`.
fn is_part(own: &str, word: &str) -> bool {
    word.contains(own) || own.contains(word)
}

fn read_month(cursor: &mut Cursor<'_>) -> Option<u32> {
    let mut ahead = *cursor;
    let month = read_small(&mut ahead, 12)?;
    ahead.eat_any(&["月份", "月"]).then(|| {
        *cursor = ahead;
        month
    })
}
