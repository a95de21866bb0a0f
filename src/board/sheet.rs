//! Lists of the board as tables for Excel.

use super::deliveries;
use super::wire::standing;
use crate::domain::board::{Item, names};
use crate::domain::book::{Book, Delivery};
use crate::domain::calendar::Calendar;
use crate::domain::people::ChannelKind;
use crate::domain::user::Sight;
use crate::web::csv::Csv;
use crate::web::format::moment;

/// Obligations, one a line, with all that is said of each.
pub(super) fn items(book: &Book, calendar: &Calendar, items: &[Item<'_>]) -> Csv {
    let mut csv = Csv::new(&[
        "序号",
        "目标任务",
        "总体要求",
        "责任领导",
        "牵头单位",
        "责任人",
        "直接责任人",
        "本季度节点",
        "状态",
        "进展情况",
        "完成情况",
        "存在问题",
        "下一步措施",
        "完成比例",
        "指标完成",
        "报送人",
        "报送时间",
        "报送方式",
        "报送截止",
        "最近提醒",
        "提醒时间",
    ]);
    let time = |at| full(calendar, at);
    for item in items {
        let (task, group, known) = (item.task, item.group, item.obligation);
        let latest = known.latest();
        let report = latest.map(|latest| &latest.report);
        let nodes = task.milestones_in(group, item.key.quarter);
        let nodes: Vec<&str> = nodes.map(|node| node.content.as_str()).collect();
        let figures = report.into_iter().flat_map(|report| &report.actuals);
        let figures: Vec<String> = figures
            .map(|actual| format!("{}：{}", actual.target.name(), actual.told()))
            .collect();
        let text = |of: fn(&crate::domain::report::Report) -> &String| {
            report.map_or_else(String::new, |report| of(report).clone())
        };
        let percent = report.and_then(|report| report.percent);
        let reminded = known.last_reminded;
        csv.line(&[
            task.no.to_string(),
            task.goal.clone(),
            task.requirement.clone().unwrap_or_default(),
            names(&group.leaders),
            group.unit.clone(),
            names(&group.responsible),
            names(&group.owners),
            nodes.join("\n"),
            item.state.chinese().to_owned(),
            report.map_or_else(String::new, |report| report.status.chinese().to_owned()),
            text(|report| &report.progress),
            text(|report| &report.problems),
            text(|report| &report.next_steps),
            percent.map_or_else(String::new, |percent| format!("{percent}%")),
            figures.join("\n"),
            report.map_or_else(String::new, |report| book.told_by(report)),
            latest.map_or_else(String::new, |latest| time(latest.at)),
            report.map_or_else(String::new, |report| report.via.chinese().to_owned()),
            item.deadline.map_or_else(String::new, time),
            reminded.map_or_else(String::new, |(_, occasion)| occasion.chinese().to_owned()),
            reminded.map_or_else(String::new, |(at, _)| time(at)),
        ]);
    }
    csv
}

/// Messages, one a line.
pub(super) fn deliveries(
    book: &Book,
    calendar: &Calendar,
    all: &[&Delivery],
    sight: &Sight,
) -> Csv {
    let mut csv = Csv::new(&[
        "时间",
        "收件人",
        "单位",
        "事由",
        "季度",
        "事项",
        "渠道",
        "状态",
        "尝试次数",
        "说明",
    ]);
    for delivery in all {
        let key = &delivery.message.key;
        let person = book.people.get(&key.person);
        let (at, channel) = standing(delivery);
        let channel = channel.and_then(ChannelKind::from_name);
        csv.line(&[
            full(calendar, at),
            person.map_or_else(String::new, |person| person.name.clone()),
            person.map_or_else(String::new, |person| person.unit.clone()),
            key.occasion.chinese().to_owned(),
            key.quarter.chinese(),
            deliveries::tasks(book, delivery, sight),
            channel.map_or_else(String::new, |kind| kind.chinese().to_owned()),
            deliveries::state_chinese(&delivery.state).to_owned(),
            delivery.attempts.to_string(),
            deliveries::note(delivery, |at| moment(calendar, at)),
        ]);
    }
    csv
}

/// `2022-03-31 18:00`, which Excel takes for a time.
pub(super) fn full(calendar: &Calendar, at: chrono::DateTime<chrono::Utc>) -> String {
    let local = at.with_timezone(&calendar.zone());
    local.format("%Y-%m-%d %H:%M").to_string()
}
