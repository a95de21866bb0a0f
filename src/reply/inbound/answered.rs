//! What a person wrote: who it is, to which reminder, and what of it is understood.

use chrono::{DateTime, Utc};

use super::thread::thread;
use super::{Answer, Incoming, Offered};
use crate::domain::book::Book;
use crate::domain::brief::subject_token;
use crate::domain::evidence::Adding;
use crate::domain::fact::{Actor, Fact};
use crate::domain::ids::{ObligationKey, PersonId, TaskNo};
use crate::domain::mail::MailOutcome;
use crate::domain::message::{MessageKey, Thread};
use crate::domain::report::Via;
use crate::reply::accept::{self, Refusal, Submission};
use crate::reply::mail::Authenticity;
use crate::reply::seen::open;
use crate::reply::words::{self, OpenItem, Reading, Understood};
use crate::rules::RuleSet;

pub(super) fn answered(
    book: &Book,
    incoming: &Incoming,
    at: DateTime<Utc>,
    rules: &RuleSet,
) -> Answer {
    let mail = &incoming.mail;
    let known = |person: &PersonId| {
        let address = book
            .contacts
            .get(person)
            .and_then(|contact| contact.email.as_deref());
        matches!((address, &mail.from), (Some(address), Some(from)) if address.eq_ignore_ascii_case(from))
    };
    let asked = match thread(book, mail) {
        Ok(Some(asked)) => asked,
        Ok(None) => return without_thread(book, known),
        Err(why) => return Answer::unclear(None, why),
    };
    let Some(thread) = writer(book, &asked, known) else {
        return Answer::unclear(Some(asked), "发件地址不是被提醒人的，也不是同组责任人的");
    };
    match (mail.authenticity, incoming.vouched) {
        (Authenticity::Fail, _) => {
            return Answer::unclear(Some(thread), "发件人未通过收信服务器的身份验证，可能是冒名");
        }
        (Authenticity::None, true) => {
            return Answer::unclear(Some(thread), "收信服务器没有验证发件人身份");
        }
        _ => {}
    }
    Answer {
        sure: true,
        ..said(book, incoming, (thread, &asked), at, rules)
    }
}

/// A mail that names none of ours: of someone we know it waits, of others it is none of ours.
fn without_thread(book: &Book, known: impl Fn(&PersonId) -> bool) -> Answer {
    let mut senders: Vec<&PersonId> = book
        .contacts
        .keys()
        .filter(|person| known(person))
        .collect();
    senders.sort();
    let keys = senders
        .iter()
        .filter_map(|person| book.messages_of.get(*person)?.last());
    let last = keys.max_by_key(|key| key.quarter).map(MessageKey::thread);
    match last {
        Some(thread) => Answer::unclear(
            Some(thread),
            "没有引用提醒邮件，不能确定是对哪一次提醒的回复",
        ),
        None => Answer::nothing(MailOutcome::Ignored),
    }
}

/// Who answers: the person asked, or a colleague who answers for some of the same.
fn writer(book: &Book, asked: &Thread, known: impl Fn(&PersonId) -> bool) -> Option<Thread> {
    if known(&asked.person) {
        return Some(asked.clone());
    }
    let of_asked = book.obligations_of(&asked.person, &asked.plan, asked.quarter);
    let groups = of_asked.filter_map(|(key, _)| book.task_and_group(key));
    let mut others = groups
        .flat_map(|(_, group)| &group.owners)
        .filter(|owner| known(&owner.id));
    let person = others.next()?.id.clone();
    Some(Thread {
        person,
        ..asked.clone()
    })
}

fn said(
    book: &Book,
    incoming: &Incoming,
    (thread, asked): (Thread, &Thread),
    at: DateTime<Utc>,
    rules: &RuleSet,
) -> Answer {
    let mail = &incoming.mail;
    // Every letter of ours names its thread: where that is still in the text, the quote is too.
    if mail
        .text
        .contains(&subject_token(&thread.plan, thread.quarter, &asked.person))
    {
        return Answer::unclear(Some(thread), "正文里夹有原邮件，不能确定哪些是新写的");
    }
    let items = items(book, &thread, at);
    match words::understand(&mail.text, &items) {
        Understood::Reports(reading) => reported(book, incoming, (thread, &reading), at, rules),
        Understood::Acknowledged => {
            let reports = seen(book, &thread, at).into_iter().collect();
            Answer {
                thread: Some(thread),
                reports,
                ..Answer::nothing(MailOutcome::Acknowledged)
            }
        }
        Understood::NotMine { tasks } => {
            let which = numbers(&tasks);
            Answer::unclear(Some(thread), format!("本人称{which}不由其负责"))
        }
        Understood::Help => Answer::unclear(Some(thread), "询问如何填报"),
        Understood::Unclear(why) => Answer::unclear(Some(thread), why.chinese()),
    }
}

fn reported(
    book: &Book,
    incoming: &Incoming,
    (thread, reading): (Thread, &Reading),
    at: DateTime<Utc>,
    rules: &RuleSet,
) -> Answer {
    let submission = Submission {
        plan: thread.plan.clone(),
        quarter: thread.quarter,
        person: thread.person.clone(),
        via: Via::Mail,
        by: Actor::Owner(thread.person.clone()),
        drafts: reading.said.iter().map(words::Said::draft).collect(),
    };
    let left: Vec<String> = reading
        .left
        .iter()
        .map(|(part, why)| format!("“{}”{}", gist(part), why.chinese()))
        .collect();
    match accept::decide(book, &submission, at, rules) {
        Ok(decision) => {
            let reports = decision.value.reports.iter();
            let items: Vec<_> = reports
                .map(|received| received.report.obligation.clone())
                .collect();
            let (evidence, unkept) = beside(book, &thread, &items, &incoming.files);
            let left = (!left.is_empty()).then(|| left.join("；"));
            Answer {
                thread: Some(thread),
                outcome: MailOutcome::Reported { items, left },
                reports: decision.facts,
                evidence,
                unkept,
                sure: true,
            }
        }
        Err(refusal) => Answer::unclear(Some(thread), told(&refusal)),
    }
}

/// The files beside every report that their mail made.
fn beside(
    book: &Book,
    thread: &Thread,
    items: &[ObligationKey],
    files: &[Offered],
) -> (Vec<Fact>, Vec<(String, String)>) {
    let (mut facts, mut unkept) = (Vec::new(), Vec::new());
    let mut adding = Adding::new(book, &thread.person, &thread.plan, thread.quarter);
    for offered in files {
        let added = match &offered.file {
            Ok(evidence) => adding.add(items, evidence),
            Err(why) => Err(why.clone()),
        };
        match added {
            Ok(added) => facts.extend(added),
            Err(why) => unkept.push((offered.name.clone(), why.to_string())),
        }
    }
    (facts, unkept)
}

/// That all this person has open in the quarter is known to them.
fn seen(book: &Book, thread: &Thread, at: DateTime<Utc>) -> Option<Fact> {
    let open = open(book, thread, at);
    (!open.is_empty()).then(|| Fact::Acknowledged {
        obligations: open,
        person: thread.person.clone(),
    })
}

fn told(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Faults(faults) => faults
            .iter()
            .map(|fault| fault.message.clone())
            .collect::<Vec<_>>()
            .join("；"),
        Refusal::Accepted(_) => refusal.to_string(),
    }
}

fn gist(text: &str) -> String {
    const MOST: usize = 30;
    let mut chars = text.chars().map(|c| if c == '\n' { ' ' } else { c });
    let mut short: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

fn numbers(tasks: &[TaskNo]) -> String {
    match tasks {
        [] => "这些事项".into(),
        tasks => format!("第{}项", crate::domain::ids::told(tasks)),
    }
}

/// The items this owner may speak of, each task once.
fn items(book: &Book, thread: &Thread, at: DateTime<Utc>) -> Vec<OpenItem> {
    let mut items: Vec<OpenItem> = Vec::new();
    for one in book.answerable(&thread.person, &thread.plan, thread.quarter, at) {
        let (key, obligation) = (one.key, one.obligation);
        let name = book
            .task_and_group(key)
            .map(|(task, _)| task.short_name())
            .unwrap_or_default();
        match items.iter_mut().find(|item| item.task == key.task) {
            Some(item) => item.awaited |= obligation.is_open(),
            None => items.push(OpenItem {
                task: key.task,
                name,
                awaited: obligation.is_open(),
            }),
        }
    }
    items
}
