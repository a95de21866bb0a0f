//! 下一步工作要求: what is asked of the units, and until when.

use super::super::docx::Block;
use super::super::result::{Classes, Item};
use super::super::words::day_and_hour;
use super::Bulletin;

/// Working days until what is missing has to be there.
const GRACE: i32 = 3;

impl Bulletin<'_> {
    pub(super) fn demands(&self) -> Vec<Block> {
        let today = self.calendar.date_of(self.result.at);
        let until = day_and_hour(self.calendar.shift(today, GRACE), 18);
        let missing = Classes::of(&self.result.items).unreported > 0;
        let behind = self.result.items.iter().any(Item::is_behind);
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
}
