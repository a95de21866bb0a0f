//! What needs a person, in words, each with the page where it is dealt with.

use crate::domain::board::{Attention, Item};
use crate::domain::book::Book;
use crate::domain::ids::{PersonId, Quarter};
use crate::domain::user::Sight;

/// One thing that needs a person.
pub(super) struct Need {
    pub text: String,
    pub href: Option<String>,
}

/// All of them, for the items of one quarter that somebody sees. What belongs to no task (a mail, a word nobody understood) is the
/// office's, and shown to those who see everything.
pub(super) fn needs(
    book: &Book,
    items: &[Item<'_>],
    quarter: Quarter,
    sight: &Sight,
    found: Attention,
) -> Vec<Need> {
    // Of the pages these lead to, only that of messages is for those who see a part, too.
    let whole = *sight == Sight::Everything;
    let mut needs = Vec::new();
    let mut add = |count: usize, text: &str, href: &str| {
        if count > 0 {
            needs.push(Need {
                text: format!("{count}{text}"),
                href: (whole || href.starts_with("/deliveries")).then(|| href.to_owned()),
            });
        }
    };
    // Extensions asked for, and owners who say that it is not theirs.
    let asks = items.iter().filter(|item| {
        let known = item.obligation;
        known.asked().is_some() || known.disowned().is_some()
    });
    add(asks.count(), "件申请或反映等待答复", "/requests");
    if whole {
        let mails = book.mails_waiting().count();
        add(mails, "封邮件回复需要人工处理", "/mails");
        let unclear = book.words.values().filter(|word| word.is_unclear()).count();
        add(unclear, "条企业微信回复系统没有读懂", "/unclear");
    }
    let mut messages = |count, text, state| {
        let href = format!("/deliveries?state={state}&quarter={quarter}");
        add(count, text, &href);
    };
    messages(found.dead, "条消息发送失败", "dead");
    messages(found.held, "条消息不能确定是否送达，等待处理", "held");
    messages(found.in_doubt, "条消息发出后结果未明", "in_doubt");
    messages(found.waiting_long, "条消息超过一小时仍未发出", "waiting");
    let mut people = |ids: &[PersonId], text: &str, href: Option<&str>| {
        let known = ids.iter().filter_map(|id| book.people.get(id));
        let names: Vec<_> = known.map(|person| person.name.as_str()).collect();
        if !names.is_empty() {
            needs.push(Need {
                text: format!("{}人{text}：{}", names.len(), few(&names)),
                href: href.filter(|_| whole).map(str::to_owned),
            });
        }
    };
    people(&found.unreachable, "没有可用的联系方式", Some("/readiness"));
    let first = found.over_budget.first().map(|id| format!("/person/{id}"));
    people(
        &found.over_budget,
        "近日消息已达上限，有提醒未发",
        first.as_deref(),
    );
    if let Some(first) = found.unowned.first() {
        let tasks = found.unowned.iter();
        let tasks: Vec<_> = tasks.map(|key| key.task.to_string()).collect();
        let tasks: Vec<_> = tasks.iter().map(String::as_str).collect();
        needs.push(Need {
            text: format!("{}项没有直接责任人：第{}项", tasks.len(), few(&tasks)),
            href: Some(format!("/task/{first}")),
        });
    }
    needs
}

fn few(names: &[&str]) -> String {
    const MOST: usize = 8;
    let shown: Vec<_> = names.iter().take(MOST).copied().collect();
    let more = if names.len() > MOST { "等" } else { "" };
    format!("{}{more}", shown.join("、"))
}
