//! Paired lists: `一、二季度分别完成a、b` is two milestones.

use super::super::ids::Quarter;
use super::node::{Day, Every, Node, Time};

/// The node's parts, where its words pair as many works with its times; else itself.
pub(super) fn apart(node: Node) -> Vec<Node> {
    let times = times_of(&node.time);
    if times.len() < 2 {
        return vec![node];
    }
    let Some(contents) = contents_of(&node.content, times.len()) else {
        return vec![node];
    };
    times
        .into_iter()
        .zip(contents)
        .map(|(time, content)| Node {
            section: node.section.clone(),
            content,
            time,
        })
        .collect()
}

fn times_of(time: &Time) -> Vec<Time> {
    match time {
        Time::Quarters { first, last } => {
            std::iter::successors(Some(*first), |quarter: &Quarter| Some(quarter.next()))
                .take_while(|quarter| quarter <= last)
                .take(4)
                .map(|quarter| Time::Quarters {
                    first: quarter,
                    last: quarter,
                })
                .collect()
        }
        Time::Recurring(repeat) if repeat.every == Every::Quarter && repeat.at.is_none() => repeat
            .dates
            .iter()
            .map(|due| Quarter::of(*due))
            .map(|quarter| Time::Quarters {
                first: quarter,
                last: quarter,
            })
            .collect(),
        Time::Recurring(repeat) if repeat.every == Every::Half => repeat
            .dates
            .iter()
            .filter_map(|due| {
                let last = Quarter::of(*due);
                let first = Quarter::new(last.year(), last.number() - 1)?;
                Some(Time::Quarters { first, last })
            })
            .collect(),
        Time::Recurring(repeat) if repeat.every == Every::Listed => repeat
            .dates
            .iter()
            .map(|due| {
                Time::Day(Day {
                    start: None,
                    due: *due,
                    others: Vec::new(),
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// `入库税收分别为8、9亿元`: `入库税收8亿元`, `入库税收9亿元`.
fn contents_of(content: &str, count: usize) -> Option<Vec<String>> {
    const VERBS: [&str; 8] = ["完成", "达到", "实现", "新增", "建成", "达", "开展", "投入"];
    let (subject, list) = content.split_once("分别")?;
    let list = list.trim_start_matches(['为', '是', '：', ':']);
    let verb = VERBS.iter().find(|verb| list.starts_with(**verb));
    let list = verb.map_or(list, |verb| list.trim_start_matches(*verb));
    let end = list.find(['。', '；', ';', '\n']).unwrap_or(list.len());
    let (list, after) = list.split_at_checked(end)?;
    let items: Vec<&str> = [['、', '、'], ['、', '和'], ['，', ',']]
        .iter()
        .map(|marks| list.split(*marks).map(str::trim).collect::<Vec<_>>())
        .find(|items| items.len() == count && items.iter().all(|item| !item.is_empty()))?;
    let is_figure =
        |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c) || ".%％".contains(c);
    let unit = items.last()?.trim_start_matches(is_figure);
    let told = items.iter().enumerate().map(|(index, item)| {
        let bare = item.chars().all(is_figure) && !item.ends_with(['%', '％']);
        let unit = if bare { unit } else { "" };
        let rest = if index + 1 == count { after } else { "" };
        let verb = verb.copied().unwrap_or_default();
        format!("{}{verb}{item}{unit}{rest}", subject.trim())
    });
    Some(told.collect())
}
