//! 附件: the lists and tables behind the text, each on a page of its own.

use super::super::docx::{Block, Look, Table, in_lines};
use super::super::result::{Classes, Item, Lack};
use super::super::words::{brief_day, sentence};
use super::Bulletin;
use crate::domain::report::ReportStatus;

pub(super) struct Annex {
    title: String,
    table: Table,
    note: Option<String>,
}

impl Bulletin<'_> {
    pub(super) fn annexes(&self) -> Vec<Annex> {
        [
            self.missing_list(),
            self.behind_list(),
            Some(self.unit_table()),
            self.leader_table(),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn missing_list(&self) -> Option<Annex> {
        let missing = self.result.items.iter().filter(|item| item.lack.is_some());
        let missing: Vec<Vec<String>> = missing.map(|item| self.missing_row(item)).collect();
        let columns = [
            ("序号", 110),
            ("任务", 470),
            ("牵头单位", 280),
            ("直接责任人", 200),
            ("报送截止", 200),
            ("情况", 300),
        ];
        (!missing.is_empty()).then(|| Annex {
            title: format!("{}未报送事项清单", self.result.quarter.chinese()),
            table: Table::new(&columns, missing, &[1, 2, 5]),
            note: None,
        })
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

    fn behind_list(&self) -> Option<Annex> {
        let behind = self.result.items.iter().filter(|item| item.is_behind());
        let behind: Vec<Vec<String>> = behind.map(behind_row).collect();
        let columns = [
            ("序号", 110),
            ("任务", 350),
            ("牵头单位", 240),
            ("状态", 140),
            ("存在问题", 360),
            ("下一步措施", 360),
        ];
        (!behind.is_empty()).then(|| Annex {
            title: format!("{}进度滞后和未启动事项清单", self.result.quarter.chinese()),
            table: Table::new(&columns, behind, &[1, 2, 4, 5]),
            note: None,
        })
    }

    fn unit_table(&self) -> Annex {
        let quarter = self.result.quarter.chinese();
        Annex {
            title: format!("{quarter}各牵头单位任务进展情况汇总表"),
            table: classes_table("牵头单位", 380, &self.result.by_unit()),
            note: None,
        }
    }

    fn leader_table(&self) -> Option<Annex> {
        let leaders = self.result.by_leader();
        let several = self.result.items.iter().any(|item| item.leaders.len() > 1);
        let quarter = self.result.quarter.chinese();
        (!leaders.is_empty()).then(|| Annex {
            title: format!("{quarter}各责任领导分管任务进展情况汇总表"),
            table: classes_table("责任领导", 380, &leaders),
            note: several.then(|| "注：同一事项有多位责任领导的，分别计入各位责任领导。".into()),
        })
    }
}

fn behind_row(item: &Item) -> Vec<String> {
    vec![
        item.no.to_string(),
        item.name.clone(),
        item.unit.clone(),
        item.status.map_or("", ReportStatus::chinese).to_owned(),
        sentence(&item.problems),
        sentence(&item.next_steps),
    ]
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
    Table::new(&columns, rows, &[0])
}

/// Their names, below the text.
pub(super) fn named(annexes: &[Annex]) -> Vec<Block> {
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

/// Each on its page.
pub(super) fn pages(annexes: Vec<Annex>) -> impl Iterator<Item = Block> {
    let several = annexes.len() > 1;
    annexes
        .into_iter()
        .zip(1..)
        .flat_map(move |(annex, number)| {
            let mark = if several {
                number.to_string()
            } else {
                String::new()
            };
            let head = [
                Block::NextPage,
                Block::line(Look::AnnexMark, format!("附件{mark}")),
                Block::line(Look::TopTitle, in_lines(&annex.title)),
                Block::Table(annex.table),
            ];
            let note = annex.note.map(|note| Block::line(Look::Small, note));
            head.into_iter().chain(note)
        })
}
