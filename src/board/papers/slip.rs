//! 催办单 and 督办通知单: one page to one unit, with what is open and a slip to sign.

use chrono::{DateTime, NaiveDate, Utc};

use super::docx::{Block, Document, Look, Table};
use super::result::{Classes, Item, Lack};
use super::words::{brief_day, day, day_and_hour, moment};
use crate::desk::Office;
use crate::domain::calendar::Calendar;
use crate::domain::ids::Quarter;
use crate::domain::paper::PaperKind;

/// Working days to answer in.
fn grace(kind: PaperKind) -> i32 {
    match kind {
        PaperKind::SupervisionNotice => 3,
        PaperKind::UrgeSlip | PaperKind::Bulletin => 2,
    }
}

/// One paper to one unit.
pub(super) struct Slip<'a> {
    pub(super) kind: PaperKind,
    pub(super) unit: &'a str,
    pub(super) number: String,
    pub(super) title: &'a str,
    pub(super) quarter: Quarter,
    /// What is open.
    pub(super) items: Vec<&'a Item>,
    /// When it is issued.
    pub(super) at: DateTime<Utc>,
    pub(super) office: &'a Office,
    pub(super) calendar: &'a Calendar,
}

/// Whether an item belongs on such a paper.
pub(super) fn belongs(kind: PaperKind, item: &Item) -> bool {
    match (&item.lack, kind) {
        (None | Some(Lack::Asked | Lack::NotDue { granted: true }), _) => false,
        (Some(Lack::NotDue { .. }), kind) => kind == PaperKind::UrgeSlip,
        (Some(Lack::Overdue(_) | Lack::Returned(_)), _) => true,
    }
}

/// Several in one file, each on a page of its own: an office prints them in one go.
pub(super) fn document(slips: &[Slip<'_>]) -> Document {
    let mut blocks = Vec::new();
    for (slip, at) in slips.iter().zip(0..) {
        if at > 0 {
            blocks.push(Block::NextPage);
        }
        blocks.extend(slip.blocks());
    }
    let title = slips.first().map_or("", |slip| slip.kind.chinese());
    Document {
        title: title.to_owned(),
        blocks,
    }
}

impl Slip<'_> {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = vec![
            Block::line(Look::TopTitle, spaced(self.kind.chinese())),
            Block::line(Look::Number, self.number.clone()),
            Block::line(Look::Addressee, format!("{}：", self.unit)),
            Block::line(Look::Body, self.asks()),
            Block::Table(self.list()),
        ];
        blocks.extend(self.demands());
        let issuer = &self.office.letterhead.issuer;
        blocks.extend(Block::signature(issuer, day(self.today())));
        blocks.push(Block::line(Look::Part, "签　收　回　执"));
        blocks.push(Block::Table(receipt(&self.number)));
        blocks
    }

    fn today(&self) -> NaiveDate {
        self.calendar.date_of(self.at)
    }

    fn asks(&self) -> String {
        let classes = Classes::of(self.items.iter().copied());
        let until = self.items.iter().filter_map(|item| item.due).max();
        let until = until.map_or(String::new(), |due| {
            format!("应于{}前报送", moment(self.calendar, due))
        });
        let mut lacks = Vec::new();
        let open = classes.unreported - classes.returned;
        if open > 0 {
            lacks.push(format!("{open}项尚未报送"));
        }
        if classes.returned > 0 {
            lacks.push(format!("{}项退回后尚未重新报送", classes.returned));
        }
        format!(
            "按照《{}》明确的季度进度安排，你单位{}以下{}项任务进展情况{until}。截至{}，{}。",
            self.title,
            self.quarter.chinese(),
            self.items.len(),
            moment(self.calendar, self.at),
            lacks.join("，"),
        )
    }

    fn list(&self) -> Table {
        let rows = self.items.iter().map(|item| {
            let due = item.due.map(|due| brief_day(self.calendar, due));
            vec![
                item.no.to_string(),
                item.name.clone(),
                item.milestones.join("\n"),
                item.owners.join("、"),
                due.unwrap_or_default(),
                item.lack.as_ref().map(Lack::chinese).unwrap_or_default(),
            ]
        });
        Table::new(
            &[
                ("序号", 140),
                ("任务", 370),
                ("本季度节点", 430),
                ("直接责任人", 180),
                ("应报时间", 190),
                ("情况", 250),
            ],
            rows.collect(),
            &[1, 2, 5],
        )
    }

    fn demands(&self) -> Vec<Block> {
        let day = self.calendar.shift(self.today(), grace(self.kind));
        let until = day_and_hour(day, 18);
        let call = match &self.office.phone {
            Some(phone) => format!("{}（联系电话：{phone}）", self.office.name),
            None => self.office.name.clone(),
        };
        let texts = match self.kind {
            PaperKind::SupervisionNotice => vec![
                format!(
                    "现予督办。请你单位主要负责同志亲自过问，组织直接责任人于{until}前补报进展情况，如实说明完成情况、存在问题和下一步措施，并书面说明未按时报送的原因。"
                ),
                format!("逾期仍未报送的，将予以通报。办理中的问题，请与{call}联系。"),
            ],
            PaperKind::UrgeSlip | PaperKind::Bulletin => vec![
                format!(
                    "请你单位督促直接责任人抓紧办理，于{until}前报送进展情况。直接责任人可通过提醒消息中的链接填报，也可直接回复提醒消息。"
                ),
                format!(
                    "确有特殊情况不能按时报送的，请说明原因并提出延期申请。如有疑问，请与{call}联系。"
                ),
            ],
        };
        let lines = texts.into_iter();
        lines.map(|text| Block::line(Look::Body, text)).collect()
    }
}

/// `催　办　单`.
fn spaced(title: &str) -> String {
    let chars: Vec<String> = title.chars().map(String::from).collect();
    chars.join("　")
}

/// To be signed and sent back.
fn receipt(number: &str) -> Table {
    let row = |left: &str, middle: &str, right: &str| {
        [left, middle, right, ""].map(str::to_owned).to_vec()
    };
    Table {
        widths: vec![260, 540, 320, 440],
        headings: Vec::new(),
        rows: vec![
            row("文　　号", number, "签收单位（章）"),
            row("签 收 人", "", "联系电话"),
            row("签收时间", "　　年　　月　　日　　时", "备　　注"),
        ],
        prose: Vec::new(),
        height: 120,
    }
}
