//! One person who is urged, or would be.

use crate::domain::book::Book;
use crate::domain::due::{UrgeFate, Urging};
use crate::domain::ids::PersonId;
use crate::rules::RuleSet;

/// As read.
pub(super) struct Line {
    pub(super) id: PersonId,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) tasks: String,
    pub(super) channels: String,
    pub(super) already: usize,
    /// As many as anyone may get without a coordinator's word.
    pub(super) plenty: bool,
    pub(super) goes: bool,
    pub(super) note: &'static str,
}

pub(super) fn line(book: &Book, rules: &RuleSet, one: &Urging) -> Line {
    let person = book.people.get(&one.key.person);
    let tasks: Vec<String> = tasks(one).iter().map(u32::to_string).collect();
    let channels: Vec<&str> = one.route.iter().map(|kind| kind.chinese()).collect();
    Line {
        id: one.key.person.clone(),
        name: person.map_or_else(String::new, |person| person.name.clone()),
        unit: person.map_or_else(String::new, |person| person.unit.clone()),
        tasks: tasks.join("、"),
        channels: match channels.as_slice() {
            [] => "无".into(),
            [one] => (*one).into(),
            [first, others @ ..] => format!("{first}（发不出时{}）", others.join("、")),
        },
        already: one.already,
        plenty: one.already >= rules.policy.budget,
        goes: one.fate == UrgeFate::Goes,
        note: match one.fate {
            UrgeFate::Goes => "",
            UrgeFate::OnItsWay => "上一次催办还在发送，不再重复",
            UrgeFate::Unreachable => "没有可用的联系方式，请另行通知本人",
        },
    }
}

pub(super) fn tasks(one: &Urging) -> Vec<u32> {
    let mut tasks: Vec<u32> = one.items.iter().map(|key| key.task).collect();
    tasks.dedup();
    tasks
}
