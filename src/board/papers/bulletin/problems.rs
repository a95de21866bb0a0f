//! 存在的主要问题: who did not report, who was late, whose report was returned, and what is behind.

use super::super::docx::Block;
use super::super::result::{Classes, Item, Lack};
use super::super::words::{numbers, sentence};
use super::Bulletin;
use crate::domain::report::ReportStatus;

/// Units and items that the text itself names; the annexes have all.
const NAMED: usize = 15;

/// Items behind that are told with their reasons.
const EXAMPLES: usize = 6;

impl Bulletin<'_> {
    pub(super) fn problems(&self) -> Vec<Block> {
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
        let items: Vec<&Item> = all.filter(|item| item.is_behind()).collect();
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
}
