//! 通报: the quarter's result, as a supervision office writes it.

mod annexes;
mod demands;
mod overview;
mod problems;

use chrono::NaiveDate;

use super::docx::{Block, Document, Look, in_lines};
use super::result::{Item, QuarterResult};
use super::words::{day, subject};
use crate::desk::Office;
use crate::domain::calendar::Calendar;
use crate::domain::report::ReportStatus;
use crate::domain::user::Sight;

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
        blocks.extend(annexes::named(&annexes));
        blocks.extend(Block::signature(&letterhead.issuer, day(self.day)));
        if let Some(phone) = &self.office.phone {
            let note = format!("（联系单位：{}，联系电话：{phone}）", self.office.name);
            blocks.push(Block::line(Look::Note, note));
        }
        blocks.extend(annexes::pages(annexes));
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

    /// Units whose every item was reported in time and is completed.
    fn praise(&self) -> Vec<Block> {
        let whole =
            |item: &&Item| item.status == Some(ReportStatus::Completed) && item.late.is_none();
        let units = self.result.lead_units().into_iter();
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
}
