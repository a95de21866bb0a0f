//! The lines of messages: what was sent, or was not, and why.

use super::{Kind, Line, Teller, actor, line};
use crate::board::deliveries::withdrawn_why;
use crate::domain::delivery::{SendOutcome, Verdict};
use crate::domain::fact::Actor;
use crate::domain::fact::{DeferWhy, Entry, Fact, SkipWhy};
use crate::domain::message::MessageKey;

impl<'a> Teller<'a> {
    /// `None`: no fact of a message. `Some(None)`: one that makes no line.
    pub(super) fn of_message(&mut self, entry: &'a Entry) -> Option<Option<Line>> {
        let line = match &entry.fact {
            Fact::MessageQueued { message } => {
                if let Some(by) = actor(&entry.by) {
                    self.asked.insert(&message.key, by);
                }
                return Some(None);
            }
            Fact::SendIntended { key, channel, .. } => {
                self.sending.insert(key, *channel);
                *self.tries.entry(key).or_default() += 1;
                return Some(None);
            }
            Fact::SendConcluded {
                key,
                outcome,
                verdict,
            } => self.concluded(key, outcome, verdict),
            Fact::MessageSkipped { key, why } => self
                .message(Kind::Unsent, key)
                .words(format!("没有发出：{}", skipped(*why))),
            Fact::MessageDeferred { key, until, why } => {
                let why = match why {
                    DeferWhy::QuietHours => "不在工作时间",
                    DeferWhy::ChannelResting => "渠道暂停",
                    DeferWhy::ClockSet => "系统时钟调整",
                };
                let until = self.time(*until);
                self.message(Kind::Unsent, key)
                    .words(format!("推迟到{until}：{why}"))
            }
            Fact::MessageWithdrawn { key, why } => self
                .message(Kind::Unsent, key)
                .words(format!("撤回未发：{}", withdrawn_why(*why))),
            Fact::MessageRevived { key, .. } => self
                .message(Kind::Word, key)
                .words(with_actor("重新发送", &entry.by)),
            Fact::MessageHandled { key } => self
                .message(Kind::Sent, key)
                .by("电话")
                .words(with_actor("已电话通知本人", &entry.by)),
            _ => return None,
        };
        Some(Some(line))
    }

    fn message(&self, kind: Kind, key: &MessageKey) -> Line {
        let known = self.telling.book.messages.get(key);
        let copied = known.is_some_and(|known| {
            let message = &known.message;
            message.items.is_empty() && !message.about.is_empty() && key.occasion.stage().is_some()
        });
        let again = known.is_some_and(|known| known.message.catch_up);
        let copied = if copied { "（抄告）" } else { "" };
        let again = if again { "（补发）" } else { "" };
        let what = format!("{}{copied}{again}", key.occasion.chinese());
        line(kind, what, self.about(key))
    }

    fn concluded(&self, key: &MessageKey, outcome: &SendOutcome, verdict: &Verdict) -> Line {
        let channel = self.sending.get(key);
        let channel = channel.map_or("", |channel| channel.chinese());
        let tries = self.tries.get(key).copied().unwrap_or(1);
        let nth = if tries > 1 {
            format!("第{tries}次发送")
        } else {
            String::new()
        };
        let next = match verdict {
            Verdict::Done => String::new(),
            Verdict::Again { at, .. } => format!("，{}再发", self.time(*at)),
            Verdict::Dead => "，不再发送".into(),
            Verdict::Held => "，等待人工处理".into(),
        };
        let (kind, came) = match outcome {
            SendOutcome::Sent { .. } => (Kind::Sent, "已发出".to_owned()),
            SendOutcome::Failed(failure) => (
                Kind::Unsent,
                format!(
                    "发送失败：{}（{}）",
                    failure.reason.chinese(),
                    failure.detail
                ),
            ),
            SendOutcome::InDoubt { detail } => (Kind::Unsent, format!("结果未明（{detail}）")),
        };
        let asked = self.asked.get(key);
        let parts = [
            nth,
            format!("{came}{next}"),
            asked.map_or_else(String::new, |by| format!("由{by}催办")),
        ];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        self.message(kind, key).by(channel).words(parts.join("，"))
    }
}

fn skipped(why: SkipWhy) -> String {
    match why {
        SkipWhy::TooLate { working_days } => format!("已过{working_days}个工作日，不再补发"),
        SkipWhy::FoldedInto { stage } => format!("并入{}", stage.chinese()),
        SkipWhy::Unreachable => "没有可用的联系方式".into(),
        SkipWhy::OverBudget => "近日消息已达上限".into(),
    }
}

fn with_actor(words: &str, by: &Actor) -> String {
    match actor(by) {
        Some(by) => format!("{words}（{by}）"),
        None => words.to_owned(),
    }
}
