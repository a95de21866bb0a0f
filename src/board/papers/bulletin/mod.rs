//! 通报: the quarter's result, as a supervision office writes it.

use chrono::{DateTime, NaiveDate, Utc};

use super::docx::{Block, Document, Look, Table};
use super::result::{Classes, Item, Lack, QuarterResult};
use super::words::{day, day_and_hour, moment, numbers, sentence, share, subject};
use crate::desk::Office;
use crate::domain::calendar::Calendar;
use crate::domain::report::ReportStatus;
use crate::domain::user::Sight;

/// Units and items that the text itself names; the annexes have all.
const NAMED: usize = 15;
/// Items behind that are told with their reasons.
const EXAMPLES: usize = 6;
/// Working days until what is missing has to be there.
const GRACE: i32 = 3;

/// What a 通报 is made of.
pub(super) struct Bulletin<'a> {
    pub(super) result: &'a QuarterResult,
    pub(super) office: &'a Office,
    pub(super) calendar: &'a Calendar,
    /// `〔2022〕1号`; a draft has none.
    pub(super) number: Option<String>,
    /// 成文日期.
    pub(super) day: NaiveDate,
    pub(super) sight: &'a Sight,
}

impl Bulletin<'_> {
    pub(super) fn document(&self) -> Document {
        let letterhead = &self.office.letterhead;
        let title = self.title();
        let number = self.number.clone();
        let number =
            number.unwrap_or_else(|| format!("〔{}〕　号", chrono::Datelike::year(&self.day)));
        let mut blocks = vec![
            Block::line(Look::Head, letterhead.head.clone()),
            Block::line(Look::Code, format!("{}{number}", letterhead.code)),
            Block::line(Look::Title, in_lines(&title)),
            Block::line(Look::Addressee, format!("{}：", letterhead.addressee)),
            Block::line(Look::Body, self.opening()),
        ];
        for (numeral, (heading, lines)) in ["一", "二", "三", "四"].into_iter().zip(self.parts())
        {
            blocks.push(Block::line(Look::First, format!("{numeral}、{heading}")));
            blocks.extend(lines);
        }
        let annexes = self.annexes();
        blocks.extend(named_annexes(&annexes));
        blocks.extend(signature(&letterhead.issuer, self.day));
        if let Some(phone) = &self.office.phone {
            let note = format!("（联系单位：{}，联系电话：{phone}）", self.office.name);
            blocks.push(Block::line(Look::Note, note));
        }
        let several = annexes.len() > 1;
        for (annex, number) in annexes.into_iter().zip(1..) {
            let mark = if several {
                number.to_string()
            } else {
                String::new()
            };
            blocks.push(Block::NextPage);
            blocks.push(Block::line(Look::AnnexMark, format!("附件{mark}")));
            blocks.push(Block::line(Look::TopTitle, in_lines(&annex.title)));
            blocks.push(Block::Table(annex.table));
            blocks.extend(annex.note.map(|note| Block::line(Look::Small, note)));
        }
        let copied = letterhead.copied.join("，");
        blocks.push(Block::Imprint {
            copied: (!copied.is_empty()).then(|| format!("抄送：{copied}。")),
            printer: letterhead.issuer.clone(),
            day: format!("{}印发", day(self.day)),
        });
        Document { title, blocks }
    }

    fn title(&self) -> String {
        let quarter = self.result.quarter;
        let subject = subject(&self.result.title, quarter);
        format!("关于{}{subject}进展情况的通报", quarter.chinese())
    }

    fn opening(&self) -> String {
        let Self { result, office, .. } = self;
        let whose = match self.sight {
            Sight::Everything => String::new(),
            Sight::Leader(name) => format!("{name}同志分管的"),
        };
        format!(
            "按照《{}》明确的季度进度安排，{}对{}{whose}各项任务的进展和报送情况进行了督查。现将有关情况通报如下：",
            result.title,
            office.name,
            result.quarter.chinese(),
        )
    }

    /// The parts of the text that have something to say.
    fn parts(&self) -> Vec<(&'static str, Vec<Block>)> {
        let mut parts = vec![("总体情况", self.overview())];
        let praise = self.praise();
        if !praise.is_empty() {
            parts.push(("按时报送、任务完成较好的单位", praise));
        }
        let problems = self.problems();
        if !problems.is_empty() {
            parts.push(("存在的主要问题", problems));
        }
        parts.push(("下一步工作要求", self.demands()));
        parts
    }

    fn overview(&self) -> Vec<Block> {
        let result = self.result;
        let classes = Classes::of(&result.items);
        let units = lead_units(result).len();
        let mut text = format!(
            "{}应报送进展的事项共{}项，涉及牵头单位{units}个。",
            result.quarter.chinese_short(),
            classes.all
        );
        if let Some(deadline) = result.deadline {
            let deadline = moment(self.calendar, deadline);
            text.push_str(&format!("报送截止时间为{deadline}。"));
        }
        text.push_str(&format!(
            "截至{}，已报送{}项，报送率{}",
            moment(self.calendar, result.at),
            classes.reported(),
            share(classes.reported(), classes.all)
        ));
        if classes.late > 0 {
            let in_time = classes.reported() - classes.late;
            text.push_str(&format!(
                "，其中按时报送{in_time}项、迟报{}项",
                classes.late
            ));
        }
        if classes.unreported > 0 {
            text.push_str(&format!("；未报送{}项", classes.unreported));
            let parts = [
                (classes.overdue, "超期未报送"),
                (classes.returned, "退回后未重新报送"),
            ];
            let told: Vec<String> = parts
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{what}{count}项"))
                .collect();
            if classes.overdue == classes.unreported {
                text.push_str("，均已超期");
            } else if !told.is_empty() {
                text.push_str(&format!("，其中{}", told.join("、")));
            }
        }
        text.push('。');
        let told = classes
            .named()
            .map(|(name, count)| format!("{name}{count}项，占{}", share(count, classes.all)));
        let five = format!("按进展情况分，{}。", told.join("；"));
        let mut lines = vec![Block::line(Look::Body, text), Block::line(Look::Body, five)];
        lines.extend(self.waiting().map(|text| Block::line(Look::Body, text)));
        lines
    }

    /// What is not reported and nobody's fault.
    fn waiting(&self) -> Option<String> {
        let count = |is: fn(&Lack) -> bool| {
            let lacks = self
                .result
                .items
                .iter()
                .filter_map(|item| item.lack.as_ref());
            lacks.filter(|lack| is(lack)).count()
        };
        let granted = count(|lack| matches!(lack, Lack::NotDue { granted: true }));
        let asked = count(|lack| matches!(lack, Lack::Asked));
        let told: Vec<String> = [
            (granted, "已同意延期"),
            (asked, "延期或变更责任人的申请正在办理"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count}项{what}"))
        .collect();
        (self.result.is_over() && !told.is_empty())
            .then(|| format!("未报送的事项中，{}，不作为逾期通报。", told.join("，")))
    }

    /// Units whose every item was reported in time and is completed.
    fn praise(&self) -> Vec<Block> {
        let whole =
            |item: &&Item| item.status == Some(ReportStatus::Completed) && item.late.is_none();
        let units = lead_units(self.result).into_iter();
        let good: Vec<&str> = units
            .filter(|(_, items)| items.iter().all(whole))
            .map(|(unit, _)| unit)
            .collect();
        if good.is_empty() || !self.result.is_over() {
            return Vec::new();
        }
        let text = match good.as_slice() {
            [one] => format!("{one}本季度牵头的事项全部按时报送并已完成，予以通报表扬。"),
            several => format!(
                "{}等{}个单位本季度牵头的事项全部按时报送并已完成，予以通报表扬。",
                several.join("、"),
                several.len()
            ),
        };
        vec![Block::line(Look::Body, text)]
    }

    fn problems(&self) -> Vec<Block> {
        let parts = [
            ("部分单位未按时报送。", self.overdue()),
            ("部分单位报送不及时。", self.late()),
            ("部分报送内容不符合要求。", self.returned()),
            ("部分任务推进滞后。", self.behind()),
        ];
        let parts = parts.into_iter().filter(|(_, text)| !text.is_empty());
        parts
            .zip(["（一）", "（二）", "（三）", "（四）"])
            .map(|((lead, text), numeral)| Block::led(format!("{numeral}{lead}"), text))
            .collect()
    }

    fn overdue(&self) -> String {
        let days = |item: &Item| match item.lack {
            Some(Lack::Overdue(days)) => Some(days),
            _ => None,
        };
        let units = self.units_with(|item| days(item).is_some());
        let longest = |items: &[&Item]| items.iter().filter_map(|item| days(item)).max();
        let told = self.listed(&units, |items| match longest(items).unwrap_or(0) {
            0 => String::new(),
            days => format!("，逾期{days}个工作日"),
        });
        match units.len() {
            0 => String::new(),
            count => format!("截至目前，仍有{count}个单位未报送：{told}。"),
        }
    }

    fn late(&self) -> String {
        let units = self.units_with(|item| item.status.is_some() && item.late.is_some());
        let longest = |items: &[&Item]| items.iter().filter_map(|item| item.late).max();
        let told = self.listed(&units, |items| match longest(items).unwrap_or(0) {
            0 => String::new(),
            days => format!("，迟报{days}个工作日"),
        });
        match units.len() {
            0 => String::new(),
            count => format!("以下{count}个单位在截止时间之后才报送：{told}。"),
        }
    }

    fn returned(&self) -> String {
        let items = self.result.items.iter();
        let told: Vec<String> = items
            .filter_map(|item| match &item.lack {
                Some(Lack::Returned(reason)) => Some((item, reason)),
                _ => None,
            })
            .take(NAMED)
            .map(|(item, reason)| {
                let reason = sentence(reason);
                let reason = reason.trim_end_matches('。');
                format!("{}第{}项（{reason}）", item.unit, item.no)
            })
            .collect();
        match told.is_empty() {
            true => String::new(),
            false => format!("以下事项退回后至今未重新报送：{}。", told.join("；")),
        }
    }

    fn behind(&self) -> String {
        let all = self.result.items.iter();
        let items: Vec<&Item> = all.filter(|item| is_behind(item)).collect();
        let classes = Classes::of(items.iter().copied());
        let [_, _, behind, not_started] = classes.by_status;
        let counted = [(behind, "进度滞后"), (not_started, "未启动")];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let counted: Vec<String> = counted
            .map(|(count, what)| format!("{what}{count}项"))
            .collect();
        if counted.is_empty() {
            return String::new();
        }
        let told = items.iter().take(EXAMPLES).map(|item| {
            let status = item.status.map_or("", ReportStatus::chinese);
            let reason = sentence(&item.problems);
            let reason = match reason.trim_end_matches('。') {
                "" => String::new(),
                reason => format!("，存在问题：{reason}"),
            };
            let Item { unit, no, name, .. } = item;
            format!("{unit}牵头的第{no}项“{name}”{status}{reason}")
        });
        let told: Vec<String> = told.collect();
        let rest = match items.len() > EXAMPLES {
            true => "其余事项详见附件。",
            false => "",
        };
        format!("{}。{}。{rest}", counted.join("，"), told.join("；"))
    }

    /// Units with such items, those with most of them first.
    fn units_with(&self, is: impl Fn(&Item) -> bool) -> Vec<(String, Vec<&Item>)> {
        let units = self.result.by_unit().into_iter();
        let some = units.map(|(unit, items)| {
            let items: Vec<&Item> = items.into_iter().filter(|item| is(item)).collect();
            (unit, items)
        });
        let mut some: Vec<_> = some.filter(|(_, items)| !items.is_empty()).collect();
        some.sort_by_key(|(_, items)| std::cmp::Reverse(items.len()));
        some
    }

    /// `市水务局1项（第122项，逾期1个工作日）；…`.
    fn listed(&self, units: &[(String, Vec<&Item>)], how: impl Fn(&[&Item]) -> String) -> String {
        let told = units.iter().take(NAMED).map(|(unit, items)| {
            let count = items.len();
            format!("{unit}{count}项（{}{}）", numbers(items), how(items))
        });
        let mut told = told.collect::<Vec<_>>().join("；");
        if units.len() > NAMED {
            told.push_str("；其余单位详见附件");
        }
        told
    }

    fn demands(&self) -> Vec<Block> {
        let today = self.calendar.date_of(self.result.at);
        let until = day_and_hour(self.calendar.shift(today, GRACE), 18);
        let missing = Classes::of(&self.result.items).unreported > 0;
        let behind = self.result.items.iter().any(is_behind);
        let report = match (missing, self.result.is_over()) {
            (false, _) => None,
            (true, true) => Some((
                "抓紧补报。",
                format!(
                    "未报送和被退回的单位要立即组织补报，于{until}前报送，并对报送内容的真实性、准确性负责；确有特殊情况的，应当说明原因、按程序申请延期。"
                ),
            )),
            (true, false) => Some((
                "按时报送。",
                "尚未报送的单位要在截止时间前报送，并对报送内容的真实性、准确性负责；确有特殊情况的，应当提前申请延期。".to_owned(),
            )),
        };
        let catch_up = behind.then(|| {
            (
                "加快推进滞后任务。",
                "进度滞后和未启动事项的牵头单位要逐项分析原因，明确整改措施、完成时限和责任人，协助单位要主动配合，确保按期完成年度目标。".to_owned(),
            )
        });
        let last = (
            "压实工作责任。",
            format!(
                "各牵头单位主要负责同志要亲自过问，直接责任人要抓好落实，对照季度节点倒排工期。{}将持续跟踪督办，并在下一季度通报整改情况。",
                self.office.name
            ),
        );
        let all = report.into_iter().chain(catch_up).chain([last]);
        all.zip(["（一）", "（二）", "（三）"])
            .map(|((lead, text), numeral)| Block::led(format!("{numeral}{lead}"), text))
            .collect()
    }

    fn annexes(&self) -> Vec<Annex> {
        let quarter = self.result.quarter.chinese();
        let mut annexes = Vec::new();
        let missing = self.result.items.iter().filter(|item| item.lack.is_some());
        let missing: Vec<Vec<String>> = missing.map(|item| self.missing_row(item)).collect();
        if !missing.is_empty() {
            annexes.push(Annex {
                title: format!("{quarter}未报送事项清单"),
                table: table(
                    &[
                        ("序号", 110),
                        ("任务", 470),
                        ("牵头单位", 280),
                        ("直接责任人", 200),
                        ("报送截止", 200),
                        ("情况", 300),
                    ],
                    missing,
                    &[1, 2, 5],
                ),
                note: None,
            });
        }
        let behind = self.result.items.iter().filter(|item| is_behind(item));
        let behind: Vec<Vec<String>> = behind
            .map(|item| {
                vec![
                    item.no.to_string(),
                    item.name.clone(),
                    item.unit.clone(),
                    item.status.map_or("", ReportStatus::chinese).to_owned(),
                    sentence(&item.problems),
                    sentence(&item.next_steps),
                ]
            })
            .collect();
        if !behind.is_empty() {
            annexes.push(Annex {
                title: format!("{quarter}进度滞后和未启动事项清单"),
                table: table(
                    &[
                        ("序号", 110),
                        ("任务", 350),
                        ("牵头单位", 240),
                        ("状态", 140),
                        ("存在问题", 360),
                        ("下一步措施", 360),
                    ],
                    behind,
                    &[1, 2, 4, 5],
                ),
                note: None,
            });
        }
        annexes.push(Annex {
            title: format!("{quarter}各牵头单位任务进展情况汇总表"),
            table: classes_table("牵头单位", 380, &self.result.by_unit()),
            note: None,
        });
        let leaders = self.result.by_leader();
        if !leaders.is_empty() {
            let several = self.result.items.iter().any(|item| item.leaders.len() > 1);
            annexes.push(Annex {
                title: format!("{quarter}各责任领导分管任务进展情况汇总表"),
                table: classes_table("责任领导", 380, &leaders),
                note: several
                    .then(|| "注：同一事项有多位责任领导的，分别计入各位责任领导。".into()),
            });
        }
        annexes
    }

    fn missing_row(&self, item: &Item) -> Vec<String> {
        let due = item.due.map(|due| brief_day(self.calendar, due));
        vec![
            item.no.to_string(),
            item.name.clone(),
            item.unit.clone(),
            item.owners.join("、"),
            due.unwrap_or_default(),
            item.lack.as_ref().map(Lack::chinese).unwrap_or_default(),
        ]
    }
}

struct Annex {
    title: String,
    table: Table,
    note: Option<String>,
}

fn is_behind(item: &Item) -> bool {
    matches!(
        item.status,
        Some(ReportStatus::Behind | ReportStatus::NotStarted)
    )
}

/// Every lead unit by itself, with all it has a part in: who answers together with another is no
/// better than that other.
fn lead_units(result: &QuarterResult) -> Vec<(&str, Vec<&Item>)> {
    let mut units: Vec<(&str, Vec<&Item>)> = Vec::new();
    for item in &result.items {
        for unit in item.unit.split('、') {
            match units.iter_mut().find(|(name, _)| *name == unit) {
                Some((_, items)) => items.push(item),
                None => units.push((unit, vec![item])),
            }
        }
    }
    units
}

/// `3月31日`.
pub(super) fn brief_day(calendar: &Calendar, at: DateTime<Utc>) -> String {
    let local = at.with_timezone(&calendar.zone());
    local.format("%-m月%-d日").to_string()
}

fn named_annexes(annexes: &[Annex]) -> Vec<Block> {
    match annexes {
        [only] => vec![Block::line(Look::Annexes, format!("附件：{}", only.title))],
        several => {
            let lines = several.iter().zip(1..).map(|(annex, number)| match number {
                1 => Block::line(Look::Annexes, format!("附件：1.{}", annex.title)),
                _ => Block::line(Look::MoreAnnexes, format!("{number}.{}", annex.title)),
            });
            lines.collect()
        }
    }
}

/// 署名 and 成文日期, centred over each other, the day four characters from the right.
pub(super) fn signature(issuer: &str, on: NaiveDate) -> [Block; 2] {
    let day = day(on);
    let half = |text: &str| -> u32 {
        let widths = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 });
        widths.sum()
    };
    // In half characters: the day ends eight from the edge.
    let right = (16 + half(&day)).saturating_sub(half(issuer)) / 2;
    [
        Block::line(Look::Issuer(right), issuer),
        Block::line(Look::Day, day),
    ]
}

pub(super) fn table(columns: &[(&str, u32)], rows: Vec<Vec<String>>, prose: &[usize]) -> Table {
    Table {
        widths: columns.iter().map(|(_, width)| *width).collect(),
        headings: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        rows,
        prose: prose.to_vec(),
        height: 80,
    }
}

fn classes_table(whose: &str, width: u32, parts: &[(String, Vec<&Item>)]) -> Table {
    let row = |name: &str, items: &[&Item]| {
        let classes = Classes::of(items.iter().copied());
        let mut row = vec![name.to_owned(), classes.all.to_string()];
        row.extend(classes.named().map(|(_, count)| count.to_string()));
        row.push(classes.late.to_string());
        row
    };
    let rows = parts.iter().map(|(name, items)| row(name, items)).collect();
    let columns = [
        (whose, width),
        ("应报", 120),
        ("已完成", 160),
        ("正常推进", 190),
        ("进度滞后", 190),
        ("未启动", 160),
        ("未报送", 160),
        ("其中迟报", 200),
    ];
    table(&columns, rows, &[0])
}

/// A long title in lines of about the same length, broken where the sense allows.
pub(super) fn in_lines(title: &str) -> String {
    /// As many of its characters as a line of the page takes.
    const MOST: usize = 19;
    let chars: Vec<char> = title.chars().collect();
    let widths = chars.iter().map(|c| if c.is_ascii() { 1 } else { 2 });
    let whole: usize = widths.sum::<usize>().div_ceil(2);
    let count = whole.div_ceil(MOST);
    if count < 2 {
        return title.to_owned();
    }
    let mut lines = String::new();
    let mut begin = 0;
    for left in (2..=count).rev() {
        let aim = begin + (chars.len() - begin).div_ceil(left);
        // Behind these a reader pauses.
        let pauses = |at: usize| {
            let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
            let after = chars.get(at).copied();
            let good = matches!(before, Some('）' | '、' | '，' | '”' | '度' | '务' | '作'));
            let bad = matches!(after, Some('）' | '、' | '，' | '”'))
                || matches!(before, Some('（' | '“'));
            let inside = before.is_some_and(|c| c.is_ascii_digit());
            (good, bad || inside)
        };
        let cost = |at: &usize| {
            let (good, bad) = pauses(*at);
            at.abs_diff(aim) * 2 + if bad { 40 } else { 0 } + if good { 0 } else { 9 }
        };
        let near =
            aim.saturating_sub(5).max(begin + 1)..=(aim + 5).min(begin + MOST).min(chars.len());
        let at = near.min_by_key(cost).unwrap_or(aim);
        lines.extend(chars.get(begin..at).unwrap_or_default());
        lines.push('\n');
        begin = at;
    }
    lines.extend(chars.get(begin..).unwrap_or_default());
    lines
}
