//! A message, as read: to whom, on what occasion, and why it stands as it does.

use chrono::{DateTime, Utc};

use super::state_chinese;
use crate::board::wire::standing;
use crate::domain::book::{Book, Delivery, DeliveryState};
use crate::domain::calendar::Calendar;
use crate::domain::fact::WithdrawWhy;
use crate::domain::ids::{ObligationKey, PersonId, PlanId, told};
use crate::domain::people::ChannelKind;
use crate::domain::user::Sight;
use crate::web::format::{brief, moment};

/// A message, as read.
pub(in crate::board) struct Line {
    pub key: String,
    pub person: PersonId,
    pub plan: PlanId,
    pub name: String,
    /// What it speaks of.
    pub tasks: String,
    pub unit: String,
    pub occasion: &'static str,
    pub quarter: String,
    pub catch_up: bool,
    pub state: &'static str,
    pub state_chinese: &'static str,
    pub channel: &'static str,
    pub at: String,
    pub attempts: u32,
    pub note: String,
    pub can_revive: bool,
}

pub(in crate::board) fn line(
    book: &Book,
    delivery: &Delivery,
    calendar: &Calendar,
    sight: &Sight,
) -> Line {
    let key = &delivery.message.key;
    let person = book.people.get(&key.person);
    let (at, channel) = standing(delivery);
    Line {
        key: key.to_string(),
        person: key.person.clone(),
        plan: key.plan.clone(),
        tasks: tasks(book, delivery, sight),
        name: person.map(|person| person.name.clone()).unwrap_or_default(),
        unit: person.map(|person| person.unit.clone()).unwrap_or_default(),
        occasion: key.occasion.chinese(),
        quarter: key.quarter.chinese(),
        catch_up: delivery.message.catch_up,
        state: delivery.state.as_str(),
        state_chinese: state_chinese(&delivery.state),
        channel: channel
            .and_then(ChannelKind::from_name)
            .map_or("", ChannelKind::chinese),
        at: brief(calendar, at),
        attempts: delivery.attempts,
        note: note(delivery, |at| moment(calendar, at)),
        can_revive: delivery.state.is_stuck(),
    }
}

/// The numbers of the tasks a message speaks of, as far as they may be seen: its person's own, else
/// those of others.
pub(in crate::board) fn tasks(book: &Book, delivery: &Delivery, sight: &Sight) -> String {
    let message = &delivery.message;
    let keys = match message.items.as_slice() {
        [] => &message.about,
        items => items,
    };
    let seen = |key: &&ObligationKey| {
        let known = book.task_and_group(key);
        *sight == Sight::Everything || known.is_some_and(|(task, _)| sight.sees(task))
    };
    let mut tasks: Vec<_> = keys.iter().filter(seen).map(|key| key.task).collect();
    tasks.sort_unstable();
    tasks.dedup();
    told(&tasks)
}

/// Why it stands as it does, in a sentence.
pub(in crate::board) fn note(
    delivery: &Delivery,
    time: impl Fn(DateTime<Utc>) -> String,
) -> String {
    match &delivery.state {
        DeliveryState::Sent { .. } | DeliveryState::Handled { .. } => String::new(),
        DeliveryState::Withdrawn { why, .. } => withdrawn_why(*why),
        DeliveryState::Waiting { until } if delivery.last_trouble.is_none() => {
            format!("将于{}后发送", time(*until))
        }
        _ => match &delivery.last_trouble {
            Some(trouble) => match trouble.reason {
                Some(reason) => format!("{}（{}）", reason.chinese(), trouble.detail),
                None => format!("结果未明（{}）", trouble.detail),
            },
            None => String::new(),
        },
    }
}

/// Why a message was not sent after all.
pub(in crate::board) fn withdrawn_why(why: WithdrawWhy) -> String {
    match why {
        WithdrawWhy::Reported => "所提事项已全部报送，不再发送".into(),
        WithdrawWhy::Superseded { by } => format!("已并入后来的{}", by.chinese()),
        WithdrawWhy::NoLongerTheirs => "所提事项已不由其负责".into(),
        WithdrawWhy::PutOff => "所提事项已获准延期，按新的日期另行提醒".into(),
        WithdrawWhy::AlarmOver => "发出之前已恢复正常".into(),
        WithdrawWhy::Restored => "从备份恢复之前可能已经发出，不再补发".into(),
    }
}
