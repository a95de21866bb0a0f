//! What became of a 催办, in figures and in words.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::person::{line, tasks};
use crate::domain::book::Book;
use crate::domain::due::{UrgeFate, Urging};
use crate::rules::RuleSet;

/// What became of a 催办, or would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgeAnswer {
    /// Who gets a message.
    pub urged: Vec<UrgeLine>,
    /// How many have an earlier 催办 on its way still.
    pub on_its_way: usize,
    /// How many nothing reaches.
    pub unreachable: usize,
    /// All of it in words.
    pub text: String,
}

/// One person urged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrgeLine {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// How many items are open.
    pub items: usize,
    /// Their numbers, most urgent first.
    pub tasks: Vec<u32>,
    /// First channel.
    pub channel: String,
    /// All channels, in the order they are tried.
    pub channels: Vec<String>,
    /// Messages in the last days of the budget's window, seven by default.
    pub this_week: usize,
}

pub(super) fn answer(book: &Book, all: &[Urging], rules: &RuleSet, dry: bool) -> UrgeAnswer {
    let days = rules.policy.budget_window.num_days();
    let count = |fate| all.iter().filter(|one| one.fate == fate).count();
    let (on_its_way, unreachable) = (count(UrgeFate::OnItsWay), count(UrgeFate::Unreachable));
    let mut urged = Vec::new();
    let mut text = String::new();
    for one in all.iter().filter(|one| one.fate == UrgeFate::Goes) {
        let line = line(book, rules, one);
        let _ = writeln!(
            text,
            "{} {}：第{}项未报；渠道：{}；近{days}日已收到{}条消息",
            line.unit, line.name, line.tasks, line.channels, line.already
        );
        urged.push(UrgeLine {
            items: one.items.len(),
            tasks: tasks(one),
            channel: one.route.first().map_or("", |c| c.as_str()).to_owned(),
            channels: one.route.iter().map(|c| c.as_str().to_owned()).collect(),
            this_week: one.already,
            name: line.name,
            unit: line.unit,
        });
    }
    let verb = if dry { "将催办" } else { "已催办" };
    let _ = write!(text, "{verb}{}人", urged.len());
    if on_its_way > 0 {
        let _ = write!(text, "；{on_its_way}人的上一次催办还在发送，不再重复");
    }
    if unreachable > 0 {
        let _ = write!(text, "；另有{unreachable}人没有可用的联系方式");
    }
    UrgeAnswer {
        urged,
        on_its_way,
        unreachable,
        text,
    }
}
