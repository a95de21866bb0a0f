//! 一、总体情况: what was due, what came, and how it stands.

use super::super::docx::{Block, Look};
use super::super::result::{Classes, Lack};
use super::super::words::{moment, share};
use super::Bulletin;

impl Bulletin<'_> {
    pub(super) fn overview(&self) -> Vec<Block> {
        let classes = Classes::of(&self.result.items);
        let text = format!(
            "{}{}{}。",
            self.expected(&classes),
            self.reported(&classes),
            unreported(&classes)
        );
        let told = classes
            .named()
            .map(|(name, count)| format!("{name}{count}项，占{}", share(count, classes.all)));
        let five = format!("按进展情况分，{}。", told.join("；"));
        let mut lines = vec![Block::line(Look::Body, text), Block::line(Look::Body, five)];
        lines.extend(self.waiting().map(|text| Block::line(Look::Body, text)));
        lines
    }

    fn expected(&self, classes: &Classes) -> String {
        let mut text = format!(
            "{}应报送进展的事项共{}项，涉及牵头单位{}个。",
            self.result.quarter.chinese_short(),
            classes.all,
            self.result.lead_units().len()
        );
        if let Some(deadline) = self.result.deadline {
            let deadline = moment(self.calendar, deadline);
            text.push_str(&format!("报送截止时间为{deadline}。"));
        }
        text
    }

    fn reported(&self, classes: &Classes) -> String {
        let mut text = format!(
            "截至{}，已报送{}项，报送率{}",
            moment(self.calendar, self.result.at),
            classes.reported(),
            share(classes.reported(), classes.all)
        );
        if classes.late > 0 {
            let in_time = classes.reported() - classes.late;
            text.push_str(&format!(
                "，其中按时报送{in_time}项、迟报{}项",
                classes.late
            ));
        }
        text
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
}

fn unreported(classes: &Classes) -> String {
    if classes.unreported == 0 {
        return String::new();
    }
    let mut text = format!("；未报送{}项", classes.unreported);
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
    text
}
